"""What payloads go by age: decided from the log alone, once, and never of what is held."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.admission import Decision, Rules, decide
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.registry import Registry
from schemas.entry import MAX_ENTRY_BYTES, decode, micros, rfc3339
from tests.log.samples import BEGAN, alert, member, named

DAY = timedelta(days=1)
HOLDS = {"held": {"message": 1}, "incident": {"incident": "oil-7"}}


class Log:
    """A log in memory whose clock the test turns."""

    def __init__(self) -> None:
        self.registry = Registry(origin="test.example/log")
        self.known = Known()
        self.entries: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.now = BEGAN
        self.at_us = micros(BEGAN)
        self.take(member("az-fhn"))

    def take(self, *batch: Candidate) -> list[Decision]:
        found = decide(
            batch,
            size=len(self.entries),
            last_at_us=self.at_us,
            now_us=micros(self.now),
            registry=self.registry,
            known=self.known,
            rules=Rules(),
        )
        for entry in found.entries:
            decoded = decode(entry.body)
            self.registry = self.registry.apply(len(self.entries), decoded)
            self.entries.append(decoded)
            self.sizes.append(len(entry.body))
            self.at_us = entry.at_us
        return list(found.outcomes)

    def retire(self, *messages: int, days: float = 7, times: int = 1) -> list[list[int]]:
        """Propose with a policy of so many days; return what the new entries name."""
        before = rfc3339(micros(self.now - days * DAY))
        one = Candidate("retirement", "", body={"messages": list(messages), "before": before})
        start = len(self.entries)
        self.take(*[one] * times)
        return [e["messages"] for e in self.entries[start:] if e["kind"] == "retirement"]


def hold(**of: Any) -> Candidate:
    return Candidate("hold", "", body={"state": "AZ", "reason": "case 7", **of})


@pytest.fixture
def log() -> Log:
    log = Log()
    log.take(alert("az-fhn", "a-1", incidents="Oil-7"), alert("az-fhn", "a-2"))  # 1, 2
    return log


@given(
    age=st.floats(0, 30),
    days=st.floats(0, 30),
    held=st.sampled_from(["", "held", "incident"]),
    times=st.integers(1, 3),
)
def test_what_is_held_or_in_force_never_goes(
    age: float, days: float, held: str, times: int
) -> None:
    log = Log()
    log.take(alert("az-fhn", "a-1", incidents="Oil-7"))
    if held:
        log.take(hold(**HOLDS[held]))
    log.now = BEGAN + age * DAY
    gone = log.retire(1, days=days, times=times)

    if held or age < max(days, 1.0) or age <= 0.25:
        assert gone == []
    elif age > max(days, 1.0) + 0.001:
        assert gone == [[1]]


def test_what_is_proposed_twice_is_logged_once(log: Log) -> None:
    log.now += 8 * DAY

    assert log.retire(1, 1, 2, 99, times=2) == [[1, 2]]
    assert log.retire(1, 2) == []


def test_what_was_redacted_is_not_retired_and_what_was_retired_not_redacted(log: Log) -> None:
    order = {"agency": "az-fhn", "message": 1, "grounds": "order 7"}
    log.take(Candidate("redaction", "", body=order))
    log.now += 8 * DAY

    assert log.retire(1, 2) == [[2]]
    again = log.take(Candidate("redaction", "", body={**order, "message": 2}))
    assert again[0].duplicate


def test_what_is_released_goes(log: Log) -> None:
    log.take(hold(message=1))
    log.now += 8 * DAY
    assert log.retire(1) == []

    log.take(Candidate("release", "", body={"state": "AZ", "hold": 3, "reason": "closed"}))
    assert log.retire(1) == [[1]]


@pytest.mark.parametrize(
    ("later", "goes"),
    [
        ({}, False),
        ({"msg_type": "Cancel"}, True),
        ({"msg_type": "Update", "sent": BEGAN + timedelta(minutes=1)}, True),
        ({"msg_type": "Update"}, False),
        ({"msg_type": "Cancel", "status": "Exercise"}, False),
        ({"msg_type": "Alert"}, False),
    ],
)
def test_an_alert_that_never_expires_goes_once_its_agency_ended_it(
    later: dict[str, Any], *, goes: bool
) -> None:
    log = Log()
    lasting = alert("az-fhn", "a-1")
    assert lasting.facts is not None
    facts = lasting.facts.model_copy(update={"expires": None})
    log.now += timedelta(minutes=2)
    log.take(Candidate("publish", "az-fhn", payload=lasting.payload, facts=facts))
    if later:
        log.take(alert("az-fhn", "a-2", references=named("a-1"), **later))
    log.now += 8 * DAY

    assert log.retire(1) == ([[1]] if goes else [])


def test_an_entry_is_never_too_long() -> None:
    log = Log()
    log.take(
        *[
            alert("az-fhn", f"{n}-{'x' * 150}", incidents=f"{n}{'y' * 300}", restriction="z" * 200)
            for n in range(220)
        ]
    )
    log.now += 8 * DAY
    gone = log.retire(*range(1, 221)) + log.retire(*range(1, 221))

    assert max(log.sizes) < MAX_ENTRY_BYTES
    assert 1 < len(gone[0]) < 200
    assert list(chain(*gone)) == list(range(1, 1 + len(gone[0]) + len(gone[1])))
