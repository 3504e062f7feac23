"""Bring into the log what the operator did to tokens and accounts beside it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from hub.log.store import Log
from hub.members import actions
from hub.streams.submit import propose

__all__ = ["Actions"]

_AGAIN: Final = timedelta(seconds=10)
"""After so long what was proposed is proposed again: Redis may have lost it."""


class Actions:
    """What waits beside the log, and when it was last proposed."""

    def __init__(self, log: Log, redis: Redis) -> None:
        self._log = log
        self._redis = redis
        self._proposed: dict[str, float] = {}

    async def look(self) -> None:
        """Propose what waits, and forget what the log has by now; call it now and then.

        Raises:
            Unavailable: ``log-unavailable``, ``streams-unavailable``; call again.
        """
        found = await asyncio.to_thread(actions.waiting, self._log)
        left = await asyncio.to_thread(actions.done, self._log, found) if found else []
        now = asyncio.get_running_loop().time()
        names = {c.inbox for c in left}
        self._proposed = {name: at for name, at in self._proposed.items() if name in names}
        due = [c for c in left if now - self._proposed.get(c.inbox, -1e9) >= _AGAIN.total_seconds()]
        if due:
            await propose(self._redis, due)
            self._proposed.update((c.inbox, now) for c in due)
