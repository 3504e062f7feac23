"""A proof that an entry is in a log, in one file (C2SP tlog-proof).

::

    c2sp.org/tlog-proof@v1
    [extra <base64>]
    index <number>
    <base64 hash>, from the leaf to the root
    …

    <checkpoint, with its signatures>

It needs no hub: with the entry's bytes and a policy anybody can check it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from schemas.ed25519 import decode_base64
from schemas.errors import Rejected
from schemas.notes import Note, read_note

__all__ = ["TlogProof", "read_tlog_proof"]

_FIRST: Final = "c2sp.org/tlog-proof@v1"
_MOST: Final = 63
"""More hashes than a tree of 2 to the 63rd leaves asks for."""

_LONGEST: Final = 1 << 21


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it was read; nothing of it is verified yet."""

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    """The checkpoint's."""
    extra: bytes | None = None
    """Bytes that nobody vouches for."""

    def __str__(self) -> str:
        """Return the proof as it travels."""
        lines = [_FIRST]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(one).decode() for one in self.hashes]
        return "\n".join(lines) + f"\n\n{self.note}"


def read_tlog_proof(data: bytes) -> TlogProof:
    """Read a proof.

    Raises:
        Rejected: ``proof-invalid``, ``note-invalid``.
    """
    if len(data) > _LONGEST:
        raise _invalid("it is too long")
    head, blank, below = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as e:
        raise _invalid("it is not ASCII") from e
    if not blank or lines.pop(0) != _FIRST:
        raise _invalid(f"it does not begin with {_FIRST}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
        if extra is None:
            raise _invalid("its extra data are not base64")
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines.pop(0) if lines else "")
    if index is None or int(index[1]) >= 1 << 63:
        raise _invalid("it says no index")
    hashes = [decode_base64(line) for line in lines]
    found = tuple(one for one in hashes if one is not None and len(one) == 32)
    if len(found) != len(hashes) or len(hashes) > _MOST:
        raise _invalid("a hash in it is none, or there are too many")
    return TlogProof(int(index[1]), found, read_note(below), extra)


def _invalid(why: str) -> Rejected:
    return Rejected("proof-invalid", f"this is no proof: {why}", remedy="Get it again.")
