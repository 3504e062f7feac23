"""Persons and systems are kept alike in SQLite and PostgreSQL, also where many act at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from hub.errors import HubError, Rejected
from hub.log.store import Log
from hub.members import accounts, actions, attempts, credentials
from hub.members.sessions import Sessions, end, listed
from tests.log.samples import Writer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    """Act from that many threads in the same moment; return what came of each."""
    start = Barrier(times)

    def one() -> Any:
        start.wait()
        try:
            return act()
        except HubError as e:
            return e.code

    with ThreadPoolExecutor(times) as pool:
        return [f.result() for f in [pool.submit(one) for _ in range(times)]]


@pytest.fixture
def reza(log: Log) -> str:
    accounts.add(log, name="reza", person="Reza", roles=("officer",), agency="ir-ndmo", now=NOW)
    return "reza"


def test_attempts_at_once_are_as_many_failures(log: Log) -> None:
    found = at_once(
        10, lambda: attempts.begin(log, name="reza", address="192.0.2.1", now=NOW) and "through"
    )

    assert found.count("through") == 5
    assert found.count("locked") == 5


def test_a_step_and_a_recovery_code_are_used_once_by_whoever_is_first(log: Log, reza: str) -> None:
    given = accounts.set_totp(log, reza, issuer="test", now=NOW)

    def take_step() -> bool:
        with log.writing() as c:
            return accounts.take_step(c, reza, 7)

    def take_code() -> bool:
        with log.writing() as c:
            return accounts.take_recovery_code(c, reza, given.recovery_codes[0])

    assert sorted(at_once(6, take_step)) == [False] * 5 + [True]
    assert sorted(at_once(6, take_code)) == [False] * 5 + [True]


def test_an_account_is_one_name_and_one_person_of_a_sign_on(log: Log) -> None:
    def add(name: str, issuer: str = "", subject: str = "") -> None:
        accounts.add(
            log,
            name=name,
            person="P",
            roles=("auditor",),
            state="IR",
            issuer=issuer,
            subject=subject,
            now=NOW,
        )

    add("one", "https://x.example", "s")
    add("two", "https://y.example", "s")
    add("three")
    add("four")
    for name, subject in (("one", "t"), ("five", "s")):
        with pytest.raises(Rejected, match="account-exists"):
            add(name, "https://x.example", subject)
    assert [a.name for a in accounts.listed(log)] == ["four", "one", "three", "two"]


def test_a_session_is_opened_used_and_ended(log: Log, reza: str) -> None:
    door = Sessions(log, idle=HOUR, lifetime=HOUR, clock=NOW.timestamp)
    with log.writing() as c:
        key = door.open(c, reza, way="password", address="2001:db8::1", agent="x")
    later = Sessions(log, idle=HOUR, lifetime=HOUR, clock=(NOW + timedelta(minutes=9)).timestamp)
    session = later.whose(key)[1]
    later.note_use()

    (found,) = listed(log, reza, now=NOW, idle=HOUR)
    assert found.seen - found.created == timedelta(minutes=9)
    assert accounts.found(log, reza).signed_in == NOW
    with log.reading() as c:
        assert list(attempts.known_addresses(c, reza, now=NOW)) == ["2001:db8::/64"]
    assert end(log, session.handle, account=reza, now=NOW)
    assert not end(log, session.handle, account=reza, now=NOW)
    assert listed(log, reza, now=NOW, idle=HOUR) == []


def test_a_token_remembers_its_last_use(log: Log) -> None:
    token = credentials.issue(log, role="auditor", expires=None, now=NOW)
    door = credentials.Authenticator(log, clock=NOW.timestamp)
    door.principal(token)
    door.note_use()
    door.note_use()

    (one,) = credentials.listed(log)
    assert one.used == NOW


def test_what_was_done_waits_beside_the_log_until_the_log_has_it(log: Log) -> None:
    w = Writer(log).begin("ir-ndmo")
    credentials.issue(log, role="auditor", state="IR", expires=None, now=NOW, by="Leyla")
    credentials.issue(log, role="auditor", expires=None, now=NOW)  # nobody is named
    accounts.add(
        log, name="nima", person="Nima", roles=("officer",), agency="ir-ndmo", now=NOW, by="Leyla"
    )
    accounts.disable(log, "nima", now=NOW + HOUR, by="Leyla")
    first = actions.waiting(log)
    assert [c.body["action"] for c in first][-1] == "account-disabled"
    assert sorted(c.body["action"] for c in first[:2]) == ["account-added", "token-issued"]
    assert {c.person for c in first} == {"Leyla"}
    assert actions.done(log, first) == first

    w.commit(first[:2])
    w.commit(first[:2])  # passed on once more after a crash

    assert actions.done(log, first) == first[2:]
    assert actions.waiting(log) == first[2:]
    assert sum(r.kind == "action" for r in log.rows()) == 2


def test_what_could_not_be_done_is_not_noted(log: Log, reza: str) -> None:
    for refused in (
        lambda: accounts.add(
            log, name=reza, person="R", roles=("officer",), agency="ir-x", now=NOW, by="L"
        ),
        lambda: credentials.revoke(log, "abcd2345", now=NOW, by="L"),
        lambda: accounts.disable(log, "nobody", now=NOW, by="L"),
    ):
        with pytest.raises(Rejected):
            refused()

    assert actions.waiting(log) == []
