"""Who is told next, and when: steps only go on, and no time counts while the hub is down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from core_strategies import NOW, agency, facts
from hypothesis import given
from hypothesis import strategies as st

from hub.core.escalation import (
    LAST_STEP,
    LONGEST,
    Outage,
    coordinators,
    due_at_us,
    escalates,
    feeds_of_escalation,
    patience_us,
    step_due,
)
from hub.core.registry import Registry, Subscription
from schemas.entry import micros
from schemas.facts import MessageFacts

MINUTE = 60_000_000
LOGGED = micros(NOW)
PATIENCE = 5 * MINUTE

moments = st.integers(0, 600 * MINUTE).map(lambda us: LOGGED + us)


@st.composite
def standstills(draw: st.DrawFn) -> list[Outage]:
    """Return outages one after the other, some from before the message."""
    at = LOGGED - 60 * MINUTE
    found = []
    for _ in range(draw(st.integers(0, 3))):
        since = at + draw(st.integers(1, 60 * MINUTE))
        at = since + draw(st.integers(1, 600 * MINUTE))
        found.append(Outage(since, at))
    return found


def extreme() -> MessageFacts:
    return MessageFacts(
        kind="alert",
        sender="a",
        identifier="1",
        sent=NOW,
        msg_type="Alert",
        severity="Extreme",
        urgency="Immediate",
        certainty="Observed",
    )


@pytest.mark.parametrize(
    ("minutes", "coordinated", "step"),
    [
        (0, True, 0),
        (4.99, True, 0),
        (5, True, 1),
        (7.49, True, 1),
        (7.5, True, 2),
        (7.5, False, 3),
        (10, True, 3),
        (10_000, True, 3),
    ],
)
def test_the_steps_are_those_that_are_documented(
    minutes: float, *, coordinated: bool, step: int
) -> None:
    at = LOGGED + int(minutes * MINUTE)

    assert step_due(patience_us(extreme()), LOGGED, at, coordinated=coordinated) == step


@given(
    patience=st.integers(1, 10_000 * MINUTE),
    one=moments,
    other=moments,
    coordinated=st.booleans(),
    outages=standstills(),
)
def test_steps_only_go_on(
    patience: int, one: int, other: int, *, coordinated: bool, outages: list[Outage]
) -> None:
    def step(at: int) -> int:
        return step_due(patience, LOGGED, at, coordinated=coordinated, outages=outages)

    assert 0 <= step(min(one, other)) <= step(max(one, other)) <= LAST_STEP


@given(st.integers(1, 300 * MINUTE), st.integers(1, LAST_STEP), standstills())
def test_each_recipient_has_its_whole_time_with_the_hub_up(
    patience: int, step: int, outages: list[Outage]
) -> None:
    due = due_at_us(patience, LOGGED, step, outages)

    down = sum(
        max(0, min(o.until_us, due) - max(o.since_us, LOGGED)) for o in outages if o.since_us < due
    )
    assert due - LOGGED - down == patience * {1: 2, 2: 3, 3: 4}[step] // 2
    assert not any(o.since_us < due < o.until_us for o in outages)


@given(st.integers(1, 300 * MINUTE), st.integers(1, LAST_STEP), standstills())
def test_an_outage_that_begins_later_changes_nothing_that_was_due(
    patience: int, step: int, outages: list[Outage]
) -> None:
    due = due_at_us(patience, LOGGED, step, outages)
    later = max([due, *(o.until_us for o in outages)])

    assert due_at_us(patience, LOGGED, step, [*outages, Outage(later, later + MINUTE)]) == due


@given(facts)
def test_no_step_is_later_than_the_longest_time(said: MessageFacts) -> None:
    assert due_at_us(patience_us(said), 0, LAST_STEP) <= LONGEST / timedelta(microseconds=1)


@given(facts)
def test_nobody_is_called_about_what_is_to_be_disregarded(said: MessageFacts) -> None:
    if said.status in {"Test", "Draft", "System"} or said.kind in {"ack", "error"}:
        assert not escalates(said)


def registry(*agencies: object, **given: object) -> Registry:
    return Registry.model_validate(
        {"agencies": {a.id: a for a in agencies}, **given}  # type: ignore[attr-defined]
    )


MEMBERS = (
    agency("az-fhn"),
    agency("az-met"),
    agency("az-nckm", coordinates=True),
    agency("az-gone", coordinates=True, active=False),
    agency("kz-mes", coordinates=True),
    agency("ir-ndmo"),
)


def test_an_agency_is_coordinated_by_the_others_of_its_state() -> None:
    found = registry(*MEMBERS)

    assert coordinators("az-fhn", found) == {"az-nckm"}
    assert coordinators("az-nckm", found) == set()
    assert coordinators("ir-ndmo", found) == set()
    assert coordinators("tm-none", found) == set()


@pytest.mark.parametrize(
    ("step", "feeds"),
    [
        (1, ("az-fhn", "az-fhn.second")),
        (2, ("az-fhn", "az-fhn.second", "az-nckm")),
        (3, ("az-fhn", "az-fhn.second", "az-nckm", "ir-ndmo")),
    ],
)
def test_each_step_tells_more(step: int, feeds: tuple[str, ...]) -> None:
    second = Subscription.model_validate(
        {"agency": "az-fhn", "name": "second", "filter": {"kinds": ["escalation"]}}
    )
    alerts = Subscription.model_validate(
        {"agency": "az-fhn", "name": "alerts", "filter": {"kinds": ["alert"]}}
    )
    found = registry(*MEMBERS, subscriptions={s.feed: s for s in (second, alerts)})
    entry = {"recipient": "az-fhn", "step": step, "of": "ir-ndmo", "status": "Actual"}

    assert feeds_of_escalation(entry, found) == feeds


def test_an_exercise_is_escalated_in_the_exercise_alone() -> None:
    second = Subscription.model_validate(
        {"agency": "az-fhn", "name": "second", "filter": {"kinds": ["escalation"]}}
    )
    found = registry(*MEMBERS, subscriptions={second.feed: second})
    entry = {"recipient": "az-fhn", "step": 3, "of": "ir-ndmo", "status": "Exercise"}

    assert feeds_of_escalation(entry, found) == (
        "az-fhn.exercise",
        "az-nckm.exercise",
        "ir-ndmo.exercise",
    )
