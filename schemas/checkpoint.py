"""A checkpoint (C2SP tlog-checkpoint): the log's name, size and root, as a signed note."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.notes import Note, open_note, read_note

__all__ = ["Checkpoint", "read_checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states of itself: it has *size* entries, whose root is *root*."""

    origin: str
    size: int
    root: bytes
    """32 bytes: the Merkle tree hash (RFC 6962, 2.1)."""

    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def of(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text; lines after the third are extensions and are passed over.

        Raises:
            Rejected: ``note-invalid``.
        """
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0]:
            raise _invalid("it has not the lines of one")
        root = decode_base64(lines[2])
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]) or root is None or len(root) != 32:
            raise _invalid("its size or root is malformed")
        return cls(lines[0], int(lines[1]), root)


def read_checkpoint(
    data: bytes, origin: str, keys: tuple[VerifierKey, ...]
) -> tuple[Checkpoint, Note]:
    """Read a checkpoint of the log *origin* that one of *keys* signed.

    Raises:
        Rejected: ``note-invalid``, ``note-unsigned``; it is no checkpoint of that log.
    """
    note = read_note(data)
    open_note(note, keys)
    checkpoint = Checkpoint.of(note.text)
    if checkpoint.origin != origin:
        raise _invalid(f"it is of the log {checkpoint.origin!r}, not {origin!r}")
    return checkpoint, note


def _invalid(why: str) -> Rejected:
    return Rejected("note-invalid", f"this is no checkpoint: {why}", remedy="Get it again.")
