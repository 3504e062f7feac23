"""Is this entry right, after all those before it? The checks of `hub.log.verify`, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final, NoReturn, Protocol

from pydantic_core import from_json

from hub.core.admission import Rules
from hub.core.aid_moves import AidIndex
from hub.core.aid_statements import AidEntry
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.merkle import EMPTY, Frontier, extend_leaves
from hub.core.redaction import removed_by, residue
from hub.core.registry import CHANGE_KINDS, History
from hub.core.rows import MessageRow, acknowledgement_in, identity
from hub.core.signing import Chain
from hub.log.deliveries import Deliveries
from hub.log.escalation_checks import EscalationChecks
from hub.log.examine import Counted, Message, Told, candidate_of, decide_again
from hub.log.faults import Fault, Wrong
from hub.log.feeding import feeds_told
from hub.log.remembered import Remembered
from hub.log.store import LogRow
from schemas.entry import rfc3339
from schemas.facts import MessageFacts

__all__ = ["Checks", "Fault", "Tip", "Wrong"]

_FOLD: Final = 1024
_BEFORE_TIME: Final = -(1 << 62)


class Tip(Protocol):
    """The end of a log as somebody states it: a `Head`, a bundle's, a checkpoint's."""

    @property
    def size(self) -> int:
        """How many entries the log has."""

    @property
    def root(self) -> bytes:
        """The Merkle root over them."""


class Checks:
    """What has to be remembered of the rows so far, to check the next."""

    def __init__(
        self,
        *,
        first: int,
        contiguous: bool,
        earlier: Tip | None,
        read: bool,
        rules: Rules,
        frontier: Frontier = EMPTY,
        history: History | None = None,
        confirmed: Mapping[str, int] | None = None,
        keep_feeds: bool = False,
        counted: bool = True,
    ) -> None:
        self.next = first
        self.contiguous = contiguous
        self.counted = counted
        """Whether all that an agency counts is there, and no number may be missing."""
        self.whole = contiguous and first == 0
        """Only from the first row on are all chains, messages and deliveries known."""
        self.rooted = contiguous and first == frontier.size
        """Whether the tree before the first row is known."""
        self.earlier = earlier if self.rooted else None
        self.read = read and (self.whole or history is not None)
        self.confirmed = confirmed or {}
        self.rules = rules
        self.entries = self.messages = self.payloads = self.withheld = self.decided = 0
        self.signatures = 0
        self.at_us = _BEFORE_TIME
        self.frontier = frontier
        self._unfolded: list[bytes] = []
        """Leaf hashes that are not in the frontier yet."""
        self._chains: dict[str, Chain] = {}
        self.deliveries = Deliveries(keep=keep_feeds)
        self.acknowledged = 0
        self._remembered = Remembered() if self.read and self.whole else None
        self._seen: set[int] = set()
        self._redacted: dict[int, bytes] = {}
        """The digest of what is left of messages whose removal has not come yet."""
        self._removed_before: set[int] = set()
        """The messages whose removal has come."""
        self._history = history or History()
        self.governed = self.whole or history is not None
        """Whether it is known who was a member, and whose keys counted."""
        self._escalations = EscalationChecks()
        self._aid: AidIndex | None = AidIndex() if self.whole else None
        """All aid messages; None once one was withheld: those after it may depend on it."""

    def close(self) -> None:
        """Let go of what was kept on disk."""
        if self._remembered is not None:
            self._remembered.close()

    def take(self, told: Told) -> None:
        """Check one entry.

        Raises:
            Wrong: it cannot stand here.
        """
        index = told.index
        if index != self.next and (self.contiguous or index < self.next):
            # Where one is missing, the first wrong place is the one it should stand in.
            raise Wrong(
                min(index, self.next), "gap", f"index {index} stands where {self.next} should"
            )
        if told.kind and told.at_us <= self.at_us:
            at = rfc3339(told.at_us)
            raise Wrong(index, "time", f"{at} is not after the entry before")
        if told.counted is not None:
            self._count(told, told.counted)
        if told.fault is not None:
            raise Wrong.of(told.fault)
        if self.whole and (told.kind == "genesis") != (index == 0):
            raise Wrong(index, "entry", "a log begins with its first entry, and has only one")
        try:
            self._facts(told)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise Wrong(index, "entry", f"facts are missing or of a wrong kind: {e!r}") from e
        self.at_us, self.next = told.at_us, index + 1
        self.entries += 1
        self.payloads += told.payloads
        self.decided += told.decided
        self.signatures += told.signatures
        if self.rooted:
            self._grow(told.leaf)

    def _grow(self, leaf: bytes) -> None:
        self._unfolded.append(leaf)
        if len(self._unfolded) == _FOLD:
            self.fold()
        if self.earlier is not None and self.next == self.earlier.size:
            self._same_root(self.earlier)

    def finish(self, head: Tip | None) -> None:
        """Compare the end.

        Raises:
            Wrong: rows are missing or too many, or the root is another.
        """
        for tip, code in ((head, "gap"), (self.earlier, "rollback")):
            if tip is not None and self.next < tip.size:
                raise Wrong(
                    self.next, code, f"the log ends before {self.next}, not before {tip.size}"
                )
        if head is None:
            return
        if self._redacted:
            raise Wrong(min(self._redacted), "payload", "is missing, and no entry removes it")
        if self.next > head.size:
            raise Wrong(head.size, "gap", f"an entry stands past the end, {head.size}")
        if self.rooted:
            self._same_root(head)

    def fold(self) -> Frontier:
        """Return the tree over all rows so far; in lots, which is quicker than one by one."""
        if self._unfolded:
            self.frontier = extend_leaves(self.frontier, self._unfolded)
            self._unfolded.clear()
        return self.frontier

    def _same_root(self, tip: Tip) -> None:
        root = self.fold().root
        if root != tip.root:
            raise Wrong(
                None,
                "root",
                f"the root over {tip.size} entries is {root.hex()}, not {tip.root.hex()}: "
                "an entry was changed in a way that only the tree shows",
            )

    def _facts(self, told: Told) -> None:  # noqa: C901 - a line for each kind
        kind, row = told.kind, told.row
        if told.message is not None and told.counted is not None:
            self._publish(told, told.message, told.counted)
            return
        if row is None:
            return
        entry = from_json(row.body)
        if kind == "delivery":
            self._delivery(row, entry)
        elif kind == "genesis":
            self._history.apply(row.index, entry)
        elif kind in CHANGE_KINDS:
            self._registry(row, entry, kind)
        elif kind in {"action", "export"}:
            self._done(row, entry, kind)
        elif kind == "acknowledgement":
            self._acknowledgement(row, entry)
        elif kind in {"escalation", "restart"}:
            self._followed(row, entry, kind)
        elif kind == "replay":
            self._replay(row, entry)
        elif kind == "retirement":
            self._retirement(row, entry)

    def _replay(self, row: LogRow, entry: dict[str, Any]) -> None:
        again = Candidate(
            "replay",
            row.agency,
            inbox=entry["inbox"],
            person=entry["by"],
            body=entry["replay"],
        )
        self._decide(row, again, Known())

    def _followed(self, row: LogRow, entry: dict[str, Any], kind: str) -> None:
        """Check that an escalation was due, and that nobody was at work in an outage."""
        wrong = ""
        if kind == "escalation":
            if not all(0 <= index < row.index for index in entry["messages"]):
                wrong = "escalates what was not in the log"
            elif self.read and self.whole:
                wrong = self._escalations.escalated(row.at_us, entry, self._history.at(row.index))
        elif self.whole:
            wrong = self._escalations.restarted(row.at_us, entry, self.at_us)
        if wrong:
            raise Wrong(row.index, "decision", wrong)
        self._route(row, entry)

    def _route(self, row: LogRow, entry: dict[str, Any]) -> None:
        feeds = feeds_told(row, entry, self._history.at(row.index))
        self.deliveries.route(row.index, feeds)

    def _publish(self, told: Told, message: Message, counted: Counted) -> None:
        index, agency = told.index, told.agency
        self.messages += 1
        if message.withheld:
            self.withheld += 1
            self.deliveries.unknown = True
            if message.type == "aid":
                self._aid = None
            return
        if not message.facts:
            return
        name = identity(agency, message.sender, message.identifier)
        self._once(index, name, message.identifier)
        slim = message.facts
        if message.removed:
            self._redacted[index] = sha256(slim.encode()).digest()
            self.withheld += 1
            self.deliveries.unknown = True  # what a filter went by may be gone
            if message.type == "aid" and self._aid is not None:
                facts = MessageFacts.model_validate_json(slim)
                self._aid.add(AidEntry(index, agency, facts))
        else:
            self.deliveries.route(index, message.feeds, message.sha256)
            if told.row is not None:
                slim = self._aid_message(told.row, counted, message)
        if self._remembered is not None:
            self._remembered.message(index, counted.id, agency, message.sha256, told.at_us, slim)
            self._remembered.change(message.changes, index)
            for ack in message.acknowledged:
                self._remembered.acknowledged(ack)
            if not message.removed:
                self._escalations.message(index, agency, told.at_us, message._replace(facts=slim))

    def _aid_message(self, row: LogRow, counted: Counted, message: Message) -> str:
        """Decide an aid message again from those before it; return what is to be kept of it."""
        facts = MessageFacts.model_validate_json(message.facts)
        if self._aid is not None:
            known = Known(chains={counted.name: Chain(counted.seq - 1, counted.prev)})
            known.aid = self._aid  # the decision adds the message to it
            entry = from_json(row.body)
            header = from_json(entry["header"])
            self._decide(row, candidate_of(row, entry, header, facts), known)
        return residue(facts)

    def _redaction(self, row: LogRow, entry: dict[str, Any]) -> Known:
        """Check that what is left of a message is what the entry says; return the message."""
        index, left = entry["redaction"]["message"], entry["residue"]
        self._gone(row.index, index, left)
        facts = MessageFacts.model_validate_json(left)
        agency = entry["redaction"]["agency"]
        name = identity(agency, facts.sender, facts.identifier)
        sha256_ = entry["payload_sha256"]
        message = MessageRow(index, entry["message_id"], agency, name, sha256_, 0, facts)
        # Decided again the residue must be new: what stood there is not known any more.
        whole = facts.model_copy(update={"headline": "-"})
        return Known([replace(message, facts=whole)])

    def _gone(self, by: int, index: int, left: str) -> None:
        """Take in that a payload was removed; what stands in its place is what the entry says."""
        if not 0 <= index < by:
            raise Wrong(by, "decision", "removes what was not in the log")
        digest = sha256(left.encode()).digest()
        if self._redacted.pop(index, digest) != digest:
            raise Wrong(index, "payload", f"what is left of it is not what entry {by} says")
        self._removed_before.add(index)

    def _retirement(self, row: LogRow, entry: dict[str, Any]) -> None:
        """Decide again which payloads went by age; that needs the messages, and what ended them."""
        known = None
        if self._remembered is not None:
            known = self._remembered.around(entry["messages"])
            known.removed |= self._removed_before
        for index, left in removed_by(entry):
            self._gone(row.index, index, left)
        if known is None:
            return
        missing = [i for i in entry["messages"] if str(i) not in known.by_index]
        if missing and not self.withheld:
            raise Wrong(row.index, "decision", f"there is no message at {missing[0]}")
        if not missing:
            body = {"messages": entry["messages"], "before": entry["before"]}
            self._decide(row, Candidate("retirement", "", body=body), known)

    def _count(self, told: Told, header: Counted) -> None:
        """See that a header goes on where its agency's count stands, and comes once.

        All messages up to a number are in the log; whoever signed another one under such a
        number has signed two histories.
        """
        name, seq = header.name, header.seq
        named = f"{told.agency}\x1f{header.id}"
        before = self._chains.get(name, Chain() if self.whole else None)
        self._chains[name] = Chain(seq, header.head)
        follows = before is None or (seq, header.prev) == (before.seq + 1, before.head)
        # Of a selection some may have been left out between the two.
        if before is not None and not follows and (self.counted or seq <= before.seq):
            self._broken(told, header, before, twice=hash(named) not in self._seen)
        if told.kind == "publish":
            self._once(told.index, named, header.id)

    def _broken(self, told: Told, header: Counted, before: Chain, *, twice: bool) -> NoReturn:
        name, seq, signer = header.name, header.seq, header.signer
        if self.counted and signer and seq <= before.seq and twice:
            detail = f"{told.agency} signed two messages as its number {seq}"
            raise Wrong(told.index, "chain", f"{detail}, and the hub took both", culprit=signer)
        raise Wrong(told.index, "chain", f"message {seq} of {name} does not follow {before.seq}")

    def _once(self, index: int, name: str, shown: str) -> None:
        short = hash(name)
        if short in self._seen:
            raise Wrong(index, "twin", f"{shown!r} is in the log already")
        self._seen.add(short)

    def _acknowledgement(self, row: LogRow, entry: dict[str, Any]) -> None:
        """Decide again who acknowledged what; that needs the message itself."""
        index = entry["message"]
        if not 0 <= index < row.index:
            raise Wrong(row.index, "decision", "acknowledges what was not in the log")
        self.acknowledged += 1
        self._route(row, entry)
        if self._remembered is None:
            return
        ack = acknowledgement_in(row.index, row.agency, entry)
        self._escalations.acknowledged(ack)
        known = self._remembered.known_of(index, row.agency, entry["officer"])
        if known is None:
            if not self.withheld:
                raise Wrong(row.index, "decision", f"there is no message at {index}")
            return
        said = {"message": str(index), "officer": entry["officer"], "note": entry["note"]}
        candidate = Candidate("acknowledgement", row.agency, via=entry["via"], body=said)
        self._decide(row, candidate, known)
        self._remembered.acknowledged(ack)

    def _registry(self, row: LogRow, entry: dict[str, Any], kind: str) -> None:
        if self.governed:
            again = Candidate(
                kind,  # type: ignore[arg-type]  # one of the two kinds
                row.agency,
                inbox=entry.get("inbox", ""),
                person=entry.get("by", ""),
                body=_proposed(entry, kind),
            )
            known = self._redaction(row, entry) if kind == "redaction" else Known()
            if kind == "redaction":
                self._route(row, entry)
            self._decide(row, again, known)
            self._history.apply(row.index, entry)

    def _done(self, row: LogRow, entry: dict[str, Any], kind: str) -> None:
        """Decide again what a person did that changes nothing of the registry."""
        inbox = entry["inbox"] if kind == "action" else ""
        again = Candidate(
            kind,  # type: ignore[arg-type]  # one of the two kinds
            row.agency,
            inbox=inbox,
            person=entry["by"],
            body=entry,
        )
        self._decide(row, again, Known())

    def _decide(self, row: LogRow, candidate: Candidate, known: Known) -> None:
        """Decide an entry again from the log before it: the same bytes must come out."""
        decide_again(row, candidate, known, self._history.at(row.index), self.rules)
        self.decided += 1

    def _delivery(self, row: LogRow, entry: dict[str, Any]) -> None:
        feeds = self._history.at(row.index).since
        for feed, through in entry["feeds"].items():
            if self.governed and feed not in feeds:
                raise Wrong(row.index, "decision", f"there is no feed {feed} here")
            if not self.deliveries.through.get(feed, -1) < through < row.index:
                raise Wrong(row.index, "decision", f"{feed} cannot have come to {through} now")
            if feed in self.confirmed and through > self.confirmed[feed]:
                raise Wrong(
                    row.index,
                    "delivery",
                    f"{feed} is said to have come to {through}; its reader has confirmed "
                    f"{self.confirmed[feed]}",
                )
            self.deliveries.confirm(feed, through)


def _proposed(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what was proposed, from the entry that it became."""
    if "statement" not in entry:
        record: dict[str, Any] = entry[kind]
        return record
    return {"statement": entry["statement"], "signatures": json.dumps(entry["signatures"])}
