"""Legal holds: what is held cannot be removed, by nobody, until who held it lets it go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hub.core.admission import Decision, Rules, decide
from hub.core.candidate import Candidate
from hub.core.identities import State
from hub.core.known import Known
from hub.core.registry import Registry
from schemas.entry import decode, micros
from tests.keys import key, statement
from tests.log.samples import BEGAN, alert, member


class Log:
    """A log in memory, decided one candidate at a time."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry(origin="test.example/log")
        self.known = Known()
        self.entries: list[dict[str, Any]] = []
        self.at_us = micros(BEGAN)

    def take(self, *batch: Candidate) -> Sequence[Decision]:
        found = decide(
            batch,
            size=len(self.entries),
            last_at_us=self.at_us,
            now_us=self.at_us + 1,
            registry=self.registry,
            known=self.known,
            rules=Rules(),
        )
        for entry in found.entries:
            decoded = decode(entry.body)
            self.registry = self.registry.apply(len(self.entries), decoded)
            self.entries.append(decoded)
            self.at_us = entry.at_us
        return found.outcomes


def hold(**given: Any) -> Candidate:
    record = {"state": "AZ", "reason": "case 7", **given}
    return Candidate("hold", "", body=record)


def release(index: int, **given: Any) -> Candidate:
    return Candidate(
        "release", "", body={"state": "AZ", "hold": index, "reason": "closed", **given}
    )


def redaction(message: int) -> Candidate:
    body = {"agency": "az-fhn", "message": message, "grounds": "court order 7"}
    return Candidate("redaction", "", body=body)


def code(outcome: Decision) -> str:
    return "" if outcome.refusal is None else outcome.refusal.code


@pytest.fixture
def log() -> Log:
    log = Log()
    log.take(member("az-fhn"), member("ir-ndmo"))  # 0, 1
    log.take(alert("az-fhn", "a-1", incidents="Oil-7"), alert("az-fhn", "a-2"))  # 2, 3
    return log


@pytest.mark.parametrize("what", [{"message": 2}, {"incident": "oil-7"}])
def test_what_is_held_is_not_removed_until_it_is_released(log: Log, what: dict[str, Any]) -> None:
    (held,) = log.take(hold(**what))
    assert code(held) == ""

    assert code(log.take(redaction(2))[0]) == "payload-held"
    assert code(log.take(redaction(3))[0]) == ""
    assert code(log.take(release(held.index))[0]) == ""
    assert code(log.take(redaction(2))[0]) == ""


def test_a_hold_on_an_incident_covers_what_comes_later(log: Log) -> None:
    log.take(hold(incident="Oil-7"))
    (later,) = log.take(alert("az-fhn", "a-9", incidents="OIL-7"))

    assert code(log.take(redaction(later.index))[0]) == "payload-held"


def test_of_two_holds_each_must_be_released(log: Log) -> None:
    first, second = log.take(hold(message=2), hold(state="IR", message=2))
    log.take(release(first.index))

    assert code(log.take(redaction(2))[0]) == "payload-held"
    log.take(release(second.index, state="IR"))
    assert code(log.take(redaction(2))[0]) == ""


def test_what_comes_again_is_logged_once(log: Log) -> None:
    first, again = log.take(hold(message=2), hold(message=2))
    assert (again.index, again.duplicate) == (first.index, True)
    ended, twice = log.take(release(first.index), release(first.index))
    assert (twice.index, twice.duplicate) == (ended.index, True)


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (hold(), "statement-invalid"),
        (hold(message=2, incident="x"), "statement-invalid"),
        (hold(message=99), "unknown-message"),
        (hold(state="XX", message=2), "unknown-state"),
        (release(2), "hold-unknown"),
        (release(4, state="IR"), "hold-unknown"),
    ],
)
def test_what_cannot_be_held_or_released_is_refused(
    log: Log, candidate: Candidate, expected: str
) -> None:
    log.take(hold(message=2))  # 4

    assert code(log.take(candidate)[0]) == expected


def test_in_a_signed_log_the_states_authority_signs() -> None:
    states = {s: State(id=s, name=s, authority=str(key(s))) for s in ("AZ", "IR")}
    log = Log(Registry(origin="test.example/log", states=states))
    record = {"state": "AZ", "message": None, "incident": "Oil-7", "reason": "case 7"}

    def signed(kind: Any, told: dict[str, Any], by: str) -> Decision:
        body = statement(log.registry, kind, told, by)
        return log.take(Candidate(kind, "", body=body))[0]

    assert code(log.take(Candidate("hold", "", body=record))[0]) == "statement-required"
    assert code(signed("hold", record, "IR")) == "statement-unsigned"
    made = signed("hold", record, "AZ")
    assert code(made) == ""
    ended = {"state": "AZ", "hold": made.index, "reason": "closed"}
    assert code(signed("release", ended, "IR")) == "statement-unsigned"
    assert code(signed("release", ended, "AZ")) == ""
    assert code(signed("release", ended, "AZ")) == "hold-unknown"


def test_an_export_is_logged_once_however_often_it_comes(log: Log) -> None:
    record = {
        "format": "bundle",
        "first": 0,
        "through": 3,
        "kinds": [],
        "agency": "",
        "payloads": True,
        "entries": 4,
        "sha256": "0" * 64,
        "purpose": "",
    }
    body = {"role": "auditor", "made": "now", "export": record}
    one = Candidate("export", "", body=body, person="Aida")

    first, again, other = log.take(
        one, one, Candidate("export", "", body={**body, "made": "later"}, person="Aida")
    )

    assert (first.index, again.index, other.index) == (4, 4, 5)
    assert log.entries[4]["export"] == record
    assert log.entries[4]["by"] == "Aida"
    far = {**body, "export": {**record, "through": 99}}
    assert code(log.take(Candidate("export", "", body=far))[0]) == "cursor-invalid"
    bad = {**body, "export": {**record, "sha256": "x"}}
    assert code(log.take(Candidate("export", "", body=bad))[0]) == "export-invalid"
