"""Who guesses has to wait; who knows their password, at their own place, never for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from hub.errors import Unavailable
from hub.log.store import Log
from hub.members import attempts
from hub.members.sessions import Sessions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME, HOME, AWAY = "reza", "192.0.2.1", "198.51.100.7"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    yield log
    log.close()


def wait(log: Log, *, name: str = NAME, address: str = AWAY, at: datetime = NOW) -> int:
    """Fail once; return how long one would have had to wait, 0 where it was let through."""
    try:
        attempts.begin(log, name=name, address=address, now=at)
    except Unavailable as e:
        return e.retry_after_s if e.code == "locked" else -1
    return 0


def signed_in(log: Log, address: str) -> None:
    door = Sessions(log, idle=timedelta(hours=1), lifetime=timedelta(hours=1), clock=NOW.timestamp)
    with log.writing() as c:
        door.open(c, NAME, way="password", address=address, agent="")


def test_the_delay_doubles_up_to_a_bound(log: Log) -> None:
    assert [wait(log) for _ in range(5)] == [0] * 5
    at, waits = NOW, []
    for _ in range(12):
        waits.append(wait(log, at=at))
        at += timedelta(seconds=waits[-1])
        assert wait(log, at=at) == 0

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_while_it_runs_nothing_is_counted(log: Log) -> None:
    for _ in range(6):
        wait(log, at=NOW)

    for _ in range(50):
        assert wait(log, at=NOW) == 1
    assert wait(log, at=NOW + timedelta(seconds=1)) == 0


def test_from_many_addresses_a_name_is_delayed_for_half_a_minute_at_most(log: Log) -> None:
    at = NOW
    for n in range(40):
        at += timedelta(seconds=wait(log, address=f"203.0.113.{n}", at=at))
        wait(log, address=f"203.0.113.{n}", at=at)

    assert wait(log, address="203.0.113.99", at=at) == 30
    assert wait(log, name="another", address="203.0.113.99", at=at) == 0


def test_no_stranger_can_hold_somebody_out_of_their_own_place(log: Log) -> None:
    signed_in(log, HOME)
    for n in range(60):
        wait(log, address=f"203.0.113.{n}")
        wait(log, name=f"another{n}", address=HOME)

    assert wait(log, address="203.0.113.99") > 0
    assert wait(log, name="another", address=HOME) > 0
    assert wait(log, address=HOME) == 0


def test_also_at_ones_own_place_guessing_is_slowed_down(log: Log) -> None:
    signed_in(log, HOME)
    at = NOW
    for _ in range(20):
        at += timedelta(seconds=wait(log, address=HOME, at=at))
        wait(log, address=HOME, at=at)

    assert wait(log, address=HOME, at=at) == 60


def test_who_succeeds_begins_anew_and_the_address_does_not(log: Log) -> None:
    for _ in range(4):
        attempts.begin(log, name="other", address=AWAY, now=NOW)
    attempt = attempts.begin(log, name=NAME, address=AWAY, now=NOW)

    attempts.forgive(log, attempt, succeeded=True)

    assert wait(log, name="other") == 0
    assert wait(log, name="other") == 1
    assert [wait(log, address=f"203.0.113.{n}") for n in range(5)] == [0] * 5


def test_it_is_forgotten_after_an_hour(log: Log) -> None:
    for _ in range(9):
        wait(log)

    later = NOW + timedelta(hours=1, seconds=1)

    assert [wait(log, at=later) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_the_operator_can_unlock_a_name(log: Log) -> None:
    for n in range(20):
        wait(log, address=f"203.0.113.{n}")
    assert wait(log, address="203.0.113.99") > 0

    attempts.unlock(log, NAME)

    assert wait(log, address="203.0.113.99") == 0


def test_attempts_at_once_are_as_many_failures(log: Log) -> None:
    start, through = Barrier(12), list[int]()

    def attempt() -> None:
        start.wait()
        through.append(wait(log))

    threads = [Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert through.count(0) == 5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("unix", "unix", True),
    ],
)
def test_a_subscriber_of_ipv6_is_one_address(one: str, other: str, *, same: bool) -> None:
    assert (attempts.network_of(one) == attempts.network_of(other)) is same
