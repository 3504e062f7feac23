"""What persons do is logged once, under their name, and nothing but what an action may say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_strategies import Model

from hub.core.actions import ACTIONS, action_of
from hub.core.candidate import Candidate
from hub.core.merkle import EMPTY, extend
from hub.log.store import Head, LogRow
from hub.log.verify import verify
from schemas.entry import decode, encode
from schemas.errors import Rejected

ABOUT = {"token": "abcd2345", "roles": ["agency"], "agency": "az-fhn", "at": "2026-11-23T14:00:00Z"}


def action(key: str = "1", **given: Any) -> Candidate:
    body = {"action": "token-issued", "about": ABOUT, **given}
    return Candidate("action", "az-fhn", inbox=f"action/{key}", person="Leyla Aliyeva", body=body)


def test_an_action_is_logged_once_in_the_persons_name() -> None:
    model = Model()
    first = model.commit([action()]).outcomes[0]
    again = model.commit([action(), action("2")]).outcomes
    entry = decode(model.entries[first.index].body)

    assert (again[0].duplicate, again[0].index, again[1].duplicate) == (True, first.index, False)
    assert (entry["kind"], entry["agency"], entry["by"]) == ("action", "az-fhn", "Leyla Aliyeva")
    assert (entry["action"], entry["about"]) == ("token-issued", ABOUT)


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_has_a_name_of_its_own(name: str) -> None:
    assert action_of({"action": name, "about": {}}) == {"action": name, "about": {}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "published", "about": {}},
        {"action": ["token-issued"], "about": {}},
        {"action": "token-issued"},
        {"action": "token-issued", "about": []},
        {"action": "token-issued", "about": {"secret": "x"}},
        {"action": "token-issued", "about": {"token": 7}},
        {"action": "token-issued", "about": {"token": "x" * 301}},
        {"action": "token-issued", "about": {"token": "a\x00"}},
        {"action": "token-issued", "about": {"roles": "agency"}},
        {"action": "token-issued", "about": {"roles": [1]}},
        {"action": "token-issued", "about": {"scopes": ["x"] * 21}},
        {"action": "dead-letter-retried", "about": {"index": "7"}},
        {"action": "dead-letter-retried", "about": {"index": True}},
        {"action": "dead-letter-retried", "about": {"index": -1}},
    ],
)
def test_what_is_no_action_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="action-invalid"):
        action_of(body)
    outcome = Model().commit([replace(action(), body=body)]).outcomes[0]
    assert outcome.refusal is not None
    assert outcome.refusal.code == "action-invalid"


def test_whoever_reads_the_log_decides_an_action_again() -> None:
    model = Model()
    model.commit([action()])
    assert _fault(model.rows()) is None
    (row,) = [r for r in model.rows() if r.kind == "action"]
    told = {k: v for k, v in row.entry.items() if k not in {"v", "kind", "at", "agency"}}
    for altered in ({**told, "action": "made-up"}, {**told, "secret": "x"}):
        body = encode("action", row.at_us, row.agency, altered)
        rows = [replace(r, body=body) if r.kind == "action" else r for r in model.rows()]
        fault = _fault(rows)
        assert fault is not None
        assert fault.startswith(f"entry {row.index}: decision")


def _fault(rows: list[LogRow]) -> str | None:
    frontier = extend(EMPTY, [r.body for r in rows])
    fault = verify(rows, Head(frontier.size, rows[-1].at_us, frontier)).fault
    return None if fault is None else str(fault)
