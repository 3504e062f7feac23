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
from typing import Any

import structlog
from redis.asyncio import Redis

from consumers.worker import StreamEntry
from hub.core.candidate import Candidate
from hub.core.registry import REGISTRY_KINDS, History
from hub.core.routing import feeds_of_redaction
from hub.log.feeding import feeds_for
from hub.log.store import Log, LogRow
from hub.streams.feeds import FeedEntry, FeedStreams, reached
from hub.streams.fields import FED, feed_fields
from hub.streams.submit import propose
from hub.telemetry import process_metrics
from schemas.facts import MessageFacts

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
        """Where each feed's stream stands; it may be behind `_routed` where it got nothing."""
        self._routed = 1 << 62
        """The log index through which everything is routed into every feed."""
        self._skipped: set[int] = set()
        self._catching_up = asyncio.Lock()
        self._next_trim = 0.0

    async def handle(self, _entries: Sequence[StreamEntry], _last: Any) -> None:
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
            if not self._reached:
                await self._refresh_registry()
                await self._make_missing()
            while await self._step():
                pass

    async def look(self) -> None:
        """Ask Redis anew where every feed stands, then catch up: now and then, and after a failure.

        It finds what was lost while nothing was published, and moves the feeds that got
        nothing on to where routing is.

        Raises:
            Unavailable, redis.RedisError: as `catch_up`.
        """
        async with self._catching_up:
            await self._refresh_registry()
            feeds = self._history.latest.feeds()
            for feed, at in (await reached(self._redis, feeds)).items():
                if self._reached.get(feed) != at:
                    self._stands(feed, at)
            await self._make_missing()
            while await self._step():
                pass
            idle = {feed: (at, ()) for feed, at in self._reached.items() if at < self._routed}
            if idle:
                for feed, at in (await self._streams.append(idle, reached=self._routed)).items():
                    self._stands(feed, at)
            await self._trim()

    async def _step(self) -> bool:
        """Route one batch of the log; return whether there may be more."""
        rows = await asyncio.to_thread(self._log.rows, after=self._routed, limit=self._batch)
        if not rows:
            return False
        if any(r.kind in REGISTRY_KINDS for r in rows):
            await self._refresh_registry()
            await self._make_missing()
        through = rows[-1].index
        batches = await self._batches(rows, through)
        await self._remove_redacted(rows)
        stand = await self._streams.append(batches, reached=through)
        # Not before: had Redis been lost meanwhile, these rows would never be routed again.
        self._routed = through
        for feed, at in stand.items():
            if at == through:
                process_metrics().feed_entries.labels(feed).inc(len(batches[feed][1]))
            self._stands(feed, at)
        if any(feed not in self._reached for feed in batches):
            await self._make_missing()
        return True

    async def _batches(
        self, rows: Sequence[LogRow], through: int
    ) -> dict[str, tuple[int, list[FeedEntry]]]:
        """Return for each feed that is to get something where it stands, and what it gets."""
        batches: dict[str, tuple[int, list[FeedEntry]]] = {}
        for row in rows:
            if row.kind not in FED:
                continue
            entry = None
            for feed in await self._route(row):
                at = self._reached.get(feed, through)
                if at < row.index:
                    entry = entry or FeedEntry(row.index, feed_fields(row))
                    batches.setdefault(feed, (at, []))[1].append(entry)
        return batches

    async def _remove_redacted(self, rows: Sequence[LogRow]) -> None:
        """Remove from the feeds what was redacted; before they pass on, so a crash repeats it."""
        for row in rows:
            if row.kind == "retirement":
                await self._remove_retired(row)
            elif row.kind == "redaction":
                index = int(row.entry["redaction"]["message"])
                feeds = set(await self._route(row))
                feeds.update(feeds_for(row, self._history.at(index)))
                await self._streams.remove(sorted(feeds), index)

    async def _remove_retired(self, row: LogRow) -> None:
        """Remove what went by age from all feeds that may hold it: a quiet one trims late."""
        entry = row.entry
        for index, one in zip(entry["messages"], entry["left"], strict=True):
            left = MessageFacts.model_validate_json(one["residue"])
            registry = self._history.at(row.index)
            feeds = set(feeds_of_redaction(left, one["agency"], registry))
            feeds.update(feeds_of_redaction(left, one["agency"], self._history.at(index)))
            await self._streams.remove(sorted(feeds), index)

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

    async def _make_missing(self) -> None:
        """Make the feeds that are not there."""
        feeds = self._history.latest.feeds()
        missing = [feed for feed in feeds if feed not in self._reached]
        if missing:
            delivered = await asyncio.to_thread(self._log.delivered, missing)
            horizon = await self._horizon()
            process_metrics().redis_rebuilds.inc()
            for feed in missing:
                at, made = await self._streams.create(
                    feed, after=max(feeds[feed], horizon), confirmed=delivered.get(feed, 0)
                )
                self._stands(feed, at)
                if made:
                    _log.info("feed.made", feed=feed, after=at)

    def _stands(self, feed: str, at: int) -> None:
        """Take note of where a feed's stream stands; routing goes back there if it is ahead.

        A stream that is gone (-1) is forgotten, for `_make_missing` to make it anew.
        """
        if at < 0:
            self._reached.pop(feed, None)
        else:
            self._reached[feed] = at
            self._routed = min(self._routed, at)

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
