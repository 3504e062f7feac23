"""Codes of a second factor by time (RFC 6238), as every authenticator app makes them."""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Final
from urllib.parse import quote

__all__ = ["STEP_S", "code_at", "new_secret", "step_of", "uri"]

STEP_S: Final = 30
_DIGITS: Final = 6
_DRIFT: Final = 1
"""Steps that a telephone's clock may be off."""


def new_secret() -> bytes:
    """Return 160 random bits, as RFC 4226, section 4, recommends."""
    return secrets.token_bytes(20)


def uri(secret: bytes, *, name: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that an app reads, usually from a QR code."""
    written = base64.b32encode(secret).decode().rstrip("=")
    label = f"{quote(issuer, safe='')}:{quote(name, safe='')}"
    return f"otpauth://totp/{label}?secret={written}&issuer={quote(issuer, safe='')}"


def code_at(secret: bytes, step: int, *, digits: int = _DIGITS) -> str:
    """Return the code of a time step (RFC 4226, section 5.3, with HMAC-SHA-1)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: bytes, code: str, *, at_s: float, after: int) -> int | None:
    """Return the time step whose code this is; None for a wrong, old or used one.

    A step at or before *after* was used (RFC 6238, section 5.2: a code works once).
    """
    now = int(at_s) // STEP_S
    found = None
    for step in range(max(0, now - _DRIFT), now + _DRIFT + 1):
        # All are compared, whichever fits: the time taken tells nothing.
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step
    return found
