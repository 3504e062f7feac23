"""The header of a message: what its agency (or, for want of a key, the hub) vouches for.

The header is small JSON, kept as the exact text that came, because a signature
covers bytes and not meanings. It names the payload by SHA-256 and never holds it.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from datetime import datetime
from functools import lru_cache
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import Rejected
from schemas.one_reading import read_once

__all__ = ["PAYLOAD_TYPES", "Header", "header_text", "read_header", "uuid7"]

_LONGEST: Final = 16_384
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
"""RFC 3339, section 5.6, in upper case."""

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

    A field that the hub would pass over is one that two readers may take differently. So is
    a number that comes as text: who reads the log later holds it against the count as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    prev: str = Field(pattern=r"^([0-9a-f]{64})?$")
    payload_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("created", "expires", mode="before")
    @classmethod
    def _is_time(cls, value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or _TIME.fullmatch(value) is None:
            raise ValueError("a time is written as RFC 3339 has it: 2026-11-23T14:10:48Z")
        return datetime.fromisoformat(value)


@lru_cache(maxsize=1024)
def read_header(text: str) -> Header:
    """Read a header that its agency wrote. A text that was read before costs nothing again.

    Raises:
        Rejected: ``header-invalid``.
    """
    if len(text) > _LONGEST:
        raise _invalid(f"it is longer than {_LONGEST} characters")
    try:
        read_once(text)
        return SignedHeader.model_validate_json(text)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        raise _invalid(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from e
    except (ValueError, RecursionError) as e:
        raise _invalid(f"it is not JSON that has one meaning: {e}"[:300]) from e


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
