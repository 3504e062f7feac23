"""The Merkle tree of the log (RFC 6962, 2.1) as an append-only frontier.

A frontier holds the roots of the perfect subtrees that a tree of *size* leaves
is made of, largest first: one 32-byte hash for each set bit of the size. It is
all that is needed to append and to tell the root, and it is stored with the
log's head in the same commit as the entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

__all__ = [
    "EMPTY",
    "EMPTY_ROOT",
    "Frontier",
    "extend",
    "extend_leaves",
    "leaf_hash",
    "node_hash",
    "root_of",
]

EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of *size* leaves."""

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"{len(self.hashes)} hashes are no frontier of {self.size} leaves")

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """Write the hashes one after the other, largest subtree first."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not the frontier of a tree of that size.
        """
        if len(data) % 32:
            raise ValueError(f"{len(data)} bytes are not a row of 32-byte hashes")
        return cls(size, tuple(data[i : i + 32] for i in range(0, len(data), 32)))


EMPTY: Final = Frontier(0, ())


def extend(frontier: Frontier, entries: Iterable[bytes]) -> Frontier:
    """Return the frontier after appending *entries*; two hashes an entry on average."""
    return extend_leaves(frontier, (sha256(b"\x00" + entry).digest() for entry in entries))


def extend_leaves(frontier: Frontier, leaves: Iterable[bytes]) -> Frontier:
    """Return the frontier after appending entries of which only the leaf hashes are known."""
    size, hashes = frontier.size, list(frontier.hashes)
    for leaf in leaves:
        node, rest = leaf, size
        while rest & 1:
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            rest >>= 1
        hashes.append(node)
        size += 1
    return Frontier(size, tuple(hashes))


def root_of(entries: Iterable[bytes]) -> bytes:
    """Return the root of a tree of these entries."""
    return extend(EMPTY, entries).root
