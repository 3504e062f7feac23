"""The job lets payloads go once the policy's time is over: all of them, once, whatever crashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from consumers.fanout import FanOut
from consumers.retention import Retention
from hub.core.candidate import Candidate
from hub.log.projections import read_logged
from hub.log.store import Log
from hub.log.verify import verify_store
from hub.settings import Settings
from hub.streams import keys
from schemas.entry import micros
from tests.hubkit import store
from tests.log.samples import Writer, alert

KEEP = timedelta(days=30)
HOUR = timedelta(hours=1)


@dataclass
class Keeper:
    """A hub whose clock the test turns."""

    writer: Writer
    redis: Any
    job: Retention

    def begin_again(self) -> None:
        """Let the job die, and another begin."""
        self.job = job_of(self.writer, self.redis)

    async def round(self) -> list[list[int]]:
        """Let the job look until it rests; return what the entries name that were logged."""
        before = self.writer.log.head().size
        while await self.job.look():
            await self.commit()
        rows = self.writer.log.rows(after=before - 1, limit=500, kinds=["retirement"])
        return [row.entry["messages"] for row in rows]

    async def commit(self) -> None:
        """Let the ledger decide all that is proposed."""
        found = await self.redis.xrange(keys.CANDIDATES)
        if found:
            self.writer.commit([Candidate.from_fields(fields) for _, fields in found])
            await self.redis.delete(keys.CANDIDATES)


def job_of(writer: Writer, redis: Redis) -> Retention:
    return Retention(writer.log, redis, keep=KEEP, now_us=lambda: micros(writer.now))


@pytest.fixture
def keeper(tmp_path: Path, redis: Redis) -> Iterator[Keeper]:
    """Give a hub whose log must verify at the end of the test."""
    log = Log.open(store(tmp_path))
    writer = Writer(log).begin("az-fhn", "ir-ndmo")
    yield Keeper(writer, redis, job_of(writer, redis))
    report = verify_store(log, read=read_logged)
    assert report.ok, report.fault
    log.close()


async def test_what_is_old_goes_in_lots_and_the_rest_stays(keeper: Keeper) -> None:
    keeper.writer.commit([alert("az-fhn", f"a-{n}") for n in range(250)])  # 3 to 252
    assert await keeper.round() == []

    keeper.writer.now += KEEP
    keeper.writer.commit([alert("az-fhn", "young")])
    told = await keeper.round()

    assert list(chain(*told)) == list(range(3, 253))
    assert max(map(len, told)) <= 200
    assert await keeper.round() == []


async def test_what_was_held_goes_in_a_round_after_its_release(keeper: Keeper) -> None:
    keeper.writer.commit([alert("az-fhn", "a-1"), alert("az-fhn", "a-2")])
    held = {"state": "AZ", "message": 3, "reason": "case 7"}
    hold = keeper.writer.commit([Candidate("hold", "", body=held)]).outcomes[0].index
    keeper.writer.now += 2 * KEEP
    keeper.begin_again()
    assert await keeper.round() == [[4]]

    ended = {"state": "AZ", "hold": hold, "reason": "closed"}
    keeper.writer.commit([Candidate("release", "", body=ended)])
    keeper.writer.now += HOUR
    assert await keeper.round() == [[3]]


async def test_a_job_that_dies_lets_nothing_go_twice(keeper: Keeper) -> None:
    keeper.writer.commit([alert("az-fhn", "a-1")])
    keeper.writer.now += 2 * KEEP
    await keeper.job.look()
    keeper.begin_again()
    await keeper.job.look()
    await keeper.commit()

    assert len(keeper.writer.log.rows(kinds=["retirement"])) == 1
    keeper.begin_again()
    assert await keeper.round() == []


async def test_what_redis_lost_on_the_way_is_proposed_again(keeper: Keeper) -> None:
    keeper.writer.commit([alert("az-fhn", "a-1")])
    keeper.writer.now += 2 * KEEP
    await keeper.job.look()
    await keeper.redis.flushall()
    assert await keeper.round() == []

    keeper.writer.now += 2 * HOUR
    assert await keeper.round() == [[3]]


async def test_it_is_taken_out_of_feeds_that_still_hold_it(keeper: Keeper) -> None:
    keeper.writer.commit([alert("az-fhn", "a-1"), alert("az-fhn", "a-2")])
    fanout = FanOut(keeper.writer.log, keeper.redis, batch=100, retention=10 * 365 * KEEP)
    await fanout.look()
    feed = keys.feed("ir-ndmo")
    assert len(await keeper.redis.xrange(feed)) == 2

    keeper.writer.now += 2 * KEEP
    await keeper.round()
    await fanout.look()

    assert await keeper.redis.xrange(feed) == []


@pytest.mark.parametrize(
    "given",
    [
        {"payload_retention": 0.5},
        {"payload_retention": 40_000},
        {"payload_retention": 3, "feed_retention": timedelta(days=4)},
    ],
)
def test_a_policy_that_is_too_short_or_too_long_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="payload_retention"):
        Settings(**given)


def test_a_policy_comes_to_child_processes_as_it_is() -> None:
    settings = Settings(payload_retention=30.5)

    assert Settings.from_environment(settings.to_environment()) == settings
