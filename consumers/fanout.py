"""Fan-out: route the log into the feeds, in log order, each feed from where it stands.

The log is read, never Redis: the stream ``log`` only wakes. A feed is its own
cursor (hub.streams.feeds), so a crash at any moment, a lost Redis and a second
fan-out all end in the same feeds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from redis.asyncio import Redis

from consumers.worker import StreamEntry
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.log.feeding import feeds_for
from hub.log.store import Log, LogRow
from hub.streams.feeds import FeedEntry, FeedStreams
from hub.streams.fields import FED, feed_fields
from hub.streams.submit import propose
from hub.telemetry import process_metrics

__all__ = ["FanOut"]

_log = structlog.get_logger("fanout")
_TRIM_EVERY = timedelta(minutes=1)


class FanOut:
    """The writer of all feeds."""

    def __init__(self, log: Log, redis: Redis, *, batch: int, retention: timedelta) -> None:
        self._log = log
        self._redis = redis
        self._streams = FeedStreams(redis)
        self._batch = batch
        self._retention = retention
        self._history = History()
        self._reached: dict[str, int] = {}
        self._skipped: set[int] = set()
        self._catching_up = asyncio.Lock()
        self._next_trim = 0.0

    async def handle(self, _entries: Sequence[StreamEntry]) -> None:
        """Route whatever the log has that the feeds do not."""
        await self.catch_up()

    async def bury(self, entry: StreamEntry, reason: str) -> None:
        """Let go of a wake-up that could not be handled: the next one does the same work."""
        _log.error("wakeup.dropped", entry=entry.id.decode(), reason=reason)

    async def catch_up(self) -> None:
        """Bring every feed to the end of the log.

        Raises:
            Unavailable: the log cannot be read; call again.
            redis.RedisError: the feeds cannot be written; call again.
        """
        async with self._catching_up:
            while await self._step():
                pass

    async def forget(self) -> None:
        """Ask Redis anew where every feed stands; after any failure, and now and then."""
        async with self._catching_up:
            self._reached.clear()

    async def _step(self) -> bool:
        """Route one batch of the log; return whether there may be more."""
        await self._refresh_registry()
        await self._find_missing()
        if not self._reached:
            return False
        after = min(self._reached.values())
        rows = await asyncio.to_thread(self._log.rows, after=after, limit=self._batch)
        if not rows:
            await self._trim()
            return False
        if rows[-1].index > self._history.last_index and any(
            r.kind in {"member", "subscription"} for r in rows
        ):
            await self._refresh_registry()
        through = rows[-1].index
        batches = await self._batches(rows, through)
        self._reached.update(await self._streams.append(batches, reached=through))
        for feed, (_, entries) in batches.items():
            if self._reached[feed] == through:
                process_metrics().feed_entries.labels(feed).inc(len(entries))
            elif self._reached[feed] < 0:
                # Lost with Redis: made anew by the next step, from where its retention begins.
                del self._reached[feed]
        return True

    async def _batches(
        self, rows: Sequence[LogRow], through: int
    ) -> dict[str, tuple[int, list[FeedEntry]]]:
        """Return for each feed behind *through* where it stands and what it is to get."""
        batches: dict[str, tuple[int, list[FeedEntry]]] = {
            feed: (reached, []) for feed, reached in self._reached.items() if reached < through
        }
        for row in rows:
            if row.kind not in FED:
                continue
            entry = None
            for feed in await self._route(row):
                if feed in batches and batches[feed][0] < row.index:
                    entry = entry or FeedEntry(row.index, feed_fields(row))
                    batches[feed][1].append(entry)
        return batches

    async def _route(self, row: LogRow) -> Sequence[str]:
        try:
            return feeds_for(row, self._history.at(row.index))
        except Exception as e:  # noqa: BLE001  # one entry that cannot be routed must not silence all feeds
            _log.error("entry.unroutable", index=row.index, error=repr(e)[:500])
            if row.index not in self._skipped:
                self._skipped.add(row.index)
                process_metrics().dead_letters.inc()
                letter = Candidate(
                    "dead-letter",
                    row.agency,
                    body={"stage": "fanout", "index": row.index, "reason": repr(e)[:500]},
                )
                await propose(self._redis, [letter])
            return ()

    async def _refresh_registry(self) -> None:
        for index, entry in await asyncio.to_thread(
            self._log.registry_entries, after=self._history.last_index
        ):
            self._history.apply(index, entry)

    async def _find_missing(self) -> None:
        feeds = self._history.latest.feeds()
        missing = [feed for feed in feeds if feed not in self._reached]
        if not missing:
            return
        delivered = await asyncio.to_thread(self._log.delivered, missing)
        horizon = await self._horizon()
        made_any = False
        for feed in missing:
            self._reached[feed], made = await self._streams.create(
                feed, after=max(feeds[feed], horizon), confirmed=delivered.get(feed, 0)
            )
            if made:
                made_any = True
                _log.info("feed.made", feed=feed, after=self._reached[feed])
        if made_any:
            process_metrics().redis_rebuilds.inc()

    async def _horizon(self) -> int:
        oldest_us = int((time.time() - self._retention.total_seconds()) * 1_000_000)
        return await asyncio.to_thread(self._log.first_index_at, oldest_us) - 1

    async def _trim(self) -> None:
        now = time.monotonic()
        if now < self._next_trim:
            return
        self._next_trim = now + _TRIM_EVERY.total_seconds()
        below = await self._horizon() + 1
        for feed in list(self._reached):
            await self._streams.trim(feed, below=below)
