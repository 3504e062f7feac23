"""Is every entry the one that the tree was made of? Hashes alone, at hundreds of thousands a second.

Ranges of whole tiles are read and hashed in several processes, each with a cursor of its
own, and held against the tiles that the store keeps; the tiles' roots against the levels
above, and all of it against the end. Nothing an entry says is read. Memory: 32 bytes for
256 entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from hub.core.merkle import EMPTY_ROOT
from hub.core.proofs import range_root
from hub.core.tiles import WIDTH
from hub.errors import Unavailable
from hub.log.faults import Fault
from hub.log.raw import Ranges, raw_ranges
from hub.log.store import Log
from hub.log.tiles import upper_fault
from hub.log.workers import Workers

__all__ = ["Hashed", "first_unlike", "hash_log"]

_RANGE: Final = 64 * WIDTH
_HASH: Final = 32


@dataclass(frozen=True, slots=True)
class Hashed:
    """The tree over the entries as they are, and the first place where it is not the one kept."""

    entries: int
    root: bytes | None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Range:
    """What came of a range: the roots of its full tiles, the leaves beyond, and a fault."""

    roots: bytes
    leaves: bytes
    entries: int
    fault: Fault | None = None


def hash_log(
    log: Log,
    size: int,
    root: bytes,
    *,
    crew: Workers,
    progress: Callable[[int], None] | None = None,
) -> Hashed:
    """Hash the first *size* entries of a store, and hold them against its tiles and *root*.

    Raises:
        Unavailable: ``log-unavailable``, ``workers-lost``.
    """
    url = log.engine.url.render_as_string(hide_password=False)
    ranges = ((None, (first, min(first + _RANGE, size))) for first in range(0, size, _RANGE))
    roots, leaves, done = [], b"", 0
    for _, found in crew.map(partial(_hash_range, url), ranges):
        done += found.entries
        if progress is not None:
            progress(done)
        if found.fault is not None:
            return Hashed(done, None, found.fault)
        roots += [found.roots[i : i + _HASH] for i in range(0, len(found.roots), _HASH)]
        leaves = found.leaves
    with log.reading() as c:
        wrong = upper_fault(c, size, roots)
    made = _root(roots, leaves, size)
    if wrong is not None:
        return Hashed(size, made, Fault(wrong[0], "tree", wrong[1]))
    if made != root:
        return Hashed(size, made, Fault(None, "head", "the end states a root that is not its own"))
    return Hashed(size, made)


def _hash_range(url: str, ends: tuple[int, int]) -> _Range:
    """Hash the entries from a tile's first to before an end; in a process of its own."""
    try:
        with raw_ranges(url) as store:
            return _held(store, *ends)
    except Unavailable:
        raise
    except Exception as e:  # the drivers' errors have no base class in common
        raise Unavailable("log-unavailable", f"the log cannot be read: {e!r}") from e


def _held(store: Ranges, first: int, end: int) -> _Range:
    kept = store.tiles(first // WIDTH, -(-end // WIDTH))
    roots, row, due = [], b"", first
    for rows in store.bodies(first, end, WIDTH):
        for index, body in rows:
            if index != due or not isinstance(body, bytes):
                return _Range(b"", b"", due - first, _missing(index, due))
            due += 1
        row = b"".join([sha256(b"\0" + body).digest() for _, body in rows])
        at = due - len(rows)
        if not kept.get(at // WIDTH, b"").startswith(row):  # the last may have grown meanwhile
            index = at + _unlike(kept.get(at // WIDTH, b""), row)
            detail = "these are not the bytes that the tree was made of"
            return _Range(b"", b"", index - first, Fault(index, "tree", detail))
        if len(rows) == WIDTH:
            roots.append(tile_root(row))
    if due != end:
        return _Range(b"", b"", due - first, Fault(due, "gap", f"there is no entry {due}"))
    return _Range(b"".join(roots), row if (end - first) % WIDTH else b"", end - first)


def _missing(index: int, due: int) -> Fault:
    if index == due:
        return Fault(due, "entry", "not bytes at all")
    return Fault(min(index, due), "gap", f"index {index} stands where {due} should")


def _unlike(kept: bytes, row: bytes) -> int:
    """Return the first hash of *row* that is not the one that is kept."""
    return next(
        (
            i // _HASH
            for i in range(0, len(row), _HASH)
            if kept[i : i + _HASH] != row[i : i + _HASH]
        ),
        len(row) // _HASH - 1,
    )


def tile_root(row: bytes) -> bytes:
    """Return the root over the hashes of a full tile."""
    while len(row) > _HASH:
        row = b"".join(
            [sha256(b"\1" + row[i : i + 2 * _HASH]).digest() for i in range(0, len(row), 2 * _HASH)]
        )
    return row


def _root(roots: list[bytes], leaves: bytes, size: int) -> bytes:
    """Return the root of a tree, from those of its tiles and the leaves beyond."""
    if size == 0:
        return EMPTY_ROOT
    levels = {8: roots}
    level = 8
    while len(levels[level]) > 1:
        row = levels[level]
        levels[level + 1] = [
            sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)
        ]
        level += 1

    def node(at: int, number: int) -> bytes:
        if at >= 8:
            return levels[at][number]
        start = ((number << at) - len(roots) * WIDTH) * _HASH
        row = leaves[start : start + (_HASH << at)]
        return tile_root(row)

    return range_root(node, 0, size)


def first_unlike(log: Log, size: int, *, crew: Workers) -> int | None:
    """Return the first entry that is not the one that the tiles were made of; None where all are."""
    url = log.engine.url.render_as_string(hide_password=False)
    ranges = ((None, (first, min(first + _RANGE, size))) for first in range(0, size, _RANGE))
    for _, found in crew.map(partial(_hash_range, url), ranges):
        if found.fault is not None:
            return found.fault.index
    return None
