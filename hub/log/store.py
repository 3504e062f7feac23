"""The store of the log: what a commit promises, and how the log is read.

Duties of a store, the same on SQLite and PostgreSQL:

* **Durable.** When `Log.append` returns, its entries survive a power cut. When the
  process dies before, either all of them are there or none.
* **One history.** An append names the size it was decided for. If the log has grown
  since, nothing is written and `LogMoved` is raised, so two ledgers that were
  started by mistake can both run and never both win.
* **Together.** Entries, payloads, the head with its root, and the projections change
  in one commit.
* **Readers** never wait for the writer and see only whole commits.

The methods block; asynchronous callers use a thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from hub.core.admission import NewEntry
from hub.core.candidate import Candidate
from hub.core.changes import redacted_by
from hub.core.known import Known, accepted_key, export_key, header_key, input_key
from hub.core.merkle import EMPTY, Frontier, extend_leaves, leaf_hash
from hub.core.redaction import REDACTED_TYPE
from hub.core.registry import CHANGE_KINDS, REGISTRY_KINDS
from hub.core.rows import AcknowledgementRow, MessageRow, identity
from hub.core.signing import Chain, chain_name
from hub.errors import LogMoved, Unavailable
from hub.log import escalation_log, retention_log, statements, thread_log
from hub.log.aid_log import aid_around, aid_messages, aid_versions
from hub.log.derived import acknowledgement_of, message_of, project, project_left
from hub.log.engine import migrate, open_engine
from hub.log.row import LogRow
from hub.log.tables import (
    ACKNOWLEDGEMENTS,
    CHAINS,
    DELIVERIES,
    ENTRIES,
    HEAD,
    INPUTS,
    MESSAGES,
    PAYLOADS,
)
from schemas.entry import decode
from schemas.facts import MessageFacts

__all__ = ["Head", "Log", "LogRow", "head_of", "row_of"]

_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half a character out of JSON, which UTF-8 cannot write."""

_IN: Final = 500
"""How many values one IN list holds; SQLite has a limit on variables."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: how many entries, when the last was logged, the tree over them."""

    size: int
    at_us: int
    frontier: Frontier

    @property
    def root(self) -> bytes:
        """The Merkle root (RFC 6962) over all entries."""
        return self.frontier.root


class Log:
    """The log, open for reading and appending. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        alone = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._single = engine.execution_options(**alone)

    @classmethod
    def open(cls, url: str) -> Log:
        """Open the store at *url*, making or upgrading its tables first.

        Raises:
            Unavailable: ``log-unavailable`` or ``log-too-new``.
        """
        engine = open_engine(url)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that only reads.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        with self._reading(self.engine) as connection:
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """Open a connection for single questions, each answered as of a moment of its own.

        PostgreSQL is spared the two round trips of a transaction: half of what a look-up takes.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        with self._reading(self._single) as connection:
            yield connection

    @contextmanager
    def _reading(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.connect() as connection:
                yield connection
        except SQLAlchemyError as e:
            raise Unavailable("log-unavailable", f"the log cannot be read: {_short(e)}") from e

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open one transaction that holds the writer's lock from its beginning.

        Raises:
            Unavailable: ``log-unavailable``; nothing was written, or, where a commit was
                under way when the connection broke, all of it: read again to know.
        """
        try:
            with (
                self.engine.connect().execution_options(write=True) as connection,
                connection.begin(),
            ):
                yield connection
        except SQLAlchemyError as e:
            raise Unavailable("log-unavailable", f"the log cannot be written: {_short(e)}") from e

    def head(self) -> Head:
        """Return the end of the log as last committed."""
        with self.asking() as c:
            return head_of(c)

    def append(self, entries: Sequence[NewEntry], *, expect: Head) -> Head:
        """Append a batch in one commit; return the new end once it is on the disk.

        Raises:
            LogMoved: the log is not at *expect*: nothing was written.
            Unavailable: ``log-unavailable``; see `writing`.
        """
        if not entries:
            return expect
        leaves = [leaf_hash(e.body) for e in entries]
        frontier = extend_leaves(expect.frontier, leaves)
        head = Head(frontier.size, entries[-1].at_us, frontier)
        with self.writing() as c:
            self._advance(c, expect, head)
            statements.add(c, ENTRIES, _entry_rows(expect.size, entries))
            statements.add(c, PAYLOADS, _payload_rows(expect.size, entries))
            project(c, expect.size, entries, leaves)
            redacted = [one for e in entries for one in e.redacts]
            for index, left in redacted:
                _redact(c, index, left)
        if redacted:
            self._wipe()
        return head

    def _wipe(self) -> None:
        """Have SQLite forget at once what was overwritten; freed pages are zeroed anyway."""
        if self.engine.dialect.name == "sqlite":
            with suppress(SQLAlchemyError), self.engine.connect() as c:
                c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _advance(self, c: Connection, expect: Head, head: Head) -> None:
        values = {
            "new_size": head.size,
            "new_at_us": head.at_us,
            "new_root": head.root,
            "new_frontier": head.frontier.to_bytes(),
        }
        if expect.size == 0:
            done = statements.begin(c, values)
        else:
            done = statements.advance(c, expect.size, values)
        if not done:
            raise LogMoved(expect.size, head_of(c).size)

    def known_for(
        self,
        batch: Sequence[Candidate],
        *,
        chains: Mapping[str, Chain] | None = None,
        inputs_of_messages: bool = True,
    ) -> Known:
        """Return what the log holds that these candidates may meet; a few queries a batch.

        The one ledger may pass the *chains* that it knows. Without *inputs_of_messages* it is
        not looked up which messages were refused before; whoever then refuses one must
        ask again with it, or a crash could log that refusal twice.
        """
        wanted = _Wanted.of(batch, inputs_of_messages=inputs_of_messages)
        with self.reading() as c:
            rows = _messages(c, MESSAGES.c.identity, wanted.identities)
            rows += _messages(c, MESSAGES.c.id, wanted.ids | wanted.references)
            indexes = {int(r) for r in wanted.references if _is_index(r)} | wanted.retired
            rows += _messages(c, MESSAGES.c.idx, indexes)
            names = wanted.names | {(r.facts.sender, r.facts.identifier) for r in rows}
            acks = [] if not wanted.references else _acknowledgements(c, names)
            rows += thread_log.referred_to(
                c, ((b.agency, b.facts) for b in batch if b.kind == "publish" and b.facts)
            )
            removed: set[int] = set()
            if wanted.retired:
                rows += thread_log.changes_of(c, [r for r in rows if r.index in wanted.retired])
                removed = retention_log.removed(c, wanted.retired)
            found = dict(chains or {})
            if unknown := wanted.chains - found.keys():
                query = select(CHAINS).where(CHAINS.c.agency.in_(unknown))
                found.update((r.agency, Chain(r.seq, r.head)) for r in c.execute(query))
            inputs = {r.key: (r.idx, r.at_us) for r in _in(c, INPUTS.c.key, wanted.inputs)}
            delivered = _delivered(c, wanted.feeds)
            aid = aid_around(c, batch)
            known = Known(rows, acks, found, delivered, inputs, aid)
            known.removed |= removed
            if wanted.escalated:
                known.outages.extend(escalation_log.outages(c))
                for one in escalation_log.escalations_of(c, wanted.escalated):
                    known.add_escalation(one)
        return known

    def chain(self, name: str) -> Chain:
        """Return where a count of messages stands (`hub.core.signing.chain_name`)."""
        with self.asking() as c:
            row = c.execute(select(CHAINS).where(CHAINS.c.agency == name)).one_or_none()
            return Chain() if row is None else Chain(row.seq, row.head)

    def aid_versions(self, rows: Iterable[MessageRow]) -> list[MessageRow]:
        """Return aid messages with all that updates them or takes them back."""
        with self.reading() as c:
            return aid_versions(c, rows)

    def aid_messages(self) -> list[MessageRow]:
        """Return all aid messages, in order; the aid board is made of them."""
        with self.reading() as c:
            return aid_messages(c)

    def threads_of(self, seeds: Sequence[MessageRow]) -> list[MessageRow]:
        """Return the whole threads of some messages, in order; see `hub.log.thread_log`."""
        with self.reading() as c:
            return thread_log.threads_of(c, seeds)

    def mentions_of(self, messages: Sequence[MessageRow]) -> list[MessageRow]:
        """Return the first messages that name one of these and are none of them, in order."""
        with self.reading() as c:
            return thread_log.mentions_of(c, messages)

    def incidents(self, channel: str, *, before: int | None, limit: int) -> list[tuple[int, str]]:
        """Return log indexes of messages and the incidents that they are about, newest first."""
        with self.reading() as c:
            return thread_log.incidents(c, channel, before=before, limit=limit)

    def incident_messages(
        self, channel: str, incident: str, *, after: int = -1, limit: int
    ) -> list[MessageRow]:
        """Return the first messages about an incident above the index *after*, in order."""
        with self.reading() as c:
            return thread_log.incident_messages(c, channel, incident, after=after, limit=limit)

    def latest_about(
        self, channel: str, incident: str, *, before: int | None = None, limit: int
    ) -> list[MessageRow]:
        """Return the last messages about an incident with an index below *before*, in order."""
        with self.reading() as c:
            return thread_log.latest_about(c, channel, incident, before=before, limit=limit)

    def registry_entries(self, *, after: int = -1) -> list[tuple[int, dict[str, Any]]]:
        """Return the entries that changed the registry, in order."""
        with self.asking() as c:
            found = c.execute(
                select(ENTRIES.c.idx, ENTRIES.c.body)
                .where(
                    ENTRIES.c.kind != "publish",  # lets the partial index serve
                    ENTRIES.c.kind.in_(sorted(REGISTRY_KINDS)),
                    ENTRIES.c.idx > after,
                )
                .order_by(ENTRIES.c.idx)
            )
            return [(idx, decode(body)) for idx, body in found]

    def rows(
        self,
        *,
        after: int = -1,
        through: int | None = None,
        limit: int = 512,
        kinds: Iterable[str] = (),
        agency: str | None = None,
    ) -> list[LogRow]:
        """Return at most *limit* entries with an index above *after*, in order."""
        of = sorted(kinds)
        query = statements.rows(
            through=through is not None,
            kinds=bool(of),
            publish="publish" in of,
            agency=agency is not None,
        )
        given: dict[str, Any] = {"after": after, "limit": limit}
        given |= {"through": through} if through is not None else {}
        given |= {"kinds": of} if of else {}
        given |= {"agency": agency} if agency is not None else {}
        with self.asking() as c:
            return [row_of(r) for r in c.execute(query, given)]

    def row(self, index: int) -> LogRow | None:
        """Return the entry at *index*, None beyond the end."""
        found = self.rows(after=index - 1, through=index, limit=1)
        return found[0] if found else None

    def find_messages(self, name: str) -> list[MessageRow]:
        """Return the messages that *name* may mean: by log index, id, or CAP identifier.

        A log index comes first: it is the log's word, an id only its sender's.
        """
        if not _storable(name):
            return []
        with self.reading() as c:
            found = _messages(c, MESSAGES.c.idx, {int(name)} if _is_index(name) else set())
            found += [m for m in _messages(c, MESSAGES.c.id, {name}) if m not in found]
            if not found:
                # The identity ends in the identifier; agencies are few, so ask for each.
                senders = c.execute(select(CHAINS.c.agency)).scalars().all()
                for agency in senders:
                    low = f"{agency}\x1f"
                    query = select(MESSAGES).where(
                        MESSAGES.c.identity > low,
                        MESSAGES.c.identity < f"{agency}\x20",
                        MESSAGES.c.identity.like(f"%\x1f{_escaped(name)}", escape="\\"),
                    )
                    found += [message_of(r) for r in c.execute(query.limit(5))]
            return found

    def acknowledgements(self, of: MessageRow) -> list[AcknowledgementRow]:
        """Return who has acknowledged a message, in log order; the first by an officer."""
        with self.reading() as c:
            found = c.execute(
                select(ACKNOWLEDGEMENTS)
                .where(
                    ACKNOWLEDGEMENTS.c.sender == of.facts.sender,
                    ACKNOWLEDGEMENTS.c.identifier == of.facts.identifier,
                )
                .order_by(ACKNOWLEDGEMENTS.c.idx)
            )
            first: dict[tuple[str, str], AcknowledgementRow] = {}
            for ack in map(acknowledgement_of, found):
                if ack.is_of(of):
                    first.setdefault((ack.agency, ack.officer), ack)
            return list(first.values())

    def delivered_at(self, feeds: Sequence[str], index: int) -> dict[str, int]:
        """Return for each feed when the delivery of *index* was logged, in microseconds."""
        with self.reading() as c:
            found = c.execute(
                select(DELIVERIES.c.feed, func.min(DELIVERIES.c.at_us))
                .where(DELIVERIES.c.feed.in_(feeds), DELIVERIES.c.through >= index)
                .group_by(DELIVERIES.c.feed)
            )
            return {r.feed: r[1] for r in found}

    def delivered(self, feeds: Iterable[str]) -> dict[str, int]:
        """Return for each feed the highest index whose delivery is logged, if any."""
        with self.asking() as c:
            return _delivered(c, feeds)

    def first_index_at(self, at_us: int) -> int:
        """Return the first index logged at or after a time; the size where there is none."""
        with self.reading() as c:
            low, high = 0, head_of(c).size
            while low < high:
                middle = (low + high) // 2
                if statements.at_us(c, middle) < at_us:
                    low = middle + 1
                else:
                    high = middle
            return low


_RESTORE: Final = "Run `caspian verify`; restore the store from a backup or a bundle."


def head_of(c: Connection) -> Head:
    """Return the end of the log within a transaction of the caller's.

    Raises:
        Unavailable: ``log-broken``.
    """
    row = c.execute(select(HEAD).where(HEAD.c.id == 1)).one_or_none()
    if row is None:
        return Head(0, 0, EMPTY)
    try:
        frontier = Frontier.from_bytes(row.size, row.frontier)
    except ValueError as e:
        raise Unavailable(
            "log-broken", f"the end of the log is damaged: {e}", remedy=_RESTORE
        ) from e
    if frontier.root != row.root:
        # Nothing may be built on an end that contradicts itself: no receipt for it would hold.
        raise Unavailable(
            "log-broken", "the end of the log is damaged: not the root of its tree", remedy=_RESTORE
        )
    return Head(row.size, row.at_us, frontier)


def _redact(c: Connection, index: int, left: str) -> None:
    body = left.encode()
    values = {"type": REDACTED_TYPE, "sha256": sha256(body).digest(), "body": body}
    there = update(PAYLOADS).where(PAYLOADS.c.idx == index).values(values).returning(PAYLOADS.c.idx)
    if c.execute(there).one_or_none() is not None:
        c.execute(update(MESSAGES).where(MESSAGES.c.idx == index).values(facts=left, warnings="[]"))
    else:
        statements.add(c, PAYLOADS, [(index, *values.values())])
        project_left(c, index, left)


def _entry_rows(start: int, entries: Sequence[NewEntry]) -> list[tuple[Any, ...]]:
    return [(i, e.at_us, e.kind, e.agency, e.body) for i, e in enumerate(entries, start)]


def _payload_rows(start: int, entries: Sequence[NewEntry]) -> list[tuple[Any, ...]]:
    return [
        (i, e.payload_type[:64], bytes.fromhex(e.payload_sha256), e.payload)
        for i, e in enumerate(entries, start)
        if e.payload
    ]


def row_of(r: Any) -> LogRow:
    """Return an entry from its row (`hub.log.statements.ROW`)."""
    index, at_us, kind, agency, body, payload, payload_type, facts, message_id = r
    return LogRow(
        index,
        at_us,
        kind,
        agency,
        body,
        payload,
        payload_type or "",
        MessageFacts.model_validate_json(facts) if facts else None,
        message_id or "",
    )


def _in(c: Connection, column: Any, values: set[Any]) -> Iterator[Any]:
    """Yield the rows of the column's table in which it is one of *values*."""
    ordered = sorted(v for v in values if _storable(v))
    query = statements.among(column)
    for start in range(0, len(ordered), _IN):
        yield from c.execute(query, {"values": ordered[start : start + _IN]})


@dataclass
class _Wanted:
    """What to look up for a batch."""

    identities: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    chains: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    feeds: set[str] = field(default_factory=set)
    escalated: set[int] = field(default_factory=set)
    retired: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, batch: Sequence[Candidate], *, inputs_of_messages: bool) -> _Wanted:
        wanted = cls()
        for one in batch:
            wanted.take(one)
            if inputs_of_messages or one.kind != "publish":
                wanted.inputs.update((input_key(one), header_key(one)))
            if one.kind in CHANGE_KINDS or one.kind == "replay":
                wanted.inputs.add(accepted_key(one))
            if one.kind == "export":
                wanted.inputs.add(export_key(one))
        wanted.inputs.discard("")
        return wanted

    def take(self, one: Candidate) -> None:
        if one.header:
            self.chains.add(chain_name(one.agency, signed=True))
        if one.kind == "publish" and one.facts is not None:
            if not one.header:
                self.chains.add(one.agency)
            sender, identifier = one.facts.sender, one.facts.identifier
            self.identities.add(identity(one.agency, sender, identifier))
            self.names.add((sender, identifier))
            if one.message_id:
                self.ids.add(one.message_id)
        elif redacted := redacted_by(one.kind, one.body):
            self.references.add(redacted)
        elif one.kind == "acknowledgement":
            self.references.add(str(one.body.get("message") or "").strip())
        elif one.kind == "delivery":
            self.feeds.update(str(feed) for feed in one.body)
        elif one.kind == "escalation":
            self.escalated.update(int(index) for index in one.body["messages"])
            self.references.update(map(str, one.body["messages"]))
        elif one.kind == "retirement":
            self.retired.update(int(index) for index in one.body["messages"])


def _messages(c: Connection, column: Any, values: set[Any]) -> list[MessageRow]:
    return [message_of(r) for r in _in(c, column, values)]


def _acknowledgements(c: Connection, names: set[tuple[str, str]]) -> list[AcknowledgementRow]:
    found: list[AcknowledgementRow] = []
    keys = sorted(n for n in names if all(map(_storable, n)))
    for start in range(0, len(keys), 200):
        either = or_(
            *(
                (ACKNOWLEDGEMENTS.c.sender == sender)
                & (ACKNOWLEDGEMENTS.c.identifier == identifier)
                for sender, identifier in keys[start : start + 200]
            )
        )
        found += [acknowledgement_of(r) for r in c.execute(select(ACKNOWLEDGEMENTS).where(either))]
    return found


def _delivered(c: Connection, feeds: Iterable[str]) -> dict[str, int]:
    # One look at the end of the index for each feed: the table itself grows for ever.
    found = {}
    for feed in feeds:
        query = select(func.max(DELIVERIES.c.through)).where(DELIVERIES.c.feed == feed)
        through = c.execute(query).scalar_one()
        if through is not None:
            found[feed] = through
    return found


def _storable(value: object) -> bool:
    """Return whether a database can hold a text at all: where not, there is nothing to find."""
    return not isinstance(value, str) or not ("\x00" in value or _HALF.search(value))


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _short(e: SQLAlchemyError) -> str:
    return str(e).splitlines()[0][:300]
