"""Proofs over the log's tree (RFC 6962, 2.1.1, 2.1.2): an entry is in it, and it only grew.

A node of level *l* is the root over ``2**l`` leaves; its number counts from the left. Whoever
makes proofs has nodes; whoever verifies needs nothing but the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hub.core.merkle import EMPTY, node_hash

__all__ = [
    "Edge",
    "Node",
    "consistency_proof",
    "inclusion_proof",
    "range_root",
    "root_around",
    "verify_consistency",
    "verify_inclusion",
]

Node = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree of a level and number."""


def range_root(node: Node, start: int, end: int) -> bytes:
    """Return the root over the leaves from *start* to before *end*, which is not empty.

    *start* is a multiple of the largest power of two in the range, as in every range
    that a proof asks for.
    """
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + (1 << (size.bit_length() - 1))
    return node_hash(range_root(node, start, middle), range_root(node, middle, end))


class Edge:
    """A tree that grows to the right, leaf by leaf or by whole subtrees; in constant memory."""

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[tuple[int, bytes]] = []

    def put(self, found: bytes, level: int = 0) -> None:
        """Put the root over ``2**level`` leaves at the end, which must be a place for it."""
        self.size += 1 << level
        while self._stack and self._stack[-1][0] == level:
            found, level = node_hash(self._stack.pop()[1], found), level + 1
        self._stack.append((level, found))

    def fill(self, node: Node, end: int) -> None:
        """Put what lies between here and *end*, as *node* gives it."""
        while self.size < end:
            level = (end - self.size).bit_length() - 1
            if self.size:
                level = min(level, (self.size & -self.size).bit_length() - 1)
            self.put(node(level, self.size >> level), level)

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._stack:
            return EMPTY.root
        *rest, (_, root) = self._stack
        for _, left in reversed(rest):
            root = node_hash(left, root)
        return root


def root_around(node: Node, size: int, first: int, leaves: Iterable[bytes]) -> bytes:
    """Return the root over *size* leaves, of which those from *first* on are these (hashes).

    What is left and right of them comes from *node*. Whoever holds the root against one that
    they trust knows that these leaves, and no others, stand there; in constant memory.
    """
    edge = Edge()
    edge.fill(node, first)
    for leaf in leaves:
        edge.put(leaf)
    edge.fill(node, size)
    return edge.root


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """Return the proof that the leaf at *index* is in the tree of *size* leaves.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(node, index, 0, size)


def _path(node: Node, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + (1 << ((end - start - 1).bit_length() - 1))
    if index < middle:
        return [*_path(node, index, start, middle), range_root(node, middle, end)]
    return [*_path(node, index, middle, end), range_root(node, start, middle)]


def consistency_proof(node: Node, old: int, size: int) -> list[bytes]:
    """Return the proof that the tree of *size* leaves began as that of *old* leaves.

    Raises:
        ValueError: *old* is larger than *size*, or negative.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves never had {old}")
    return [] if old in {0, size} else _subproof(node, old, 0, size, whole=True)


def _subproof(node: Node, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [range_root(node, start, end)]
    middle = start + (1 << ((end - start - 1).bit_length() - 1))
    if old <= middle:
        left = _subproof(node, old, start, middle, whole=whole)
        return [*left, range_root(node, middle, end)]
    right = _subproof(node, old, middle, end, whole=False)
    return [*right, range_root(node, start, middle)]


def verify_inclusion(
    proof: Sequence[bytes], *, index: int, size: int, leaf: bytes, root: bytes
) -> bool:
    """Tell whether *leaf* (its hash) is at *index* of *size* leaves under this *root*."""
    if not 0 <= index < size or not _hashes((*proof, leaf, root)):
        return False
    found = _climb(proof, index, size - 1, (leaf,))
    return found == (root,)


def verify_consistency(
    proof: Sequence[bytes], *, old: int, size: int, old_root: bytes, root: bytes
) -> bool:
    """Tell whether the tree of *size* leaves began as that of *old*: nothing of it was changed.

    Every tree began as the empty one: of *old* 0 there is nothing to prove, and nothing holds.
    """
    if not 0 <= old <= size or not _hashes(proof):
        return False
    if old == 0:
        return False
    if old == size:
        return not proof and old_root == root
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return _climb(hashes[1:], place, last, (hashes[0], hashes[0])) == (old_root, root)


def _hashes(proof: Sequence[bytes]) -> bool:
    return all(len(one) == 32 for one in proof)


def _climb(
    proof: Sequence[bytes], place: int, last: int, found: tuple[bytes, ...]
) -> tuple[bytes, ...] | None:
    """Climb from a node to the root; None where the proof is too long or too short.

    With two hashes the first is of the smaller tree, which ends at *place*: it takes only
    what stands to the left.
    """
    for sibling in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = tuple(node_hash(sibling, one) for one in found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = (*found[:-1], node_hash(found[-1], sibling))
        place, last = place >> 1, last >> 1
    return found if last == 0 else None
