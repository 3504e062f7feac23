"""The life of an alert: whoever says what, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from core_strategies import NOW
from hypothesis import assume, event, given
from hypothesis import strategies as st

from hub.core.threads import Published, Standing, State, Threads
from schemas.facts import MessageFacts, Reference

AGENCIES = ("az-fhn", "ir-ndmo")
SENDERS = ("duty", "night")
IDENTIFIERS = ("one", "two", "three", "four", "five.RU", "five.EN")
MOMENTS = [NOW + timedelta(minutes=n) for n in range(3)]
LATER = NOW + timedelta(days=30)

references = st.builds(
    Reference,
    sender=st.sampled_from(SENDERS),
    identifier=st.sampled_from(IDENTIFIERS),
    sent=st.sampled_from(MOMENTS),
)
published = st.builds(
    Published,
    st.just(0),
    st.sampled_from(AGENCIES),
    st.builds(
        MessageFacts,
        kind=st.sampled_from(["alert"] * 6 + ["ack", "error"]),
        sender=st.sampled_from(SENDERS),
        identifier=st.sampled_from(IDENTIFIERS),
        sent=st.sampled_from(MOMENTS),
        status=st.sampled_from(["Actual"] * 5 + ["Exercise", "Test", "Draft"]),
        msg_type=st.sampled_from(["Alert", "Update", "Update", "Cancel"]),
        expires=st.none() | st.sampled_from([NOW, NOW + timedelta(hours=1), LATER]),
        references=st.lists(references, max_size=4).map(tuple),
    ),
)


def name(m: Published) -> tuple[str, str, str]:
    return m.agency, m.facts.sender, m.facts.identifier


def placed(messages: Sequence[Published]) -> list[Published]:
    """Return the messages as a log has them: each name once, each at an index of its own."""
    return [replace(m, index=i) for i, m in enumerate(messages)]


logs = st.lists(published, max_size=12, unique_by=name).map(placed)
times = st.timedeltas(timedelta(hours=-1), timedelta(hours=2)).map(lambda d: NOW + d)

Said = dict[tuple[str, str, str], Any]


def said(messages: Iterable[Published], at: datetime) -> Said:
    """Return all that is said of each message, by names and not by places in the log."""
    messages = list(messages)
    names = {m.index: name(m) for m in messages}
    threads = Threads(messages)
    found: Said = {}
    for m in messages:
        standing = threads.standing(m.index, at=at)
        thread = threads.thread(m.index, at=at)
        mentions = threads.mentions([p.message.index for p in thread])
        found[name(m)] = (
            standing and (standing.state, [names[i] for i in standing.by]),
            [
                (name(p.message), [names[i] for i in p.changes], p.elsewhere, p.standing is None)
                for p in thread
            ],
            [(names[i], {names[j] for j in of}) for i, of in mentions.items()],
        )
    return found


def states(messages: Iterable[Published], at: datetime) -> Said:
    return {key: standing for key, (standing, _, _) in said(messages, at).items()}


@given(logs, st.randoms(use_true_random=False), times)
def test_the_order_of_arrival_does_not_matter(
    log: list[Published], random: Random, at: datetime
) -> None:
    arrived = list(log)
    random.shuffle(arrived)

    assert said(arrived, at) == said(log, at)
    assert said(placed(arrived), at) == said(log, at), "also where the log has them elsewhere"


@given(logs, times)
def test_messages_that_come_twice_change_nothing(log: list[Published], at: datetime) -> None:
    assert said([*log, *log], at) == said(log, at)


@given(logs, times)
def test_no_agency_can_silence_another(log: list[Published], at: datetime) -> None:
    own = [m for m in log if m.agency == AGENCIES[0]]
    event(f"{len(log) - len(own)} of others")

    alone, together = said(own, at), said(log, at)

    for key, (standing, thread, _mentions) in alone.items():
        assert together[key][:2] == (standing, thread)


@given(logs, published, times)
def test_a_message_that_names_nothing_and_that_nobody_names_changes_nothing(
    log: list[Published], other: Published, at: datetime
) -> None:
    stranger = other.facts.model_copy(update={"identifier": "stranger", "references": ()})
    added = Published(len(log), other.agency, stranger)

    found = said([*log, added], at)

    del found[name(added)]
    assert found == said(log, at)


@given(logs, times)
def test_an_exercise_changes_nothing_that_is_real(log: list[Published], at: datetime) -> None:
    real = [m for m in log if m.facts.status == "Actual"]

    together = states(log, at)
    for key, standing in states(real, at).items():
        assert together[key] == standing


@given(logs, times)
def test_a_cancel_wins_over_all_else(log: list[Published], at: datetime) -> None:
    threads = Threads(log)
    by_index = {m.index: m for m in log}
    cancelled = set()
    for m in log:
        for part in threads.thread(m.index, at=at):
            if part.message.facts.msg_type == "Cancel":
                cancelled |= set(part.changes)

    for m in log:
        standing = threads.standing(m.index, at=at)
        if standing is not None:
            assert (standing.state is State.CANCELLED) == (m.index in cancelled)
            kind = {State.CANCELLED: {"Cancel"}, State.UPDATED: {"Update"}}
            types = {by_index[i].facts.msg_type for i in standing.by}
            assert types == kind.get(standing.state, set())


@given(logs, times, times)
def test_in_time_alerts_only_expire(log: list[Published], one: datetime, other: datetime) -> None:
    before, after = states(log, min(one, other)), states(log, max(one, other))

    for key, earlier in before.items():
        later = after[key]
        assert earlier == later or (earlier, later) == ((State.ACTIVE, []), (State.EXPIRED, []))
    assert Threads(log).in_force(at=max(one, other)) <= Threads(log).in_force(at=min(one, other))


@given(logs)
def test_updates_alone_leave_something_to_act_on(log: list[Published]) -> None:
    """Whatever circles they make: of what an agency replaced, something replaced it."""
    said_only = [
        replace(m, facts=m.facts.model_copy(update={"expires": None}))
        for m in log
        if m.facts.kind == "alert" and m.facts.msg_type != "Cancel"
    ]
    threads = Threads(said_only)

    for m in said_only:
        thread = {p.message.index for p in threads.thread(m.index, at=LATER)}
        assert thread & threads.in_force(at=LATER)


@given(logs, times)
def test_a_thread_is_the_same_seen_from_each_of_its_messages(
    log: list[Published], at: datetime
) -> None:
    threads = Threads(log)
    for m in log:
        parts = threads.thread(m.index, at=at)
        assert m.index in {p.message.index for p in parts}
        assert len({(p.message.agency) for p in parts}) == 1
        assert [p.message.facts.sent for p in parts] == sorted(p.message.facts.sent for p in parts)
        places = {p.message.index: place for place, p in enumerate(parts)}
        for part in parts:
            if part.message.facts.msg_type == "Cancel":
                assert all(
                    places[i] < places[part.message.index]
                    for i in part.changes
                    if parts[places[i]].message.facts.msg_type != "Cancel"
                )
        for part in parts:
            assert threads.thread(part.message.index, at=at) == parts
            assert part.standing == threads.standing(part.message.index, at=at)


@given(logs, st.randoms(use_true_random=False), times)
def test_what_is_not_in_a_thread_says_nothing_about_it(
    log: list[Published], random: Random, at: datetime
) -> None:
    """The store loads threads and not the log: that must come to the same."""
    assume(log)
    threads, seed = Threads(log), random.choice(log).index

    thread = threads.thread(seed, at=at)

    assert Threads(p.message for p in thread).thread(seed, at=at) == thread


def message(
    identifier: str, msg_type: str = "Alert", *names: str, agency: str = "az-fhn", **given: Any
) -> Published:
    """Return a message that names others, which were sent when it was unless ``before`` says so."""
    sent = given.pop("sent", NOW)
    named_sent = given.pop("named_sent", NOW)
    facts = MessageFacts(
        kind=given.pop("kind", "alert"),
        sender="duty",
        identifier=identifier,
        sent=sent,
        msg_type=msg_type,
        references=tuple(Reference(sender="duty", identifier=n, sent=named_sent) for n in names),
        **given,
    )
    return Published(int(identifier.partition(".")[0]), agency, facts)


def standings(*messages: Published, at: datetime = NOW) -> dict[int, tuple[str, tuple[int, ...]]]:
    threads = Threads(messages)
    found = {m.index: threads.standing(m.index, at=at) for m in messages}
    return {i: (s.state.value, s.by) for i, s in found.items() if s is not None}


def test_an_update_replaces_and_a_cancel_ends() -> None:
    found = standings(message("3", "Cancel", "2"), message("2", "Update", "1"), message("1"))

    assert found == {1: ("updated", (2,)), 2: ("cancelled", (3,))}


def test_a_cancelled_update_does_not_bring_back_what_it_replaced() -> None:
    found = standings(message("1"), message("2", "Update", "1"), message("3", "Cancel", "2"))

    assert found[1] == ("updated", (2,))


def test_a_cancelled_cancel_brings_nothing_back() -> None:
    found = standings(message("1"), message("2", "Cancel", "1"), message("3", "Cancel", "2"))

    assert found == {1: ("cancelled", (2,))}


def test_an_update_touches_only_the_languages_it_names() -> None:
    ru, en, az = message("1.RU"), message("2.EN"), message("3.AZ")

    found = standings(ru, en, az, message("4", "Update", "1.RU", "2.EN"))

    assert found[1] == found[2] == ("updated", (4,))
    assert found[3] == ("active", ())
    thread = Threads([ru, en, az, message("4", "Update", "1.RU", "2.EN")]).thread(1, at=NOW)
    assert [p.message.index for p in thread] == [1, 2, 4]


def test_what_says_the_same_in_another_language_is_of_one_thread_and_stands_by_itself() -> None:
    ru, en, kk = (replace(message(f"7.{c}"), index=i) for i, c in enumerate(("RU", "EN", "KK")))
    later = NOW + timedelta(seconds=1)
    cancel = replace(message("8.RU", "Cancel", "7.RU", sent=later), index=3)
    others = [
        replace(message("8.EN"), index=4),
        replace(message("7.AZ", agency="ir-ndmo"), index=5),
        replace(message("7.FA", "Cancel", "7.AZ", sent=later), index=6),
    ]

    threads = Threads([ru, en, kk, cancel, *others])

    for index in (0, 1, 2, 3):
        parts = {p.message.index: sorted(p.siblings) for p in threads.thread(index, at=NOW)}
        assert parts == {0: [1, 2], 1: [0, 2], 2: [0, 1], 3: []}
    assert threads.standing(0, at=NOW) == Standing(State.CANCELLED, (3,))
    assert threads.in_force(at=NOW) >= {1, 2}, "the Cancel is of the Russian one alone"


def test_all_that_changed_it_are_named_in_the_order_they_were_sent() -> None:
    first = message("9", "Update", "1", sent=NOW + timedelta(minutes=1))
    second = message("2", "Update", "1", sent=NOW + timedelta(minutes=2))

    assert standings(message("1"), second, first)[1] == ("updated", (9, 2))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_updates_in_a_circle_replace_nothing(size: int) -> None:
    circle = [message(str(n), "Update", str((n + 1) % size)) for n in range(size)]

    assert set(standings(*circle).values()) == {("active", ())}
    outside = message("50", "Update", "0", sent=NOW + timedelta(seconds=1))
    assert standings(*circle, outside)[0] == ("updated", (50,))


def test_thousands_of_updates_of_one_another_are_no_burden() -> None:
    chain = [message("0"), *(message(str(n), "Update", str(n - 1)) for n in range(1, 3_000))]

    threads = Threads(chain)

    assert len(threads.thread(1_500, at=NOW)) == 3_000
    assert threads.in_force(at=NOW) == {2_999}


def test_another_agency_only_mentions() -> None:
    alert, intruder = message("1"), message("2", "Cancel", "1", agency="ir-ndmo")

    threads = Threads([alert, intruder])

    assert standings(alert, intruder) == {1: ("active", ())}
    assert threads.mentions([1]) == {2: (1,)}
    [part] = threads.thread(2, at=NOW)
    assert (part.changes, part.elsewhere) == ((), intruder.facts.references)


def test_who_uses_the_same_names_is_not_meant() -> None:
    """Two agencies may call themselves and their messages alike; each changes its own."""
    mine, theirs = message("1"), replace(message("1", agency="ir-ndmo"), index=7)

    assert standings(mine, theirs, message("3", "Cancel", "1")) == {
        1: ("cancelled", (3,)),
        7: ("active", ()),
    }


def test_a_reference_with_another_time_is_to_another_message() -> None:
    cancel = message("2", "Cancel", "1", named_sent=NOW - timedelta(seconds=1))

    assert standings(message("1"), cancel) == {1: ("active", ())}


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    moved = datetime.fromisoformat("2026-11-23T18:00:00+04:00")
    assert moved == NOW

    assert standings(message("1"), message("2", "Cancel", "1", named_sent=moved)) == {
        1: ("cancelled", (2,))
    }


def test_nothing_is_changed_by_what_was_sent_before_it() -> None:
    early = message("2", "Cancel", "1", sent=NOW - timedelta(seconds=1))

    assert standings(message("1"), early) == {1: ("active", ())}


@pytest.mark.parametrize(
    "other",
    [
        message("2", "Cancel", "1", status="Exercise"),
        message("2", "Cancel", "1", status="Draft"),
        message("2", "Ack", "1", kind="ack"),
        message("2", "Alert", "1"),
    ],
    ids=["exercise", "draft", "ack", "alert"],
)
def test_what_cannot_change_an_alert_mentions_it(other: Published) -> None:
    threads = Threads([message("1"), other])

    assert standings(message("1"), other)[1] == ("active", ())
    assert threads.mentions([1]) == {2: (1,)}


def test_a_test_can_end_an_exercise() -> None:
    """They share a channel: neither is the real thing."""
    found = standings(message("1", status="Exercise"), message("2", "Cancel", "1", status="Test"))

    assert found == {1: ("cancelled", (2,))}


def test_an_alert_expires_at_the_moment_it_says() -> None:
    alert = message("1", expires=NOW)

    assert standings(alert, at=NOW - timedelta(microseconds=1)) == {1: ("active", ())}
    assert standings(alert, at=NOW) == {1: ("expired", ())}
    assert standings(alert, message("2", "Update", "1"), at=LATER)[1] == ("updated", (2,))


def test_what_hangs_on_a_circle_is_replaced_all_the_same() -> None:
    circle = [message("1", "Update", "2", "3"), message("2", "Update", "1")]
    before, behind = message("4", "Update", "1"), message("3", "Update", "5")

    found = standings(*circle, before, behind, message("5"))

    assert found == {
        1: ("updated", (4,)),
        2: ("active", ()),
        3: ("updated", (1,)),
        4: ("active", ()),
        5: ("updated", (3,)),
    }


def test_several_cancels_are_named_in_the_order_they_were_sent() -> None:
    cancels = [message(str(9 - n), "Cancel", "1", sent=NOW + timedelta(n)) for n in range(6)]

    assert standings(message("1"), *cancels)[1] == ("cancelled", (9, 8, 7, 6, 5, 4))


def test_an_acknowledgement_of_ones_own_is_no_part_of_a_thread() -> None:
    ack = message("2", "Ack", "1", kind="ack")
    threads = Threads([message("1"), ack, message("3", "Update", "1", "2")])

    assert [p.message.index for p in threads.thread(1, at=NOW)] == [1, 3]
    assert threads.thread(1, at=NOW)[1].elsewhere[0].identifier == "2"


@pytest.mark.parametrize("kind", ["aid", "ack", "error"])
def test_only_alerts_change_alerts_and_have_a_standing(kind: str) -> None:
    found = standings(message("1"), message("2", "Update", "1", kind=kind))

    assert found == {1: ("active", ())}


def test_were_a_name_taken_twice_the_first_in_the_log_would_have_it() -> None:
    first, second = message("1"), replace(message("1", severity="Extreme"), index=2)

    for order in ([first, second], [second, first]):
        [part] = Threads(order).thread(1, at=NOW)
        assert part.message is first
