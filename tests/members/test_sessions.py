"""A session ends by itself: some time after its last use, and after its beginning in any case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.errors import Rejected
from hub.log.store import Log
from hub.members import accounts
from hub.members.sessions import Sessions, csrf_of, listed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=3)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now.timestamp()

    def turn(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    accounts.add(log, name="reza", person="Reza", roles=("auditor",), state="IR", now=NOW)
    yield log
    log.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(log: Log, clock: Clock) -> Sessions:
    return Sessions(log, idle=IDLE, lifetime=LIFETIME, clock=clock)


def opened(log: Log, door: Sessions) -> str:
    with log.writing() as c:
        return door.open(c, "reza", way="password", address="192.0.2.1", agent="Fire\x1bfox")


def lives(door: Sessions, key: str) -> bool:
    try:
        door.whose(key)
    except Rejected as e:
        return e.code != "session-ended"
    return True


def test_it_ends_some_time_after_its_last_use(log: Log, door: Sessions, clock: Clock) -> None:
    key = opened(log, door)
    for _ in range(4):
        clock.turn(IDLE - timedelta(seconds=1))
        assert lives(door, key)

    clock.turn(IDLE)

    assert not lives(door, key)
    assert listed(log, "reza", now=clock.now, idle=IDLE) == []


def test_it_ends_after_its_beginning_however_busy(log: Log, door: Sessions, clock: Clock) -> None:
    key = opened(log, door)
    while clock.now < NOW + LIFETIME - timedelta(minutes=20):
        clock.turn(timedelta(minutes=20))
        assert lives(door, key) is (clock.now < NOW + LIFETIME)

    clock.turn(timedelta(minutes=20))
    assert not lives(door, key)


def test_its_use_is_known_to_other_processes_within_a_minute(
    log: Log, door: Sessions, clock: Clock
) -> None:
    key = opened(log, door)
    other = Sessions(log, idle=IDLE, lifetime=LIFETIME, clock=clock)
    clock.turn(IDLE - timedelta(minutes=1))
    assert lives(door, key)

    door.note_use()
    clock.turn(timedelta(minutes=2))

    assert lives(other, key)


def test_another_process_ends_it_within_seconds(log: Log, door: Sessions, clock: Clock) -> None:
    key = opened(log, door)
    handle = door.whose(key)[1].handle
    other = Sessions(log, idle=IDLE, lifetime=LIFETIME, clock=clock)
    assert lives(other, key)

    assert door.end(handle, account="reza")
    assert not lives(door, key)
    clock.turn(timedelta(seconds=6))

    assert not lives(other, key)


def test_only_the_key_opens_it(log: Log, door: Sessions) -> None:
    key = opened(log, door)
    handle = key.split("_")[1]

    for wrong in ("", handle, key[:-1] + ("A" if key[-1] != "A" else "B"), csrf_of(key)):
        assert not lives(door, wrong)
    assert lives(door, key)
    with log.reading() as c:
        kept = str(c.exec_driver_sql("SELECT * FROM sessions").all())
    assert key.split("_", 2)[2] not in kept
    assert "\x1b" not in kept


def test_whose_it_is_follows_the_account(log: Log, door: Sessions, clock: Clock) -> None:
    key = opened(log, door)
    who = door.whose(key)[0]
    assert (who.role, who.state, who.person, who.account) == ("auditor", "IR", "Reza", "reza")
    assert not who.sees_all

    accounts.disable(log, "reza", now=clock.now)
    clock.turn(timedelta(seconds=6))

    assert not lives(door, key)
