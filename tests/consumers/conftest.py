"""A worker of one stream on a real Valkey, whose handler notes what it is given."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from faststream.redis import RedisBroker
from redis.asyncio import Redis

from consumers.worker import Job, StreamEntry, Worker, keep_all
from hub.streams.connect import connect
from hub.streams.embedded import EmbeddedServer
from hub.tasks import end
from tests.hubkit import until

STREAM, GROUP = "work", "workers"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
async def redis(server: EmbeddedServer) -> AsyncIterator[Redis]:
    client = connect(server.url)
    await client.flushall()
    yield client
    await client.aclose()


@dataclass
class Bench:
    """A stream, and what became of its entries."""

    redis: Any
    url: str
    batches: list[list[int]] = field(default_factory=list)
    buried: dict[int, str] = field(default_factory=dict)
    before: Callable[[list[int]], Awaitable[None]] | None = None
    """Runs within the handler; what it raises, the handler raises."""

    @property
    def handled(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    async def add(self, *numbers: int) -> None:
        """Add entries in one command each, all before anybody reads."""
        pipe = self.redis.pipeline(transaction=True)
        for number in numbers:
            pipe.xadd(STREAM, {"n": number})
        await pipe.execute()

    async def take_and_die(self, count: int = 10, *, consumer: str = "one") -> None:
        """Read new entries as a consumer that never comes back."""
        await self.redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        await self.redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=count)

    async def handle(self, entries: Sequence[StreamEntry], last: Any) -> None:
        numbers = [int(e.fields[b"n"]) for e in entries]
        if self.before is not None:
            await self.before(numbers)
        for number in numbers:
            last.xadd("done", {"n": number})
        self.batches.append(numbers)

    async def bury(self, entry: StreamEntry, reason: str) -> None:
        self.buried[int(entry.fields[b"n"])] = reason

    async def done(self) -> list[int]:
        """Return what the handler's last commands left."""
        return [int(fields[b"n"]) for _, fields in await self.redis.xrange("done")]

    async def left(self) -> int:
        """Return how many entries are in the stream or pending."""
        pending = await self.redis.xpending(STREAM, GROUP)
        return int(await self.redis.xlen(STREAM)) + int(pending["pending"])

    async def until_done(self, *numbers: int) -> None:
        """Wait until just these are done and none is left."""

        async def there() -> bool:
            return await self.done() == list(numbers) and await self.left() == 0

        await until(there, f"{numbers} are done", 20)

    @asynccontextmanager
    async def worker(
        self, *, consumer: str = "one", claim_idle_ms: int = 300, max_deliveries: int = 5
    ) -> AsyncIterator[Worker]:
        """Run a worker."""
        broker = RedisBroker(self.url, logger=logging.getLogger("test"), apply_types=False)
        await broker.start()
        worker = Worker(
            Job(STREAM, GROUP, self.handle, self.bury),
            broker=broker,
            redis=self.redis,
            consumer=consumer,
            batch=256,
            claim_idle=timedelta(milliseconds=claim_idle_ms),
            max_deliveries=max_deliveries,
        )
        keeping = asyncio.create_task(keep_all(lambda: [worker], timedelta(milliseconds=50)))
        try:
            yield worker
        finally:
            await end([keeping])
            await worker.stop()
            await broker.stop()


@pytest.fixture
def bench(redis: Redis, server: EmbeddedServer) -> Bench:
    return Bench(redis, server.url)
