"""Is this entry right by itself, and by the registry before it? The part that needs no order.

This is nearly all of the work of verifying a log: digests, signatures, reading payloads,
deciding admission and routing again. It is done in several processes, in any order; what
is left (`hub.log.checks`) is done in one, entry after entry, on what is told here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.escalation import escalates
from hub.core.known import Known
from hub.core.redaction import REDACTED_TYPE, residue
from hub.core.registry import History, Registry
from hub.core.routing import feeds_of
from hub.core.rows import AcknowledgementRow, acknowledged_by, identity
from hub.core.signing import Chain, chain_name
from hub.core.threads import changes_others
from hub.log import faults
from hub.log.faults import Fault, Wrong
from hub.log.row import LogRow
from schemas.dsse import HEADER_TYPE, signed_by
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.entry import ENTRY_KINDS, from_micros, micros
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.payload import ReadPayload

__all__ = ["Counted", "Examiner", "Message", "Reader", "Told", "candidate_of", "decide_again"]

Reader = Callable[[bytes, str], ReadPayload]
"""Reads a payload of a stated type, or raises `Rejected`."""

_KINDS: Final = frozenset(ENTRY_KINDS)
_REFUSED: Final = frozenset({"refusal", "dead-letter"})
_KEPT_REFUSED_BYTES: Final = 65_536


class Counted(NamedTuple):
    """A header, which has its place in a count of messages."""

    name: str
    """Of the count (`hub.core.signing.chain_name`)."""
    seq: int
    prev: str
    head: str
    """SHA-256 of the header, hexadecimal."""
    id: str
    signer: str
    """Who signed two histories where the number was taken before; empty where nobody can have."""


class Message(NamedTuple):
    """What the order of the log has to be held against of a message."""

    sha256: str
    """Of the payload, as the header says."""
    type: str
    facts: str = ""
    """As JSON what is left of them when the payload goes (`hub.core.redaction`); of an aid
    message that is to be decided, all; empty where they were not read."""
    removed: bool = False
    """Whether no more than that is left of the payload."""
    withheld: bool = False
    sender: str = ""
    identifier: str = ""
    sent_us: int = 0
    feeds: tuple[str, ...] = ()
    acknowledged: tuple[AcknowledgementRow, ...] = ()
    """By a CAP Ack."""
    changes: tuple[str, ...] = ()
    """The identities of what an Update or Cancel names."""
    escalates: bool = False


@dataclass(slots=True)
class Told:
    """What was found of one entry."""

    index: int
    leaf: bytes = b""
    at_us: int = 0
    """By the entry; 0 where its bytes say nothing."""
    kind: str = ""
    """What the bytes and the columns agree on; empty where they do not."""
    agency: str = ""
    fault: Fault | None = None
    """What is wrong with it, whatever came before."""
    row: LogRow | None = None
    """Where the order decides: the row itself."""
    counted: Counted | None = None
    message: Message | None = None
    payloads: int = 0
    decided: int = 0
    signatures: int = 0

    def __reduce__(self) -> tuple[type[Told], tuple[object, ...]]:
        """Travel to another process as a call: of what is told for each entry, the shortest."""
        return Told, (
            self.index,
            self.leaf,
            self.at_us,
            self.kind,
            self.agency,
            self.fault,
            self.row,
            self.counted,
            self.message,
            self.payloads,
            self.decided,
            self.signatures,
        )


@dataclass(frozen=True)
class Examiner:
    """Checks rows one by one, each for itself."""

    history: History = field(default_factory=History)
    """The registry at every index that is asked about."""
    governed: bool = True
    """Whether that is known."""
    payloads_required: bool = True
    read: Reader | None = None
    """Reads payloads, so that admission and routing can be decided again."""
    rules: Rules = field(default_factory=Rules)

    def examine(self, row: LogRow) -> Told:
        """Return what is to be said of a row, or what is wrong with it."""
        told, entry = _opened(row)
        if entry is None:
            return told
        kind = told.kind
        try:
            if kind == "publish" or (kind in _REFUSED and "header" in entry):
                header = self._headed(told, row, entry)
            if kind == "publish":
                self._publish(told, row, entry, header)
            elif kind in _REFUSED:
                _refused(told, row, entry, required=self.payloads_required)
            elif row.payload is None:
                told.row = row
            else:
                told.fault = Fault(row.index, "payload", f"a {kind} has none")
        except Wrong as wrong:
            told.fault = wrong.fault
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            detail = f"facts are missing or of a wrong kind: {e!r}"
            told.fault = Fault(row.index, "entry", detail)
        return told

    def _headed(self, told: Told, row: LogRow, entry: dict[str, Any]) -> dict[str, Any]:
        """Check a header: whose it is, and who signed it; return what it says."""
        text, agency = entry["header"], row.agency
        header: dict[str, Any] = from_json(text)
        if header["agency"] != agency:
            raise Wrong(row.index, "entry", "the header is another agency's")
        taken = row.kind == "publish"
        signed = not taken or entry["attested"] == "agency"
        if signed:
            self._signature(row, entry)
            told.signatures = 1
        told.counted = Counted(
            chain_name(agency, signed=signed),
            header["seq"],
            header["prev"],
            sha256(text.encode()).hexdigest(),
            header["id"],
            faults.agency(agency) if signed and taken else "",
        )
        return header

    def _publish(
        self, told: Told, row: LogRow, entry: dict[str, Any], header: dict[str, Any]
    ) -> None:
        sha, kind = header["payload_sha256"], header["type"]
        if row.payload is None:
            if self.payloads_required:
                raise Wrong(row.index, "payload", "is missing")
            told.message = Message(sha, kind, withheld=True)
        elif row.payload_type == REDACTED_TYPE:
            told.message = _removed(row, row.payload, sha, kind)
        else:
            _check_payload(row, row.payload, header)
            told.payloads = 1
            if self.read is None:
                told.message = Message(sha, kind)
            else:
                self._decide(told, row, entry, header, self.read)

    def _decide(
        self, told: Told, row: LogRow, entry: dict[str, Any], header: dict[str, Any], read: Reader
    ) -> None:
        """Read a message, and decide its admission and routing again."""
        try:
            facts = read(row.payload or b"", row.payload_type).facts
        except Rejected as e:
            raise Wrong(row.index, "decision", f"the payload cannot be read: {e}") from e
        registry = self.history.at(row.index)
        feeds = feeds_of(facts, row.agency, registry)
        message = _message(row, facts, header["payload_sha256"], header["type"], feeds)
        if facts.aid is not None:
            # Whether it may stand depends on the aid messages before it: decided in their order.
            whole = facts.model_dump_json(exclude_defaults=True)
            told.message, told.row = message._replace(facts=whole), row
            return
        chain = Chain(header["seq"] - 1, header["prev"])
        known = Known(chains={chain_name(row.agency, signed="key" in entry): chain})
        decide_again(row, candidate_of(row, entry, header, facts), known, registry, self.rules)
        told.message, told.decided = message, 1

    def _signature(self, row: LogRow, entry: dict[str, Any]) -> None:
        """See that an agency's signature holds, and that its key counted then."""
        try:
            key = VerifierKey.read(entry["key"])
        except Rejected as e:
            raise Wrong(row.index, "signature", str(e)) from e
        signature = decode_base64(entry["signature"]) or b""
        if not signed_by(HEADER_TYPE, entry["header"].encode(), key, signature):
            raise Wrong(row.index, "signature", f"{key.name} did not sign this header")
        if self.governed and not self.history.at(row.index).key_counts(
            row.agency, entry["key"], row.index, from_micros(row.at_us)
        ):
            raise Wrong(row.index, "signature", f"{key.name} is no key of {row.agency} here")


def _check_payload(row: LogRow, payload: bytes, header: dict[str, Any]) -> None:
    digest = _digest(row, payload)
    if digest != header["payload_sha256"] or len(payload) != header["payload_size"]:
        raise Wrong(row.index, "payload", f"has SHA-256 {digest}, not that of the header")
    if row.payload_sha256 not in {"", digest}:
        raise Wrong(row.index, "column", "the digest beside the payload is another")
    if row.payload_type != header["payload_type"]:
        raise Wrong(row.index, "column", "the type beside the payload is another")


def _digest(row: LogRow, payload: object) -> str:
    if not isinstance(payload, bytes):
        raise Wrong(row.index, "payload", "is not bytes at all")
    return sha256(payload).hexdigest()


def _refused(told: Told, row: LogRow, entry: dict[str, Any], *, required: bool) -> None:
    """Check what was kept of a refused payload; of a long one only the beginning is."""
    size, digest = entry["payload_size"], entry["payload_sha256"]
    kept = min(size, _KEPT_REFUSED_BYTES) if row.kind == "refusal" else size
    if row.payload is None and (kept == 0 or not required):
        return
    payload = row.payload or b""
    if len(payload) != kept:
        raise Wrong(row.index, "payload", f"has {len(payload)} bytes, not {kept}")
    if row.payload_sha256 not in {"", digest}:
        raise Wrong(row.index, "column", "the digest beside the payload is another")
    if kept == size:
        if _digest(row, payload) != digest:
            raise Wrong(row.index, "payload", f"has not the SHA-256 {digest} of the entry")
        told.payloads = 1


def candidate_of(
    row: LogRow, entry: dict[str, Any], header: dict[str, Any], facts: MessageFacts
) -> Candidate:
    """Return what was proposed, from the message that it became."""
    return Candidate(
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


def decide_again(
    row: LogRow, candidate: Candidate, known: Known, registry: Registry, rules: Rules
) -> None:
    """Decide an entry again from what was before it: the same bytes must come out.

    Raises:
        Wrong: ``decision``.
    """
    again = decide(
        [candidate],
        size=row.index,
        last_at_us=row.at_us - 1,  # that the one before is older is seen in their order
        now_us=row.at_us,
        registry=registry,
        known=known,
        rules=rules,
    )
    refusal = again.outcomes[0].refusal
    if refusal is not None:
        raise Wrong(row.index, "decision", f"should have been refused: {refusal}")
    if not again.entries or again.entries[0].body != row.body:
        raise Wrong(row.index, "decision", "decided again, another entry comes out")


def _opened(row: LogRow) -> tuple[Told, dict[str, Any] | None]:
    """Return what a row says of itself, and its entry if it is one."""
    index = row.index
    body: object = row.body  # SQLite keeps whatever type it was given
    if not isinstance(body, bytes):
        return Told(index, fault=Fault(index, "entry", "not bytes at all")), None
    leaf = sha256(b"\0" + body).digest()
    try:
        entry = _entry(body)
        at_us = _at_us(entry["at"])
    except (ValueError, KeyError, TypeError) as e:
        fault = Fault(index, "entry", f"not the bytes of an entry: {e}")
        return Told(index, leaf, fault=fault), None
    kind = entry["kind"]
    if row.at_us != at_us or row.kind != kind or row.agency != entry.get("agency"):
        fault = Fault(index, "column", "time, kind or agency is not that of the entry")
        return Told(index, leaf, fault=fault), None
    return Told(index, leaf, at_us, kind, row.agency), entry


def _entry(body: bytes) -> dict[str, Any]:
    """Do as schemas.entry.decode does, in a quarter of the time."""
    entry: dict[str, Any] = from_json(body)
    if entry["v"] != 1 or entry["kind"] not in _KINDS:
        raise ValueError("not an entry of version 1")
    return entry


def _at_us(text: str) -> int:
    """Read the one form in which entries write their time (schemas.entry.rfc3339)."""
    if len(text) != 27 or text[10] != "T" or text[19] != "." or text[26] != "Z":
        raise ValueError(f"{text!r} is not a time as the log writes it")
    return micros(datetime.fromisoformat(text))


def _removed(row: LogRow, payload: bytes, sha: str, kind: str) -> Message:
    """Tell what is left of a message; a later entry must say that the rest was removed."""
    if row.payload_sha256 not in {"", _digest(row, payload)}:
        raise Wrong(row.index, "column", "the digest beside the payload is another")
    left = payload.decode()
    facts = MessageFacts.model_validate_json(left)
    return _message(row, facts, sha, kind, ())._replace(facts=left, removed=True)


def _message(
    row: LogRow, facts: MessageFacts, sha: str, kind: str, feeds: tuple[str, ...]
) -> Message:
    changes: tuple[str, ...] = ()
    if changes_others(facts):
        names = {identity(row.agency, r.sender, r.identifier) for r in facts.references}
        changes = tuple(sorted(names))
    return Message(
        sha,
        kind,
        residue(facts),
        sender=facts.sender,
        identifier=facts.identifier,
        sent_us=micros(facts.sent),
        feeds=feeds,
        acknowledged=acknowledged_by(facts, row.agency, row.index, row.at_us),
        changes=changes,
        escalates=escalates(facts),
    )
