"""Ed25519 as everybody understands it: keys by name, signatures that no verifier disputes.

RFC 8032 leaves grey zones, and libraries disagree in them: what one accepts another
refuses. A hostile state could sign there what only some of the others can verify.
The rule is therefore strict: small-order and non-canonical public keys are refused,
and so are small-order and non-canonical R. What is left all libraries agree on.

A key is written as a verifier key of the C2SP signed-note specification::

    name+hex(keyid)+base64(0x01 || public)    keyid = SHA-256(name || 0x0A || 0x01 || public)[:4]
"""

from __future__ import annotations

import base64
import re
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from schemas.errors import Rejected

__all__ = ["KEY_NAME", "VerifierKey", "decode_base64", "is_sound", "verify"]

KEY_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"

_ED25519: Final = b"\x01"
_PRIME: Final = 2**255 - 19
_SIGN: Final = 1 << 255
_SMALL_Y: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y of the eight points of small order."""


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether *signature* (64 bytes) is *public*'s (32 bytes) over *message*.

    The strict rule above holds whatever the library under it does. Frees the
    interpreter while it computes: threads verify on several cores at once.
    """
    if len(signature) != 64 or not _is_sound_key(public) or not is_sound(signature[:32]):
        return False
    try:
        crypto_sign_open(signature + message, public)
    except (BadSignatureError, ValueError):
        return False
    return True


def is_sound(point: bytes) -> bool:
    """Tell whether 32 bytes are a point that all libraries take: canonical, of no small order."""
    if len(point) != 32:
        return False
    y = int.from_bytes(point, "little") & (_SIGN - 1)
    return y < _PRIME and y not in _SMALL_Y


_is_sound_key = lru_cache(maxsize=4096)(is_sound)
"""Keys are few, and come again with every message."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it goes by."""

    name: str
    public: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """The key's short id, eight hexadecimal digits: for people and for looking up."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4].hex()

    def __str__(self) -> str:
        """Return the key as text, the form in which it travels."""
        return f"{self.name}+{self.id}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> VerifierKey:
        """Read a key's text.

        Raises:
            Rejected: ``key-invalid``: not of this form, of another algorithm, its id is
                not its own, or no sound Ed25519 point.
        """
        return _read(text)


@lru_cache(maxsize=4096)
def _read(text: str) -> VerifierKey:
    name, plus, rest = text.partition("+")
    short, plus2, encoded = rest.partition("+")
    if not plus or not plus2 or re.fullmatch(KEY_NAME, name) is None:
        raise _invalid("it is not name+id+base64")
    blob = decode_base64(encoded)
    if blob is None or len(blob) != 33 or blob[:1] != _ED25519:
        raise _invalid("it is not an Ed25519 key")
    key = VerifierKey(name, blob[1:])
    if key.id != short:
        raise _invalid(f"its id is not {key.id}")
    if not is_sound(key.public):
        raise _invalid("its point is of small order or not canonical")
    return key


def _invalid(why: str) -> Rejected:
    return Rejected(
        "key-invalid",
        f"this is not a verifier key: {why}",
        remedy="Send the line that `caspian keys show` prints.",
    )


def decode_base64(text: str) -> bytes | None:
    """Return what standard base64 says; None unless *text* is its one canonical form."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if b2a_base64(data, newline=False) == text.encode() else None
