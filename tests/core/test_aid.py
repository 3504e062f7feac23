"""The aid board: what it comes to, and that it does not matter in which order messages come."""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.aid import GIVEN, STAGES, AidEntry, Board, Figure, Line, board

sys.path.insert(0, str(Path(__file__).parent))
from aid_messages import BEGAN, BOOM, INCIDENT, OIL, Exchange, item

LEFT, CAME = BEGAN + timedelta(hours=3), BEGAN + timedelta(hours=9)


def scenario() -> Exchange:
    """Return a request for 2,000 m of boom, and what three states do about it."""
    x = Exchange()
    ask = item("1", 2000, code=BOOM)
    x.say("az-fhn", "RequestResource", "REQ", ask)  # 0
    kz, tm = item("a", 1200, answers="1", code=BOOM), item("b", 500, answers="1", code=BOOM)
    x.say("kz-mes", "ResponseToRequestResource", "KZ-1", kz, answers="REQ")  # 1
    x.say("tm-emergency", "ResponseToRequestResource", "TM-1", tm, answers="REQ")  # 2
    vessel = item("v", 2, code="vessel-recovery", unit="C62")
    x.say("tm-emergency", "OfferUnsolicitedResource", "TM-2", vessel)  # 3
    more = item("r", 400, code=BOOM)
    x.say("ru-mchs", "OfferUnsolicitedResource", "RU-1", more)  # 4
    yes = item("1", answers="a")
    x.say("az-fhn", "AidOfferResponse", "AZ-1", yes, answers="KZ-1", thread="REQ")  # 5
    no = item("1", answers="v", response="Decline")
    x.say("az-fhn", "AidOfferResponse", "AZ-2", no, answers="TM-2")  # 6
    promise = item("1", 1200, answers="1")
    x.say("kz-mes", "CommitResource", "KZ-2", promise, answers="AZ-1", thread="REQ")  # 7
    left = item("1", ActualDeparture=LEFT)
    report = "ReportResourceDeploymentStatus"
    x.say("kz-mes", report, "KZ-3", left, answers="KZ-2", thread="REQ")  # 8
    came = item("1", 700, ActualDeparture=LEFT, ActualArrival=CAME)
    x.say("az-fhn", report, "AZ-3", came, answers="KZ-2", thread="REQ")  # 9
    done = item("1", 300)
    x.say("az-fhn", "ReleaseResource", "AZ-4", done, answers="KZ-2", thread="REQ")  # 10
    back = {"recalls": "RU-1", "recall": "Cancel", "thread": "RU-1"}
    x.say("ru-mchs", "OfferUnsolicitedResource", "RU-2", more, **back)  # 11
    return x


def line(found: Board, code: str = BOOM, unit: str = "MTR", incident: str = INCIDENT) -> Line:
    [lines] = [i.lines for i in found.incidents if i.id == incident]
    [one] = [x for x in lines if (x.type, x.unit) == (f"{OIL}={code}", unit)]
    return one


def amounts(one: Line) -> dict[str, int]:
    return {stage: int(one.figures[stage].amount) for stage in STAGES if one.figures[stage].amount}


def pair(figure: Figure) -> tuple[int, list[int]]:
    return int(figure.amount), list(figure.messages)


def test_the_scenario_comes_to_this_board() -> None:
    found = board(scenario().entries)

    assert [(i.status, i.id, len(i.lines)) for i in found.incidents] == [("Actual", INCIDENT, 2)]
    boom, vessel = line(found), line(found, "vessel-recovery", "C62")
    assert boom.name == "boom offshore"
    assert {stage: pair(f) for stage, f in boom.figures.items()} == {
        "asked": (2000, [0]),
        "offered": (1700, [1, 2]),
        "accepted": (1200, [5]),
        "committed": (1200, [7]),
        "under_way": (500, [8, 9, 10]),
        "on_site": (400, [9, 10]),
        "released": (300, [10]),
        "return_asked": (0, []),
    }
    assert pair(boom.gap) == (800, [0, 7])
    assert {s: int(f["offered"].amount) for s, f in boom.states.items()} == {"KZ": 1200, "TM": 500}
    assert int(boom.states["KZ"]["on_site"].amount) == 400
    assert amounts(vessel) == {"offered": 2}
    assert pair(vessel.gap) == (0, [])


def test_what_was_taken_back_counts_for_nothing() -> None:
    before = board(scenario().entries[:11])

    assert int(line(before).figures["offered"].amount) == 2100
    assert "RU" in line(before).states
    assert "RU" not in line(board(scenario().entries)).states


def test_the_board_can_be_cut_down_to_an_incident_or_a_state() -> None:
    found = board(scenario().entries)

    assert found.only(incident=INCIDENT.lower()) == found
    assert found.only(incident="other").incidents == ()
    [kept] = found.only(state="KZ").incidents
    assert [list(one.states) for one in kept.lines] == [["KZ"]]
    assert int(kept.lines[0].figures["asked"].amount) == 2000
    assert found.only(state="IR").incidents == ()


@given(st.permutations(range(12)))
def test_the_order_in_which_messages_are_read_does_not_matter(order: list[int]) -> None:
    entries = scenario().entries

    assert board(entries[i] for i in order) == board(entries)


@given(st.permutations(range(12)))
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    """The places in the log are others, and so are those named; the figures are the same."""
    entries = scenario().entries
    moved = [AidEntry(at, entries[i].agency, entries[i].facts) for at, i in enumerate(order)]

    assert plain(board(moved), dict(enumerate(order))) == plain(board(entries))


def plain(found: Board, place: dict[int, int] | None = None) -> Any:
    """Return a board as data, with the log indexes translated."""

    def told(figures: Any) -> Any:
        return {
            s: (f.amount, sorted((place or {}).get(m, m) for m in f.messages), f.words)
            for s, f in figures.items()
        }

    return [
        (i.status, i.id, one.type, one.name, one.unit, told(one.figures),
         {state: told(figures) for state, figures in one.states.items()})
        for i in found.incidents
        for one in i.lines
    ]  # fmt: skip


IDS = st.sampled_from(["A", "B", "C", "D", "E"])
KINDS = [
    *("RequestResource", "ResponseToRequestResource", "OfferUnsolicitedResource"),
    *("AidOfferResponse", "RequisitionResource", "CommitResource", "ReleaseResource"),
    *("RequestReturn", "ReportResourceDeploymentStatus"),
]
_ANSWERS = {"ResponseToRequestResource", "AidOfferResponse", "CommitResource"}


@st.composite
def exchanges(draw: Any) -> Any:
    """Draw messages that refer to one another at random, in circles too."""
    x = Exchange()
    for name in draw(st.lists(IDS, unique=True, min_size=1)):
        kind = draw(st.sampled_from(KINDS))
        amount = draw(st.none() | st.integers(1, 5))
        answers = draw(st.sampled_from(["1", "2"])) if kind in _ANSWERS else ""
        given: dict[str, Any] = {}
        if kind not in {"RequestResource", "OfferUnsolicitedResource"}:
            given["answers"] = draw(IDS)
        if draw(st.booleans()):
            given |= {"recalls": draw(IDS), "recall": draw(st.sampled_from(["Update", "Cancel"]))}
        one = item(
            draw(st.sampled_from(["1", "2"])),
            amount,
            answers=answers,
            response=draw(st.sampled_from(["Accept", "Decline", "Provisional"])),
            code=draw(st.sampled_from(["", BOOM, "skimmer"])),
            **draw(st.dictionaries(st.sampled_from(["ActualDeparture", "ActualArrival"]),
                                   st.sampled_from([LEFT, CAME])))
            if kind == "ReportResourceDeploymentStatus" else {},
        )  # fmt: skip
        incident = draw(st.sampled_from([INCIDENT, "EXERCISE 1", ""]))
        agency = draw(st.sampled_from(["az-fhn", "kz-mes", "kz-hydromet"]))
        sent = BEGAN + timedelta(minutes=draw(st.integers(0, 2)))
        x.say(agency, kind, name, one, incident=incident, sent=sent, **given)
    return x.entries


@given(exchanges(), st.randoms(use_true_random=False))
def test_no_order_changes_the_board_whatever_refers_to_whatever(
    entries: list[AidEntry], random: Any
) -> None:
    order = list(range(len(entries)))
    random.shuffle(order)
    moved = [AidEntry(at, entries[i].agency, entries[i].facts) for at, i in enumerate(order)]

    assert plain(board(moved), dict(enumerate(order))) == plain(board(entries))


@given(exchanges())
def test_what_the_states_give_is_all_that_is_given(entries: list[AidEntry]) -> None:
    for incident in board(entries).incidents:
        for one in incident.lines:
            for stage in GIVEN:
                parts = [of[stage].amount for of in one.states.values()]
                assert sum(parts, Decimal(0)) == one.figures[stage].amount


@given(exchanges())
def test_every_figure_has_messages_behind_it(entries: list[AidEntry]) -> None:
    indexes = {e.index for e in entries}
    for incident in board(entries).incidents:
        for one in incident.lines:
            for figure in (*one.figures.values(), one.gap):
                assert set(figure.messages) <= indexes
                assert figure.messages or not (figure.amount or figure.words)


@given(exchanges())
def test_an_exercise_changes_nothing_of_the_real_board(entries: list[AidEntry]) -> None:
    real = [e for e in entries if e.facts.status == "Actual"]

    found = board(entries)

    assert plain(Board(tuple(i for i in found.incidents if i.status == "Actual"))) == plain(
        board(real)
    )


def test_an_update_takes_the_place_of_what_it_updates_and_answers_follow_it() -> None:
    x = scenario()
    less = item("a", 900, answers="1", code=BOOM)
    given = {"answers": "REQ", "recalls": "KZ-1"}
    at = x.say("kz-mes", "ResponseToRequestResource", "KZ-1b", less, **given)

    boom = line(board(x.entries))

    assert pair(boom.figures["offered"]) == (1400, [1, 2, at])
    assert int(boom.figures["accepted"].amount) == 900  # it was accepted whole


def test_nobody_else_can_take_an_offer_back_or_change_it() -> None:
    x = scenario()
    less = item("a", 1, answers="1", code=BOOM)
    for number, recall in enumerate(("Update", "Cancel")):
        given = {"answers": "REQ", "recalls": "KZ-1", "recall": recall}
        x.say("ir-ndmo", "ResponseToRequestResource", f"IR-{number}", less, **given)

    assert int(line(board(x.entries)).states["KZ"]["offered"].amount) == 1200


def test_units_are_never_added_up() -> None:
    x = scenario()
    rolls = item("a", 6, answers="1", code=BOOM, unit="RO")
    x.say("ir-ndmo", "ResponseToRequestResource", "IR-1", rolls, answers="REQ")
    words = item("a", answers="1", code=BOOM, words="about ten lorries")
    x.say("ir-ndmo", "ResponseToRequestResource", "IR-2", words, answers="REQ")

    found = board(x.entries)

    assert amounts(line(found))["offered"] == 1700
    assert amounts(line(found, unit="RO")) == {"offered": 6}
    assert line(found, unit="").figures["offered"].words == ("about ten lorries",)


def test_who_accepts_and_then_orders_the_same_does_it_once() -> None:
    x = scenario()
    order = item("a", 1200, code=BOOM)
    at = x.say("az-fhn", "RequisitionResource", "AZ-9", order, answers="KZ-1", thread="REQ")

    boom = line(board(x.entries))

    assert pair(boom.figures["accepted"]) == (1200, [5, at])
    assert boom.figures["asked"].amount == 2000


def test_an_order_that_answers_nothing_is_a_need() -> None:
    x = Exchange()
    x.say("az-fhn", "RequisitionResource", "AZ-9", item("1", 50, code=BOOM))
    promise = item("1", 20, answers="1")
    x.say("kz-mes", "CommitResource", "KZ-9", promise, answers="AZ-9")

    assert amounts(line(board(x.entries))) == {"asked": 50, "committed": 20}


def test_a_report_that_is_repeated_counts_once() -> None:
    x = scenario()
    left = item("1", ActualDeparture=LEFT)
    report = "ReportResourceDeploymentStatus"
    x.say("kz-mes", report, "KZ-4", left, answers="KZ-2", thread="REQ")

    assert int(line(board(x.entries)).figures["under_way"].amount) == 500


def test_who_neither_gives_nor_gets_cannot_say_where_it_is() -> None:
    x = scenario()
    came = item("1", ActualArrival=CAME + timedelta(hours=1))
    report = "ReportResourceDeploymentStatus"
    x.say("ir-ndmo", report, "IR-1", came, answers="KZ-2", thread="REQ")

    assert plain(board(x.entries)) == plain(board(scenario().entries))


def test_a_return_that_was_asked_for_is_seen() -> None:
    x = scenario()
    back = item("1", 100)
    at = x.say("kz-mes", "RequestReturn", "KZ-4", back, answers="KZ-2", thread="REQ")

    found = line(board(x.entries)).figures["return_asked"]

    assert pair(found) == (100, [at])


def test_what_has_returned_is_released() -> None:
    x = scenario()
    back = item("1", 700, answers="1", ActualReturnDeparture=CAME + timedelta(days=1))
    x.say("kz-mes", "ResponseToRequestReturn", "KZ-4", back, answers="KZ-2", thread="REQ")

    boom = line(board(x.entries))

    assert (int(boom.figures["released"].amount), int(boom.figures["on_site"].amount)) == (700, 0)


def test_without_an_incident_id_the_exchange_is_the_incident() -> None:
    x = Exchange()
    x.say("az-fhn", "RequestResource", "REQ", item("1", 5, code=BOOM), incident="")
    offer = item("a", 3, answers="1", code=BOOM)
    x.say("kz-mes", "ResponseToRequestResource", "KZ", offer, answers="REQ", incident="")

    assert amounts(line(board(x.entries), incident="REQ")) == {"asked": 5, "offered": 3}


@pytest.mark.parametrize("written", ["ac-2026-000001-aze", f"  {INCIDENT} "])
def test_an_incident_is_known_however_its_id_is_written(written: str) -> None:
    x = scenario()
    x.say("ir-ndmo", "RequestResource", "IR-1", item("1", 7, code=BOOM), incident=written)

    assert int(line(board(x.entries)).figures["asked"].amount) == 2007
