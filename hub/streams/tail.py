"""Follow feeds for many readers with one blocking read: a process has one tailer."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.streams import keys
from hub.streams.connect import LOST
from hub.telemetry import process_metrics

__all__ = ["Reader", "Tailer"]

_PAUSE_S: Final = 0.1
_log = structlog.get_logger("tail")

Entry = tuple[int, dict[bytes, bytes]]


class Reader:
    """One reader's queue of new entries of one feed.

    A reader that does not keep up is dropped rather than waited for: *dropped* is
    set, nothing more comes, and it resumes by the index it had.
    """

    def __init__(self, feed: str, size: int) -> None:
        self.feed = feed
        self.queue: asyncio.Queue[Entry | None] = asyncio.Queue(size + 1)
        self.dropped = False
        self._size = size

    def offer(self, entry: Entry) -> None:
        """Give the reader an entry, or drop the reader."""
        if self.dropped:
            return
        if self.queue.qsize() >= self._size:
            process_metrics().sse_dropped.inc()
            self.end()
            return
        self.queue.put_nowait(entry)

    def end(self) -> None:
        """Give the reader nothing more: it may resume by the index it had, if it still may."""
        if not self.dropped:
            self.dropped = True
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


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
                    for reader in list(self._readers.get(key, ())):
                        reader.offer(entry)
