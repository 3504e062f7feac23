"""How a witness signs a checkpoint, and how it knows its own signature again."""

from __future__ import annotations

from collections.abc import Callable

from schemas.cosignature import CosignerKey, cosignature, message
from schemas.errors import Rejected
from schemas.notes import Note

__all__ = ["cosign", "cosigned_at"]


def cosign(key: CosignerKey, sign: Callable[[bytes], bytes], at: int, text: str) -> Note:
    """Return a checkpoint's *text* with the one line of a cosignature; *sign* makes 64 bytes."""
    return Note(text, (cosignature(key, at, sign(message(text, at))),))


def cosigned_at(note: Note, key: CosignerKey) -> int | None:
    """Return when *key* cosigned a note, by its own clock; None where it did not.

    Raises:
        Rejected: ``note-unsigned``; a line says it is its signature, and is not.
    """
    found = None
    for line in note.signatures:
        if key.signed(line):
            at = key.verify(line, note.text)
            if at is None:
                raise Rejected("note-unsigned", f"the cosignature of {key.name} does not hold")
            found = max(at, found or 0)
    return found
