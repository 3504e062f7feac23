"""What is derived from the log for look-ups, made anew from entries and payloads alone.

Every row beside the log can be lost and made again. Facts come from the payload,
identities, chains, acknowledgements, deliveries and inputs from the entries. The
warnings of a message are in no entry: they are advice to its sender, found again by
reading the payload with the rules of today, and by looking at the log before it
(`hub.core.advice`). A newer version of the rules may therefore
leave other warnings behind than the receipt carried, and never another decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, text

from hub.core.admission import NewEntry
from hub.core.advice import advised
from hub.core.escalation import Escalation
from hub.core.known import (
    Known,
    accepted_key_of,
    export_key_of,
    header_key_of,
    input_key_of,
)
from hub.core.merkle import leaf_hash
from hub.core.redaction import REDACTED_TYPE, removed_by
from hub.core.registry import CHANGE_KINDS, REGISTRY_KINDS, History
from hub.core.rows import (
    AcknowledgementRow,
    MessageRow,
    acknowledged_by,
    acknowledgement_in,
    identity,
)
from hub.core.signing import Chain, chain_name
from hub.errors import Unavailable
from hub.log.derived import project
from hub.log.scan import BEFORE_ALL, page
from hub.log.store import Log, LogRow
from hub.log.tables import ENTRIES, PROJECTIONS
from hub.log.thread_log import referred_to
from schemas.entry import EntryKind
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.payload import ReadPayload, read_payload
from schemas.receipt import findings_json

__all__ = ["Reader", "derive", "read_logged", "rebuild"]

Reader = Callable[[bytes, str], ReadPayload]
"""Reads a payload of a stated type, or raises `Rejected`."""

_BATCH: Final = 512

read_logged: Final[Reader] = partial(read_payload, max_bytes=1 << 30)
"""Reads what is in the log, whatever limit on size held when it came."""


def rebuild(
    log: Log,
    *,
    progress: Callable[[int, int], None] | None = None,
    read: Reader = read_logged,
    withheld: bool = False,
) -> int:
    """Make all projections anew; return the number of entries they were made from.

    One transaction: readers see the old rows until all new ones are there, and a
    crash leaves the old. Appends wait for its end. The credentials are no
    projection and stay as they are. *progress* is told how many entries of how many
    are done.

    Raises:
        Unavailable: ``log-broken`` where an entry cannot be read or a payload is
            missing, and nothing was changed; ``log-unavailable``.
    """
    with log.writing() as c:
        if c.dialect.name == "postgresql":
            # SQLite's writer is alone by nature; here appends are made to wait, readers not.
            c.execute(text("LOCK TABLE head IN SHARE ROW EXCLUSIVE MODE"))
        total = c.execute(select(func.count()).select_from(ENTRIES)).scalar_one()
        for table in PROJECTIONS:
            c.execute(delete(table))
        history = History()
        done, after = 0, BEFORE_ALL
        while rows := page(c, after=after, limit=_BATCH):
            for index, row in enumerate(rows, done):
                if row.index != index:
                    raise _broken(row, f"stands where {index} should")
            derived = [derive(row, read=read, withheld=withheld) for row in rows]
            leaves = [leaf_hash(row.body) for row in rows]
            project(c, done, _advised(c, history, rows, derived), leaves)
            done, after = done + len(rows), rows[-1].index
            if progress is not None:
                progress(done, total)
    return done


def _advised(
    c: Connection, history: History, rows: Sequence[LogRow], entries: Sequence[NewEntry]
) -> list[NewEntry]:
    """Add what the log before each message has to say of it, as the ledger did."""
    messages = [e.message for e in entries if e.message is not None]
    known = Known(referred_to(c, ((m.agency, m.facts) for m in messages)))
    return [
        _with_advice(row, entry, history, known) for row, entry in zip(rows, entries, strict=True)
    ]


def _with_advice(row: LogRow, entry: NewEntry, history: History, known: Known) -> NewEntry:
    if entry.kind in REGISTRY_KINDS:
        try:
            history.apply(row.index, row.entry)
        except (ValueError, KeyError) as e:
            raise _broken(row, f"cannot be read: {e!r}") from e
    message = entry.message
    if message is None:
        return entry
    agency = history.latest.agencies.get(message.agency)
    if agency is None:
        raise _broken(row, "is of an agency that was no member")
    if entry.payload_type != REDACTED_TYPE:
        warnings = advised(
            message.warnings, message.facts, agency=agency, at_us=message.at_us, known=known
        )
        message = replace(message, warnings=warnings)
        entry = replace(entry, message=message)
    known.add(message)
    return entry


def derive(row: LogRow, *, read: Reader = read_logged, withheld: bool = False) -> NewEntry:
    """Return an entry as it was appended, with the rows that belong to it.

    The warnings are those of the payload alone. *withheld*: a message may be without its
    payload, as in a mirror; nothing can then be looked up about it but that it is there.

    Raises:
        Unavailable: ``log-broken``; the entry cannot be read, or its payload is
            missing or is not the message that was logged.
    """
    try:
        return _derive(row, read, withheld=withheld)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise _broken(row, f"cannot be read: {e!r}") from e
    except Rejected as e:
        raise _broken(row, f"has a payload that cannot be read: {e}") from e


def _derive(row: LogRow, read: Reader, *, withheld: bool) -> NewEntry:
    entry = row.entry
    kind: EntryKind = entry["kind"]
    if kind == "publish" and row.payload is None and withheld:
        return _withheld(row, entry)
    if kind == "publish":
        return _publish(row, entry, read)
    acknowledgements: tuple[AcknowledgementRow, ...] = ()
    delivered: dict[str, int] = {}
    escalations: tuple[Escalation, ...] = ()
    chain: Chain | None = None
    if kind == "acknowledgement":
        acknowledgements = (acknowledgement_in(row.index, row.agency, entry),)
    elif kind == "refusal" and "header" in entry:
        chain = _chain(entry["header"])
    elif kind == "delivery":
        delivered = {str(feed): int(through) for feed, through in entry["feeds"].items()}
    elif kind == "escalation":
        recipient, step = entry["recipient"], int(entry["step"])
        escalations = tuple(Escalation(int(i), recipient, step) for i in entry["messages"])
    return NewEntry(
        kind,
        row.at_us,
        row.agency,
        row.body,
        payload=row.payload or b"",
        payload_type=row.payload_type,
        payload_sha256=entry.get("payload_sha256", ""),
        acknowledgements=acknowledgements,
        delivered=delivered,
        escalations=escalations,
        chain=chain,
        chain_name=chain_name(row.agency, signed=True) if chain else "",
        input_key=_input_key(row, entry),
        redacts=removed_by(entry),
    )


def _input_key(row: LogRow, entry: dict[str, Any]) -> str:
    inbox = entry.get("inbox", "")
    if entry["kind"] in CHANGE_KINDS or entry["kind"] == "replay":
        return accepted_key_of(row.agency, inbox, entry.get("statement", ""))
    if entry["kind"] == "export":
        return export_key_of(entry["by"], entry)
    if "header" in entry:
        return header_key_of(row.agency, entry["header"])
    return input_key_of(row.agency, inbox)


def _publish(row: LogRow, entry: dict[str, Any], read: Reader) -> NewEntry:
    text_of_header: str = entry["header"]
    header = json.loads(text_of_header)
    if row.payload is None:
        raise _broken(row, "has lost its payload")
    digest = sha256(row.payload).hexdigest()
    if row.payload_type == REDACTED_TYPE:
        digest, found = header["payload_sha256"], _left(row.payload)
    elif digest != header["payload_sha256"]:
        raise _broken(row, "has a payload that is not the one that was logged")
    else:
        found = read(row.payload, row.payload_type)
    # The ledger got the facts as JSON: the same way here gives the same text, not only equal facts.
    facts = MessageFacts.model_validate_json(found.facts.model_dump_json(exclude_defaults=True))
    message = MessageRow(
        row.index,
        header["id"],
        row.agency,
        identity(row.agency, facts.sender, facts.identifier),
        digest,
        row.at_us,
        facts,
        findings_json(found.warnings),
    )
    return NewEntry(
        "publish",
        row.at_us,
        row.agency,
        row.body,
        payload=row.payload,
        payload_type=row.payload_type,
        payload_sha256=digest,
        message=message,
        acknowledgements=acknowledged_by(facts, row.agency, row.index, row.at_us),
        chain=_chain(text_of_header),
        chain_name=chain_name(row.agency, signed=entry["attested"] == "agency"),
    )


def _withheld(row: LogRow, entry: dict[str, Any]) -> NewEntry:
    return NewEntry(
        "publish",
        row.at_us,
        row.agency,
        row.body,
        payload_sha256=json.loads(entry["header"])["payload_sha256"],
        chain=_chain(entry["header"]),
        chain_name=chain_name(row.agency, signed=entry["attested"] == "agency"),
    )


def _left(payload: bytes) -> ReadPayload:
    """Return what is left of a message whose payload was removed."""
    return ReadPayload(MessageFacts.model_validate_json(payload), (), REDACTED_TYPE)


def _chain(header: str) -> Chain:
    return Chain(int(json.loads(header)["seq"]), sha256(header.encode()).hexdigest())


def _broken(row: LogRow, what: str) -> Unavailable:
    return Unavailable(
        "log-broken",
        f"the entry at {row.index} {what}",
        remedy="Run `caspian verify`; restore the store from a backup or a bundle.",
    )
