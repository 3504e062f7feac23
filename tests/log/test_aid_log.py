"""Aid messages in a store: illegal moves are refused, and verification decides the same again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aid_samples import aid, request
from samples import Writer, alert
from sqlalchemy import event

from hub.core.admission import Decisions
from hub.core.aid import AidEntry, board
from hub.core.candidate import Candidate
from hub.log.projections import read_logged, rebuild
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.verify import verify, verify_store

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from aid_messages import BOOM, item
from test_aid import plain

AGENCIES = ("az-fhn", "ir-ndmo", "kz-mes", "ru-mchs", "tm-emergency")
FIRST = 1 + len(AGENCIES)
"""The index of the first message."""


def exchange() -> list[Candidate]:
    """Return a request, an answer, its acceptance, a commitment; and what is refused of each."""
    offer = item("a", 1200, answers="1", code=BOOM)
    given = {"answers": "REQ"}
    kind = "ResponseToRequestResource"
    return [
        request("az-fhn", "REQ"),
        aid("kz-mes", kind, "KZ-1", offer, **given),
        aid("tm-emergency", kind, "KZ-1", offer, **given),
        aid("ir-ndmo", kind, "IR-1", item("a", 1, answers="9", code=BOOM), **given),
        aid("kz-mes", "AidOfferResponse", "KZ-2", item("1", answers="a"), answers="KZ-1"),
        aid("ir-ndmo", "AidOfferResponse", "IR-2", item("1", answers="a"), answers="KZ-1"),
        aid("az-fhn", "AidOfferResponse", "AZ-1", item("1", answers="a"), answers="KZ-1"),
        aid("kz-mes", "CommitResource", "KZ-3", item("1", 1201, answers="1"), answers="AZ-1"),
        aid("kz-mes", "CommitResource", "KZ-4", item("1", 1200, answers="1"), answers="AZ-1"),
        aid("ir-ndmo", kind, "IR-3", offer, recalls="KZ-1", recall="Cancel", **given),
    ]


REFUSALS = [
    *("", "", "id-taken", "unknown-item", "own-offer"),
    *("not-your-answer", "", "more-than-offered", "", "not-your-message"),
]


def codes(found: Iterable[Decisions]) -> list[str]:
    return [o.refusal.code if o.refusal else "" for d in found for o in d.outcomes]


def shown(log: Log) -> Any:
    return plain(board(AidEntry(m.index, m.agency, m.facts) for m in log.aid_messages()))


@pytest.mark.parametrize("lot", [1, 3, 10])
def test_the_same_is_refused_in_whatever_lots_it_comes(log: Log, lot: int) -> None:
    writer = Writer(log).begin(*AGENCIES)
    batch = exchange()

    found = [writer.commit(batch[i : i + lot]) for i in range(0, len(batch), lot)]

    assert codes(found) == REFUSALS
    assert [r.entry["code"] for r in log.rows(kinds=["refusal"])] == [c for c in REFUSALS if c]
    report = verify_store(log, read=read_logged)
    assert report.fault is None
    assert report.messages == 4


def test_the_board_comes_from_the_store_and_comes_back_when_it_is_made_anew(log: Log) -> None:
    Writer(log).begin(*AGENCIES).commit([*exchange(), alert("az-fhn", "a-1")])
    before = shown(log)

    rebuild(log)

    assert shown(log) == before
    [(status, incident, *_, figures, _states)] = before
    assert (status, incident) == ("Actual", "AC-2026-000001-AZE")
    assert {s: int(f[0]) for s, f in figures.items() if f[0]} == {
        "asked": 2000,
        "offered": 1200,
        "accepted": 1200,
        "committed": 1200,
    }


def test_who_sends_again_gets_the_first_receipt(sqlite_log: Log) -> None:
    writer = Writer(sqlite_log).begin(*AGENCIES)
    first, again = writer.commit(exchange()[:2]), writer.commit(exchange()[:2])

    assert codes([again]) == ["", ""]
    assert [o.index for o in again.outcomes] == [o.index for o in first.outcomes]


@pytest.mark.parametrize("which", [i for i, code in enumerate(REFUSALS) if code])
def test_a_hub_that_let_an_illegal_move_pass_is_found_out(
    sqlite_log: Log, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    writer = Writer(sqlite_log).begin(*AGENCIES)
    batch = exchange()
    writer.commit([c for c, code in zip(batch[:which], REFUSALS, strict=False) if not code])
    with monkeypatch.context() as patch:
        patch.setattr("hub.core.admission.check_move", lambda *_: None)
        assert codes([writer.commit([batch[which]])]) == [""]

    report = verify_store(sqlite_log, read=read_logged)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (sqlite_log.head().size - 1, "decision")
    assert REFUSALS[which] in report.fault.detail or "refused" in report.fault.detail


def test_where_a_payload_is_withheld_what_depends_on_it_is_not_decided_again(
    sqlite_log: Log,
) -> None:
    Writer(sqlite_log).begin(*AGENCIES).commit(exchange())
    rows = [replace(r, payload=None) if r.index == FIRST + 1 else r for r in scan(sqlite_log)]

    report = verify(rows, sqlite_log.head(), payloads_required=False, read=read_logged)

    assert report.fault is None
    assert (report.messages, report.withheld) == (4, 1)


def test_alerts_ask_nothing_about_aid(sqlite_log: Log) -> None:
    writer = Writer(sqlite_log).begin(*AGENCIES)
    asked: list[str] = []

    def on_statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(sqlite_log.engine, "before_cursor_execute", on_statement)
    writer.commit([alert("az-fhn", "a-1")])
    assert not [s for s in asked if "FROM aid" in s or "INTO aid" in s]
    writer.commit(exchange()[:1])

    assert [s for s in asked if "FROM aid" in s]


@pytest.mark.parametrize("name", ["A" * 1001, "Ә" * 501])
def test_a_name_that_no_index_can_hold_is_refused(log: Log, name: str) -> None:
    writer = Writer(log).begin(*AGENCIES)
    offer = item("a", 1, answers="1", code=BOOM)
    kind = "ResponseToRequestResource"

    found = writer.commit(
        [
            aid("kz-mes", kind, "KZ-1", offer, answers=name),
            aid("kz-mes", kind, "KZ-2", offer, answers="REQ", recalls=name),
            aid("kz-mes", kind, "KZ-3", offer, answers="A" * 1000),
        ]
    )

    assert codes([found]) == ["identifier-too-long", "identifier-too-long", ""]
