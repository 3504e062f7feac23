"""Outlets: bring feeds to other systems, each in its own order and at its own pace.

Every outlet is a line of its own: it takes what comes after its cursor, in log order, one at a
time, and moves on once the other side has taken it. What fails is tried again, later and
later; meanwhile its line stands, and no other waits for it. Cursors are written down together
a few times a second, after the fact: a crash means that the last few are brought once more,
under the same id, so that the other side can tell. Nothing is left out.

One process serves an outlet at a time, as long as it says so in the store again and again.
Another stands by, and takes over what it leaves.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from consumers.channel import Channel
from consumers.outlet import Line
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.errors import Unavailable
from hub.log.feeding import Entry, read_feed, read_public
from hub.log.store import Log
from hub.outlets import store
from hub.outlets.records import PUBLIC, Outlet, State
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import LOST
from hub.streams.feeds import FeedStreams, reached
from hub.streams.submit import propose
from hub.tasks import end
from hub.telemetry import process_metrics

__all__ = ["Outlets"]

_TICK_S: Final = 0.2
_LOOK_S: Final = 1.0
_LEASE: Final = timedelta(seconds=30)
_PAGE: Final = 100
_log = structlog.get_logger("outlets")


class Outlets:
    """The outlets of one kind, as far as this process serves them."""

    def __init__(
        self, channel: Channel, log: Log, redis: Redis, settings: Settings, *, holder: str
    ) -> None:
        self.channel = channel
        self.settings = settings
        self._log = log
        self._redis = redis
        self._streams = FeedStreams(redis)
        self._holder = holder
        self._history = History()
        self._fresh = asyncio.Lock()
        self._lines: dict[str, Line] = {}
        self._held_until = 0.0
        self._next_look = 0.0
        self._failing = False

    async def run(self) -> None:
        """Serve until cancelled, through any loss of the log or of Redis."""
        while True:
            try:
                await self._tick()
            except (Unavailable, RedisError, OSError) as e:
                if not self._failing:
                    _log.warning("outlets.waiting", kind=self.channel.kind, error=repr(e)[:300])
                self._failing = True
            else:
                self._failing = False
            await asyncio.sleep(_TICK_S)

    async def stop(self) -> None:
        """End all lines, write down how far they came, and let others take over at once."""
        await end(line.task for line in self._lines.values())
        try:
            await self._write(quietly=True)
            await asyncio.to_thread(store.let_go, self._log, self.channel.kind, holder=self._holder)
        except Unavailable as e:
            _log.warning("outlets.waiting", kind=self.channel.kind, error=repr(e)[:300])
        for outlet in self._lines:
            await self.channel.leave(outlet)

    @property
    def held(self) -> bool:
        """Whether nobody else can have begun to serve the same outlets."""
        return time.monotonic() < self._held_until

    async def _tick(self) -> None:
        now = time.monotonic()
        looking = now >= self._next_look
        await self._write(quietly=looking)
        if looking:
            self._next_look = now + _LOOK_S
            await self._look()
            await self._confirm()
        await self._wake()

    async def _look(self) -> None:
        """See which outlets there are to serve, and what people have changed."""
        asked = time.monotonic()
        mine = await asyncio.to_thread(
            store.claim,
            self._log,
            self.channel.kind,
            holder=self._holder,
            now=datetime.now(UTC),
            lease=_LEASE,
        )
        # A third of the lease may have passed since it was last written.
        self._held_until = asked + _LEASE.total_seconds() / 2
        feeds = (await self.history()).latest.feeds()
        wanted = {o.id: o for o in mine if o.feed == PUBLIC or o.feed in feeds}
        for outlet, line in list(self._lines.items()):
            there = wanted.get(outlet)
            if there is None or there.version != line.outlet.version:
                await end([line.task])
                await self.channel.leave(outlet)
                del self._lines[outlet]
        for outlet, there in wanted.items():
            if outlet not in self._lines:
                self._lines[outlet] = Line(self, there)
        self._count()

    def _count(self) -> None:
        gauge = process_metrics().outlets
        for state in ("active", "paused", "failing", "disabled"):
            number = sum(line.progress.state == state for line in self._lines.values())
            gauge.labels(self.channel.kind, state).set(number)

    async def _wake(self) -> None:
        """Wake the lines for which something has come."""
        waiting = [line for line in self._lines.values() if line.waits]
        if not waiting:
            return
        ends: dict[str, int] = {}
        feeds = {line.outlet.feed for line in waiting}
        if PUBLIC in feeds:
            ends[PUBLIC] = (await asyncio.to_thread(self._log.head)).size - 1
        try:
            ends |= await reached(self._redis, sorted(feeds - {PUBLIC}))
        except (*LOST, RedisError):
            pass  # each looks by itself after a while
        for line in waiting:
            if ends.get(line.outlet.feed, -1) > line.progress.through:
                line.wake.set()

    async def _write(self, *, quietly: bool) -> None:
        """Write down how far the lines have come."""
        due = [line for line in self._lines.values() if line.dirty or (quietly and line.moved)]
        if not due:
            return
        told = [line.take() for line in due]
        try:
            await asyncio.to_thread(store.note, self._log, told, holder=self._holder)
        except Unavailable:
            for line, progress in zip(due, told, strict=True):
                line.give_back(progress)
            raise
        for line, progress in zip(due, told, strict=True):
            if progress.place == line.progress.place:
                line.saved.set()

    async def _confirm(self) -> None:
        """Tell Redis how far those feeds have arrived whose outlets confirm them.

        Again and again: it may have lost what it was told.
        """
        confirmed = {
            line.outlet.feed: line.progress.through
            for line in self._lines.values()
            if line.outlet.confirms and line.progress.delivered_us is not None
        }
        if confirmed:
            await self._redis.zadd(keys.CONFIRMED, confirmed, gt=True)

    async def history(self) -> History:
        """Return the registry's history as it is now."""
        async with self._fresh:
            for index, entry in await asyncio.to_thread(
                self._log.registry_entries, after=self._history.last_index
            ):
                self._history.apply(index, entry)
        return self._history

    async def page(self, feed: str, *, after: int) -> tuple[list[Entry], int, bool]:
        """Return what a feed holds above *after*, how far that goes, and if there may be more."""
        if feed == PUBLIC:
            found = await asyncio.to_thread(read_public, self._log, after=after, limit=_PAGE)
            return list(found.entries), found.reached, found.reached > after
        return await read_feed(
            self._streams, self._log, self.history, feed, after=after, limit=_PAGE
        )

    async def give_up(self, outlet: Outlet, state: State, reason: str, index: int) -> None:
        """Tell people of an outlet that takes nothing any more (guarantee G6)."""
        process_metrics().dead_letters.inc()
        _log.error("outlet.given_up", outlet=outlet.id, feed=outlet.feed, state=state)
        letter = Candidate(
            "dead-letter",
            outlet.agency,
            body={
                "stage": self.channel.kind,
                "index": index,
                "outlet": outlet.id,
                "feed": outlet.feed,
                "reason": f"the outlet is {state}: {reason}"[:500],
            },
        )
        while True:
            try:
                await propose(self._redis, [letter])
            except Unavailable:
                await asyncio.sleep(_LOOK_S)
            else:
                return
