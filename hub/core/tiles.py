"""Tiles (C2SP tlog-tiles): the log's tree in files of 256 hashes that never change once full.

The tile of level *l* and number *n* holds the nodes of the tree's level ``8 * l``, from
number ``256 * n`` on; the last tile of a level may be partial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from hub.core.proofs import Node

__all__ = [
    "WIDTH",
    "Tile",
    "entries_path",
    "grown",
    "node_from",
    "partial_widths",
    "read_path",
    "tile_path",
    "tile_root",
]

WIDTH: Final = 256
_HASH: Final = 32

Tile = tuple[int, int]
"""Level and number."""


def partial_widths(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield level, number and width of the last tile of each level that is not full.

    There is no empty tile.
    """
    level, nodes = 0, size
    while nodes:
        if nodes % WIDTH:
            yield level, nodes // WIDTH, nodes % WIDTH
        level, nodes = level + 1, nodes // WIDTH


def grown(edge: Mapping[Tile, bytes], size: int, leaves: Sequence[bytes]) -> dict[Tile, bytes]:
    """Return the tiles that change when *leaves* (hashes) are added to a tree of *size*.

    *edge* holds the partial tiles of that tree (`partial_widths`).
    """
    changed: dict[Tile, bytes] = {}
    level, nodes, fresh = 0, size, list(leaves)
    while fresh:
        upper = []
        for node in fresh:
            tile = (level, nodes // WIDTH)
            held = changed.get(tile)
            if held is None:
                held = edge.get(tile, b"") if nodes % WIDTH else b""
                if len(held) != _HASH * (nodes % WIDTH):
                    raise ValueError(f"tile {tile} has not the width of a tree of {size}")
            changed[tile] = held + node
            nodes += 1
            if nodes % WIDTH == 0:
                upper.append(tile_root(changed[tile]))
        level, nodes, fresh = level + 1, nodes // WIDTH - len(upper), upper
    return changed


def tile_root(row: bytes) -> bytes:
    """Return the root over the hashes of a full tile, or of any power of two."""
    while len(row) > _HASH:
        pairs = range(0, len(row), 2 * _HASH)
        row = b"".join([sha256(b"\1" + row[i : i + 2 * _HASH]).digest() for i in pairs])
    return row


def node_from(tiles: Mapping[Tile, bytes]) -> Node:
    """Return what finds nodes in tiles.

    It raises ``KeyError`` with the tile that is missing.
    """

    def node(level: int, number: int) -> bytes:
        of, above = divmod(level, 8)
        first = number << above
        tile = (of, first // WIDTH)
        at = (first % WIDTH) * _HASH
        row = tiles[tile][at : at + (_HASH << above)]
        if len(row) != _HASH << above:
            raise KeyError(tile)
        return tile_root(row)

    return node


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Return where a tile lies: ``tile/0/x001/x234/067``, ``tile/0/067.p/5``."""
    return f"tile/{level}/{_number(number)}{_part(width)}"


def entries_path(number: int, width: int = WIDTH) -> str:
    """Return where a bundle of entries lies: ``tile/entries/x001/x234/067``."""
    return f"tile/entries/{_number(number)}{_part(width)}"


def _number(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def _part(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def read_path(path: str) -> tuple[int, int, int] | None:
    """Read the rest of a tile's path: level (-1 for entries), number and width.

    None where it is not one, or not in its one form.
    """
    match = re.fullmatch(
        r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
        path,
    )
    if match is None:
        return None
    level = -1 if match[1] == "entries" else int(match[1])
    number = int(match[2].replace("x", "").replace("/", ""))
    width = int(match[3] or WIDTH)
    if _number(number) != match[2] or (match[3] and width >= WIDTH):
        return None
    return level, number, width
