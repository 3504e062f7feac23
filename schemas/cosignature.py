"""Cosignatures (C2SP tlog-cosignature, v1): a witness states when it saw a log at what size.

::

    cosignature/v1
    time <POSIX seconds>
    <the checkpoint's text>

is what is signed; under the note stands ``u64be time || signature[64]``. A witness's key is
written as a log's is, with the type 4::

    name+hex(keyid)+base64(0x04 || public)    keyid = SHA-256(name || 0x0A || 0x04 || public)[:4]
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from schemas.ed25519 import KEY_NAME, VerifierKey, decode_base64, verify
from schemas.errors import Rejected
from schemas.notes import Note, NoteSignature

__all__ = ["CosignerKey", "cosign", "cosigned_at", "cosigned_bytes"]

_COSIGNATURE: Final = b"\x04"
_LATEST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key and the name it goes by."""

    name: str
    public: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """The key's short id, eight hexadecimal digits."""
        return sha256(self.name.encode() + b"\n" + _COSIGNATURE + self.public).digest()[:4].hex()

    def __str__(self) -> str:
        """Return the key as text, the form in which it travels."""
        return f"{self.name}+{self.id}+{base64.b64encode(_COSIGNATURE + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> CosignerKey:
        """Read a key's text.

        Raises:
            Rejected: ``key-invalid``: not of this form, of another type, its id is not its
                own, or no sound Ed25519 point.
        """
        name, _, rest = text.partition("+")
        short, _, encoded = rest.partition("+")
        blob = decode_base64(encoded)
        if re.fullmatch(KEY_NAME, name) is None or blob is None or len(blob) != 33:
            raise _invalid("it is not name+id+base64")
        if blob[:1] != _COSIGNATURE:
            raise _invalid("it is not of a witness (type 4)")
        key = cls(name, blob[1:])
        if key.id != short:
            raise _invalid(f"its id is not {key.id}")
        # The point is held to the rule of all keys (schemas.ed25519).
        VerifierKey.read(str(VerifierKey(name, key.public)))
        return key


def cosigned_bytes(time_s: int, text: str) -> bytes:
    """Return the bytes that are signed for a checkpoint's *text* at a time."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosign(key: CosignerKey, sign: Callable[[bytes], bytes], time_s: int, text: str) -> Note:
    """Return a checkpoint's *text* with the one line of a cosignature; *sign* makes 64 bytes."""
    blob = time_s.to_bytes(8, "big") + sign(cosigned_bytes(time_s, text))
    return Note(text, (NoteSignature(key.name, bytes.fromhex(key.id), blob),))


def cosigned_at(note: Note, key: CosignerKey) -> int | None:
    """Return when *key* cosigned a note, by its own clock; None where it did not.

    Raises:
        Rejected: ``note-unsigned``; a line says it is its signature, and is not.
    """
    found = None
    for line in note.signatures:
        if line.name != key.name or line.key_id.hex() != key.id:
            continue
        time_s, signature = int.from_bytes(line.signature[:8], "big"), line.signature[8:]
        sound = 0 < time_s <= _LATEST
        if not sound or not verify(key.public, signature, cosigned_bytes(time_s, note.text)):
            raise Rejected("note-unsigned", f"the cosignature of {key.name} does not hold")
        found = max(time_s, found or 0)
    return found


def _invalid(why: str) -> Rejected:
    return Rejected(
        "key-invalid",
        f"this is not a witness's key: {why}",
        remedy="Send the line that `caspian witness key` prints.",
    )
