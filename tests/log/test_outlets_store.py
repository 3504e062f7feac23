"""Outlets are kept alike in SQLite and PostgreSQL: one serves each, no old word moves it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from hub.errors import Rejected
from hub.log.store import Log
from hub.outlets import store
from hub.outlets.records import Attempt, Outlet, WebhookTarget
from hub.outlets.store import Progress

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)


def add(log: Log, feed: str = "az-fhn", **given: Any) -> Outlet:
    return store.add(
        log,
        **{
            "feed": feed,
            "target": WebhookTarget(url="https://receiver.example/hook"),
            "secret": "",
            "confirms": False,
            "through": 7,
            "by": "test",
            "now": NOW,
            **given,
        },
    )


def claim(log: Log, holder: str, at: datetime = NOW) -> list[str]:
    return [o.id for o in store.claim(log, "webhook", holder=holder, now=at, lease=LEASE)]


def progress(outlet: Outlet, **given: Any) -> Progress:
    now = Progress(
        id=outlet.id,
        version=outlet.version,
        through=outlet.through,
        place=outlet.place,
        state=outlet.state,
        reason="",
        failures=0,
        failing_since_us=None,
        next_us=0,
        attempts=0,
        delivered_us=None,
    )
    return replace(now, **given)


def test_what_was_added_is_there_with_a_secret_of_its_own(log: Log) -> None:
    one, other = add(log), add(log)

    assert store.find(log, one.id) == one
    assert one.secret != other.secret
    assert one.secret.startswith("whsec_")
    assert one.secret not in repr(one)
    assert {o.id for o in store.listed(log)} == {one.id, other.id}
    assert store.listed(log, kind="mail") == []


def test_of_many_that_claim_at_once_one_serves_each(log: Log) -> None:
    outlets = {add(log, f"az-f{n}").id for n in range(8)}
    start = Barrier(4)

    def one(holder: str) -> list[str]:
        start.wait()
        return claim(log, holder)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, ("a", "b", "c", "d")))

    assert sorted(i for mine in found for i in mine) == sorted(outlets)


def test_another_takes_over_once_nobody_holds_it_any_more(log: Log) -> None:
    outlet = add(log)
    assert claim(log, "one") == [outlet.id]

    assert claim(log, "two", NOW + LEASE / 2) == []
    assert claim(log, "one", NOW + LEASE / 2) == [outlet.id]
    assert claim(log, "two", NOW + LEASE) == [], "it was held anew"
    assert claim(log, "two", NOW + 2 * LEASE) == [outlet.id]
    assert claim(log, "one", NOW + 2 * LEASE) == []
    store.let_go(log, "webhook", holder="two")
    assert claim(log, "one", NOW + 2 * LEASE) == [outlet.id]


def test_who_does_not_hold_an_outlet_moves_no_cursor(log: Log) -> None:
    outlet = add(log)
    claim(log, "one")
    claim(log, "two", NOW + 2 * LEASE)

    assert store.note(log, [progress(outlet, through=9)], holder="one") == set()
    assert store.find(log, outlet.id).through == 7
    assert store.note(log, [progress(outlet, through=9)], holder="two") == {outlet.id}
    assert store.find(log, outlet.id).through == 9


def test_what_a_person_changed_no_older_word_undoes(log: Log) -> None:
    outlet = add(log)
    claim(log, "one")
    store.move(log, outlet.id, 3)
    store.set_state(log, outlet.id, "paused", "paused by P")

    assert store.note(log, [progress(outlet, through=9)], holder="one") == set()
    found = store.find(log, outlet.id)
    assert (found.through, found.state, found.reason) == (3, "paused", "paused by P")


def test_of_attempts_the_latest_are_kept(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT_ATTEMPTS", 3)
    outlet = add(log)
    claim(log, "one")
    made = [Attempt(i, i, 5, ok=True, status=204, detail="", number=i) for i in range(1, 6)]

    for one in made:
        store.note(log, [progress(outlet, attempts=one.number, made=[one])], holder="one")

    assert [a.number for a in store.attempts(log, outlet.id, limit=10)] == [5, 4, 3]
    store.remove(log, outlet.id)
    assert store.attempts(log, outlet.id, limit=10) == []


def test_a_test_is_asked_for_until_it_was_made(log: Log) -> None:
    outlet = add(log)
    claim(log, "one")
    first = store.ask_test(log, outlet.id, now=NOW)
    assert first.test_us is not None

    done = progress(first, tested_us=first.test_us)
    assert store.note(log, [done], holder="one") == {outlet.id}
    assert store.find(log, outlet.id).test_us is None


def test_two_secrets_sign_for_a_day(log: Log) -> None:
    outlet = add(log)
    rotated = store.rotate(log, outlet.id, now=NOW)
    now_us = int(NOW.timestamp() * 1_000_000)
    later_us = now_us + int(store.ROTATION.total_seconds() * 1_000_000)

    assert rotated.secrets_at(now_us) == (rotated.secret, outlet.secret)
    assert rotated.secrets_at(later_us) == (rotated.secret,)


@pytest.mark.parametrize("act", [store.find, store.rotate, store.ask_test, store.move])
def test_what_is_not_there_is_refused(log: Log, act: Any) -> None:
    given = {store.rotate: {"now": NOW}, store.ask_test: {"now": NOW}, store.move: {"through": 1}}
    with pytest.raises(Rejected) as refused:
        act(log, "onone", **given.get(act, {}))

    assert refused.value.code == "outlet-unknown"
