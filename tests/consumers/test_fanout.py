"""Every feed is what the log says it is, however many write it and whatever becomes of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from consumers import fanout as fanout_module
from consumers.fanout import FanOut
from hub.core.registry import History
from hub.log.feeding import feeds_for
from hub.log.store import Log
from hub.streams import keys
from tests.hubkit import store
from tests.log.samples import Writer, acknowledgement, alert, member, subscription


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    log = Log.open(store(tmp_path))
    yield Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")
    log.close()


def fanout_of(writer: Writer, redis: Redis, *, batch: int = 4) -> FanOut:
    return FanOut(writer.log, redis, batch=batch, retention=timedelta(days=40_000))


def messages(first: int, count: int) -> list[Any]:
    """Return messages of every reality and audience in turn."""
    sorts: list[dict[str, str]] = [
        {},
        {"status": "Exercise"},
        {"status": "Test"},
        {"scope": "Private", "addresses": "ir-ndmo"},
        {"status": "Draft"},
        {"scope": "Restricted", "addresses": "KZ", "restriction": "x"},
    ]
    return [alert("az-fhn", f"a-{n}", **sorts[n % len(sorts)]) for n in range(first, first + count)]


def wanted(writer: Writer) -> dict[str, list[int]]:
    """Return what every feed must hold, from the log alone."""
    history = History(writer.log.registry_entries())
    feeds: dict[str, list[int]] = {feed: [] for feed in history.latest.feeds()}
    for row in writer.log.rows(limit=10_000):
        for feed in feeds_for(row, history.at(row.index)):
            feeds[feed].append(row.index)
    return feeds


async def held(writer: Writer, redis: Any) -> dict[str, list[int]]:
    """Return what every feed holds; ids are ``<index>-0`` and nothing else."""
    found = {}
    for feed in History(writer.log.registry_entries()).latest.feeds():
        ids = [id_ for id_, _ in await redis.xrange(keys.feed(feed))]
        assert all(id_.endswith(b"-0") for id_ in ids)
        found[feed] = [keys.index_of(id_) for id_ in ids]
    return found


async def test_each_feed_holds_what_is_for_it(writer: Writer, redis: Redis) -> None:
    writer.commit([subscription("ir-ndmo", "oil", events=["Oil spill"])])
    writer.commit(messages(0, 30))
    writer.commit([acknowledgement("ir-ndmo", "5")])

    await fanout_of(writer, redis).catch_up()

    feeds = await held(writer, redis)
    assert feeds == wanted(writer)
    assert feeds["ir-ndmo.exercise"]
    assert not set(feeds["ir-ndmo"]) & set(feeds["ir-ndmo.exercise"])
    assert len(feeds["ir-ndmo"]) != len(feeds["kz-mchs"])


async def test_a_second_fan_out_beside_the_first_writes_nothing_twice(
    writer: Writer, redis: Redis
) -> None:
    one, two = fanout_of(writer, redis, batch=3), fanout_of(writer, redis, batch=5)
    for round_ in range(5):
        writer.commit(messages(round_ * 20, 20))
        await asyncio.gather(one.catch_up(), two.catch_up())
    await asyncio.gather(one.look(), two.look())

    assert await held(writer, redis) == wanted(writer)


async def test_one_that_died_is_taken_over_where_each_feed_stands(
    writer: Writer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies after some feeds were written and before it knew."""
    writer.commit(messages(0, 10))

    class Killed(BaseException):
        pass

    append = fanout_module.FeedStreams.append

    async def half(self: Any, batches: Any, *, reached: int) -> Any:
        part = dict(list(batches.items())[: len(batches) // 2])
        await append(self, part, reached=reached)
        raise Killed

    with monkeypatch.context() as context:
        context.setattr(fanout_module.FeedStreams, "append", half)
        with pytest.raises(Killed):
            await fanout_of(writer, redis, batch=100).catch_up()
    assert await held(writer, redis) != wanted(writer)

    await fanout_of(writer, redis).catch_up()

    assert await held(writer, redis) == wanted(writer)


@pytest.mark.parametrize("lost", ["everything", "one feed", "its scripts"])
async def test_what_redis_lost_is_written_again(writer: Writer, redis: Any, lost: str) -> None:
    fanout = fanout_of(writer, redis)
    writer.commit(messages(0, 12))
    await fanout.catch_up()
    if lost == "everything":
        await redis.flushall()
    elif lost == "one feed":
        await redis.delete(keys.feed("ir-ndmo"))
    else:
        await redis.script_flush()
    writer.commit(messages(12, 12))

    await fanout.catch_up()
    await fanout.look()

    assert await held(writer, redis) == wanted(writer)


async def test_a_member_that_joins_gets_what_comes_after_it(writer: Writer, redis: Redis) -> None:
    fanout = fanout_of(writer, redis)
    writer.commit(messages(0, 6))
    await fanout.catch_up()
    writer.commit([alert("az-fhn", "before"), member("tm-msfs"), alert("az-fhn", "after")])

    await fanout.catch_up()

    feeds = await held(writer, redis)
    assert feeds == wanted(writer)
    assert feeds["tm-msfs"] == [writer.log.head().size - 1]


async def test_an_entry_that_cannot_be_routed_is_a_dead_letter_and_the_others_go_on(
    writer: Writer, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.commit(messages(0, 1))
    bad = writer.log.head().size
    writer.commit([alert("az-fhn", "bad"), alert("az-fhn", "good")])

    def route(row: Any, registry: Any) -> Any:
        if row.index == bad:
            raise KeyError("a fault of the hub")
        return feeds_for(row, registry)

    monkeypatch.setattr(fanout_module, "feeds_for", route)
    await fanout_of(writer, redis).catch_up()

    expected = {feed: [i for i in ids if i != bad] for feed, ids in wanted(writer).items()}
    assert await held(writer, redis) == expected
    (letter,) = [fields for _, fields in await redis.xrange(keys.CANDIDATES)]
    assert letter[b"kind"] == b"dead-letter"
    assert str(bad).encode() in letter[b"body"]
