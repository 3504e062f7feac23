"""Keeps the users of Redis in step with the members: who joins can connect, who leaves cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio import Redis

from hub.core.registry import History
from hub.log.store import Log
from hub.streams.acl import apply, digests

__all__ = ["RedisUsers"]

_log = structlog.get_logger("redis-users")


class RedisUsers:
    """The agencies' users of one Redis, with their passwords in a directory."""

    def __init__(self, log: Log, redis: Redis, directory: Path) -> None:
        self._log = log
        self._redis = redis
        self._directory = directory
        self._history = History()
        self._applied: dict[str, str] = {}
        self._left: Any = None

    async def look(self) -> None:
        """Make, change and remove users where they are not as the registry says.

        Raises:
            Unavailable: the log cannot be read, or the directory not be written.
            redis.RedisError: the users cannot be changed now; call again.
        """
        for index, entry in await asyncio.to_thread(
            self._log.registry_entries, after=self._history.last_index
        ):
            self._history.apply(index, entry)
        wanted = await asyncio.to_thread(digests, self._directory, self._history.latest.members)
        # Another server, or an older file of users: one too many is as wrong as one too few.
        if wanted == self._applied and await self._users() == self._left:
            return
        unsaved = await apply(self._redis, wanted)
        self._applied, self._left = wanted, await self._users()
        _log.info("users.applied", agencies=len(wanted))
        if unsaved:
            _log.warning("users.unsaved", error=unsaved[:300])

    async def _users(self) -> Any:
        return await self._redis.execute_command("ACL", "LIST")  # type: ignore[no-untyped-call]
