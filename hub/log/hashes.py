"""Is every entry the one that the tree was made of? Hashes alone, and so very fast.

Ranges of whole tiles are read and hashed in several processes, each with a cursor of its
own, and held against the tiles that the store keeps; the tiles' roots against the levels
above, and all of it against the end. Nothing an entry says is read. Memory: 32 bytes for
256 entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from hub.core.merkle import EMPTY_ROOT
from hub.core.proofs import range_root
from hub.core.tiles import WIDTH, tile_root
from hub.log.faults import Fault
from hub.log.leaves import HASH, hash_range
from hub.log.place import place_of
from hub.log.store import Log
from hub.log.tiles import upper_fault
from hub.log.workers import Workers

__all__ = ["Hashed", "first_unlike", "hash_log"]

_RANGE: Final = 64 * WIDTH


@dataclass(frozen=True, slots=True)
class Hashed:
    """The tree over the entries as they are, and the first place where it is not the one kept."""

    entries: int
    root: bytes | None
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

    The log may grow meanwhile.

    Raises:
        Unavailable: ``log-unavailable``, ``workers-lost``.
    """
    roots, leaves, done = [], b"", 0
    for _, found in crew.map(partial(hash_range, place_of(log.engine)), _ranges(size)):
        done += found.entries
        if progress is not None:
            progress(done)
        if found.fault is not None:
            return Hashed(done, None, found.fault)
        roots += [found.roots[i : i + HASH] for i in range(0, len(found.roots), HASH)]
        leaves = found.leaves
    with log.reading() as c:
        wrong = upper_fault(c, size, roots)
    made = _root(roots, leaves, size)
    if wrong is not None:
        return Hashed(size, made, Fault(wrong[0], "tree", wrong[1]))
    if made != root:
        return Hashed(size, made, Fault(None, "head", "the end states a root that is not its own"))
    return Hashed(size, made)


def first_unlike(log: Log, size: int, *, crew: Workers) -> int | None:
    """Return the first entry that is not the one in the tiles; None where all are.

    Raises:
        Unavailable: ``log-unavailable``, ``workers-lost``.
    """
    for _, found in crew.map(partial(hash_range, place_of(log.engine)), _ranges(size)):
        if found.fault is not None:
            return found.fault.index
    return None


def _ranges(size: int) -> Iterator[tuple[None, tuple[int, int]]]:
    return ((None, (first, min(first + _RANGE, size))) for first in range(0, size, _RANGE))


def _root(roots: list[bytes], leaves: bytes, size: int) -> bytes:
    """Return the root of a tree, from those of its tiles and the leaves beyond."""
    if size == 0:
        return EMPTY_ROOT
    levels, level = {8: roots}, 8
    while len(levels[level]) > 1:
        row = levels[level]
        levels[level + 1] = [
            sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)
        ]
        level += 1

    def node(at: int, number: int) -> bytes:
        if at >= 8:
            return levels[at][number]
        start = ((number << at) - len(roots) * WIDTH) * HASH
        return tile_root(leaves[start : start + (HASH << at)])

    return range_root(node, 0, size)
