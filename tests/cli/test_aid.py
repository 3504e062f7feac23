"""``caspian aid board``: what is asked for, promised and missing, in a table and for programs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.rm import write_aid
from tests.cli.hub import Hub

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from aid_messages import BOOM, aid_message, item

INCIDENT = "AC-2026-000021-AZE"


@pytest.fixture(scope="module")
def indexes(hub: Hub) -> list[int]:
    """Publish a request for boom and two answers to it; give their log indexes."""
    sent = datetime.now(UTC)
    kind = "ResponseToRequestResource"
    messages = [
        ("az-fhn", "RequestResource", "CLI-1", item("1", 2000, code=BOOM), ""),
        ("ir-ndmo", kind, "CLI-2", item("a", 1200, answers="1", code=BOOM), "CLI-1"),
        ("ir-ndmo", "CommitResource", "CLI-3", item("1", 700, answers="a"), "CLI-2"),
    ]
    found = []
    for agency, sort, name, one, answers in messages:
        message = aid_message(
            sort, name, [one], agency=agency, answers=answers, incident=INCIDENT, sent=sent
        )
        done = hub.caspian("publish", "-", "--json", who=agency, stdin=write_aid(message))
        assert done.returncode == 0, done.stderr
        found.append(int(json.loads(done.stdout)["receipt"]["index"]))
    return found


def test_a_table_shows_each_figure_with_the_messages_behind_it(
    hub: Hub, indexes: list[int]
) -> None:
    ask, offer, promise = indexes

    done = hub.caspian("aid", "board", "--incident", INCIDENT, who="az-fhn")

    assert done.returncode == 0, done.stderr
    title, columns, every, state = done.stdout.splitlines()
    assert title == INCIDENT
    assert columns.split()[:4] == ["RESOURCE", "UNIT", "STATE", "ASKED"]
    assert every.split("  ")[0] == "boom offshore"
    for shown in (
        f"2,000 #{ask}",
        f"1,200 #{offer}",
        f"700 #{promise}",
        f"1,300 #{ask} #{promise}",
    ):
        assert shown in every
    assert state.split()[0] == "IR"
    assert f"2,000 #{ask}" not in state


def test_programs_get_json(hub: Hub, indexes: list[int]) -> None:
    done = hub.caspian("aid", "board", "--incident", INCIDENT, "--json", who="auditor")

    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert found["incident"] == INCIDENT
    assert found["lines"][0]["gap"] == {"amount": "1300", "messages": [indexes[0], indexes[2]]}


def test_a_board_can_be_that_of_one_state(hub: Hub, indexes: list[int]) -> None:
    assert indexes

    ir = hub.caspian("aid", "board", "--incident", INCIDENT, "--state", "ir", who="az-fhn")
    ru = hub.caspian("aid", "board", "--incident", INCIDENT, "--state", "RU", who="az-fhn")

    assert "boom offshore" in ir.stdout
    assert (ru.returncode, ru.stdout) == (0, "")
    assert "no aid messages" in ru.stderr


def test_a_recall_is_not_shown_as_new_aid(hub: Hub) -> None:
    """It bears all that it takes back: who reads only the type would take it for an offer."""
    incident, sent = "AC-2026-000022-AZE", datetime.now(UTC)
    kind, offered = "OfferUnsolicitedResource", [item("a", 5, code=BOOM)]
    for name, recalls in (("CLI-9", ""), ("CLI-10", "CLI-9")):
        message = aid_message(
            kind,
            name,
            offered,
            agency="ir-ndmo",
            recalls=recalls,
            recall="Cancel",
            incident=incident,
            sent=sent,
        )
        done = hub.caspian("publish", "-", "--json", who="ir-ndmo", stdin=write_aid(message))
        assert done.returncode == 0, done.stderr
    index = json.loads(done.stdout)["receipt"]["index"]

    shown = hub.caspian("show", str(index), who="az-fhn")
    listed = hub.caspian("log", "ls", "--from", str(index), "--to", str(index))

    for done in (shown, listed):
        assert f"taken back: {kind}" in done.stdout, (done.stdout, done.stderr)
