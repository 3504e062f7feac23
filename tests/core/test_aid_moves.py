"""Which moves in an exchange of aid are refused, and that nothing else bears on it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from hub.core.aid import AidEntry, board
from hub.core.aid_deals import deals_of
from hub.core.aid_moves import AidIndex, check_move
from schemas.errors import Rejected

sys.path.insert(0, str(Path(__file__).parent))
from aid_messages import BEGAN, BOOM, Exchange, item
from test_aid import exchanges, plain, scenario

REPORT = "ReportResourceDeploymentStatus"
HOUR = timedelta(hours=1)


def admitted(entries: Sequence[AidEntry]) -> list[AidEntry]:
    """Return the messages that pass, each held against those that passed before it."""
    passed: list[AidEntry] = []
    for entry in entries:
        try:
            check_move(entry, AidIndex(passed).around(entry))
        except Rejected:
            continue
        passed.append(entry)
    return passed


def refusal(x: Exchange) -> str:
    """Return the code that the last message is refused with; empty where it passes."""
    *before, last = x.entries
    assert admitted(before) == before
    try:
        check_move(last, AidIndex(before).around(last))
    except Rejected as e:
        return e.code if e.detail and e.remedy else "says too little"
    return ""


def after(agency: str, kind: str, *items: Any, through: int = 12, **given: Any) -> str:
    """Return what becomes of one more message after so many of the scenario."""
    x = Exchange(scenario().entries[:through])
    x.say(agency, kind, given.pop("name", "NEW"), *items, **given)
    return refusal(x)


def test_the_whole_scenario_passes() -> None:
    assert admitted(scenario().entries) == scenario().entries


def accept(agency: str, answers: str, number: str, amount: int | None = None, **given: Any) -> str:
    one = item("1", amount, answers=number)
    return after(agency, "AidOfferResponse", one, answers=answers, **given)


def test_an_offer_of_ones_own_cannot_be_accepted_or_ordered() -> None:
    assert accept("tm-emergency", "TM-2", "v") == "own-offer"
    assert accept("kz-mes", "KZ-1", "a") == "own-offer"
    order = item("v", 1, code="vessel-recovery", unit="C62")
    assert after("tm-emergency", "RequisitionResource", order, answers="TM-2") == "own-offer"
    assert accept("az-fhn", "TM-2", "v") == ""


def test_an_answer_to_a_request_is_accepted_by_who_asked() -> None:
    assert accept("ir-ndmo", "TM-1", "b") == "not-your-answer"
    order = item("b", 10, code=BOOM)
    assert after("ir-ndmo", "RequisitionResource", order, answers="TM-1") == "not-your-answer"
    assert accept("az-fhn", "TM-1", "b") == ""
    assert accept("ir-ndmo", "TM-2", "v") == ""  # nobody asked for it: anybody may take it


def test_only_items_that_exist_can_be_answered() -> None:
    assert accept("az-fhn", "TM-1", "no-such") == "unknown-item"
    assert accept("az-fhn", "NO-SUCH", "1") == "unknown-item"
    assert accept("az-fhn", "REQ", "1") == "unknown-item"  # no offer
    offer = item("a", 1, answers="2", code=BOOM)
    kind = "ResponseToRequestResource"
    assert after("ir-ndmo", kind, offer, answers="REQ") == "unknown-item"


def test_an_offer_that_was_taken_back_cannot_be_accepted_but_declined() -> None:
    assert accept("az-fhn", "RU-1", "r", through=11) == ""
    assert accept("az-fhn", "RU-1", "r") == "unknown-item"
    no = item("1", answers="r", response="Decline")
    assert after("az-fhn", "AidOfferResponse", no, answers="RU-1") == ""


def test_a_message_that_the_log_does_not_hold_may_be_referred_to() -> None:
    """The exchange began by telephone, or the answer has overtaken the question."""
    offer, promise = item("a", 5, answers="1", code=BOOM), item("1", 5, answers="1")

    assert after("ir-ndmo", "ResponseToRequestResource", offer, answers="FAX-7") == ""
    assert after("ir-ndmo", "CommitResource", promise, answers="FAX-8") == ""
    assert after("ir-ndmo", REPORT, item("1", 5), answers="FAX-8") == ""


@pytest.mark.parametrize(
    ("agency", "number", "amount", "code"),
    [
        ("az-fhn", "b", 500, ""),
        ("az-fhn", "b", 501, "more-than-offered"),
        ("az-fhn", "b", None, ""),
    ],
)
def test_no_more_is_accepted_than_is_offered(
    agency: str, number: str, amount: int | None, code: str
) -> None:
    assert accept(agency, "TM-1", number, amount) == code


def test_several_acceptances_together_are_no_more_than_the_offer() -> None:
    x = Exchange(scenario().entries[:5])
    x.say("az-fhn", "AidOfferResponse", "A", item("1", 300, answers="r"), answers="RU-1")
    x.say("ir-ndmo", "AidOfferResponse", "B", item("1", 101, answers="r"), answers="RU-1")
    assert refusal(x) == "more-than-offered"


def commit(amount: int, **given: Any) -> str:
    one = item("1", amount, answers=given.pop("number", "1"), unit=given.pop("unit", "MTR"))
    return after(given.pop("agency", "kz-mes"), "CommitResource", one, **given)


def test_no_more_is_committed_than_is_offered() -> None:
    assert commit(1200, answers="AZ-1", through=7) == ""
    assert commit(1201, answers="AZ-1", through=7) == "more-than-offered"
    assert commit(1201, answers="KZ-1", number="a", through=5) == "more-than-offered"
    assert commit(1201, answers="REQ", through=5) == "more-than-offered"  # it has offered 1200
    assert commit(1, answers="AZ-1") == "more-than-offered"  # all of it is committed


def test_no_more_is_committed_than_is_accepted() -> None:
    x = Exchange(scenario().entries[:5])
    x.say("az-fhn", "AidOfferResponse", "A", item("1", 700, answers="a"), answers="KZ-1")
    x.say("kz-mes", "CommitResource", "C", item("1", 701, answers="1"), answers="A")
    assert refusal(x) == "more-than-offered"


def test_who_never_offered_may_commit_what_was_asked_for() -> None:
    assert commit(900, agency="ir-ndmo", answers="REQ") == ""


def test_another_unit_is_not_compared() -> None:
    assert commit(9000, answers="AZ-1", unit="FOT", through=7) == ""


def test_a_promise_can_be_lowered_where_it_is_too_high_already() -> None:
    x = Exchange(scenario().entries[:8])
    less = item("a", 500, answers="1", code=BOOM)
    given = {"answers": "REQ", "recalls": "KZ-1"}
    x.say("kz-mes", "ResponseToRequestResource", "KZ-1b", less, **given)
    lower = {"answers": "AZ-1", "recalls": "KZ-2"}
    x.say("kz-mes", "CommitResource", "KZ-2b", item("1", 800, answers="1"), **lower)
    assert refusal(x) == ""
    higher = {"answers": "AZ-1", "recalls": "KZ-2b"}
    x.say("kz-mes", "CommitResource", "KZ-2c", item("1", 801, answers="1"), **higher)
    assert refusal(x) == "more-than-offered"


def test_nobody_commits_what_another_has_offered() -> None:
    assert commit(10, agency="tm-emergency", answers="AZ-1", through=7) == "not-your-answer"
    assert commit(10, agency="kz-hydromet", answers="AZ-1", through=7) == "not-your-answer"


def test_only_who_gives_or_gets_says_where_it_is() -> None:
    given = {"answers": "KZ-2", "thread": "REQ"}
    came = item("1", ActualArrival=BEGAN + 9 * HOUR)

    assert after("ir-ndmo", REPORT, came, **given) == "not-your-answer"
    assert after("ru-mchs", "ReleaseResource", item("1", 1), **given) == "not-your-answer"
    for agency in ("kz-hydromet", "kz-mes", "az-fhn"):
        assert after(agency, REPORT, came, **given) == ""


def test_nobody_takes_back_the_message_of_another() -> None:
    given = {"recalls": "KZ-1", "answers": "REQ"}
    one = item("a", 1, answers="1", code=BOOM)
    for recall in ("Update", "Cancel"):
        kind = "ResponseToRequestResource"
        assert after("kz-hydromet", kind, one, recall=recall, **given) == "not-your-message"
        assert after("kz-mes", kind, one, recall=recall, **given) == ""


def test_an_id_stands_for_one_message() -> None:
    """Else an answer to one agency could be taken for an answer to another."""
    ask = item("1", 5, code=BOOM)

    assert after("ir-ndmo", "RequestResource", ask, name="KZ-1") == "id-taken"


def test_an_exercise_does_not_answer_what_is_real() -> None:
    assert accept("az-fhn", "TM-2", "v", incident="EXERCISE spring") == "other-status"
    vessel = item("v", 1, code="vessel-recovery", unit="C62")
    given = {"recalls": "TM-2", "recall": "Cancel", "incident": "EXERCISE spring"}
    kind = "OfferUnsolicitedResource"
    assert after("tm-emergency", kind, vessel, **given) == "other-status"


@given(exchanges())
def test_only_what_hangs_together_bears_on_a_decision(entries: list[AidEntry]) -> None:
    """So the store need find no more, and a verifier who knows everything decides the same."""
    *before, last = admitted(entries) or entries
    outcomes = []
    for known in (AidIndex(before).around(last), before):
        try:
            check_move(last, known)
            outcomes.append("")
        except Rejected as e:
            outcomes.append(f"{e.code}: {e.detail}")

    assert outcomes[0] == outcomes[1]


@given(exchanges())
def test_what_is_admitted_is_never_more_than_is_offered(entries: list[AidEntry]) -> None:
    """Where nothing was changed afterwards, and nothing ordered before it was offered."""
    plainly = [e for e in entries if not e.aid.recall and e.facts.msg_type != "RequisitionResource"]
    for deal in deals_of(admitted(plainly)).values():
        assert deal.total("accepted", "MTR") <= deal.total("offered", "MTR")


@given(exchanges())
def test_a_message_that_came_twice_is_known(entries: list[AidEntry]) -> None:
    passed = admitted(entries)

    assert plain(board([*passed, *passed])) == plain(board(passed))


def test_reports_that_nobody_refers_to_bear_on_nothing() -> None:
    """There may be thousands of them, and the ledger has other messages to decide."""
    x = scenario()
    for number in range(50):
        x.say("kz-mes", REPORT, f"S-{number}", item("1"), answers="KZ-2", thread="REQ")
    *before, last = x.entries

    found = AidIndex(before).around(last)

    assert [e.index for e in found] == [0, 1, 2, 5, 7]
