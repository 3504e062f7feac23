"""Signed notes (C2SP signed-note): a text, and lines of signatures under it.

::

    <text, ending in a newline>

    — <name> <base64 of key id[4] || signature>

The text is what is signed, as it stands. Unknown keys say nothing; a known key whose
signature does not hold makes the note worthless.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schemas.ed25519 import VerifierKey, decode_base64, verify
from schemas.errors import Rejected

__all__ = [
    "Note",
    "NoteSignature",
    "open_note",
    "read_line",
    "read_note",
    "signature_line",
]

_DASH: Final = "\u2014 "
_MOST: Final = 100
_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line under a note."""

    name: str
    key_id: bytes
    """4 bytes; which key of that name."""
    signature: bytes

    def __str__(self) -> str:
        """Return the line as it travels, without its end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"

    def is_by(self, key: VerifierKey) -> bool:
        """Tell whether this line says that *key* signed."""
        return self.name == key.name and self.key_id.hex() == key.id


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read; nothing of it is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        """Return the note as it travels."""
        return f"{self.text}\n" + "".join(f"{s}\n" for s in self.signatures)


def read_note(data: bytes) -> Note:
    """Read a note.

    Raises:
        Rejected: ``note-invalid``.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        raise _invalid("it is not UTF-8") from e
    if len(data) > _LONGEST or any(ord(c) < 0x20 and c != "\n" for c in text):
        raise _invalid("it is too long, or holds control characters")
    body, blank, below = text.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise _invalid("there are no signatures under it")
    lines = below[:-1].split("\n")
    if len(lines) > _MOST:
        raise _invalid(f"there are more than {_MOST} signatures")
    return Note(body + "\n", tuple(read_line(line) for line in lines))


def read_line(line: str) -> NoteSignature:
    """Read one signature line, without its end.

    Raises:
        Rejected: ``note-invalid``.
    """
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    blob = decode_base64(encoded)
    sound = line.startswith(_DASH) and space and name and "+" not in name
    if not sound or blob is None or len(blob) < 5 or any(c.isspace() for c in name):
        raise _invalid("a line under it is no signature")
    return NoteSignature(name, blob[:4], blob[4:])


def open_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return those of *keys* that signed the note.

    Raises:
        Rejected: ``note-unsigned``; none did, or the signature of one does not hold.
    """
    held: dict[VerifierKey, None] = {}
    for key in keys:
        for line in note.signatures:
            if not line.is_by(key):
                continue
            if not verify(key.public, line.signature, note.text.encode()):
                raise Rejected("note-unsigned", f"the signature of {key.name} does not hold")
            held[key] = None
    if not held:
        raise Rejected("note-unsigned", "nobody who is known has signed it")
    return tuple(held)


def signature_line(key: VerifierKey, signature: bytes) -> NoteSignature:
    """Return the line of a signature that *key* made over a note's text."""
    return NoteSignature(key.name, bytes.fromhex(key.id), signature)


def _invalid(why: str) -> Rejected:
    return Rejected("note-invalid", f"this is no signed note: {why}", remedy="Get it again.")
