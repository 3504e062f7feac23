"""A kill -9 anywhere loses nothing (G1, G2, G3): real processes, at random moments, under load."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from hub.tasks import end
from tests.crash.chaos import AGENCIES, Hub, delete, killing, running, until

pytestmark = pytest.mark.long

MESSAGES = 1200
MANY = 40_000
"""For the long runs."""
PARTS = ("intake", "ledger", "fanout", "valkey")


async def _under_fire(hub: Hub, *names: str, seed: int = 1) -> None:
    fire = asyncio.create_task(killing(hub, *names, seed=seed))
    try:
        await hub.stream(AGENCIES[0], range(MESSAGES))
    finally:
        await end([fire])


@pytest.mark.parametrize(
    "names",
    [
        (),
        *(pytest.param((part,), marks=pytest.mark.soak) for part in PARTS),
    ],
    ids=["all-at-once", *PARTS],
)
async def test_sigkill_at_random_moments_loses_nothing(
    names: Sequence[str], tmp_path: Path
) -> None:
    async with running(tmp_path) as hub:
        await _under_fire(hub, *names)

        restarts = sum(s.restarts for s in hub.supervisor.states().values())
        assert restarts > 0
        assert len(hub.receipts) == MESSAGES
        await hub.assert_nothing_lost()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
async def test_a_long_time_of_sigkills_and_flushes_loses_nothing(seed: int, tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        fire = asyncio.create_task(killing(hub, seed=seed))
        flushes = asyncio.create_task(_flushing(hub, every=7.0))
        try:
            await hub.stream(AGENCIES[0], range(MANY))
        finally:
            await end([fire, flushes])

        assert len(hub.receipts) == MANY
        await hub.assert_nothing_lost()


async def _flushing(hub: Hub, *, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        with suppress(Exception):  # the server may be down this moment
            await hub.redis.flushall()


async def test_sigkill_of_the_api_loses_nothing_on_the_way_in_and_out(tmp_path: Path) -> None:
    async with running(tmp_path, api=True) as hub:
        follower = asyncio.create_task(hub.follow(AGENCIES[1], MESSAGES))
        by_http = range(MESSAGES - 60, MESSAGES)
        fire = asyncio.create_task(
            killing(hub, "api", seed=2, done=lambda: sum(n in hub.receipts for n in by_http))
        )
        try:
            await asyncio.gather(
                hub.stream(AGENCIES[0], range(by_http.start)), hub.post(AGENCIES[0], by_http)
            )
        finally:
            await end([fire])

        assert len(hub.receipts) == MESSAGES
        await hub.assert_nothing_lost()
        seen = await follower
        assert seen == sorted(receipt.index for receipt, _ in hub.receipts.values())


@pytest.mark.soak
async def test_flushall_under_load_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        stream = asyncio.create_task(hub.stream(AGENCIES[0], range(MESSAGES)))
        flushed = 0
        while not stream.done():
            await asyncio.sleep(0.7)
            await hub.redis.flushall()
            flushed += 1
            await asyncio.sleep(1.3)
        await stream

        assert flushed > 0
        assert len(hub.receipts) == MESSAGES
        await hub.assert_nothing_lost()


async def test_deleting_the_data_directory_of_redis_while_it_runs_loses_nothing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as hub:
        stream = asyncio.create_task(hub.stream(AGENCIES[0], range(MESSAGES)))
        await until(hub.has_some_receipts, "receipts come")
        delete(tmp_path / "valkey")
        hub.kill("valkey")
        await stream

        assert len(hub.receipts) == MESSAGES
        await hub.assert_nothing_lost()
