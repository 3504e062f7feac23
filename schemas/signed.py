"""A message that its agency signed: header, signature and key, held against the payload.

What can be told without the log is told here: that the header is one, that it names
exactly this payload, and that the signature is this key's. Whether the key is the
agency's, and the header the next in its count, only the log knows (`hub.core.signing`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from schemas.dsse import HEADER_TYPE, pae
from schemas.ed25519 import VerifierKey, decode_base64, verify
from schemas.errors import Rejected
from schemas.header import Header, read_header

__all__ = ["SignedMessage", "header_mismatch", "open_signed", "signature_invalid", "verify_all"]

_LOT: Final = 16


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A signed header whose payload is there; the signature has still to be verified."""

    header: Header
    text: str
    """The header as it came: what is signed."""
    key: VerifierKey
    signature: bytes

    def holds(self) -> bool:
        """Verify the signature: 60 µs of a core, without the interpreter's lock."""
        return verify(self.key.public, self.signature, pae(HEADER_TYPE, self.text.encode()))


def open_signed(
    agency: str,
    payload: bytes,
    *,
    header: str,
    signature: str,
    key: str,
) -> SignedMessage:
    """Read what an agency signed, and hold it against who sent it and what came.

    Raises:
        Rejected: ``header-invalid``, ``header-mismatch``, ``key-invalid``, ``signature-invalid``.
    """
    read = read_header(header)
    found = VerifierKey.read(key)
    raw = decode_base64(signature)
    if raw is None or len(raw) != 64:
        raise signature_invalid("it is not 64 bytes in base64")
    claims = (
        ("agency", read.agency, agency),
        ("payload_size", read.payload_size, len(payload)),
        ("payload_sha256", read.payload_sha256, sha256(payload).hexdigest()),
    )
    for name, said, true in claims:
        if said != true:
            raise header_mismatch(name, said, true)
    return SignedMessage(read, header, found, raw)


def verify_all(messages: Sequence[SignedMessage], *, threads: int | None = None) -> list[bool]:
    """Verify many signatures, on as many cores as there are; in the order given."""
    threads = threads or _cores()
    if len(messages) < 2 * _LOT or threads == 1:
        return [message.holds() for message in messages]
    lots = [messages[i : i + _LOT] for i in range(0, len(messages), _LOT)]
    with ThreadPoolExecutor(threads) as pool:
        return [one for lot in pool.map(_hold, lots) for one in lot]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hold(lot: Sequence[SignedMessage]) -> list[bool]:
    return [message.holds() for message in lot]


def header_mismatch(name: str, said: object, true: object) -> Rejected:
    """Return the refusal of a header that says something else than what it heads."""
    return Rejected(
        "header-mismatch",
        f"the header says {name} {said!r}; it is {true!r}",
        remedy="Sign a header made for exactly this message.",
    )


def signature_invalid(why: str) -> Rejected:
    """Return the refusal of a signature."""
    return Rejected(
        "signature-invalid",
        f"the signature does not hold: {why}",
        remedy="Sign the header's bytes as they are sent; see docs/protocol/signing.md.",
    )
