"""Intake: read what agencies send, check it as far as it can be checked without the log.

What is fine becomes a candidate for the ledger; what is not becomes a candidate
too, a refusal: nothing ends here in silence (guarantee G6).

Crash table. Adding the candidates and letting go of the entries is one transaction of
Redis. Before it, the entries stay pending and are read again. A Redis that comes back
from its disk without it has them pending again; the candidates are added twice, and
the ledger knows the second for what it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from cryptography.x509 import Certificate
from redis.asyncio import Redis

from consumers.signatures import SIGNED_FIELDS, opened, with_signature
from consumers.turns import Turns
from consumers.worker import StreamEntry
from hub.core.candidate import Candidate, Via
from hub.streams.submit import propose, queue
from hub.telemetry import process_metrics
from schemas.cap.signature import check_xml_signature
from schemas.errors import Rejected
from schemas.payload import read_payload
from schemas.receipt import findings_json
from schemas.signed import SignedMessage, header_mismatch

__all__ = ["Intake", "candidate_of", "dead_letter_of", "refusal_of"]

_MESSAGE_FIELDS = (
    frozenset({b"type", b"payload", b"payload_type", b"id", b"via", b"person", b"approved_by"})
    | SIGNED_FIELDS
)
_LONGEST_PERSON = 200
_ACKNOWLEDGEMENT_FIELDS = frozenset({b"type", b"message", b"officer", b"note", b"via"})


class Intake:
    """The intake of one agency's inbox."""

    def __init__(
        self,
        redis: Redis,
        agency: str,
        *,
        max_payload_bytes: int,
        turns: Turns,
        trusted: Sequence[Certificate] = (),
    ) -> None:
        """All inboxes of a process share their *turns*.

        *trusted* are the certificates that count for XML signatures inside alerts.
        """
        self._redis = redis
        self._agency = agency
        self._max_payload_bytes = max_payload_bytes
        self._turns = turns
        self._trusted = trusted

    async def handle(self, entries: Sequence[StreamEntry], last: Any) -> None:
        """Turn entries of the inbox into candidates, which *last* adds, when it is their turn.

        Raises:
            Unavailable: ``ledger-behind``; try again.
        """
        async with self._turns.turn(len(entries)):
            await self._take(entries, last)

    async def _take(self, entries: Sequence[StreamEntry], last: Any) -> None:
        signed = await asyncio.to_thread(opened, self._agency, entries)
        candidates = []
        for entry in entries:
            candidate = candidate_of(
                self._agency,
                entry,
                max_payload_bytes=self._max_payload_bytes,
                signed=signed.get(entry.id),
                trusted=self._trusted,
            )
            process_metrics().messages_received.labels(candidate.via).inc()
            candidates.append(candidate)
        queue(last, candidates)

    async def bury(self, entry: StreamEntry, reason: str) -> None:
        """Set an entry aside that the hub itself could not handle."""
        await propose(self._redis, [dead_letter_of(self._agency, entry, "intake", reason)])


def candidate_of(
    agency: str,
    entry: StreamEntry,
    *,
    max_payload_bytes: int,
    signed: SignedMessage | Rejected | None = None,
    trusted: Sequence[Certificate] = (),
) -> Candidate:
    """Return what an inbox entry asks for, or its refusal.

    *signed* is its header with the signature verified, or why it does not hold; *trusted*
    are the certificates that count for an XML signature inside the alert.

    The fields are those of docs/protocol/streams.md. A field that is not among them
    is refused rather than passed over: it may be a misspelt one that matters.
    """
    fields = entry.fields
    payload = fields.get(b"payload", b"")
    try:
        kind = _text(fields, b"type", "message")
        if kind == "message":
            _only(fields, _MESSAGE_FIELDS)
            if isinstance(signed, Rejected):
                raise signed
            candidate = _message(agency, entry, payload, max_payload_bytes, signed)
            return with_signature(_with_xml_signature(candidate, trusted), signed)
        if kind == "acknowledgement":
            _only(fields, _ACKNOWLEDGEMENT_FIELDS)
            return Candidate(
                "acknowledgement",
                agency,
                via=_via(fields),
                inbox=entry.id.decode(),
                body={
                    name: _text(fields, name.encode(), "")
                    for name in ("message", "officer", "note")
                },
            )
    except Rejected as e:
        refusal = e
    else:
        refusal = Rejected(
            "unknown-type",
            f"type {kind[:60]!r} is neither message nor acknowledgement",
            remedy="See docs/protocol/streams.md.",
        )
    refused = refusal_of(
        agency, refusal, payload=payload, via=_via(fields), inbox=entry.id.decode()
    )
    return refused if isinstance(signed, Rejected) else with_signature(refused, signed)


def _with_xml_signature(c: Candidate, trusted: Sequence[Certificate]) -> Candidate:
    """Note what became of the XML signature inside an alert; it decides nothing."""
    if c.facts is None or c.payload_type != "application/cap+xml":
        return c
    found = check_xml_signature(c.payload, trusted, sent=c.facts.sent)
    if found is None:
        return c
    return replace(c, xml_signature=json.dumps(asdict(found), ensure_ascii=False))


def _message(
    agency: str,
    entry: StreamEntry,
    payload: bytes,
    max_bytes: int,
    signed: SignedMessage | None,
) -> Candidate:
    fields = entry.fields
    if b"payload" not in fields:
        raise Rejected(
            "field-missing",
            "the field payload is required",
            remedy="See docs/protocol/streams.md.",
        )
    message_id = _text(fields, b"id", "")
    if message_id and not _is_id(message_id):
        raise Rejected(
            "id-invalid",
            "an id has 1 to 128 letters, digits, dots, hyphens or underscores",
            remedy="Use a UUID, or leave the id to the hub.",
        )
    if signed is not None:
        if message_id not in {"", signed.header.id}:
            raise header_mismatch("id", signed.header.id, message_id)
        message_id = signed.header.id
    read = read_payload(payload, _text(fields, b"payload_type", ""), max_bytes=max_bytes)
    return Candidate(
        "publish",
        agency,
        via=_via(fields),
        inbox=entry.id.decode(),
        payload=payload,
        payload_type=read.payload_type,
        message_id=message_id,
        facts=read.facts,
        warnings=findings_json(read.warnings),
        person=_person(fields, "person"),
        approved_by=_person(fields, "approved_by"),
    )


def refusal_of(
    agency: str, refusal: Rejected, *, payload: bytes, via: Via, inbox: str = ""
) -> Candidate:
    """Return the candidate that logs a refusal and answers its sender."""
    return Candidate(
        "refusal",
        agency,
        via=via,
        inbox=inbox,
        payload=payload[:65_536],
        body={
            "code": refusal.code,
            "detail": refusal.detail[:1000],
            "remedy": refusal.remedy[:1000],
            "findings": json.loads(findings_json(refusal.findings)),
        },
    )


def dead_letter_of(agency: str, entry: StreamEntry, stage: str, reason: str) -> Candidate:
    """Return the candidate that logs a dead letter, with everything needed to try it again."""
    fields = {
        name.decode("utf-8", "replace"): value.decode("utf-8", "replace")[
            : 16_384 if name == b"header" else 2000
        ]
        for name, value in list(entry.fields.items())[:20]
        if name != b"payload"
    }
    return Candidate(
        "dead-letter",
        agency,
        inbox=entry.id.decode() if stage == "intake" else fields.get("inbox", ""),
        payload=entry.fields.get(b"payload", b""),
        body={
            "stage": stage,
            "reason": reason[:500],
            "deliveries": entry.deliveries,
            "fields": {k: v for k, v in fields.items() if k not in {"facts", "warnings"}},
        },
    )


def _text(fields: dict[bytes, bytes], name: bytes, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    try:
        return value.decode()
    except UnicodeDecodeError as e:
        raise Rejected(
            "field-not-text", f"the field {name.decode()} is not UTF-8", remedy="Send it in UTF-8."
        ) from e


def _person(fields: dict[bytes, bytes], name: str) -> str:
    person = _text(fields, name.encode(), "").strip()
    if len(person) > _LONGEST_PERSON or not person.isprintable():
        raise Rejected(
            "field-invalid",
            f"{name} is a name of at most {_LONGEST_PERSON} characters that can be printed",
            remedy="Name the person who sends it, or leave the field out.",
        )
    return person


def _only(fields: dict[bytes, bytes], allowed: frozenset[bytes]) -> None:
    for name in fields:
        if name not in allowed:
            shown = name[:60].decode("utf-8", "replace")
            raise Rejected(
                "field-unknown",
                f"there is no field {shown!r}",
                remedy="See docs/protocol/streams.md for the fields of an inbox entry.",
            )


def _via(fields: dict[bytes, bytes]) -> Via:
    return "http" if fields.get(b"via") == b"http" else "stream"


def _is_id(text: str) -> bool:
    return (
        len(text) <= 128  # schemas.header.Header.id
        and text.isascii()
        and text[0].isalnum()
        and all(c.isalnum() or c in "._-" for c in text)
    )
