"""What nobody acknowledges is told to the next in line: once, in time, and without a storm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from consumers.escalation import Escalations
from consumers.ledger import Ledger
from hub.core.admission import Rules
from hub.core.candidate import Candidate
from hub.log.escalation_log import last_alive, sign_of_life
from hub.log.projections import read_logged, rebuild
from hub.log.store import Log
from hub.log.tables import ESCALATIONS
from hub.log.verify import verify_store
from hub.streams import keys
from schemas.entry import micros
from tests.hubkit import store
from tests.log.samples import Writer, acknowledgement, alert, member, named

MINUTE = timedelta(minutes=1)


@dataclass
class Watch:
    """A hub whose clock the test turns."""

    writer: Writer
    redis: Any
    job: Escalations

    def begin_again(self) -> None:
        """Let the job die, and another begin."""
        self.job = job_of(self.writer, self.redis)

    async def after(self, minutes: float) -> list[dict[str, Any]]:
        """Let time pass and the job look once; return what was escalated then."""
        self.writer.now += minutes * MINUTE
        before = self.writer.log.head().size
        await self.job.look()
        await self.commit()
        return self.told(before - 1)

    async def commit(self) -> None:
        """Let the ledger decide all that is proposed."""
        found = await self.redis.xrange(keys.CANDIDATES)
        if found:
            self.writer.commit([Candidate.from_fields(fields) for _, fields in found])
            await self.redis.delete(keys.CANDIDATES)

    def told(self, after: int = -1) -> list[dict[str, Any]]:
        """Return the escalations of the log above an index."""
        rows = self.writer.log.rows(after=after, limit=500, kinds=["escalation"])
        return [row.entry for row in rows]


def job_of(writer: Writer, redis: Redis) -> Escalations:
    return Escalations(writer.log, redis, now_us=lambda: micros(writer.now))


@pytest.fixture
def bare(tmp_path: Path, redis: Redis) -> Iterator[Watch]:
    log = Log.open(store(tmp_path))
    writer = Writer(log).begin()
    writer.commit(
        [
            member("az-fhn"),
            member("ir-ndmo"),
            member("kz-mchs"),
            member("kz-nckm", coordinates=True),
        ]
    )
    yield Watch(writer, redis, job_of(writer, redis))
    log.close()


@pytest.fixture
def watch(bare: Watch) -> Iterator[Watch]:
    """Give a watch whose log must verify at the end of the test."""
    yield bare
    report = verify_store(bare.writer.log, read=read_logged)
    assert report.ok, report.fault


def steps(entries: list[dict[str, Any]]) -> set[tuple[str, int, tuple[int, ...]]]:
    return {(e["recipient"], e["step"], tuple(e["messages"])) for e in entries}


def index(watch: Watch, one: Candidate) -> int:
    return watch.writer.commit([one]).outcomes[0].index


async def test_each_recipient_goes_through_the_steps_once(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme"))

    assert await watch.after(4) == []
    assert steps(await watch.after(1.1)) == {
        ("ir-ndmo", 1, (i,)),
        ("kz-mchs", 1, (i,)),
        ("kz-nckm", 1, (i,)),
    }
    assert await watch.after(0.1) == []
    assert steps(await watch.after(2.5)) == {
        ("ir-ndmo", 3, (i,)),
        ("kz-mchs", 2, (i,)),
        ("kz-nckm", 3, (i,)),
    }
    assert steps(await watch.after(2.5)) == {("kz-mchs", 3, (i,))}
    assert await watch.after(60) == []


async def test_who_acknowledges_is_left_alone(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme"))
    watch.writer.commit([acknowledgement("ir-ndmo", str(i)), acknowledgement("kz-nckm", str(i))])

    assert steps(await watch.after(6)) == {("kz-mchs", 1, (i,))}

    watch.writer.commit([acknowledgement("kz-mchs", str(i))])
    assert await watch.after(60) == []


async def test_a_cap_ack_counts(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme"))
    watch.writer.commit(
        [alert("ir-ndmo", "ack", sender="b@ir", msg_type="Ack", references=named("a-1"))]
    )

    assert steps(await watch.after(6)) == {("kz-mchs", 1, (i,)), ("kz-nckm", 1, (i,))}


async def test_an_acknowledgement_that_comes_first_wins(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme"))
    watch.writer.now += 6 * MINUTE
    await watch.job.look()
    watch.writer.commit([acknowledgement("ir-ndmo", str(i))])

    await watch.commit()

    assert {e["recipient"] for e in watch.told()} == {"kz-mchs", "kz-nckm"}


async def test_what_was_updated_or_cancelled_or_has_expired_calls_nobody(watch: Watch) -> None:
    watch.writer.commit([alert("az-fhn", "a-1", severity="Extreme")])
    watch.writer.commit(
        [alert("az-fhn", "a-2", msg_type="Cancel", severity="Minor", references=named("a-1"))]
    )
    watch.writer.commit(
        [alert("az-fhn", "a-4", msg_type="Cancel", severity="Minor", references=named("a-3"))]
    )
    watch.writer.commit([alert("az-fhn", "a-3", severity="Extreme")])

    assert await watch.after(6) == []

    watch.writer.commit([alert("az-fhn", "a-5", severity="Moderate")])
    watch.writer.now += timedelta(days=1)
    assert all(5 not in e["messages"] for e in await watch.after(0))


@pytest.mark.parametrize("status", ["Test", "System", "Draft"])
async def test_what_is_not_for_people_calls_nobody(watch: Watch, status: str) -> None:
    watch.writer.commit([alert("az-fhn", "a-1", severity="Extreme", status=status)])

    assert await watch.after(600) == []


async def test_a_job_that_dies_at_any_step_escalates_nothing_twice(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    watch.writer.now += 6 * MINUTE

    await watch.job.look()  # it proposes, and dies before it knows
    watch.begin_again()
    await watch.job.look()
    await watch.commit()  # the ledger gets both
    watch.begin_again()
    again = await watch.after(0)

    assert again == []
    assert steps(watch.told()) == {("ir-ndmo", 1, (i,))}


async def test_what_redis_lost_on_the_way_is_proposed_again(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    watch.writer.now += 6 * MINUTE
    await watch.job.look()
    await watch.redis.flushall()

    assert await watch.after(0.4) == []
    assert steps(await watch.after(0.2)) == {("ir-ndmo", 1, (i,))}


async def test_a_step_that_was_decided_too_late_does_not_delay_the_next(
    watch: Watch,
) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    watch.writer.now += 7.49 * MINUTE
    await watch.job.look()
    watch.writer.now += 0.02 * MINUTE
    await watch.commit()
    assert watch.told() == [], "when it is decided another step is due"

    assert steps(await watch.after(0.01)) == {("ir-ndmo", 3, (i,))}


async def test_many_that_come_due_together_are_one_entry(watch: Watch) -> None:
    watch.writer.commit(
        [
            alert("az-fhn", f"a-{n}", severity="Extreme", scope="Private", addresses="IR")
            for n in range(450)
        ]
    )

    told = await watch.after(6)

    assert [len(e["messages"]) for e in told] == [200, 200, 50]
    assert {e["recipient"] for e in told} == {"ir-ndmo"}


async def test_what_two_agencies_sent_is_told_apart(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    k = index(
        watch,
        alert("kz-mchs", "k-1", sender="k", severity="Extreme", scope="Private", addresses="IR"),
    )

    told = {e["of"]: e["messages"] for e in await watch.after(6)}

    assert told == {"az-fhn": [i], "kz-mchs": [k]}


async def test_after_a_long_outage_nobody_is_called_for_the_time_of_it(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    alive(watch)
    watch.writer.now += timedelta(hours=5)
    restart(watch)
    watch.begin_again()

    assert await watch.after(4) == []
    assert steps(await watch.after(1.1)) == {("ir-ndmo", 1, (i,))}


async def test_a_job_that_goes_on_learns_of_the_outage_too(watch: Watch) -> None:
    i = index(watch, alert("az-fhn", "a-1", severity="Extreme", scope="Private", addresses="IR"))
    assert await watch.after(3) == []
    alive(watch)
    watch.writer.now += timedelta(hours=5)
    restart(watch)

    assert await watch.after(1) == []
    assert steps(await watch.after(1.1)) == {("ir-ndmo", 1, (i,))}


def alive(watch: Watch) -> None:
    with watch.writer.log.writing() as c:
        sign_of_life(c, micros(watch.writer.now))


def restart(watch: Watch) -> None:
    with watch.writer.log.reading() as c:
        seen_us = last_alive(c)
    assert seen_us is not None
    watch.writer.commit([Candidate("restart", "", body={"since_us": seen_us})])


def test_a_short_standstill_is_no_outage(watch: Watch) -> None:
    alive(watch)
    watch.writer.now += timedelta(seconds=30)
    restart(watch)

    assert watch.writer.log.rows(kinds=["restart"]) == []


def test_nobody_can_stop_the_clock_for_a_time_in_which_something_was_logged(watch: Watch) -> None:
    alive(watch)
    watch.writer.now += timedelta(hours=5)
    watch.writer.commit([alert("az-fhn", "a-1")])
    restart(watch)

    assert watch.writer.log.rows(kinds=["restart"]) == []


async def test_a_ledger_that_begins_after_a_long_time_says_so_first(
    watch: Watch, redis: Redis
) -> None:
    alive(watch)
    ledgers = [
        Ledger(watch.writer.log, redis, rules=Rules(), receipt_retention=timedelta(days=1))
        for _ in range(2)
    ]

    for ledger in ledgers:
        ledger.begin()
        ledger.live()
        ledger.begin()

    (row,) = watch.writer.log.rows(kinds=["restart"])
    assert row.entry["since"] > watch.writer.log.row(0).entry["at"]  # type: ignore[union-attr]


async def test_projections_made_anew_know_the_steps(watch: Watch) -> None:
    watch.writer.commit([alert("az-fhn", "a-1", severity="Extreme")])
    await watch.after(6)
    await watch.after(2.5)

    def rows() -> list[Any]:
        with watch.writer.log.reading() as c:
            return sorted(map(tuple, c.execute(select(ESCALATIONS))))

    before = rows()
    rebuild(watch.writer.log)

    assert rows() == before
    assert len(before) == 6


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        ({"recipient": "ir-ndmo", "step": 2}, "was not due"),
        ({"recipient": "az-fhn", "step": 1}, "need not"),
        ({"recipient": "tm-none", "step": 1}, "need not"),
    ],
)
async def test_an_escalation_that_was_not_due_is_found(
    bare: Watch, forged: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that was tampered with logs it; verification decides anew."""
    i = index(bare, alert("az-fhn", "a-1", severity="Extreme"))
    bare.writer.now += 6 * MINUTE
    monkeypatch.setattr("hub.core.admission._Batch._waits", lambda *_: True)
    bare.writer.commit([Candidate("escalation", "", body={**forged, "messages": [i]})])

    report = verify_store(bare.writer.log, read=read_logged)

    assert report.fault is not None
    assert report.fault.code == "decision"
    assert why in report.fault.detail
