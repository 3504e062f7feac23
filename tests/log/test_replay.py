"""A replay makes every routing decision again, in feeds of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from samples import Writer, acknowledgement, alert, member, refusal, subscription

from consumers.fanout import FanOut
from hub.core.registry import History
from hub.errors import Unavailable
from hub.log.bundle import export, open_bundle
from hub.log.replay import remove_sandbox, replay
from hub.log.scan import scan
from hub.log.store import Log
from hub.streams.connect import connect
from hub.streams.embedded import EmbeddedServer
from hub.streams.feeds import FeedStreams
from schemas.errors import Rejected


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def redis(server: EmbeddedServer) -> AsyncIterator[Redis]:
    client = connect(server.url)
    await client.flushall()
    yield client
    await client.aclose()


def fill(log: Log) -> Log:
    """Fill a log whose members come and go while messages are sent."""
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1"), alert("az-fhn", "a-2", status="Exercise")])
    w.commit([member("kz-mchs"), alert("az-fhn", "a-3"), subscription("ir-ndmo", "oil")])
    w.commit([alert("kz-mchs", "k-1", scope="Private", addresses="IR"), refusal("kz-mchs")])
    w.commit([acknowledgement("ir-ndmo", "3"), alert("ir-ndmo", "i-1", status="Draft")])
    w.commit([member("kz-mchs", active=False), alert("az-fhn", "a-4")])
    w.commit([subscription("ir-ndmo", "oil", active=False), alert("az-fhn", "a-5")])
    return log


@pytest.fixture
def filled(sqlite_log: Log) -> Log:
    return fill(sqlite_log)


async def content(redis: Redis, pattern: str) -> dict[str, list[tuple[str, dict[bytes, bytes]]]]:
    found: dict[str, Any] = {}
    async for key in redis.scan_iter(pattern):
        entries = await redis.xrange(key)
        found[key.decode().rpartition("feed:")[2]] = [(i.decode(), f) for i, f in entries]
    return found


async def test_a_replay_writes_what_the_live_feeds_hold(filled: Log, redis: Redis) -> None:
    fanout = FanOut(filled, redis, batch=3, retention=timedelta(days=40_000))
    await fanout.catch_up()
    live = await content(redis, "feed:*")

    result = await replay(scan(filled), sandbox=FeedStreams(redis, sandbox="night-1"))

    again = await content(redis, "sandbox:night-1:feed:*")
    assert result.entries == filled.head().size
    assert result.routed == sum(map(len, again.values()))
    # A member that has left has no live feed made for it afterwards; the replay saw it come and go.
    assert set(live) <= set(again)
    for feed, entries in live.items():
        assert again[feed] == [(i, {**fields, b"replay": b"night-1"}) for i, fields in entries]
    assert [i for i, _ in again["az-fhn"]] == ["3-0", "6-0", "10-0", "13-0", "15-0"]
    assert [i for i, _ in again["ir-ndmo.oil"]] == ["8-0", "13-0"]
    assert [i for i, _ in again["kz-mchs"]] == ["6-0", "8-0"]


async def test_a_replay_touches_no_live_feed(filled: Log, redis: Redis) -> None:
    fanout = FanOut(filled, redis, batch=100, retention=timedelta(days=40_000))
    await fanout.catch_up()
    live = await content(redis, "feed:*")

    sandbox = FeedStreams(redis, sandbox="drill")
    await replay(scan(filled), sandbox=sandbox)
    assert await content(redis, "feed:*") == live
    assert await remove_sandbox(sandbox) > 0

    assert await content(redis, "feed:*") == live
    assert await content(redis, "sandbox:*") == {}


@pytest.mark.parametrize("name", ["", "A", "a b", "*", "a:feed:az-fhn", "x" * 41, "-a", "ä"])
async def test_no_live_feed_can_be_named_as_a_sandbox(filled: Log, redis: Redis, name: str) -> None:
    streams = FeedStreams(redis, sandbox=name)

    with pytest.raises(Rejected) as refused:
        await replay(scan(filled), sandbox=streams)
    assert refused.value.code == "replay-invalid"
    with pytest.raises(Rejected):
        await remove_sandbox(streams)

    assert await redis.dbsize() == 0


async def test_the_digest_is_the_same_at_any_speed_from_anywhere(
    filled: Log, redis: Redis, tmp_path: Path
) -> None:
    export(filled, tmp_path / "log.jsonl.gz")
    time = Clock()

    results = [
        await replay(scan(filled)),
        await replay(scan(filled, batch=2), sandbox=FeedStreams(redis, sandbox="a")),
        await replay(scan(filled), speed=100.0, sleep=time.sleep, clock=time.now),
        await replay(open_bundle(tmp_path / "log.jsonl.gz").rows()),
    ]

    assert len(set(results)) == 1


async def test_the_digest_is_the_same_on_every_store(log: Log, filled: Log) -> None:
    fill(log)

    result = await replay(scan(log))

    assert result == await replay(scan(filled))
    assert result.entries == 16


async def test_another_log_has_another_digest(filled: Log) -> None:
    before = await replay(scan(filled))
    rows = list(scan(filled))
    w = Writer(filled)
    changed = rows[10].body.replace(b"Aysel", b"Ayten")
    later = w.commit([alert("az-fhn", "a-6", sent=w.now)])

    assert later.entries
    assert (await replay(scan(filled))).digest != before.digest
    rows[10] = replace(rows[10], body=changed)
    assert changed != filled.rows(after=9, limit=1)[0].body
    assert (await replay(rows)).digest != before.digest


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


async def test_a_replay_takes_the_time_that_it_took(filled: Log) -> None:
    rows = list(scan(filled))
    took = (rows[-1].at_us - rows[0].at_us) / 1e6

    for speed in (1.0, 4.0):
        time = Clock()
        await replay(rows, speed=speed, sleep=time.sleep, clock=time.now)

        assert sum(time.slept) == pytest.approx(took / speed)
        assert len(time.slept) > 5


async def test_what_is_not_yet_due_is_not_yet_written(filled: Log, redis: Redis) -> None:
    rows = list(scan(filled))
    sandbox = FeedStreams(redis, sandbox="slow")
    time, seen = Clock(), list[int]()

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        page = await sandbox.read("az-fhn", after=0, limit=100)
        seen.append(len(page.entries))

    await replay(rows, speed=1.0, sandbox=sandbox, sleep=sleep, clock=time.now)

    assert seen == sorted(seen)
    assert seen[0] == 0
    assert 0 < seen[len(seen) // 2] < 5


async def test_a_replay_that_is_late_does_not_sleep(filled: Log) -> None:
    times = iter(range(0, 10_000_000, 1000))

    async def sleep(_seconds: float) -> None:
        raise AssertionError("late already")

    result = await replay(scan(filled), speed=1.0, sleep=sleep, clock=lambda: float(next(times)))

    assert result.entries == 16


async def test_a_sandbox_in_use_is_not_written_into(filled: Log, redis: Redis) -> None:
    first = FeedStreams(redis, sandbox="a")
    await replay(scan(filled), sandbox=first)
    before = await content(redis, "sandbox:*")

    with pytest.raises(Rejected) as refused:
        await replay(scan(filled), sandbox=FeedStreams(redis, sandbox="a"))

    assert refused.value.code == "replay-invalid"
    assert await content(redis, "sandbox:*") == before


async def test_a_sandbox_that_another_writes_into_stops_the_replay(
    filled: Log, redis: Redis
) -> None:
    sandbox = FeedStreams(redis, sandbox="a")
    time = Clock()

    async def meddle(seconds: float) -> None:
        await time.sleep(seconds)
        if len(time.slept) == 4:
            await redis.xadd(sandbox.key("az-fhn"), {"x": "y"}, id="500-0")

    with pytest.raises(Rejected) as refused:
        await replay(scan(filled), speed=1.0, sandbox=sandbox, sleep=meddle, clock=time.now)

    assert refused.value.code == "replay-invalid"


async def test_part_of_a_log_is_replayed_with_the_registry_before_it(
    filled: Log, redis: Redis
) -> None:
    sandbox = FeedStreams(redis, sandbox="part")

    result = await replay(
        scan(filled, after=7), sandbox=sandbox, history=History(filled.registry_entries())
    )

    found = await content(redis, "sandbox:part:*")
    assert result.entries == 8
    assert [i for i, _ in found["az-fhn"]] == ["10-0", "13-0", "15-0"]


@pytest.mark.parametrize("without", [0, 1, 6])
async def test_rows_that_do_not_suffice_are_refused(filled: Log, without: int) -> None:
    rows = [r for r in scan(filled) if r.index != without]

    with pytest.raises(Rejected) as refused:
        await replay(rows)

    assert refused.value.code == "bundle-partial"


async def test_a_message_without_its_payload_cannot_be_routed(filled: Log) -> None:
    rows = [replace(r, payload=None) for r in scan(filled)]

    with pytest.raises(Rejected) as refused:
        await replay(rows)

    assert refused.value.code == "bundle-partial"


async def test_facts_beside_the_entry_are_not_trusted(filled: Log) -> None:
    expected = await replay(scan(filled))
    rows = filled.rows()
    assert rows[3].facts is not None
    rows[3] = replace(rows[3], facts=rows[3].facts.model_copy(update={"status": "Exercise"}))

    assert await replay(rows) == expected


async def test_a_speed_is_above_nothing(filled: Log) -> None:
    for speed in (0.0, -1.0, float("nan")):
        with pytest.raises(Rejected) as refused:
            await replay(scan(filled), speed=speed)

        assert refused.value.code == "replay-invalid"


async def test_progress_is_told(sqlite_log: Log) -> None:
    w = Writer(sqlite_log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(600)])
    told: list[tuple[int, int]] = []

    await replay(scan(sqlite_log), on_progress=lambda done, index: told.append((done, index)))

    assert told == [(256, 255), (512, 511), (602, 601)]


async def test_a_lost_redis_is_unavailable(filled: Log, tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "redis") as server:
        client = Redis.from_url(server.url, retry=None)
    sandbox = FeedStreams(client, sandbox="a")

    for step in (replay(scan(filled), sandbox=sandbox), remove_sandbox(sandbox)):
        with pytest.raises(Unavailable) as failed:
            await step
        assert failed.value.code == "streams-unavailable"
    await client.aclose()


async def test_a_replay_of_nothing_is_nothing(redis: Redis) -> None:
    result = await replay([], sandbox=FeedStreams(redis, sandbox="a"))

    assert (result.entries, result.routed) == (0, 0)
    assert await redis.dbsize() == 0
