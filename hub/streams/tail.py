"""Follow feeds for many readers with one blocking read: a process has one tailer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.streams import keys
from hub.streams.connect import LOST
from hub.telemetry import process_metrics

__all__ = ["Reader", "Tailer"]

_PAUSE_S: Final = 0.1
_AT_ONCE: Final = 100
_log = structlog.get_logger("tail")

Entry = tuple[int, dict[bytes, bytes]]


class Reader:
    """One reader of the new entries of one feed: they wait here until it takes them.

    A reader that does not keep up is dropped rather than waited for: *dropped* is
    set, nothing more comes, and it resumes by the index it had.
    """

    def __init__(self, feed: str, size: int) -> None:
        self.feed = feed
        self.waiting: deque[Entry] = deque()
        self.dropped = False
        self._size = size
        self._take: Callable[[Entry], bool] | None = None
        self._on_drop: Callable[[], None] | None = None

    def begin(self, take: Callable[[Entry], bool], on_drop: Callable[[], None]) -> None:
        """Hand over what waits and, from now on, each entry as it comes.

        *take* says whether it has taken the entry; what it has not waits for `resume`.
        *on_drop* is called once, where the reader is dropped.
        """
        self._take, self._on_drop = take, on_drop
        if self.dropped:
            on_drop()
        self.resume()

    def resume(self) -> None:
        """Hand over what waits, as far as it is taken."""
        while self.waiting and self._take is not None and self._take(self.waiting[0]):
            self.waiting.popleft()

    def offer(self, entry: Entry) -> None:
        """Give the reader an entry, or drop the reader."""
        if self.dropped:
            return
        if not self.waiting and self._take is not None and self._take(entry):
            return
        if len(self.waiting) < self._size:
            self.waiting.append(entry)
            return
        process_metrics().sse_dropped.inc()
        self.dropped = True
        self.waiting.clear()
        if self._on_drop is not None:
            self._on_drop()


class Tailer:
    """Reads the feeds that somebody follows and hands each entry to all of its readers."""

    def __init__(self, redis: Redis, *, queue: int) -> None:
        self._redis: Any = redis
        self._queue = queue
        self._readers: dict[str, set[Reader]] = {}
        self._cursors: dict[str, bytes] = {}
        self._changed = asyncio.Event()

    async def open(self, key: str) -> Reader:
        """Begin to follow a feed's stream; entries added after this call reach the reader.

        Raises:
            redis.RedisError: Redis is away; try again.
        """
        if key not in self._cursors:
            try:
                last = (await self._redis.xinfo_stream(key))["last-generated-id"]
            except ResponseError:  # the feed is being made: from its beginning
                last = b"0-0"
            # Another reader may have begun while this one asked; the earlier cursor holds.
            self._cursors.setdefault(key, last)
        reader = Reader(key, self._queue)
        self._readers.setdefault(key, set()).add(reader)
        process_metrics().sse_clients.inc()
        self._changed.set()
        return reader

    def close(self, reader: Reader) -> None:
        """Stop following; the last reader of a feed takes the feed's cursor along."""
        readers = self._readers.get(reader.feed, set())
        if reader not in readers:
            return
        readers.discard(reader)
        process_metrics().sse_clients.dec()
        if not readers:
            self._readers.pop(reader.feed, None)
            self._cursors.pop(reader.feed, None)

    async def run(self) -> None:
        """Read until cancelled, through any loss of Redis.

        A feed that was lost is made again with the same ids, so reading on from the last
        one brings neither a gap nor a twin.
        """
        while True:
            if not self._cursors:
                self._changed.clear()
                await self._changed.wait()
            try:
                # Short, so that a feed that somebody begins to follow is soon read too.
                answer = await self._redis.xread(dict(self._cursors), block=200, count=500)
            except (*LOST, RedisError) as e:
                _log.warning("tail.waiting", error=repr(e)[:300])
                await asyncio.sleep(_PAUSE_S)
                continue
            for raw, entries in answer or ():
                key = raw.decode()
                for entry_id, fields in entries:
                    if key in self._cursors:
                        self._cursors[key] = entry_id
                    entry = (keys.index_of(entry_id), fields)
                    await self._spread(entry, list(self._readers.get(key, ())))

    async def _spread(self, entry: Entry, readers: list[Reader]) -> None:
        """Offer an entry to all readers; the loop gets its turn in between."""
        for number, reader in enumerate(readers, 1):
            reader.offer(entry)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
