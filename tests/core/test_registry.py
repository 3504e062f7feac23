"""The registry is a fold of the log: at every index it is what the entries before it say."""

from __future__ import annotations

from typing import Any

import pytest
from core_strategies import agency, registry_entries
from hypothesis import given
from hypothesis import strategies as st

from hub.core.registry import (
    Agency,
    History,
    Registry,
    Subscription,
    main_feeds,
    read_agency,
    read_subscription,
)
from schemas.errors import Rejected
from schemas.places import VERSIONS

Entries = list[tuple[int, dict[str, Any]]]


def folded(entries: Entries) -> Registry:
    registry = Registry()
    for index, entry in entries:
        registry = registry.apply(index, entry)
    return registry


@given(registry_entries(), st.integers(-1, 40))
def test_the_registry_at_an_index_is_that_of_the_entries_before_it(
    entries: Entries, index: int
) -> None:
    assert History(entries).at(index) == folded([e for e in entries if e[0] < index])


@given(registry_entries())
def test_entries_that_come_again_change_nothing(entries: Entries) -> None:
    once, twice = History(entries), History([*entries, *entries])

    assert list(once) == list(twice)
    assert once.latest == folded(entries)
    assert once.last_index == (entries[-1][0] if entries else -1)


@given(registry_entries(), st.integers(0, 10))
def test_a_history_grows_as_one_made_at_once(entries: Entries, split: int) -> None:
    history = History(entries[:split])
    for index, entry in entries[split:]:
        history.apply(index, entry)

    assert list(history) == list(History(entries))


@given(registry_entries())
def test_other_entries_change_nothing(entries: Entries) -> None:
    others: Entries = [(i, {"kind": "publish"}) for i in range(50)]
    both = sorted([*entries, *others], key=lambda e: e[0])

    assert History(both).latest == History(entries).latest


@given(registry_entries())
def test_a_feed_begins_where_it_was_made_and_never_moves(entries: Entries) -> None:
    first: dict[str, int] = {}
    for index, entry in entries:
        if entry["kind"] == "member":
            for feed in main_feeds(entry["member"]["id"]).values():
                first.setdefault(feed, index)
        else:
            record = entry["subscription"]
            first.setdefault(f"{record['agency']}.{record['name']}", index)

    registry = folded(entries)
    assert registry.since == first
    assert registry.feeds().items() <= first.items()


@given(registry_entries())
def test_what_is_called_by_a_name_is_active(entries: Entries) -> None:
    registry = folded(entries)

    for ids in registry.called.values():
        assert ids
        assert ids <= registry.members
    assert registry.called.get("members", frozenset()) == registry.members


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": "az-fhn"},
        {"id": "az-fhn", "state": "IR", "name": "x"},
        {"id": "AZ-FHN", "state": "AZ", "name": "x"},
        {"id": "az_fhn", "state": "AZ", "name": "x"},
        {"id": "az-fhn", "state": "AZ", "name": ""},
        {"id": "az-fhn", "state": "AZ", "name": "x", "colour": "red"},
        {"id": "az-" + "x" * 40, "state": "AZ", "name": "x"},
        {"id": "az-fhn\n", "state": "AZ", "name": "x"},
        {"id": "az-fhn.exercise", "state": "AZ", "name": "x"},
        {"id": "az-fhn", "state": "AZ", "name": "x", "areas": ["AZ", "Bakı"]},
    ],
)
def test_a_wrong_record_of_a_member_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refused:
        read_agency(record)

    assert refused.value.code == "member-invalid"


MEMBERS = folded([(1, {"kind": "member", "member": agency("az-fhn").model_dump(mode="json")})])


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"agency": "az-fhn"}, "subscription-invalid"),
        ({"agency": "az-fhn", "name": "exercise"}, "subscription-invalid"),
        ({"agency": "az-fhn", "name": "actual"}, "subscription-invalid"),
        ({"agency": "az-fhn", "name": "A b"}, "subscription-invalid"),
        ({"agency": "az-fhn", "name": "a", "channel": "real"}, "subscription-invalid"),
        ({"agency": "az-fhn", "name": "a", "filter": {"colour": "red"}}, "subscription-invalid"),
        (
            {"agency": "az-fhn", "name": "a", "filter": {"bbox": [50, 0, 40, 1]}},
            "subscription-invalid",
        ),
        (
            {"agency": "az-fhn", "name": "a", "filter": {"bbox": [0, 0, 91, 1]}},
            "subscription-invalid",
        ),
        ({"agency": "az-fhn", "name": "a", "filter": {"touches": ["XX"]}}, "subscription-invalid"),
        (
            {"agency": "az-fhn", "name": "a", "filter": {"outlines": "1999", "touches": ["AZ"]}},
            "subscription-invalid",
        ),
        ({"agency": "ir-ndmo", "name": "a"}, "unknown-agency"),
    ],
)
def test_a_wrong_record_of_a_subscription_is_refused(record: dict[str, Any], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_subscription(record, MEMBERS)

    assert refused.value.code == code


def test_a_record_that_names_places_names_the_outlines_that_decide() -> None:
    """Newer outlines must not change what an auditor derives of an older log (G5)."""
    anywhere = read_subscription({"agency": "az-fhn", "name": "a"}, MEMBERS)
    coast = {"agency": "az-fhn", "name": "a", "filter": {"touches": ["AZ-coast"]}}
    member = {"id": "az-fhn", "state": "AZ", "name": "x", "areas": ["AZ"]}

    assert anywhere.filter.outlines == read_agency({**member, "areas": []}).outlines == ""
    assert read_subscription(coast, MEMBERS).filter.outlines == VERSIONS[0]
    assert read_agency(member).outlines == VERSIONS[0]
    assert read_agency({**member, "outlines": VERSIONS[-1]}).outlines == VERSIONS[-1]


def test_a_feed_never_changes_its_channel() -> None:
    """A training feed that became an actual one would still hold the exercises (G8)."""
    drill = Subscription(agency="az-fhn", name="oil", channel="exercise")
    registry = MEMBERS.apply(
        2, {"kind": "subscription", "subscription": drill.model_dump(mode="json")}
    )

    with pytest.raises(Rejected) as refused:
        read_subscription({"agency": "az-fhn", "name": "oil"}, registry)

    assert refused.value.code == "subscription-invalid"
    kept = read_subscription(
        {"agency": "az-fhn", "name": "oil", "channel": "exercise", "active": False}, registry
    )
    assert not kept.active


@pytest.mark.parametrize(
    ("senders", "sender", "speaks"),
    [
        ((), "anybody", True),
        (("a@az",), "a@az", True),
        (("a@az",), "A@az", False),
        (("a@az",), "a@azx", False),
        (("a@*", "b@az"), "a@anything", True),
        (("a@*",), "ba@", False),
    ],
)
def test_a_sender_is_an_agencys_by_its_record(
    senders: tuple[str, ...],
    sender: str,
    speaks: bool,  # noqa: FBT001  # a column of the table
) -> None:
    assert agency("az-fhn", senders=senders).speaks_as(sender) is speaks


def test_a_record_keeps_what_it_was_given() -> None:
    record = {"id": "az-fhn", "state": "AZ", "name": "FHN", "names": {"az": "FHN"}}

    assert read_agency(record) == Agency(id="az-fhn", state="AZ", name="FHN", names={"az": "FHN"})
