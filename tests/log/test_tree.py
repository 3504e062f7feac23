"""The tiles of the tree grow with the log, and prove of any entry that it is in it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from hub.core.admission import NewEntry
from hub.core.merkle import leaf_hash
from hub.core.proofs import verify_consistency, verify_inclusion
from hub.errors import Unavailable
from hub.log.projections import rebuild
from hub.log.store import Log
from hub.log.tables import TILES
from hub.log.tree import Tree
from hub.log.verify import verify_store
from schemas.entry import encode, micros
from tests.log.samples import BEGAN, Writer, alert


def fill(log: Log, size: int, lot: int = 97) -> None:
    """Append entries that only count, in batches of odd sizes."""
    head = log.head()
    if not head.size:
        Writer(log).begin()
        head = log.head()
    at = micros(BEGAN) + head.size
    while head.size < size:
        entries = [
            NewEntry("delivery", t, "", encode("delivery", t, "", {"feeds": {"az-fhn": t}}))
            for t in range(at, at + min(lot, size - head.size))
        ]
        at += len(entries)
        head = log.append(entries, expect=head)


def test_every_entry_is_proven_and_the_log_only_grew(log: Log) -> None:
    fill(log, 700)
    tree, head = Tree(log), log.head()
    for index in (0, 1, 255, 256, 257, 511, 512, 698, 699):
        row = log.row(index)
        assert row is not None
        proof = tree.inclusion(index, head.size)
        leaf = leaf_hash(row.body)
        assert verify_inclusion(proof, index=index, size=700, leaf=leaf, root=head.root)
    for old in (1, 255, 256, 300, 699):
        proof = tree.consistency(old, head.size)
        assert verify_consistency(proof, old=old, size=700, old_root=tree.root(old), root=head.root)
    assert tree.root(head.size) == head.root


def test_tiles_are_whole_or_as_wide_as_was_asked(log: Log) -> None:
    fill(log, 600)
    tree = Tree(log)

    assert len(tree.tile(0, 0) or b"") == 32 * 256
    assert len(tree.tile(0, 2, 88) or b"") == 32 * 88
    assert tree.tile(0, 2) is None
    assert tree.tile(0, 2, 89) is None
    assert len(tree.tile(1, 0, 2) or b"") == 64
    assert tree.tile(2, 0, 1) is None


def test_what_the_log_does_not_have_is_not_proven(log: Log) -> None:
    fill(log, 10)
    tree = Tree(log)
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion(10, 10)
    with pytest.raises(ValueError, match="never had"):
        tree.consistency(11, 10)


def test_rows_made_anew_have_the_same_tiles(log: Log) -> None:
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(300)])
    before = [Tree(log).tile(0, 0), Tree(log).tile(0, 1, 46), Tree(log).tile(1, 0, 1)]
    with log.writing() as c:
        c.execute(delete(TILES))
    with pytest.raises(Unavailable):
        Tree(log).root(log.head().size)
    rebuild(log)

    assert [Tree(log).tile(0, 0), Tree(log).tile(0, 1, 46), Tree(log).tile(1, 0, 1)] == before
    assert verify_store(log).fault is None


@pytest.mark.parametrize(("level", "number", "first"), [(0, 0, None), (0, 1, 256), (1, 0, 0)])
def test_a_tile_that_was_altered_is_seen(
    log: Log, level: int, number: int, first: int | None
) -> None:
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(398)])
    with log.writing() as c:
        tile = Tree(log).tile(level, number, 1)
        assert tile is not None
        width = {0: (256, 144), 1: (1,)}[level][number]
        whole = Tree(log).tile(level, number, width)
        assert whole is not None
        altered = bytes([whole[0] ^ 1]) + whole[1:]
        if (level, number) == (0, 1):
            altered = altered[:-32]
        c.execute(
            update(TILES)
            .where(TILES.c.level == level, TILES.c.number == number)
            .values(hashes=altered)
        )
    fault = verify_store(log).fault

    assert fault is not None
    assert fault.code == "tree"
    if first is not None:
        assert fault.index == first
