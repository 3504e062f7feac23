"""Projections are made anew from entries and payloads, row for row as the commit wrote them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from aid_samples import request
from samples import (
    BEGAN,
    Writer,
    acknowledgement,
    alert,
    member,
    named,
    refusal,
    subscription,
    through_redis,
)
from sqlalchemy import delete, select, text, update

from hub.core.candidate import Candidate
from hub.errors import Unavailable
from hub.log.projections import read_logged, rebuild
from hub.log.store import Log
from hub.log.tables import ENTRIES, MESSAGES, PAYLOADS, PROJECTIONS
from schemas.payload import ReadPayload


def projected(log: Log) -> dict[str, list[tuple[Any, ...]]]:
    with log.engine.connect() as c:
        return {t.name: sorted(map(tuple, c.execute(select(t)))) for t in PROJECTIONS}


def busy(log: Log) -> Writer:
    """Fill a log with every kind of entry that projections come from."""
    w = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")
    references = "centre@az.example,a-0,2026-11-23T08:00:00-00:00"
    batch = [
        *(alert("az-fhn", f"a-{n}", headline=f"Нефть {n}") for n in range(40)),
        alert("ir-ndmo", "old", sent=BEGAN - timedelta(days=3), headline=""),
        alert("ir-ndmo", "x" * 40, message_id="own-id", status="Exercise"),
        alert("kz-mchs", "k-1", scope="Private", addresses="az-fhn IR"),
        alert("kz-mchs", "k-2", msg_type="Ack", references=references, sender="duty@kz.example"),
        request("az-fhn", "REQ"),
        alert("az-fhn", "u-1", msg_type="Update", references=named("a-1", "a-2", "a-1")),
        alert("az-fhn", "u-3", msg_type="Cancel", references=named("a-3", "never")),
        alert("az-fhn", "u-4", msg_type="Update", references=named("a-3")),
        alert("az-fhn", "u-2", incidents='AC-2026-1 "oil  spill" ac-2026-1', status="Test"),
        refusal("az-fhn", inbox="5-1"),
        refusal("az-fhn", inbox="5-2", payload=b""),
        refusal("az-fhn"),
        Candidate(
            "dead-letter",
            "ir-ndmo",
            inbox="9-1",
            payload=b"poison",
            body={"stage": "intake", "reason": "x", "deliveries": 5, "fields": {}},
        ),
        subscription("ir-ndmo", "oil", filter={"severity": "Severe"}),
    ]
    w.commit([through_redis(c) for c in batch])
    w.commit(
        [
            through_redis(c)
            for c in (
                acknowledgement("ir-ndmo", "4", "Парвин", "دیدم"),
                acknowledgement("ir-ndmo", "5"),
                acknowledgement("kz-mchs", "4", "duty@kz.example"),
                Candidate("delivery", "", body={"ir-ndmo": 20, "kz-mchs": 7}),
                alert("az-fhn", "stranger", sender="x", inbox="6-1"),
                alert("tm-es", "stranger", inbox="6-2"),
                member("az-fhn", active=False),
            )
        ]
    )
    w.commit([Candidate("delivery", "", body={"ir-ndmo": 30})])
    w.now += timedelta(minutes=16)
    late = {"recipient": "ir-ndmo", "step": 1, "messages": [10]}
    w.commit([Candidate("escalation", "", body=late)])
    return w


def test_what_is_made_anew_is_what_the_commits_wrote(log: Log) -> None:
    busy(log)
    before = projected(log)
    assert all(before.values()), "every projection has rows to lose"

    with log.writing() as c:
        for table in PROJECTIONS:
            c.execute(delete(table))
    done: list[tuple[int, int]] = []
    count = rebuild(log, progress=lambda at, of: done.append((at, of)))

    assert projected(log) == before
    assert count == log.head().size
    assert done[-1] == (count, count)
    assert rebuild(log) == count
    assert projected(log) == before


def test_wrong_rows_are_replaced(log: Log) -> None:
    busy(log)
    before = projected(log)
    with log.writing() as c:
        c.execute(update(MESSAGES).values(warnings="[]", agency="ir-ndmo"))

    rebuild(log)

    assert projected(log) == before


def test_the_log_goes_on_after_projections_were_made_anew(log: Log) -> None:
    w = busy(log)
    batch = [
        alert("ir-ndmo", "old", sent=BEGAN - timedelta(days=3)),
        refusal("az-fhn", inbox="5-1"),
    ]
    rebuild(log)

    again = w.commit([alert("kz-mchs", "k-1", scope="Private", addresses="az-fhn IR"), batch[1]])
    assert again.entries == ()
    new = w.commit([alert("ir-ndmo", "new", sent=w.now)])
    assert new.entries[0].chain is not None
    assert new.entries[0].chain.seq == 3


def test_an_empty_log_has_empty_projections(log: Log) -> None:
    assert rebuild(log) == 0
    assert not any(projected(log).values())


def test_readers_see_all_the_old_rows_until_all_the_new_are_there(log: Log) -> None:
    busy(log)
    before = projected(log)
    seen: list[bool] = []

    def look(_done: int, _total: int) -> None:
        other: list[Any] = []
        reader = threading.Thread(target=lambda: other.append(projected(log)))
        reader.start()
        reader.join(30)
        seen.append(other == [before])

    rebuild(log, progress=look)

    assert seen
    assert all(seen)


def test_a_failure_half_way_leaves_the_old_rows(log: Log) -> None:
    busy(log)
    before = projected(log)
    calls = 0

    def fails_later(payload: bytes, payload_type: str) -> ReadPayload:
        nonlocal calls
        calls += 1
        if calls > 30:
            raise ValueError("out of ideas")
        return read_logged(payload, payload_type)

    with pytest.raises(Unavailable) as failed:
        rebuild(log, read=fails_later)

    assert failed.value.code == "log-broken"
    assert projected(log) == before


@pytest.mark.parametrize(
    "damage",
    [
        delete(PAYLOADS).where(PAYLOADS.c.idx == 7),
        update(PAYLOADS).where(PAYLOADS.c.idx == 7).values(body=b"<other/>"),
        update(ENTRIES).where(ENTRIES.c.idx == 7).values(body=b"{}"),
        update(ENTRIES).where(ENTRIES.c.idx == 7).values(body=b"\xff"),
        delete(ENTRIES).where(ENTRIES.c.idx == 6),
    ],
)
def test_a_damaged_log_is_named_and_nothing_is_changed(sqlite_log: Log, damage: Any) -> None:
    busy(sqlite_log)
    before = projected(sqlite_log)
    with sqlite_log.writing() as c:
        c.execute(damage)

    with pytest.raises(Unavailable) as failed:
        rebuild(sqlite_log)

    assert failed.value.code == "log-broken"
    assert "7" in failed.value.detail
    assert projected(sqlite_log) == before


def test_an_append_during_the_making_waits_and_is_not_lost(log: Log) -> None:
    w = busy(log)
    started, writers = threading.Event(), list[threading.Thread]()

    def append() -> None:
        started.set()
        w.commit([alert("ir-ndmo", "meanwhile", sent=w.now), acknowledgement("kz-mchs", "5")])

    def begin_an_append(_done: int, _total: int) -> None:
        if not writers:
            writers.append(threading.Thread(target=append))
            writers[0].start()
            started.wait(10)

    before = log.head().size
    rebuild(log, progress=begin_an_append)
    writers[0].join(30)

    assert log.head().size == before + 2
    live = projected(log)
    rebuild(log)
    assert projected(log) == live


def test_credentials_are_no_projection(sqlite_log: Log) -> None:
    with sqlite_log.writing() as c:
        c.execute(
            text(
                "INSERT INTO credentials (prefix, sha256, role, agency, person, created_us)"
                " VALUES ('p', x'00', 'officer', 'az-fhn', 'Aysel', 1)"
            )
        )
    rebuild(sqlite_log)

    with sqlite_log.engine.connect() as c:
        assert c.execute(text("SELECT count(*) FROM credentials")).scalar() == 1
