"""Cosignatures (C2SP tlog-cosignature, v1): a witness saw a log grow, and when.

A cosignature is a line under the checkpoint's note, by a key of type 4. Its signature is
``u64be time || Ed25519`` over::

    cosignature/v1
    time <seconds since 1970>
    <the checkpoint's text>

It says more than a signature of the same key over the same text would: as of that time
this is the largest tree of the log that the witness knows, and it grew from all before it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from schemas.ed25519 import decode_base64, is_sound, verify
from schemas.errors import Rejected
from schemas.notes import NoteSignature

__all__ = ["CosignerKey", "cosignature", "message", "time_of"]

_COSIGNATURE: Final = b"\x04"
_LENGTH: Final = 8 + 64
_LATEST: Final = 1 << 63
_NAME: Final = r"[^\s+\x00-\x1f\x7f]{1,200}"


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """The public key of a witness, and the name it goes by."""

    name: str
    public: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """The key's short id, eight hexadecimal digits."""
        return sha256(self.name.encode() + b"\n" + _COSIGNATURE + self.public).digest()[:4].hex()

    def __str__(self) -> str:
        """Return the key as text, as `schemas.ed25519.VerifierKey` does, with type 4."""
        return f"{self.name}+{self.id}+{base64.b64encode(_COSIGNATURE + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> CosignerKey:
        """Read a key's text.

        Raises:
            Rejected: ``key-invalid``: not of this form, of another algorithm, its id is
                not its own, or no sound Ed25519 point.
        """
        name, plus, rest = text.partition("+")
        short, plus2, encoded = rest.partition("+")
        if not plus or not plus2 or re.fullmatch(_NAME, name) is None:
            raise _invalid("it is not name+id+base64")
        blob = decode_base64(encoded)
        if blob is None or len(blob) != 33 or blob[:1] != _COSIGNATURE:
            raise _invalid("it is not an Ed25519 key for cosignatures (type 4)")
        key = cls(name, blob[1:])
        if key.id != short:
            raise _invalid(f"its id is not {key.id}")
        if not is_sound(key.public):
            raise _invalid("its point is of small order or not canonical")
        return key

    def signed(self, line: NoteSignature) -> bool:
        """Tell whether a line under a note says that this key cosigned."""
        return line.name == self.name and line.key_id.hex() == self.id

    def verify(self, line: NoteSignature, text: str) -> int | None:
        """Return when this key cosigned *text* with this line; None where it did not.

        The time is in seconds since 1970.
        """
        at = time_of(line)
        if at is None or not self.signed(line):
            return None
        return at if verify(self.public, line.signature[8:], message(text, at)) else None


def message(text: str, at: int) -> bytes:
    """Return the bytes that a cosignature covers, made at *at* over a checkpoint's *text*."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosignature(key: CosignerKey, at: int, signature: bytes) -> NoteSignature:
    """Return the line of a *signature* (64 bytes) that *key* made over `message`."""
    return NoteSignature(key.name, bytes.fromhex(key.id), at.to_bytes(8, "big") + signature)


def time_of(line: NoteSignature) -> int | None:
    """Return the time that a line bears, if it has the form of a cosignature."""
    at = int.from_bytes(line.signature[:8], "big")
    return at if len(line.signature) == _LENGTH and at < _LATEST else None


def _invalid(why: str) -> Rejected:
    return Rejected(
        "key-invalid",
        f"this is not the key of a witness: {why}",
        remedy="Get its verifier key from who runs it.",
    )
