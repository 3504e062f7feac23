"""The leaves of a range of the log, by the driver's own cursor: nothing here is slow to import.

What passes hundreds of thousands a second must be bare, and it is done in processes that
should begin at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from hub.core.tiles import WIDTH, tile_root
from hub.log.faults import Fault
from hub.log.place import Place, cursor_at

__all__ = ["HASH", "Range", "hash_range"]

HASH: Final = 32
_BODIES: Final = "SELECT idx, body FROM entries WHERE idx >= {} AND idx < {} ORDER BY idx"
_TILES: Final = "SELECT number, hashes FROM tiles WHERE level = 0 AND number >= {} AND number < {}"


@dataclass(frozen=True, slots=True)
class Range:
    """What came of a range: the roots of its full tiles, the leaves beyond, and a fault."""

    roots: bytes
    leaves: bytes
    entries: int
    fault: Fault | None = None


def hash_range(place: Place, ends: tuple[int, int]) -> Range:
    """Hash the entries from a tile's first to before an end, and hold them against the tiles.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    with cursor_at(place) as cursor:
        return _held(cursor, *ends)


def _bodies(cursor: Any, first: int, end: int) -> Iterator[list[tuple[int, bytes]]]:
    cursor.execute(_BODIES.format(int(first), int(end)))
    while rows := cursor.fetchmany(WIDTH):
        yield rows


def _held(cursor: Any, first: int, end: int) -> Range:
    cursor.execute(_TILES.format(first // WIDTH, -(-end // WIDTH)))
    kept = dict(cursor.fetchall())
    roots, row, due = [], b"", first
    for rows in _bodies(cursor, first, end):
        for index, body in rows:
            if index != due or not isinstance(body, bytes):
                return Range(b"", b"", due - first, _missing(index, due))
            due += 1
        row = b"".join([sha256(b"\0" + body).digest() for _, body in rows])
        at = due - len(rows)
        tile = kept.get(at // WIDTH, b"")
        if not tile.startswith(row):  # the last may have grown meanwhile
            index = at + _unlike(tile, row)
            detail = "these are not the bytes that the tree was made of"
            return Range(b"", b"", index - first, Fault(index, "tree", detail))
        if len(rows) == WIDTH:
            roots.append(tile_root(row))
    if due != end:
        return Range(b"", b"", due - first, Fault(due, "gap", f"there is no entry {due}"))
    return Range(b"".join(roots), row if (end - first) % WIDTH else b"", end - first)


def _missing(index: int, due: int) -> Fault:
    if index == due:
        return Fault(due, "entry", "not bytes at all")
    return Fault(min(index, due), "gap", f"index {index} stands where {due} should")


def _unlike(kept: bytes, row: bytes) -> int:
    """Return the first hash of *row* that is not the one that is kept."""
    return next(
        i // HASH for i in range(0, len(row), HASH) if kept[i : i + HASH] != row[i : i + HASH]
    )
