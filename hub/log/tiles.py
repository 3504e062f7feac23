"""The tiles of the log's tree in the store: they grow in the commit that appends."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from hub.core.tiles import WIDTH, grown, partial_widths, tile_root
from hub.log.statements import add, tiles
from hub.log.tables import ENTRIES, TILES

__all__ = ["add_leaves", "bundle", "tiles_fault", "upper_fault"]


def add_leaves(c: Connection, size: int, leaves: Sequence[bytes]) -> None:
    """Grow the tree of *size* by *leaves* (hashes), in a transaction that is under way."""
    edge = tiles(c, [(level, number) for level, number, _ in partial_widths(size)])
    changed = grown(edge, size, leaves)
    add(c, TILES, [(level, number, hashes) for (level, number), hashes in changed.items()])


def bundle(c: Connection, number: int, width: int = WIDTH) -> bytes | None:
    """Return *width* entries from ``256 * number`` on, each after its length in two bytes.

    None where the log has not so many.
    """
    first = WIDTH * number
    query = (
        select(ENTRIES.c.idx, ENTRIES.c.body)
        .where(ENTRIES.c.idx >= first, ENTRIES.c.idx < first + width)
        .order_by(ENTRIES.c.idx)
    )
    rows = c.execute(query).all()
    if len(rows) != width or rows[-1].idx != first + width - 1:
        return None
    return b"".join(len(row.body).to_bytes(2, "big") + row.body for row in rows)


def tiles_fault(c: Connection, size: int) -> tuple[int, str] | None:
    """Return the first entry whose place in the tiles of a tree of *size* is wrong, and why.

    What stands above is held against what stands below. That the lowest are those of
    the entries the root shows, which whoever asks compares.
    """
    return _levels(c, 0, size, None)


def upper_fault(c: Connection, size: int, roots: list[bytes]) -> tuple[int, str] | None:
    """Return the same, for the levels above the lowest, whose full tiles have these *roots*."""
    return _levels(c, 1, size // WIDTH, roots)


def _levels(
    c: Connection, level: int, nodes: int, below: list[bytes] | None
) -> tuple[int, str] | None:
    # The log may have grown meanwhile: tiles may be wider, and more, but never other ones.
    while nodes:
        found, roots = 0, []
        count = -(-nodes // WIDTH)
        query = select(TILES).where(TILES.c.level == level, TILES.c.number < count)
        for row in c.execute(query.order_by(TILES.c.number)):
            width = min(WIDTH, nodes - WIDTH * found)
            first = (WIDTH * found) << 8 * level
            if row.number != found or len(row.hashes) < 32 * width or len(row.hashes) % 32:
                return first, f"tile {found} of level {level} is missing, or of another width"
            hashes = [row.hashes[i : i + 32] for i in range(0, 32 * width, 32)]
            if below is not None and below[WIDTH * found : WIDTH * found + width] != hashes:
                return first, f"tile {found} of level {level} is not that of the tiles below"
            if width == WIDTH:
                roots.append(tile_root(row.hashes[: 32 * WIDTH]))
            found += 1
        if found != count:
            return (WIDTH * found) << 8 * level, f"tile {found} of level {level} is missing"
        below, level, nodes = roots, level + 1, nodes // WIDTH
    return None
