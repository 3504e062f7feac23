"""The header of a message: what its agency (or, for want of a key, the hub) vouches for.

The header is small JSON, kept as the exact text that came, because a signature
covers bytes and not meanings. It names the payload by SHA-256 and never holds it.
"""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Rejected

__all__ = ["PAYLOAD_TYPES", "Header", "header_text", "read_header", "uuid7"]

_LONGEST: Final = 16_384

PAYLOAD_TYPES: Final = (
    "application/cap+xml",
    "application/edxl-rm+xml",
    "application/cap+json",
    "application/edxl-rm+json",
)


class Header(BaseModel):
    """One message's header. (agency, id) is the message's identity in the hub."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    agency: str
    seq: int = Field(ge=1)
    """The agency's own unbroken count of its messages: a gap shows."""
    prev: str
    """SHA-256 of the agency's previous header, hexadecimal; empty in its first."""
    type: str
    created: AwareDatetime
    expires: AwareDatetime | None = None
    audience: tuple[str, ...] = ()
    payload_type: str
    payload_sha256: str
    payload_size: int
    """In bytes."""


class SignedHeader(Header):
    """A header that an agency signed says all that a header says, and nothing beside it.

    A field that the hub would pass over is one that two readers may take differently.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    prev: str = Field(pattern=r"^([0-9a-f]{64})?$")
    payload_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def read_header(text: str) -> Header:
    """Read a header that its agency wrote.

    Raises:
        Rejected: ``header-invalid``.
    """
    if len(text) > _LONGEST:
        raise _invalid(f"it is longer than {_LONGEST} characters")
    try:
        return SignedHeader.model_validate_json(text)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        raise _invalid(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from e


def _invalid(why: str) -> Rejected:
    return Rejected(
        "header-invalid",
        f"the header cannot be read: {why}",
        remedy="Write it as docs/protocol/signing.md says.",
    )


def header_text(
    *,
    message_id: str,
    agency: str,
    seq: int,
    prev: str,
    type_: str,
    created: str,
    expires: str | None,
    audience: tuple[str, ...],
    payload_type: str,
    payload_sha256: str,
    payload_size: int,
) -> str:
    """Write a header in the one form the hub writes; times are RFC 3339 texts."""
    return json.dumps(
        {
            "id": message_id,
            "agency": agency,
            "seq": seq,
            "prev": prev,
            "type": type_,
            "created": created,
            "expires": expires,
            "audience": audience,
            "payload_type": payload_type,
            "payload_sha256": payload_sha256,
            "payload_size": payload_size,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def uuid7(at_us: int, entropy: bytes | None = None) -> str:
    """Return a UUID of version 7 (RFC 9562, 5.7) for a moment in microseconds since 1970.

    Ids made in order sort in order, which keeps an index of them small and quick.
    The microseconds within the millisecond fill ``rand_a``; *entropy* (8 bytes)
    fills ``rand_b`` and defaults to the system's.
    """
    rand = int.from_bytes(entropy or secrets.token_bytes(8)) & ((1 << 62) - 1)
    millis, rest = divmod(at_us, 1000)
    value = (millis << 80) | (0x7 << 76) | ((rest * 4096 // 1000) << 64) | (0b10 << 62) | rand
    return str(uuid.UUID(int=value))
