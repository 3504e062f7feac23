"""Read one stream as a group, so that every entry is handled although everything may die.

New entries come through a FastStream batch subscriber. What a dead consumer left
pending is claimed: its own at the start, others' once they have been idle. An entry
that cannot be handled is tried alone and then set aside as a dead letter, so that it
never holds up the entries behind it. A group that is gone (Redis lost its data) is
made again and read from its beginning.

An entry leaves the stream only after its handler has returned. A crash at any
moment means that it is handled once more; handlers are idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self

import anyio
import structlog
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.redis import RedisBroker, StreamSub
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.errors import Unavailable
from hub.streams.connect import LOST, is_away
from hub.streams.groups import abandoned, ensure_group, is_no_group
from hub.tasks import end
from hub.telemetry import process_metrics

__all__ = ["Handler", "Job", "StreamEntry", "Worker", "keep_all"]

_log = structlog.get_logger("consumers")

_SUSPECT_AFTER = 2
"""An entry that was handed out more often than this may be what kills; it is handled alone."""


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """An entry as it was read: its id, its plain fields, how often it was handed out."""

    id: bytes
    fields: dict[bytes, bytes]
    deliveries: int = 1


Handler = Callable[[Sequence[StreamEntry], Any], Awaitable[None]]
"""Handles a batch, and puts its last commands into the pipeline that lets go of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker does: which stream it reads as which group, and with what."""

    stream: str
    group: str
    handle: Handler
    """Handles a batch in order. May raise `Unavailable`: the same batch comes again.

    Its last commands and the letting go are one transaction, and one round trip.
    """
    bury: Callable[[StreamEntry, str], Awaitable[None]]
    """Sets one entry aside, with the reason, where a person sees it."""
    wakes: bool = False
    """Whether entries only wake: nothing is kept of them, and what is missed is found otherwise."""
    passes: Callable[[Exception], bool] = lambda _: False
    """Whether a last command may fail as it did; else the batch counts as not handled."""


class _Stream(StreamSub[Literal[True]]):
    """A stream without a prefix: FastStream would copy its description at every read."""

    def add_prefix(self, prefix: str) -> Self:
        return super().add_prefix(prefix) if prefix else self


class Worker:
    """One consumer of one stream."""

    def __init__(
        self,
        job: Job,
        *,
        broker: RedisBroker,
        redis: Redis,
        consumer: str,
        batch: int,
        claim_idle: timedelta,
        max_deliveries: int,
    ) -> None:
        self.job = job
        self._broker = broker
        self._redis = redis
        self._consumer = consumer
        self._batch = batch
        self._claim_idle = claim_idle
        self._claim_idle_s = claim_idle.total_seconds()
        self._max_deliveries = max_deliveries
        self._lock = asyncio.Lock()
        self._next_claim = 0.0
        self._held: dict[bytes, float] = {}
        """What is in hand, and since when, or when that was last told Redis."""
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = False
        self._started = False
        self._subscriber = broker.subscriber(
            stream=_Stream(
                job.stream,
                group=job.group,
                consumer=consumer,
                batch=True,
                max_records=batch,
                polling_interval=1000,
                no_ack=job.wakes,
            ),
            ack_policy=AckPolicy.MANUAL,
            parser=_plain,
            decoder=_entries,
            persistent=False,
        )
        self._subscriber(self._take)

    async def look_after(self) -> None:
        """Make sure that the worker reads, and keeps what it has in hand: call it now and then.

        Raises:
            redis.RedisError: the server is not there; call again.
        """
        if self._keeping is None or self._keeping.done():
            ended, self._keeping = self._keeping, asyncio.create_task(self._keep())
            if ended is not None:
                ended.result()
        await self._hold()

    async def _hold(self) -> None:
        """Tell Redis that what is in hand for long is not abandoned.

        A batch waits in hand while the log is away. Were it claimed meanwhile, by another or
        by this worker itself, each time would count as a death of who had it.
        """
        now = asyncio.get_running_loop().time()
        long: list[Any] = [i for i, at in self._held.items() if now - at > self._claim_idle_s / 4]
        if long:
            await self._redis.xclaim(
                self.job.stream, self.job.group, self._consumer, 0, long, justid=True
            )
            self._held.update((i, now) for i in long if i in self._held)

    async def _keep(self) -> None:
        made = await ensure_group(self._redis, self.job.stream, self.job.group)
        if made and self._started:
            _log.warning("group.remade", stream=self.job.stream, group=self.job.group)
        if not self._started:
            await self._claim(own=True)
            self._started = True
        if not self._subscriber.running and not self._stopping:
            await self._subscriber.start()
        now = asyncio.get_running_loop().time()
        if now >= self._next_claim:
            self._next_claim = now + self._claim_idle_s / 2
            await self._claim(own=False)

    async def stop(self) -> None:
        """Stop reading; what is being handled is finished first."""
        self._stopping = True
        async with self._lock:
            if self._keeping is not None:
                await end([self._keeping])
            await self._subscriber.stop()

    async def _claim(self, *, own: bool) -> None:
        try:
            async for found in abandoned(
                self._redis,
                self.job.stream,
                self.job.group,
                self._consumer,
                idle=self._claim_idle,
                own=own,
                suspect_after=_SUSPECT_AFTER,
                held=self._held,
                count=self._batch,
            ):
                _log.info("entries.claimed", stream=self.job.stream, entries=len(found), own=own)
                process_metrics().claimed_entries.labels(self.job.group).inc(len(found))
                await self._take([StreamEntry(e.id, e.fields, e.deliveries) for e in found])
        except RedisError as e:
            if not is_no_group(e):
                raise

    async def _take(self, entries: Sequence[StreamEntry]) -> None:
        """Handle entries and let go of them; bury what was in hand at too many deaths."""
        now = asyncio.get_running_loop().time()
        self._held.update((e.id, now) for e in entries)
        try:
            await self._take_held(entries)
        finally:
            for entry in entries:
                self._held.pop(entry.id, None)

    async def _take_held(self, entries: Sequence[StreamEntry]) -> None:
        async with self._lock:
            sound = [e for e in entries if e.deliveries <= self._max_deliveries]
            for entry in entries:
                if entry.deliveries > self._max_deliveries:
                    await self._bury(entry, "the process died with it, again and again")
            if sound:
                await self._handle(sound)

    async def _handle(self, entries: Sequence[StreamEntry]) -> None:
        try:
            await self._until_available(lambda: self._attempt(entries))
        except Exception as e:  # noqa: BLE001  # a poisoned entry may raise anything; none may stop the stream
            if len(entries) == 1:
                _log.error("entry.poisoned", stream=self.job.stream, error=repr(e)[:500])
                await self._bury(entries[0], repr(e)[:500])
                return
            _log.warning("batch.split", stream=self.job.stream, error=repr(e)[:500])
            for entry in entries:
                await self._handle([entry])

    async def _attempt(self, entries: Sequence[StreamEntry]) -> None:
        # A transaction: where memory or disk is full, Redis would refuse the handler's commands
        # and still let go of the entries.
        pipe: Any = self._redis.pipeline(transaction=True)
        await self.job.handle(entries, pipe)
        self._let_go(pipe, entries)
        for answer in await pipe.execute(raise_on_error=False):
            if isinstance(answer, Exception) and (is_away(answer) or not self.job.passes(answer)):
                raise answer

    async def _bury(self, entry: StreamEntry, reason: str) -> None:
        process_metrics().dead_letters.inc()
        await self._until_available(lambda: self.job.bury(entry, reason))
        await self._until_available(lambda: self._done([entry]))

    async def _done(self, entries: Sequence[StreamEntry]) -> None:
        pipe = self._redis.pipeline(transaction=True)
        self._let_go(pipe, entries)
        await pipe.execute()

    def _let_go(self, pipe: Any, entries: Sequence[StreamEntry]) -> None:
        if not self.job.wakes:
            ids = [e.id for e in entries]
            pipe.xack(self.job.stream, self.job.group, *ids)
            pipe.xdel(self.job.stream, *ids)

    async def _until_available(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step while a part of the hub is away; order matters, so nothing overtakes it."""
        delay = 0.05
        while True:
            try:
                await step()
            except (Unavailable, RedisError, OSError) as e:
                if not (isinstance(e, Unavailable) or is_away(e)):
                    raise
                if self._stopping:
                    raise asyncio.CancelledError from e
                _log.warning("step.waiting", stream=self.job.stream, error=repr(e)[:300])
                await anyio.sleep(delay)
                delay = min(delay * 2, 1.0)
            else:
                return


async def _plain(message: dict[str, Any]) -> StreamMessage[Any]:
    """Keep the fields as they are; FastStream's own format would read them as its own."""
    return StreamMessage(raw_message=message, body=message["data"])


async def _entries(message: StreamMessage[Any]) -> list[StreamEntry]:
    raw = message.raw_message
    return [
        StreamEntry(id_, fields)
        for id_, fields in zip(raw["message_ids"], raw["data"], strict=True)
    ]


async def keep_all(workers: Callable[[], Sequence[Worker]], every: timedelta) -> None:
    """Keep workers reading until cancelled, through any loss of Redis."""
    while True:
        for worker in workers():
            # The server may be away, or come back empty, between any two commands.
            with suppress(*LOST, TimeoutError):
                try:
                    await worker.look_after()
                except RedisError as e:
                    if isinstance(e, LOST):
                        raise
                    _log.warning("worker.retrying", stream=worker.job.stream, error=repr(e)[:300])
        await anyio.sleep(every.total_seconds())
