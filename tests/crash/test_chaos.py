"""A kill -9 anywhere loses nothing (G1, G2, G3): real processes, at random moments, under load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from hub.tasks import end
from tests.crash.chaos import AGENCIES, Hub, delete, killing, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOT = 200
"""Messages that are sent at a time, until there were kills enough."""
KILLS = 4
MANY = 40_000
"""For the long runs."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """Give one hub to all tests here: each begins with what the others have left of it."""
    async with running(tmp_path_factory.mktemp("hub"), api=True) as hub:
        yield hub


async def _under(fire: Awaitable[None], hub: Hub) -> range:
    """Publish a stream of messages for as long as the fire lasts; return their numbers."""
    burning = asyncio.ensure_future(fire)
    numbers = hub.numbers(0)
    try:
        while not burning.done():
            lot = hub.numbers(LOT)
            numbers = range(numbers.start, lot.stop)
            await hub.stream(AGENCIES[0], lot)
        await burning
    finally:
        await end([burning])
    return numbers


@pytest.mark.parametrize(
    "names",
    [("intake",), ("ledger",), ("fanout",), ("valkey",), ()],
    ids=["intake", "ledger", "fanout", "valkey", "all-at-once"],
)
async def test_sigkill_at_random_moments_loses_nothing(names: Sequence[str], hub: Hub) -> None:
    before = hub.restarts()

    numbers = await _under(killing(hub, *names, seed=1, times=KILLS), hub)

    await hub.assert_nothing_lost()
    assert hub.answered(numbers) == len(numbers) >= LOT
    assert hub.restarts() > before


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
async def test_a_long_time_of_sigkills_and_flushes_loses_nothing(seed: int, tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        fire = asyncio.create_task(killing(hub, seed=seed))
        flushes = asyncio.create_task(_flushing(hub, every=7.0))
        try:
            numbers = hub.numbers(MANY)
            await hub.stream(AGENCIES[0], numbers)
        finally:
            await end([fire, flushes])

        assert hub.answered(numbers) == MANY
        await hub.assert_nothing_lost()


async def _flushing(hub: Hub, *, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        with suppress(Exception):  # the server may be down this moment
            await hub.redis.flushall()


async def test_sigkill_of_the_api_loses_nothing_on_the_way_in_and_out(hub: Hub) -> None:
    seen = list[int]()
    follower = asyncio.create_task(
        hub.follow(AGENCIES[1], after=hub.log.head().size - 1, seen=seen)
    )
    posted = hub.numbers(LOT)
    posting = asyncio.create_task(hub.post(AGENCIES[0], posted))
    fire = killing(hub, "api", seed=2, times=KILLS, done=lambda: hub.answered(posted))
    streamed = await _under(fire, hub)
    await posting

    assert hub.answered(posted) == len(posted)
    await hub.assert_nothing_lost()
    published = sorted(hub.receipts[n][0].index for n in (*posted, *streamed))

    async def followed() -> bool:
        return bool(seen) and seen[-1] >= published[-1]

    await until(followed, "the follower has seen the last")
    await end([follower])
    assert seen == published


async def test_flushall_under_load_loses_nothing(hub: Hub) -> None:
    flushed = 0

    async def flushing() -> None:
        nonlocal flushed
        for _ in range(2):
            await asyncio.sleep(0.7)
            await hub.redis.flushall()
            flushed += 1
            await asyncio.sleep(1.3)

    numbers = await _under(flushing(), hub)

    assert flushed == 2
    assert hub.answered(numbers) == len(numbers)
    await hub.assert_nothing_lost()


async def test_deleting_the_data_directory_of_redis_while_it_runs_loses_nothing(hub: Hub) -> None:
    async def deleting() -> None:
        await asyncio.sleep(1.0)
        delete(hub.settings.data / "valkey")
        hub.kill("valkey")

    numbers = await _under(deleting(), hub)

    assert hub.answered(numbers) == len(numbers)
    await hub.assert_nothing_lost()
