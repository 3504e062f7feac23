"""An answer that leaves out, invents or alters something is seen, and so is a range cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BEGAN, Writer, acknowledgement, alert

from hub.core.merkle import leaf_hash, root_of
from hub.core.proofs import root_around
from hub.core.search import Query, told
from hub.core.tiles import grown, node_from
from hub.log.faults import Wrong
from hub.log.growth import Tiles
from hub.log.scan import scan
from hub.log.search import Range, search
from hub.log.search_proof import Answer, Bounds, Leaf, Proven, opened, prove
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.entry import micros
from tests.examples import examples

QUERY = Query.of(text="water", agency="az-fhn")
US = 1_000_000
ALL = Range()
WHOLE = Bounds(0, 10)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Give a log of ten entries; of 3, 4, 6 and 7 the agency says water."""
    log = Log.open(f"sqlite:///{tmp_path_factory.mktemp('proof') / 'log.db'}")
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    for index in range(3, 9):
        words = "Storm surge" if index == 5 else "Oil on the water"
        agency = "ir-ndmo" if index == 8 else "az-fhn"
        w.commit([alert(agency, f"i-{index}", headline=words, sent=w.now)])
    w.commit([acknowledgement("ir-ndmo", "3")])
    yield log
    log.close()


def leaves(log: Log, hidden: frozenset[int] = frozenset()) -> list[Leaf]:
    found = [opened(r.index, r.body, r.payload, r.payload_type) for r in scan(log)]
    return [replace(one, row=None) if one.index in hidden else one for one in found]


def answered(log: Log, wanted: Range = ALL, hidden: frozenset[int] = frozenset()) -> Answer:
    found = search(log, QUERY, wanted, limit=99, may_read=lambda r: r.index not in hidden)
    hits = {r.index: (leaf_hash(r.body), r.facts and told(r.facts)) for r in found.rows}
    return Answer(found.first, found.end, found.withheld, hits)


def proven(
    log: Log,
    answer: Answer,
    asked: Bounds = WHOLE,
    shown: list[Leaf] | None = None,
    start: int = 0,
) -> Proven:
    head = log.head()
    shown = leaves(log)[start:] if shown is None else shown
    tiles = Tiles(Tree(log).tile, head.size)
    return prove(answer, asked, QUERY, shown, tiles, root=head.root, start=start)


def test_the_truth_is_proven(log: Log) -> None:
    one = proven(log, answered(log))

    assert [row.index for row in one.rows] == [3, 4, 6, 7]
    assert (one.entries, one.unread, one.untold) == (10, 0, [])


def test_what_may_not_be_read_is_proven_without_being_read(log: Log) -> None:
    hidden = frozenset({0, 4, 5, 9})

    one = proven(log, answered(log, hidden=hidden), shown=leaves(log, hidden))

    assert [row.index for row in one.rows] == [3, 6, 7]
    assert (one.entries, one.unread) == (10, 4)


def drop(a: Answer) -> None:
    del a.hits[6]


def add(a: Answer) -> None:
    a.hits[5] = (a.hits[3][0], None)


def add_rightly_shown(a: Answer) -> None:
    a.hits[9] = (b"", None)


def alter_entry(a: Answer) -> None:
    a.hits[4] = (a.hits[3][0], a.hits[4][1])


def alter_words(a: Answer) -> None:
    a.hits[4] = (a.hits[4][0], {**(a.hits[4][1] or {}), "headline": "All is well"})


def shorten(a: Answer) -> None:
    a.end = 7
    del a.hits[7]


def shorten_below(a: Answer) -> None:
    a.first = 4
    del a.hits[3]


def hide(a: Answer) -> None:
    a.withheld = 2


def elsewhere(a: Answer) -> None:
    a.hits[12] = a.hits[3]


def another_range(a: Answer) -> None:
    a.end = 12


LIES: dict[Callable[[Answer], None], int | None] = {
    drop: 6,
    add: 5,
    add_rightly_shown: 9,
    alter_entry: 4,
    alter_words: 4,
    shorten: 7,
    shorten_below: 0,
    hide: None,
    elsewhere: 12,
    another_range: None,
}


@pytest.mark.parametrize("lie", LIES, ids=lambda one: one.__name__)
def test_a_lie_is_seen_and_named(log: Log, lie: Callable[[Answer], None]) -> None:
    answer = answered(log)
    lie(answer)

    with pytest.raises(Wrong) as wrong:
        proven(log, answer)

    assert (wrong.value.fault.index, wrong.value.fault.code) == (LIES[lie], "answer")
    assert wrong.value.fault.culprit == "hub"


def swapped(shown: list[Leaf]) -> list[Leaf]:
    return [*shown[:6], replace(shown[5], index=6), *shown[7:]]


SHOWN: dict[str, Callable[[list[Leaf]], list[Leaf]]] = {
    "another entry in its place": swapped,
    "one left out": lambda s: [*s[:6], *s[7:]],
    "the end left out": lambda s: s[:6],
    "another hash of what is hidden": lambda s: [*s[:6], Leaf(6, b"\0" * 32), *s[7:]],
    "nothing": lambda _: [],
}


@pytest.mark.parametrize("lie", SHOWN)
def test_what_is_shown_in_proof_must_be_the_log(log: Log, lie: str) -> None:
    answer = answered(log)
    del answer.hits[6]

    with pytest.raises(Wrong) as wrong:
        proven(log, answer, shown=SHOWN[lie](leaves(log)))

    assert wrong.value.fault.code == "answer"


def test_a_payload_that_is_not_the_one_that_was_logged_hides_nothing(log: Log) -> None:
    rows = list(scan(log))

    with pytest.raises(Wrong) as wrong:
        opened(6, rows[6].body, rows[5].payload, rows[6].payload_type)

    assert (wrong.value.fault.index, wrong.value.fault.code) == (6, "payload")


def test_a_text_that_is_gone_is_counted_and_neither_proven_nor_refuted(log: Log) -> None:
    row = leaves(log)[6].row
    assert row is not None
    shown = leaves(log)
    shown[6] = opened(6, row.body, None, "")
    answer = answered(log)
    del answer.hits[6]

    assert proven(log, answer, shown=shown).untold == [6]


AT_4 = micros(BEGAN) + 3 * US
AT_6 = micros(BEGAN) + 5 * US


@pytest.mark.parametrize("hidden", [frozenset(), frozenset({3, 7}), frozenset(range(4))])
def test_times_are_proven_by_the_entries_beside_the_range(log: Log, hidden: frozenset[int]) -> None:
    wanted = Range(since_us=AT_4, until_us=AT_6)
    asked = Bounds(0, 10, AT_4, AT_6)
    answer = answered(log, wanted, hidden)
    shown = leaves(log, hidden)
    assert (answer.first, answer.end) == (4, 7)

    assert proven(log, answer, asked, shown).entries == 3
    for first, end in ((5, 7), (4, 6), (2, 7), (4, 9)):
        lie = replace(answer, first=first, end=end, hits={})
        lie.hits = {i: h for i, h in answer.hits.items() if first <= i < end}
        with pytest.raises(Wrong) as wrong:
            proven(log, lie, asked, shown)
        assert wrong.value.fault.code == "answer"


@examples(40)
@given(data=st.data(), size=st.integers(1, 700))
def test_any_range_with_what_is_around_it_comes_to_the_root(data: Any, size: int) -> None:
    first = data.draw(st.integers(0, size))
    end = data.draw(st.integers(first, size))
    entries = [n.to_bytes(2, "big") for n in range(size)]
    hashes = [leaf_hash(one) for one in entries]
    node = node_from(grown({}, 0, hashes))
    root = root_of(entries)

    assert root_around(node, size, first, hashes[first:end]) == root
    if first < end:
        other = [*hashes[first : end - 1], b"\1" * 32]
        assert root_around(node, size, first, other) != root
