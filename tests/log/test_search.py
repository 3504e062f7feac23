"""A search finds what there is in the range it names, and nothing of what may not be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from samples import BEGAN, Writer, acknowledgement, alert, refusal

from hub.core.candidate import Candidate
from hub.core.search import Query
from hub.log.search import Found, Range, search
from hub.log.store import Log
from schemas.entry import micros


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Give a log of twelve entries; nothing here changes it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'log.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_module_url")
    log = Log.open(url)
    w = Writer(log).begin("az-fhn", "ir-ndmo")  # 0 to 2
    w.commit([alert("az-fhn", "a-3", headline="Нефть на воде", incidents="AC-1")])
    w.commit([alert("az-fhn", "a-4", severity="Minor", headline="Hava isti")])
    w.commit([alert("ir-ndmo", "i-5", headline="نشت نفت", status="Exercise", incidents="ac-1")])
    w.commit([acknowledgement("ir-ndmo", "3"), refusal("az-fhn")])  # 6, 7
    w.commit([alert("az-fhn", f"b-{n}", headline="Storm at Baku", sent=w.now) for n in (8, 9)])
    w.commit([alert("ir-ndmo", "i-10", scope="Private", addresses="az-fhn", headline="НЕФТЬ")])
    w.commit([acknowledgement("az-fhn", "5")])
    yield log
    log.close()


ALL = Range()


def found(log: Log, wanted: Range = ALL, **given: Any) -> Found:
    options = {n: given.pop(n) for n in ("newest", "limit", "span", "may_read") if n in given}
    return search(log, Query.of(**given), wanted, **{"limit": 100, **options})


def indexes(one: Found) -> list[int]:
    return [row.index for row in one.rows]


QUERIES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "everything": ({}, list(range(12))),
    "kind": ({"kinds": ["acknowledgement", "refusal"]}, [6, 7, 11]),
    "kinds with messages": ({"kinds": ["publish", "refusal"]}, [3, 4, 5, 7, 8, 9, 10]),
    "agency": ({"agency": "ir-ndmo"}, [5, 6, 10]),
    "incident": ({"incident": " Ac-1 "}, [3, 5]),
    "severity": ({"severity": "Moderate"}, [3, 5, 8, 9, 10]),
    "unit": ({"touches": ["IR"], "text": "a-3"}, []),
    "place": ({"touches": ["AZ-ABS", "AZ"], "text": "i-5"}, [5]),
    "box": ({"bbox": [0, 0, 1, 1]}, []),
    "point": ({"bbox": [40.4, 50.1, 40.4, 50.1], "incident": "AC-1"}, [3, 5]),
    "text": ({"text": "нефть ВОДЕ"}, [3]),
    "text of a hit of another kind": ({"text": "нефть", "kinds": ["acknowledgement"]}, []),
    "identifier": ({"text": "B-8"}, [8]),
    "description and area": ({"text": "crude absheron", "agency": "ir-ndmo"}, [5, 10]),
    "persian": ({"text": "نفت"}, [5]),
    "all at once": (
        {"text": "нефть", "agency": "az-fhn", "severity": "Severe", "incident": "AC-1"},
        [3],
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_all_that_is_given_must_hold(log: Log, name: str) -> None:
    given, expected = QUERIES[name]

    one = found(log, **given)

    assert indexes(one) == expected
    assert (one.first, one.end, one.size, one.next) == (0, 12, 12, None)
    assert one.root == log.head().root
    assert indexes(found(log, newest=True, **given)) == expected[::-1]


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("name", ["everything", "kind", "incident", "text", "agency"])
@pytest.mark.parametrize("bounds", [{"limit": 1}, {"limit": 2, "span": 3}, {"span": 4}])
def test_pages_join_without_a_gap_and_find_the_same(
    log: Log, name: str, bounds: dict[str, int], *, newest: bool
) -> None:
    given, expected = QUERIES[name]
    wanted, seen, at = Range(), [], 12 if newest else 0

    while True:
        one = found(log, wanted, newest=newest, **bounds, **given)
        assert (one.end if newest else one.first) == at
        seen += indexes(one)
        assert all(one.first <= i < one.end for i in indexes(one))
        at = one.first if newest else one.end
        if one.next is None:
            break
        wanted = Range(before=one.next) if newest else Range(after=one.next)

    assert seen == (expected[::-1] if newest else expected)
    assert at == (0 if newest else 12)


def test_a_time_and_indexes_bound_the_range(log: Log) -> None:
    at = micros(BEGAN + timedelta(seconds=2))  # of entry 3

    for wanted, ends in (
        (Range(since_us=at), (3, 12)),
        (Range(until_us=at), (0, 4)),
        (Range(since_us=at, until_us=at), (3, 4)),
        (Range(since_us=at + 1, until_us=at + 1), (4, 4)),
        (Range(after=3, before=6), (4, 6)),
        (Range(after=7, before=3), (3, 3)),
        (Range(after=500), (12, 12)),
        (Range(before=500, since_us=at), (3, 12)),
        (Range(since_us=at + 10**12), (12, 12)),
    ):
        one = found(log, wanted)
        assert (one.first, one.end) == ends, wanted
        assert indexes(one) == list(range(*ends))


def test_of_what_may_not_be_read_nothing_is_found_and_pages_end_alike(log: Log) -> None:
    """Else where a page ends would tell what is in a private message."""
    hidden = {8, 10}
    options = {"may_read": lambda row: row.index not in hidden}

    one = found(log, text="нефть", **options)
    assert (indexes(one), one.withheld) == ([3], 2)
    for sought in ("нефть", "storm", "nothing at all"):
        ends = [
            (page.first, page.end, page.withheld)
            for wanted in (Range(), Range(after=7))
            for page in [found(log, wanted, text=sought, span=4, limit=9, **options)]
        ]
        assert ends == [(0, 4, 0), (8, 12, 2)]
    for given in ({"kinds": ["publish"]}, {"incident": "AC-1"}, {"agency": "ir-ndmo"}):
        one = found(log, **given, **options)
        assert not hidden & set(indexes(one))
        assert one.withheld == 2


def test_a_search_counts_what_has_lost_its_text(sqlite_log: Log) -> None:
    w = Writer(sqlite_log).begin("az-fhn")
    w.commit([alert("az-fhn", "a-1", headline="Oil")])
    body = {"agency": "az-fhn", "message": 2, "grounds": "order"}
    w.commit([Candidate("redaction", "", via="http", body=body)])

    assert [found(sqlite_log, text=t).removed for t in ("oil", "a-1")] == [1, 0]
    assert indexes(found(sqlite_log, text="a-1")) == [2]


def test_what_no_entry_can_be_is_no_search(sqlite_log: Log) -> None:
    assert (found(sqlite_log).first, found(sqlite_log).end, found(sqlite_log).size) == (0, 0, 0)
