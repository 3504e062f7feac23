"""Proofs of the log's tree, made of the tiles that the store keeps."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from hub.core.proofs import Node, consistency_proof, inclusion_proof, range_root
from hub.core.tiles import WIDTH, Tile, node_from
from hub.errors import Unavailable
from hub.log.store import Log
from hub.log.tiles import read_tiles

__all__ = ["Tree"]


class Tree:
    """The tree of a log, for whoever makes proofs. Tiles only grow: what was read stays right."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def tile(self, level: int, number: int, width: int = WIDTH) -> bytes | None:
        """Return the first *width* hashes of a tile; None where the tree has not so many."""
        with self._log.reading() as c:
            found = read_tiles(c, [(level, number)]).get((level, number), b"")
        return found[: 32 * width] if len(found) >= 32 * width else None

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that the entry at *index* is among the first *size*.

        Raises:
            ValueError: it is not. Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: inclusion_proof(node, index, size))

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that the log of *size* entries began as that of *old*.

        Raises:
            ValueError: it never had so many. Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: consistency_proof(node, old, size))

    def root(self, size: int) -> bytes:
        """Return the root over the first *size* entries, at least one.

        Raises:
            Unavailable: ``log-broken``.
        """
        return self._proof(lambda node: [range_root(node, 0, size)])[0]

    def _proof(self, made: Callable[[Node], list[bytes]]) -> list[bytes]:
        """Make a proof, reading each tile that it turns out to need once; a few for each level."""
        with self._log.reading() as c:
            try:
                return made(node_from(_Tiles(c)))
            except KeyError as missing:
                raise _broken(missing.args[0]) from missing


class _Tiles(dict[Tile, bytes]):
    """Tiles of the store, read when they are asked for."""

    def __init__(self, c: Connection) -> None:
        super().__init__()
        self._c = c

    def __missing__(self, tile: Tile) -> bytes:
        """Read a tile; where there is none it stays missing."""
        found = read_tiles(self._c, [tile])
        self[tile] = found[tile]
        return found[tile]


def _broken(tile: Tile) -> Unavailable:
    return Unavailable(
        "log-broken",
        f"the tree has no tile {tile[1]} of level {tile[0]}, or not all of it",
        remedy="Run `caspian verify`; `caspian rebuild --projections` makes the tree anew.",
    )
