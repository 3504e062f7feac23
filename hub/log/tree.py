"""Proofs of the log's tree, made of the tiles that the store keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from hub.core.proofs import Node, consistency_proof, inclusion_proof, range_root
from hub.core.tiles import WIDTH, Tile, node_from
from hub.errors import Unavailable
from hub.log.statements import tiles
from hub.log.store import Log

__all__ = ["Tree"]

_DEAR: Final = 4
"""A node so far above the hashes of its tile takes fifteen hashes, or more."""
_KEPT: Final = 1 << 16
"""So many nodes are kept at most: some 10 MB."""


class Tree:
    """The tree of a log, for whoever makes proofs. Tiles only grow: what was read stays right.

    Nodes that take many hashes are kept: those high up and at the edge are in most proofs.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._kept: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, number: int, width: int = WIDTH) -> bytes | None:
        """Return the first *width* hashes of a tile; None where the tree has not so many."""
        with self._log.asking() as c:
            found = tiles(c, [(level, number)]).get((level, number), b"")
        return found[: 32 * width] if len(found) >= 32 * width else None

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that the entry at *index* is among the first *size*.

        Raises:
            ValueError: it is not. Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: inclusion_proof(node, index, size), index, size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that the log of *size* entries began as that of *old*.

        Raises:
            ValueError: it never had so many. Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: consistency_proof(node, old, size), old - 1, size)

    def root(self, size: int) -> bytes:
        """Return the root over the first *size* entries, at least one.

        Raises:
            Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: [range_root(node, 0, size)], size - 1, size)[0]

    def _proof(self, made: Callable[[Node], list[bytes]], index: int, size: int) -> list[bytes]:
        """Make a proof; what it needs lies above *index* and at the edge, and is read at once."""
        with self._log.asking() as c:
            try:
                return made(self._keeping(node_from(_Tiles(c, _around(index, size)))))
            except KeyError as missing:
                raise _broken(missing.args[0]) from missing

    def _keeping(self, node: Node) -> Node:
        """Return the same, and keep what a tile's hashes had to be brought together for."""
        kept = self._kept

        def found(level: int, number: int) -> bytes:
            one = kept.get((level, number))
            if one is None:
                one = node(level, number)
                if level % 8 >= _DEAR:
                    if len(kept) >= _KEPT:
                        kept.clear()
                    kept[level, number] = one
            return one

        return found


class _Tiles(dict[Tile, bytes]):
    """Tiles of the store: some are read at once, any other when it is asked for."""

    def __init__(self, c: Connection, first: set[Tile]) -> None:
        super().__init__(tiles(c, sorted(first)))
        self._c = c

    def __missing__(self, tile: Tile) -> bytes:
        """Read a tile; where there is none it stays missing."""
        found = tiles(self._c, [tile])
        self[tile] = found[tile]
        return found[tile]


def _around(index: int, size: int) -> set[Tile]:
    """Return the tiles above an entry, and the last one of each level."""
    found, level, nodes = set[Tile](), 0, size
    while nodes > 0:
        last = (nodes - 1) // WIDTH
        found |= {(level, last), (level, min(last, max(index, 0) >> 8 * (level + 1)))}
        level, nodes = level + 1, nodes // WIDTH
    return found


def _broken(tile: Tile) -> Unavailable:
    return Unavailable(
        "log-broken",
        f"the tree has no tile {tile[1]} of level {tile[0]}, or not all of it",
        remedy="Run `caspian verify`; `caspian rebuild --projections` makes the tree anew.",
    )
