"""Who gets a message: nothing private leaks, no exercise is taken for real, nobody is left out."""

from __future__ import annotations

import pytest
from core_strategies import AGENCIES, NOW, agency, facts, facts_of, filters, registries
from hypothesis import given
from hypothesis import strategies as st

from hub.core.registry import (
    Filter,
    Registry,
    Subscription,
    channel_of,
    main_feeds,
)
from hub.core.routing import entitled, feeds_of, feeds_of_acknowledgement, recipients, wants
from schemas.facts import Area, MessageFacts

senders = st.sampled_from(AGENCIES)


def names_of(agency_id: str, registry: Registry) -> set[str]:
    """Return every name that means an agency, written down a second time from the standard."""
    a = registry.agencies[agency_id]
    exact = {s for s in a.senders if not s.endswith("*")}
    names = {a.id, a.state, f"state:{a.state}", "members", *a.addresses, *exact}
    return {n.casefold() for n in names}


def owner(feed: str) -> str:
    return feed.partition(".")[0]


def channel_of_feed(feed: str, registry: Registry) -> str:
    for channel, main in main_feeds(owner(feed)).items():
        if feed == main:
            return channel
    return registry.subscriptions[feed].channel


@given(facts_of(scope=st.just("Private")), senders, registries)
def test_a_private_message_never_leaks(said: MessageFacts, by: str, registry: Registry) -> None:
    called = {a.casefold() for a in said.addresses}

    for reader in {owner(f) for f in feeds_of(said, by, registry)} - {by}:
        assert names_of(reader, registry) & called


@given(facts_of(scope=st.just("Restricted")), senders, registries)
def test_a_restricted_message_goes_to_the_named_or_else_to_the_members(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    words = {*said.addresses, *said.restriction.replace(",", " ").replace(";", " ").split()}
    named = {a for a in registry.members if names_of(a, registry) & {w.casefold() for w in words}}

    expected = (named | {by}) & registry.members if named else registry.members
    if said.status != "Draft":
        assert entitled(said, by, registry) == expected


@given(facts, senders, registries)
def test_no_feed_holds_messages_of_another_reality(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    for feed in feeds_of(said, by, registry):
        assert channel_of_feed(feed, registry) == channel_of(said.status)


@given(
    facts_of(status=st.sampled_from(["Exercise", "Test", "System", "Draft"])), senders, registries
)
def test_an_exercise_is_never_on_an_actual_feed(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    assert not set(feeds_of(said, by, registry)) & set(registry.members)


@given(facts_of(scope=st.just("Public"), status=st.just("Actual")), senders, registries)
def test_a_public_message_reaches_every_active_member(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    assert set(registry.members) <= set(feeds_of(said, by, registry))


@given(facts, senders, registries)
def test_only_active_members_get_anything(said: MessageFacts, by: str, registry: Registry) -> None:
    assert entitled(said, by, registry) <= registry.members
    assert set(feeds_of(said, by, registry)) <= set(registry.feeds())


@given(facts, senders, registries)
def test_a_subscription_never_gets_more_than_its_agency(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    feeds = set(feeds_of(said, by, registry))
    readers = entitled(said, by, registry)

    assert {owner(f) for f in feeds} == set(readers)
    for reader in readers:
        assert main_feeds(reader)[channel_of(said.status)] in feeds


@given(facts, senders, registries)
def test_a_draft_stays_with_its_agency(said: MessageFacts, by: str, registry: Registry) -> None:
    draft = said.model_copy(update={"status": "Draft"})

    assert entitled(draft, by, registry) <= {by}
    assert recipients(draft, by, registry) == frozenset()


@given(facts, senders, registries)
def test_recipients_are_the_entitled_but_the_sender_and_nobody_for_an_answer(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    found = recipients(said, by, registry)

    assert found <= entitled(said, by, registry) - {by}
    assert not (found and said.kind in {"ack", "error"})


@given(facts, senders, registries)
def test_the_same_question_has_the_same_answer(
    said: MessageFacts, by: str, registry: Registry
) -> None:
    """Routing depends on values alone: rebuilt from JSON, it decides the same."""
    again = Registry.model_validate_json(registry.model_dump_json())
    told = MessageFacts.model_validate_json(said.model_dump_json())

    assert feeds_of(told, by, again) == feeds_of(said, by, registry)
    assert list(feeds_of(said, by, registry)) == sorted(set(feeds_of(said, by, registry)))


@given(facts, senders, registries, st.sampled_from(AGENCIES))
def test_a_member_that_leaves_changes_nothing_for_the_others(
    said: MessageFacts, by: str, registry: Registry, leaving: str
) -> None:
    if leaving == by or leaving not in registry.members or said.scope == "Restricted":
        return
    gone = registry.agencies[leaving].model_copy(update={"active": False})
    after = registry.apply(999, {"kind": "member", "member": gone.model_dump(mode="json")})

    others = [f for f in feeds_of(said, by, registry) if owner(f) != leaving]
    assert list(feeds_of(said, by, after)) == others


@given(senders, senders, st.sampled_from(["Actual", "Exercise", "Draft"]), registries)
def test_an_acknowledgement_is_told_to_both_sides_in_the_messages_own_channel(
    by: str, of: str, status: str, registry: Registry
) -> None:
    found = feeds_of_acknowledgement(by, of, status, registry)

    assert {owner(f) for f in found} == {by, of} & registry.members
    assert all(channel_of_feed(f, registry) == channel_of(status) for f in found)


@given(filters, facts)
def test_a_wider_filter_keeps_at_least_as_much(wanted: Filter, said: MessageFacts) -> None:
    if wants(wanted, said, "AZ"):
        # Outlines alone want nothing: they belong to `touches`.
        for name in set(Filter.model_fields) - {"outlines"}:
            wider = wanted.model_copy(update={name: Filter.model_fields[name].get_default()})
            assert wants(wider, said, "AZ")
    assert wants(Filter(), said, "AZ")


def message(**given_: object) -> MessageFacts:
    known = {"kind": "alert", "sender": "a@az", "identifier": "1", "sent": NOW, "msg_type": "Alert"}
    return MessageFacts.model_validate({**known, **given_})


CASPIAN = (36.0, 46.0, 47.0, 55.0)


@pytest.mark.parametrize(
    ("wanted", "said", "kept"),
    [
        (Filter(states=("AZ",)), message(), True),
        (Filter(states=("IR",)), message(), False),
        (Filter(kinds=("aid",)), message(), False),
        (Filter(kinds=("aid",)), message(kind="aid"), True),
        (Filter(severity="Severe"), message(severity="Extreme"), True),
        (Filter(severity="Severe"), message(severity="Severe"), True),
        (Filter(severity="Severe"), message(severity="Moderate"), False),
        (Filter(severity="Extreme"), message(severity="Unknown"), True),
        (Filter(events=("OIL SPILL",)), message(events=("Oil spill", "x=1")), True),
        (Filter(events=("flood",)), message(events=("Oil spill",)), False),
        (Filter(languages=("az",)), message(languages=("az-Latn",)), True),
        (Filter(languages=("az",)), message(languages=("azb",)), False),
        (Filter(languages=("az",)), message(), True),
        (Filter(bbox=CASPIAN), message(), True),
        (Filter(bbox=CASPIAN), message(areas=(Area(geocodes=(("a", "b"),)),)), True),
        (
            Filter(bbox=CASPIAN),
            message(areas=(Area(polygons=(((40, 50), (41, 50), (41, 51), (40, 50)),)),)),
            True,
        ),
        (
            Filter(bbox=CASPIAN),
            message(areas=(Area(polygons=(((10, 50), (11, 50), (11, 51), (10, 50)),)),)),
            False,
        ),
        (Filter(bbox=CASPIAN), message(areas=(Area(circles=((48.0, 50.0, 100.0),)),)), False),
        (Filter(bbox=CASPIAN), message(areas=(Area(circles=((48.0, 50.0, 120.0),)),)), True),
        (Filter(bbox=CASPIAN), message(areas=(Area(circles=((89.9, 0.0, 5000.0),)),)), True),
        (
            Filter(touches=("KZ", "AZ-BA")),
            message(areas=(Area(circles=((40.41, 49.87, 1.0),)),)),
            True,
        ),
        (Filter(touches=("AZ",)), message(areas=(Area(circles=((39.9, 52.5, 5.0),)),)), False),
        (Filter(touches=("TM-coast",)), message(areas=(Area(circles=((39.9, 52.5, 5.0),)),)), True),
        (Filter(touches=("AZ",)), message(), True),
        (Filter(touches=("AZ",)), message(areas=(Area(geocodes=(("SAME", "1"),)),)), True),
        (
            Filter(touches=("AZ-coast",)),
            message(areas=(Area(geocodes=(("ISO 3166-2", "AZ-BA"),)),)),
            True,
        ),
        (
            Filter(touches=("AZ-coast",)),
            message(areas=(Area(geocodes=(("ISO 3166-2", "IR-01"),)),)),
            False,
        ),
        (
            Filter(bbox=CASPIAN, touches=("RU",)),
            message(areas=(Area(circles=((40.41, 49.87, 1.0),)),)),
            False,
        ),
        (
            Filter(bbox=(40.0, -180.0, 50.0, -178.0)),
            message(areas=(Area(circles=((45.0, 179.5, 100.0),)),)),
            True,
        ),
        (
            Filter(bbox=(40.0, 178.0, 50.0, 180.0)),
            message(areas=(Area(circles=((45.0, -179.5, 100.0),)),)),
            True,
        ),
    ],
)
def test_a_filter_keeps_what_it_says(wanted: Filter, said: MessageFacts, kept: bool) -> None:  # noqa: FBT001  # a column of the table
    assert wants(wanted, said, "AZ") is kept


def test_a_filter_by_event_takes_any_of_several() -> None:
    wanted = Filter(events=("flood", "oil spill"), kinds=("aid", "alert"))

    assert wants(wanted, message(events=("Oil spill",)), "AZ")


def test_the_sender_of_an_unknown_agency_has_no_state() -> None:
    registry = (
        Registry()
        .apply(1, {"kind": "member", "member": agency("az-fhn").model_dump(mode="json")})
        .apply(
            2,
            {
                "kind": "subscription",
                "subscription": Subscription(
                    agency="az-fhn", name="ours", filter=Filter(states=("AZ",))
                ).model_dump(mode="json"),
            },
        )
    )

    assert feeds_of(message(), "tm-none", registry) == ("az-fhn",)
    assert feeds_of(message(), "az-fhn", registry) == ("az-fhn", "az-fhn.ours")
