"""Did the log only grow since a checkpoint that one trusts? Verified without what came before.

The tree before is taken from tiles and must come to the trusted root; the registry from
the entries that made it, each proven under that root. So a day's entries are verified in
the time that a day's entries take, and nothing is believed that was not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.core.merkle import Frontier, leaf_hash
from hub.core.proofs import inclusion_proof, verify_inclusion
from hub.core.registry import History
from hub.core.tiles import WIDTH, Tile, node_from
from hub.log.checks import Tip
from hub.log.faults import Fault, Wrong
from hub.log.store import LogRow

__all__ = ["Tiles", "frontier_of", "history_before", "root_of_tiles", "shrunk"]

GetTile = Callable[[int, int, int], bytes | None]
"""Level, number, width → that many hashes; None where the tree has not so many."""


class Tiles(dict[Tile, bytes]):
    """The tiles of the tree of *size* leaves, read when they are needed."""

    def __init__(self, get: GetTile, size: int) -> None:
        super().__init__()
        self._get = get
        self.size = size

    def __missing__(self, tile: Tile) -> bytes:
        """Read a tile as wide as it was then."""
        level, number = tile
        nodes = self.size >> (8 * level)
        found = self._get(level, number, min(WIDTH, nodes - WIDTH * number))
        if found is None:
            raise Wrong(None, "tree", f"tile {number} of level {level} is missing")
        self[tile] = found
        return found


def shrunk(size: int, since: Tip) -> Fault | None:
    """Return the fault of a log that is shorter than it was."""
    if size >= since.size:
        return None
    detail = f"the log has {size} entries; it was shown with {since.size} before"
    return Fault(size, "rollback", detail)


def _tree(tiles: Tiles, size: int) -> Frontier:
    node, hashes, start = node_from(tiles), [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            hashes.append(node(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(hashes))


def root_of_tiles(tiles: Tiles, size: int) -> bytes:
    """Return the root over the first *size* entries as the tiles have it.

    Raises:
        Wrong: ``tree``; a tile is missing.
    """
    return _tree(tiles, size).root


def frontier_of(tiles: Tiles, since: Tip) -> Frontier:
    """Return the tree of *since* as the tiles have it.

    Raises:
        Wrong: ``root``: it is not the tree that was trusted; ``tree``: a tile is missing.
    """
    frontier = _tree(tiles, since.size)
    if frontier.root != since.root:
        raise Wrong(
            None,
            "root",
            f"the first {since.size} entries come to {frontier.root.hex()}, "
            f"not to {since.root.hex()}: they were rewritten",
        )
    return frontier


def history_before(rows: Iterable[LogRow], tiles: Tiles, since: Tip) -> History:
    """Return who was a member by then, from *rows* that are proven under the trusted root.

    Raises:
        Wrong: ``tree``; an entry is not the one that stands there.
    """
    history, node = History(), node_from(tiles)
    for row in rows:
        if row.index >= since.size:
            break
        proof = inclusion_proof(node, row.index, since.size)
        leaf = leaf_hash(row.body)
        if not verify_inclusion(
            proof, index=row.index, size=since.size, leaf=leaf, root=since.root
        ):
            raise Wrong(row.index, "tree", "this entry is not the one that was trusted")
        history.apply(row.index, row.entry)
    return history
