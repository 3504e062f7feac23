"""How recipients kept their deadlines: whatever comes is counted once, and as its life has it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from core_strategies import AGENCIES, NOW, facts
from hypothesis import given
from hypothesis import strategies as st

from hub.core.lifecycle import Acknowledgement, RecipientLife, State, life
from hub.core.punctuality import Kept, late_by, punctuality
from schemas.facts import MessageFacts

times = st.timedeltas(timedelta(hours=-1), timedelta(days=2)).map(lambda d: NOW + d)
acks = st.lists(
    st.builds(
        Acknowledgement,
        agency=st.sampled_from(AGENCIES),
        officer=st.sampled_from(["Aysel", "Dana"]),
        at=times,
        index=st.integers(0, 99),
    ),
    max_size=4,
)
waits = st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(days=9))
kept = st.lists(
    st.builds(Kept, st.sampled_from(AGENCIES), st.sampled_from(list(State)), waits), max_size=12
)


@given(facts, acks, times)
def test_lateness_is_that_of_the_life(
    said: MessageFacts, acknowledged: list[Acknowledgement], at: datetime
) -> None:
    found = life(
        said,
        logged_at=NOW,
        recipients=AGENCIES,
        delivered={},
        acknowledgements=acknowledged,
        at=at,
    )
    for one in found:
        late = late_by(one, expires=said.expires, at=at)
        assert late is None or late > timedelta(0)
        if one.state is State.ACKNOWLEDGED:
            assert (late is not None) == one.overdue
        elif one.state is State.OVERDUE:
            assert late == (at - one.deadline or None)
        elif one.state is State.EXPIRED:
            assert said.expires is not None
            assert (late is not None) == (said.expires > one.deadline)
        else:
            assert late is None


@given(kept, st.randoms(use_true_random=False))
def test_every_message_is_counted_once_in_any_order(all_kept: list[Kept], random: object) -> None:
    sums = punctuality(all_kept)
    shuffled = list(all_kept)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert punctuality(shuffled) == sums
    assert [one.of for one in sums] == sorted({k.recipient for k in all_kept})
    assert sum(one.messages for one in sums) == len(all_kept)
    for one in sums:
        assert min(one.in_time, one.late, one.missing, one.open) >= 0
        assert one.open + one.in_time + one.late + one.missing == one.messages
        own = [k.late_by for k in all_kept if k.recipient == one.of and k.late_by]
        assert (one.worst_late is None) == (not own)
        if one.worst_late is not None and one.median_late is not None:
            assert one.worst_late == max(own)
            assert min(own) <= one.median_late <= one.worst_late


@given(kept, kept)
def test_recipients_do_not_touch_one_another(some: list[Kept], others: list[Kept]) -> None:
    mine = [k for k in some if k.recipient == AGENCIES[0]]
    theirs = [k for k in others if k.recipient != AGENCIES[0]]

    assert punctuality(mine + theirs) == tuple(
        sorted(punctuality(mine) + punctuality(theirs), key=lambda one: one.of)
    )


@pytest.mark.parametrize(
    ("expires_after", "late"),
    [(None, timedelta(minutes=20)), (12, timedelta(minutes=7)), (3, None)],
)
def test_who_never_acknowledges_is_late_until_it_expires(
    expires_after: int | None, late: timedelta | None
) -> None:
    one = RecipientLife("kz-mes", State.EXPIRED, NOW, NOW + timedelta(minutes=5), None, ())
    expires = None if expires_after is None else NOW + timedelta(minutes=expires_after)

    assert late_by(one, expires=expires, at=NOW + timedelta(minutes=25)) == late
