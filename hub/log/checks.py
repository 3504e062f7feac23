"""Is this entry right, after all those before it? The checks of `hub.log.verify`, row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Protocol

from pydantic_core import from_json

from hub.core.admission import Rules, decide
from hub.core.aid_moves import AidIndex
from hub.core.aid_statements import AidEntry
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.merkle import EMPTY, Frontier, extend
from hub.core.redaction import REDACTED_TYPE, removed_by
from hub.core.registry import CHANGE_KINDS, History
from hub.core.rows import MessageRow, acknowledgement_in, identity
from hub.core.signing import Chain, chain_name
from hub.log import faults
from hub.log.deliveries import Deliveries
from hub.log.escalation_checks import EscalationChecks
from hub.log.faults import Fault, Wrong
from hub.log.look import Look
from hub.log.looking import Opened
from hub.log.remembered import Remembered
from hub.log.store import LogRow
from schemas.ed25519 import VerifierKey
from schemas.entry import from_micros, micros
from schemas.facts import MessageFacts

__all__ = ["Checks", "Fault", "Tip", "Wrong"]

_FOLD: Final = 1024
_KEPT_REFUSED_BYTES: Final = 65_536
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
        payloads_required: bool,
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
        self.payloads_required = payloads_required
        self.earlier = earlier if self.rooted else None
        self.read = read and (self.whole or history is not None)
        self.confirmed = confirmed or {}
        self.rules = rules
        self.entries = self.messages = self.payloads = self.withheld = self.decided = 0
        self.signatures = 0
        self.at_us = _BEFORE_TIME
        self.frontier = frontier
        self._unfolded: list[bytes] = []
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

    def take(self, opened: Opened, look: Look) -> None:
        """Check one row.

        Raises:
            Wrong: it cannot stand here.
        """
        row, index = opened.row, opened.row.index
        if index != self.next and (self.contiguous or index < self.next):
            # Where one is missing, the first wrong place is the one it should stand in.
            raise Wrong(
                min(index, self.next), "gap", f"index {index} stands where {self.next} should"
            )
        entry = opened.entry
        if entry is None:
            raise Wrong(index, "entry", f"not the bytes of an entry: {opened.error}")
        try:
            at_us = _at_us(entry["at"])
        except (ValueError, KeyError, TypeError) as e:
            raise Wrong(index, "entry", f"not the bytes of an entry: {e}") from e
        kind = entry["kind"]
        if row.at_us != at_us or row.kind != kind or row.agency != entry.get("agency"):
            raise Wrong(index, "column", "time, kind or agency is not that of the entry")
        if at_us <= self.at_us:
            raise Wrong(index, "time", f"{entry['at']} is not after the entry before")
        if self.whole and (kind == "genesis") != (index == 0):
            raise Wrong(index, "entry", "a log begins with its first entry, and has only one")
        try:
            self._facts(row, entry, kind, look)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise Wrong(index, "entry", f"facts are missing or of a wrong kind: {e!r}") from e
        self.at_us, self.next = at_us, index + 1
        self.entries += 1
        if self.rooted:
            self._grow(row.body)

    def _grow(self, body: bytes) -> None:
        self._unfolded.append(body)
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
            self.frontier = extend(self.frontier, self._unfolded)
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

    def _facts(  # noqa: C901  # a line for each kind
        self, row: LogRow, entry: dict[str, Any], kind: str, look: Look
    ) -> None:
        if kind == "publish":
            self._publish(row, entry, look)
        elif kind in {"refusal", "dead-letter"}:
            self._refused(row, entry, kind, look)
        elif row.payload is not None:
            raise Wrong(row.index, "payload", f"a {kind} has none")
        elif kind == "delivery":
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
        self.deliveries.route(row, self._history.at(row.index))

    def _publish(self, row: LogRow, entry: dict[str, Any], look: Look) -> None:
        text: str = entry["header"]
        header = from_json(text)
        index, agency = row.index, row.agency
        self.messages += 1
        if header["agency"] != agency:
            raise Wrong(index, "entry", "the header is another agency's")
        signed = entry["attested"] == "agency"
        name = chain_name(agency, signed=signed)
        if signed:
            self._signature(row, entry, look)
        before = self._next(index, name, header, signer=faults.agency(agency) if signed else "")
        self._once(index, f"{agency}\x1f{header['id']}", header["id"])
        if row.payload is not None and row.payload_type == REDACTED_TYPE:
            self._removed(row, header)
        elif row.payload is not None:
            self._payload(row, header, look)
            if self.read:
                known = before or Chain(header["seq"] - 1, header["prev"])
                self._message(row, entry, header, known, look)
        elif self.payloads_required:
            raise Wrong(index, "payload", "is missing")
        else:
            self.withheld += 1
            self.deliveries.unknown = True
            if header["type"] == "aid":
                self._aid = None
        self._chains[name] = Chain(header["seq"], sha256(text.encode()).hexdigest())

    def _removed(self, row: LogRow, header: dict[str, Any]) -> None:
        """Take what is left of a message; a later entry must say that the rest was removed."""
        left = (row.payload or b"").decode()
        if row.payload_sha256 not in {"", sha256(left.encode()).hexdigest()}:
            raise Wrong(row.index, "column", "the digest beside the payload is another")
        self._redacted[row.index] = sha256(left.encode()).digest()
        self.withheld += 1
        facts = MessageFacts.model_validate_json(left)
        self._once(
            row.index, identity(row.agency, facts.sender, facts.identifier), facts.identifier
        )
        if header["type"] == "aid" and self._aid is not None:
            self._aid.add(AidEntry(row.index, row.agency, facts))
        self.deliveries.unknown = True  # what a filter went by may be gone
        if self._remembered is not None:
            digest = header["payload_sha256"]
            self._remembered.message(row.index, header["id"], row.agency, digest, row.at_us, left)
            self._remembered.cap_ack(facts, row.agency, row.index, row.at_us)
            self._remembered.change(facts, row.agency, row.index)

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

    def _next(
        self, index: int, name: str, header: dict[str, Any], *, signer: str = ""
    ) -> Chain | None:
        """Return the count that a header goes on from; None where it is not known here.

        *signer*: whose signature under the header holds. All messages up to a number are in
        the log; whoever signed another one under such a number has signed two histories.
        """
        seq, before = header["seq"], self._chains.get(name, Chain() if self.whole else None)
        if before is None or (seq, header["prev"]) == (before.seq + 1, before.head):
            return before
        # Of a selection some may have been left out between the two.
        if not self.counted and seq > before.seq + 1:
            return before
        named = f"{header['agency']}\x1f{header['id']}"
        if self.counted and signer and seq <= before.seq and hash(named) not in self._seen:
            detail = f"{header['agency']} signed two messages as its number {seq}"
            raise Wrong(index, "chain", f"{detail}, and the hub took both", culprit=signer)
        raise Wrong(index, "chain", f"message {seq} of {name} does not follow {before.seq}")

    def _signature(self, row: LogRow, entry: dict[str, Any], look: Look) -> None:
        """See that an agency's signature holds, and that its key counted then."""
        if look.unsound or not look.signed:
            why = look.unsound or f"{VerifierKey.read(entry['key']).name} did not sign this header"
            raise Wrong(row.index, "signature", why)
        registry = self._history.at(row.index)
        if self.governed and not registry.key_counts(
            row.agency, entry["key"], row.index, from_micros(row.at_us)
        ):
            name = VerifierKey.read(entry["key"]).name
            raise Wrong(row.index, "signature", f"{name} is no key of {row.agency} here")
        self.signatures += 1

    def _payload(self, row: LogRow, header: dict[str, Any], look: Look) -> None:
        payload = row.payload or b""
        if look.sha256 != header["payload_sha256"] or len(payload) != header["payload_size"]:
            raise Wrong(row.index, "payload", f"has SHA-256 {look.sha256}, not that of the header")
        if row.payload_sha256 not in {"", look.sha256}:
            raise Wrong(row.index, "column", "the digest beside the payload is another")
        if row.payload_type != header["payload_type"]:
            raise Wrong(row.index, "column", "the type beside the payload is another")
        self.payloads += 1

    def _once(self, index: int, name: str, shown: str) -> None:
        short = hash(name)
        if short in self._seen:
            raise Wrong(index, "twin", f"{shown!r} is in the log already")
        self._seen.add(short)

    def _message(
        self, row: LogRow, entry: dict[str, Any], header: dict[str, Any], chain: Chain, look: Look
    ) -> None:
        if not look.facts:
            raise Wrong(row.index, "decision", f"the payload cannot be read: {look.refusal}")
        facts = MessageFacts.model_validate_json(look.facts)
        name = identity(row.agency, facts.sender, facts.identifier)
        self._once(row.index, name, facts.identifier)
        self.deliveries.route(replace(row, facts=facts), self._history.at(row.index), look.sha256)
        if self._remembered is not None:
            self._remembered.message(
                row.index, header["id"], row.agency, look.sha256, row.at_us, look.slim
            )
            self._remembered.cap_ack(facts, row.agency, row.index, row.at_us)
            self._remembered.change(facts, row.agency, row.index)
        candidate = Candidate(
            "publish",
            row.agency,
            via=entry["via"],
            payload=row.payload or b"",
            payload_type=row.payload_type,
            message_id=header["id"],
            facts=facts,
            header=entry["header"] if "key" in entry else "",
            signature=entry.get("signature", ""),
            key=entry.get("key", ""),
            person=entry.get("by", ""),
            approved_by=entry.get("approved_by", ""),
            xml_signature=json.dumps(entry["xml_signature"]) if "xml_signature" in entry else "",
        )
        self._escalations.message(
            MessageRow(row.index, header["id"], row.agency, name, "", row.at_us, facts)
        )
        known = Known(chains={chain_name(row.agency, signed="key" in entry): chain})
        if facts.aid is not None:
            if self._aid is None:
                return
            known.aid = self._aid  # the decision adds the message to it
        self._decide(row, candidate, known)

    def _acknowledgement(self, row: LogRow, entry: dict[str, Any]) -> None:
        """Decide again who acknowledged what; that needs the message itself."""
        index = entry["message"]
        if not 0 <= index < row.index:
            raise Wrong(row.index, "decision", "acknowledges what was not in the log")
        self.acknowledged += 1
        self.deliveries.route(row, self._history.at(row.index))
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
                self.deliveries.route(row, self._history.at(row.index))
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
        again = decide(
            [candidate],
            size=row.index,
            last_at_us=self.at_us,
            now_us=row.at_us,
            registry=self._history.at(row.index),
            known=known,
            rules=self.rules,
        )
        refusal = again.outcomes[0].refusal
        if refusal is not None:
            raise Wrong(row.index, "decision", f"should have been refused: {refusal}")
        if not again.entries or again.entries[0].body != row.body:
            raise Wrong(row.index, "decision", "decided again, another entry comes out")
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

    def _refused(self, row: LogRow, entry: dict[str, Any], kind: str, look: Look) -> None:
        """Check what was kept of a refused payload; of a long one only the beginning is."""
        if "header" in entry:
            header = from_json(entry["header"])
            name = chain_name(row.agency, signed=True)
            self._next(row.index, name, header)
            self._signature(row, entry, look)
            self._chains[name] = Chain(header["seq"], sha256(entry["header"].encode()).hexdigest())
        size, digest = entry["payload_size"], entry["payload_sha256"]
        kept = min(size, _KEPT_REFUSED_BYTES) if kind == "refusal" else size
        if row.payload is None and (kept == 0 or not self.payloads_required):
            return
        payload = row.payload or b""
        if len(payload) != kept:
            raise Wrong(row.index, "payload", f"has {len(payload)} bytes, not {kept}")
        if row.payload_sha256 not in {"", digest}:
            raise Wrong(row.index, "column", "the digest beside the payload is another")
        if kept == size:
            if look.sha256 != digest:
                raise Wrong(row.index, "payload", f"has not the SHA-256 {digest} of the entry")
            self.payloads += 1


def _proposed(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what was proposed, from the entry that it became."""
    if "statement" not in entry:
        record: dict[str, Any] = entry[kind]
        return record
    return {"statement": entry["statement"], "signatures": json.dumps(entry["signatures"])}


def _at_us(text: str) -> int:
    """Read the one form in which entries write their time (schemas.entry.rfc3339)."""
    if len(text) != 27 or text[10] != "T" or text[19] != "." or text[26] != "Z":
        raise ValueError(f"{text!r} is not a time as the log writes it")
    return micros(datetime.fromisoformat(text))
