"""What was taken back or corrected is told as such, and by what, in whatever order it came."""

from __future__ import annotations

from typing import Any

from aid_messages import BOOM, Exchange, item
from hypothesis import given
from hypothesis import strategies as st
from test_aid import exchanges

from hub.core.aid_standing import aid_standings
from hub.core.aid_statements import AidEntry, Statements
from hub.core.threads import Standing, State

_KIND = "OfferUnsolicitedResource"


def test_a_correction_stands_in_the_place_of_what_it_corrects() -> None:
    x = Exchange()
    first = x.say("kz-mes", _KIND, "KZ-1", item("1", 10, code=BOOM))
    second = x.say("kz-mes", _KIND, "KZ-2", item("1", 9, code=BOOM), recalls="KZ-1", thread="KZ-1")

    assert aid_standings(x.entries) == {first: Standing(State.UPDATED, (second,))}


def test_what_is_taken_back_is_taken_back_with_all_its_corrections() -> None:
    x = Exchange()
    one = item("1", 10, code=BOOM)
    first = x.say("kz-mes", _KIND, "KZ-1", one)
    second = x.say("kz-mes", _KIND, "KZ-2", one, recalls="KZ-1", thread="KZ-1")
    back = x.say("kz-mes", _KIND, "KZ-3", one, recalls="KZ-2", recall="Cancel", thread="KZ-1")

    gone = Standing(State.CANCELLED, (back,))
    assert aid_standings(x.entries) == {first: gone, second: gone}


def test_nobody_takes_back_what_another_agency_has_said() -> None:
    x = Exchange()
    one = item("1", 10, code=BOOM)
    x.say("kz-mes", _KIND, "KZ-1", one)
    x.say("ir-ndmo", _KIND, "IR-1", one, recalls="KZ-1", recall="Cancel", thread="KZ-1")

    assert aid_standings(x.entries) == {}


@given(exchanges(), st.randoms(use_true_random=False))
def test_it_is_the_same_in_any_order_and_agrees_with_the_board(
    entries: list[AidEntry], random: Any
) -> None:
    moved = random.sample(entries, len(entries))

    found = aid_standings(moved)

    assert found == aid_standings(entries)
    for one in Statements(entries).all:
        states = {found[i].state for i in one.indexes if i in found}
        assert states == (
            {State.CANCELLED}
            if one.withdrawn
            else {State.UPDATED}
            if one.indexes - {one.now.index}
            else set()
        )
