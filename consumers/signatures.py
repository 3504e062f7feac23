"""Signatures of what comes in, verified a batch at a time on all cores (guarantee G9).

Intake verifies what an agency sent. The ledger verifies it again before it decides:
whoever can write to the streams between them still cannot put into the log what an
agency did not sign.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from consumers.worker import StreamEntry
from hub.core.candidate import Candidate
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.header import read_header
from schemas.signed import SignedMessage, open_signed, signature_invalid, verify_all

__all__ = ["SIGNED_FIELDS", "opened", "with_signature", "without_forgeries"]

SIGNED_FIELDS: Final = frozenset({b"header", b"signature", b"key"})
"""The fields of an inbox entry whose message its agency signed: all three, or none."""


def opened(agency: str, entries: Sequence[StreamEntry]) -> dict[bytes, SignedMessage | Rejected]:
    """Return what is signed with its signature verified, or why it is not; by entry."""
    found: dict[bytes, SignedMessage | Rejected] = {}
    for entry in entries:
        if not SIGNED_FIELDS.isdisjoint(entry.fields):
            try:
                found[entry.id] = _open(agency, entry)
            except Rejected as e:
                found[entry.id] = e
    claimed = [(i, s) for i, s in found.items() if isinstance(s, SignedMessage)]
    holds = verify_all([s for _, s in claimed])
    for (entry_id, _), held in zip(claimed, holds, strict=True):
        if not held:
            found[entry_id] = _forged()
    return found


def _open(agency: str, entry: StreamEntry) -> SignedMessage:
    texts = {}
    for name in sorted(SIGNED_FIELDS):
        value = entry.fields.get(name)
        if value is None:
            raise Rejected(
                "field-missing",
                f"a signed message has the fields header, signature and key; {name.decode()} "
                "is missing",
                remedy="See docs/protocol/signing.md.",
            )
        try:
            texts[name.decode()] = value.decode()
        except UnicodeDecodeError as e:
            raise Rejected(
                "field-not-text",
                f"the field {name.decode()} is not UTF-8",
                remedy="Send it in UTF-8.",
            ) from e
    return open_signed(agency, entry.fields.get(b"payload", b""), **texts)


def with_signature(candidate: Candidate, signed: SignedMessage | None) -> Candidate:
    """Let the ledger know that the agency signed this, accepted or refused."""
    if signed is None:
        return candidate
    return replace(
        candidate,
        header=signed.text,
        signature=base64.b64encode(signed.signature).decode(),
        key=str(signed.key),
    )


def without_forgeries(
    batch: Sequence[Candidate], refused: Callable[[Candidate, Rejected], Candidate]
) -> list[Candidate]:
    """Return a batch in which every signature holds; what does not hold is *refused*.

    Intake lets nothing of that kind through: it was written by somebody else.
    """
    found = list(batch)
    claimed: list[tuple[int, SignedMessage]] = []
    for number, c in enumerate(batch):
        if c.header or c.signature or c.key:
            try:
                claimed.append((number, _claim(c)))
            except Rejected as e:
                found[number] = refused(c, e)
    holds = verify_all([message for _, message in claimed])
    for (number, _), held in zip(claimed, holds, strict=True):
        if not held:
            found[number] = refused(batch[number], _forged())
    return found


def _claim(c: Candidate) -> SignedMessage:
    signature = decode_base64(c.signature)
    if signature is None:
        raise signature_invalid("it is not base64")
    return SignedMessage(read_header(c.header), c.header, VerifierKey.read(c.key), signature)


def _forged() -> Rejected:
    return signature_invalid("it is not this key's, over this header")
