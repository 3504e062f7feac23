"""Delivery: write down how far each agency has confirmed its feeds (guarantee G7).

One log entry holds all feeds that moved since the last one. Nothing is lost by a
crash: what Redis knows is read again, and what Redis lost is confirmed again by the
readers' next confirmation.
"""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.log.store import Log
from hub.streams.feeds import confirmed_through
from hub.streams.submit import propose

__all__ = ["Delivery"]


class Delivery:
    """The collector of confirmations."""

    def __init__(self, log: Log, redis: Redis) -> None:
        self._log = log
        self._redis = redis
        self._history = History()

    async def collect(self) -> dict[str, int]:
        """Propose what has moved since the last call; return it.

        Raises:
            Unavailable: call again.
        """
        for index, entry in await asyncio.to_thread(
            self._log.registry_entries, after=self._history.last_index
        ):
            self._history.apply(index, entry)
        feeds = sorted(self._history.latest.feeds())
        if not feeds:
            return {}
        logged = await asyncio.to_thread(self._log.delivered, feeds)
        confirmed = await confirmed_through(self._redis, feeds)
        moved = {f: i for f, i in confirmed.items() if i > logged.get(f, 0)}
        if moved:
            await propose(self._redis, [Candidate("delivery", "", body=moved)])
        return moved
