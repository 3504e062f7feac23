"""However much one agency puts into its inbox, another's message waits for a few batches alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from consumers.app import running
from consumers.turns import ROOM_BATCHES, Turns
from hub.errors import Unavailable
from hub.log.store import Log
from hub.settings import Settings
from hub.streams import keys
from hub.streams.embedded import EmbeddedServer
from tests.hubkit import alert, store, until
from tests.log.samples import ORIGIN, Writer

BATCH, FLOOD = 8, 400


async def test_a_flood_in_one_inbox_does_not_starve_another(
    server: EmbeddedServer, redis: Any, tmp_path: Path
) -> None:
    settings = Settings(redis_url=server.url, log_url=store(tmp_path), origin=ORIGIN, batch=BATCH)
    log = Log.open(settings.log_url)
    Writer(log).begin("az-fhn", "ir-ndmo")
    before = (await asyncio.to_thread(log.head)).size
    pipe = redis.pipeline(transaction=False)
    for _ in range(FLOOD):
        pipe.xadd(keys.inbox("az-fhn"), {"payload": alert()})
    await pipe.execute()

    async def waiting() -> int:
        return int(await redis.xlen(keys.CANDIDATES))

    async with running(settings, ["intake"]):

        async def full() -> bool:
            return await waiting() >= ROOM_BATCHES * BATCH

        await until(full, "there is no more room", 20)
        await redis.xadd(keys.inbox("ir-ndmo"), {"payload": alert()})
        # No ledger takes anything: whatever intake does from now on, it does not read on.
        assert await waiting() <= (ROOM_BATCHES + 1) * BATCH
        assert await redis.xlen(keys.inbox("az-fhn")) >= FLOOD - (ROOM_BATCHES + 2) * BATCH
        async with running(settings, ["ledger"]):

            async def logged() -> bool:
                return (await asyncio.to_thread(log.head)).size >= before + FLOOD + 1

            await until(logged, "all are in the log", 60)
    rows = await asyncio.to_thread(log.rows, kinds=("publish",), agency="ir-ndmo")
    log.close()

    assert [r.index <= before + (ROOM_BATCHES + 3) * BATCH for r in rows] == [True]


async def test_whoever_waits_gets_its_turn_in_the_order_of_asking(redis: Any) -> None:
    turns = Turns(redis, batch=1)
    await redis.xadd(keys.CANDIDATES, {"x": 1})
    await redis.xadd(keys.CANDIDATES, {"x": 2})
    order: list[str] = []

    async def ask(who: str) -> None:
        async with turns.turn(1):
            order.append(who)
            await redis.xadd(keys.CANDIDATES, {"x": who})

    waiting = [asyncio.create_task(ask(who)) for who in ("flood", "small", "flood", "third")]
    while not all(task.done() for task in waiting):
        assert await redis.xlen(keys.CANDIDATES) <= ROOM_BATCHES
        await redis.xtrim(keys.CANDIDATES, maxlen=1, approximate=False)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert order == ["flood", "small", "flood", "third"]


async def test_where_the_ledger_is_away_it_is_said_and_the_turn_is_free_again(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.turns._PATIENCE_S", 0.0)
    turns = Turns(redis, batch=1)
    for _ in range(ROOM_BATCHES):
        await redis.xadd(keys.CANDIDATES, {"x": 1})
    with pytest.raises(Unavailable, match="ledger-behind"):
        async with turns.turn(1):
            raise AssertionError
    await redis.delete(keys.CANDIDATES)

    async with turns.turn(1):
        pass
