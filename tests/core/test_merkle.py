"""The tree of the log is RFC 6962's."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.merkle import (
    EMPTY,
    EMPTY_ROOT,
    Frontier,
    extend,
    leaf_hash,
    node_hash,
    root_of,
)

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "rfc6962.json"
entries = st.lists(st.binary(max_size=8), max_size=70)


def tree_hash(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as RFC 6962, 2.1 defines it, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


@given(entries)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == tree_hash(leaves)


@given(entries, entries)
def test_a_tree_grows_as_one_made_at_once(first: list[bytes], then: list[bytes]) -> None:
    grown = extend(extend(EMPTY, first), then)

    assert grown == extend(EMPTY, first + then)
    assert grown.size == len(first) + len(then)


@given(entries)
def test_a_frontier_is_read_back_from_its_bytes(leaves: list[bytes]) -> None:
    frontier = extend(EMPTY, leaves)

    assert Frontier.from_bytes(frontier.size, frontier.to_bytes()) == frontier
    assert len(frontier.hashes) == len(leaves).bit_count()


@given(entries, st.data())
def test_any_other_entry_gives_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    if leaves:
        at = data.draw(st.integers(0, len(leaves) - 1))
        other = [*leaves[:at], leaves[at] + b"!", *leaves[at + 1 :]]

        assert root_of(other) != root_of(leaves)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (4, 2), (-1, 1)])
def test_hashes_that_fit_no_tree_are_refused(size: int, count: int) -> None:
    with pytest.raises(ValueError, match="no frontier"):
        Frontier(size, (bytes(32),) * count)


def test_bytes_that_are_no_hashes_are_refused() -> None:
    with pytest.raises(ValueError, match="32-byte"):
        Frontier.from_bytes(1, bytes(31))


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY.root == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.skipif(not VECTORS.exists(), reason="the public test vectors are not here")
def test_the_public_vectors_agree() -> None:
    vectors = json.loads(VECTORS.read_text())
    leaves = [bytes.fromhex(leaf) for leaf in vectors["leaf_inputs_hex"]]

    assert EMPTY_ROOT.hex() == vectors["empty"]
    assert leaf_hash(b"").hex() == vectors["leaf_empty"]
    assert leaf_hash(b"L123456").hex() == vectors["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == vectors["node_N123_N456"]
    for size, root in enumerate(vectors["root_hashes_size1_to_8"], 1):
        assert root_of(leaves[:size]).hex() == root
