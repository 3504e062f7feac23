"""Inboxes take turns before the ledger, so that no agency's flood keeps another's alert waiting.

The ledger takes candidates in their order. Did intake read on whatever waits there, all
that one agency ever put into its inbox would stand before the next message of any other.
So an inbox is read on only while few candidates wait; and of several that wait for room each
gets it in its turn, for one batch. What one agency has too much stays in its own inbox.

A message therefore waits for at most `ROOM_BATCHES` batches and one of each other inbox.
Several intake processes share the room, and each keeps its own turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from hub.errors import Unavailable
from hub.streams import keys

__all__ = ["ROOM_BATCHES", "Turns"]

ROOM_BATCHES: Final = 2
"""One that the ledger has in hand, and one that waits so that it never stands idle."""

_LOOK_S: Final = 0.01
_PATIENCE_S: Final = 1.0


class Turns:
    """Whose turn it is, in one process."""

    def __init__(self, redis: Redis, *, batch: int) -> None:
        self._redis = redis
        self._room = ROOM_BATCHES * batch
        self._queue = asyncio.Lock()  # who waits for it gets it in the order of asking
        self._in_hand = 0

    @asynccontextmanager
    async def turn(self, entries: int) -> AsyncIterator[None]:
        """Wait for the turn of a batch of so many entries.

        Raises:
            Unavailable: ``ledger-behind``; there was no room within a second. Nothing is lost: the
                batch is tried again, and a process that is to stop can stop.
            redis.RedisError: the server is not there.
        """
        async with self._queue:
            await self._until_room()
            self._in_hand += entries
        try:
            yield
        finally:
            self._in_hand -= entries

    async def _until_room(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_S
        while await self._redis.xlen(keys.CANDIDATES) + self._in_hand >= self._room:
            if loop.time() > deadline:
                raise Unavailable(
                    "ledger-behind",
                    f"{self._room} candidates wait for the ledger",
                    remedy="See that the ledger runs, and that the log's store is quick enough.",
                )
            await asyncio.sleep(_LOOK_S)
