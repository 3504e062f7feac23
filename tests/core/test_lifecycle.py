"""The life of a message for each recipient, whatever order its news come in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from core_strategies import AGENCIES, NOW, SEVERITIES, URGENCIES, facts
from hypothesis import given
from hypothesis import strategies as st

from hub.core.lifecycle import Acknowledgement, RecipientLife, State, deadline, life
from schemas.facts import MessageFacts

RANK = [State.QUEUED, State.DELIVERED, State.OVERDUE, State.EXPIRED, State.ACKNOWLEDGED]

times = st.timedeltas(timedelta(hours=-1), timedelta(days=2)).map(lambda d: NOW + d)
recipients = st.sets(st.sampled_from(AGENCIES))
deliveries = st.dictionaries(st.sampled_from(AGENCIES), times)
acks = st.lists(
    st.builds(
        Acknowledgement,
        agency=st.sampled_from(AGENCIES),
        officer=st.sampled_from(["Aysel", "Dana"]),
        at=times,
        index=st.integers(0, 99),
    ),
    max_size=5,
)


def lives(
    said: MessageFacts,
    to: set[str],
    delivered: dict[str, datetime],
    acknowledged: list[Acknowledgement],
    at: datetime,
) -> tuple[RecipientLife, ...]:
    return life(
        said,
        logged_at=NOW,
        recipients=to,
        delivered=delivered,
        acknowledgements=acknowledged,
        at=at,
    )


@given(facts, recipients, deliveries, acks, times, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    said: MessageFacts,
    to: set[str],
    delivered: dict[str, datetime],
    acknowledged: list[Acknowledgement],
    at: datetime,
    random: object,
) -> None:
    expected = lives(said, to, delivered, acknowledged, at)
    shuffled = list(acknowledged)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    turned = dict(reversed(delivered.items()))

    assert lives(said, to, turned, shuffled, at) == expected


@given(facts, recipients, deliveries, acks, times, times)
def test_a_life_only_goes_on(
    said: MessageFacts,
    to: set[str],
    delivered: dict[str, datetime],
    acknowledged: list[Acknowledgement],
    one: datetime,
    other: datetime,
) -> None:
    before = lives(said, to, delivered, acknowledged, min(one, other))
    after = lives(said, to, delivered, acknowledged, max(one, other))

    for earlier, later in zip(before, after, strict=True):
        assert RANK.index(earlier.state) <= RANK.index(later.state)
        assert set(earlier.acknowledgements) <= set(later.acknowledgements)
        assert earlier.delivered_at in {None, later.delivered_at}
        assert earlier.overdue <= later.overdue or later.state is not State.OVERDUE


@given(facts, recipients, deliveries, acks, times)
def test_an_acknowledgement_is_final(
    said: MessageFacts,
    to: set[str],
    delivered: dict[str, datetime],
    acknowledged: list[Acknowledgement],
    at: datetime,
) -> None:
    for one in lives(said, to, delivered, acknowledged, at):
        done = any(a.agency == one.agency and a.at <= at for a in acknowledged)
        assert (one.state is State.ACKNOWLEDGED) == done


@given(facts, recipients, deliveries, acks, times)
def test_whatever_others_do_does_not_count(
    said: MessageFacts,
    to: set[str],
    delivered: dict[str, datetime],
    acknowledged: list[Acknowledgement],
    at: datetime,
) -> None:
    own = [a for a in acknowledged if a.agency in to and a.at <= at]

    found = lives(said, to, delivered, acknowledged, at)
    assert found == lives(said, to, delivered, own, at)
    assert [one.agency for one in found] == sorted(to)


@given(facts, st.sampled_from(SEVERITIES), st.sampled_from(URGENCIES))
def test_a_graver_message_is_due_no_later(said: MessageFacts, severity: str, urgency: str) -> None:
    one = said.model_copy(update={"severity": severity, "urgency": urgency})

    for graver in SEVERITIES[: SEVERITIES.index(severity)] if severity != "Unknown" else []:
        assert deadline(one.model_copy(update={"severity": graver}), NOW) < deadline(one, NOW)
    assert deadline(one, NOW) > NOW


@pytest.mark.parametrize(
    ("severity", "urgency", "minutes"),
    [
        ("Extreme", "Immediate", 5),
        ("Severe", "Expected", 30),
        ("Moderate", "Future", 240),
        ("Minor", "Past", 1920),
        ("Unknown", "Unknown", 30),
        ("Extreme", "Unknown", 5),
    ],
)
def test_the_deadlines_are_those_that_are_documented(
    severity: str, urgency: str, minutes: int
) -> None:
    said = MessageFacts.model_validate(
        {
            "kind": "alert",
            "sender": "a",
            "identifier": "1",
            "sent": NOW,
            "msg_type": "Alert",
            "severity": severity,
            "urgency": urgency,
        }
    )

    assert deadline(said, NOW) == NOW + timedelta(minutes=minutes)


SEVERE = MessageFacts.model_validate(
    {
        "kind": "alert",
        "sender": "a",
        "identifier": "1",
        "sent": NOW,
        "msg_type": "Alert",
        "severity": "Severe",
        "urgency": "Immediate",
        "expires": NOW + timedelta(hours=1),
    }
)


@pytest.mark.parametrize(
    ("minutes", "delivered", "acknowledged", "state", "overdue"),
    [
        (1, None, None, State.QUEUED, False),
        (2, 1, None, State.DELIVERED, False),
        (0, 1, None, State.QUEUED, False),
        (15, 1, None, State.OVERDUE, True),
        (15, None, None, State.OVERDUE, True),
        (59, None, None, State.OVERDUE, True),
        (60, 1, None, State.EXPIRED, False),
        (14, None, 14, State.ACKNOWLEDGED, False),
        (70, None, 14, State.ACKNOWLEDGED, False),
        (70, 2, 16, State.ACKNOWLEDGED, True),
        (70, 2, 65, State.ACKNOWLEDGED, True),
    ],
)
def test_the_life_of_a_severe_message(
    minutes: int,
    delivered: int | None,
    acknowledged: int | None,
    state: State,
    overdue: bool,  # noqa: FBT001  # a column of the table
) -> None:
    def after(number: int) -> datetime:
        return NOW + timedelta(minutes=number)

    (found,) = lives(
        SEVERE,
        {"ir-ndmo"},
        {} if delivered is None else {"ir-ndmo": after(delivered)},
        []
        if acknowledged is None
        else [Acknowledgement("ir-ndmo", "Aysel", after(acknowledged), 9)],
        after(minutes),
    )

    assert (found.state, found.overdue) == (state, overdue)
    assert found.deadline == after(15)
