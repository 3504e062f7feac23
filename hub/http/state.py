"""What the routes share: the log, Redis, who asks, and the registry as it is now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from hub.core.registry import History
from hub.errors import Rejected
from hub.http.refusals import Refusals
from hub.log.store import Log
from hub.members.credentials import Authenticator
from hub.members.roles import Principal
from hub.settings import Settings
from hub.streams.answers import Answers
from hub.streams.feeds import FeedStreams
from hub.streams.tail import Tailer

__all__ = ["Asker", "Hub", "HubState"]

_FRESH_S = 1.0


@dataclass
class Hub:
    """The parts behind the API of one process."""

    settings: Settings
    log: Log
    redis: Redis
    streams: FeedStreams
    answers: Answers
    tailer: Tailer
    authenticator: Authenticator
    refusals: Refusals
    history: History = field(default_factory=History)
    _read_at: float = -1.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def registry(self, *, fresh: bool = False) -> History:
        """Return the registry's history, at most a second old; with *fresh*, as it is now.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        async with self._lock:
            now = time.monotonic()
            if fresh or now - self._read_at > _FRESH_S:
                for index, entry in await asyncio.to_thread(
                    self.log.registry_entries, after=self.history.last_index
                ):
                    self.history.apply(index, entry)
                self._read_at = now
        return self.history


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubState = Annotated[Hub, Depends(_hub)]


async def _asker(request: Request, hub: HubState) -> Principal:
    """Return who asks.

    Raises:
        Rejected: ``token-missing``, ``token-invalid``, ``token-expired``; logged as a refusal.
    """
    token = _bearer(request.headers.getlist("authorization"))
    principal = await asyncio.to_thread(hub.authenticator.principal, token)
    request.state.agency = principal.agency
    return principal


def _bearer(headers: Sequence[str]) -> str:
    if len(headers) > 1:
        # What stands before the hub may have looked at the other one.
        raise Rejected("token-invalid", "there are several tokens", remedy="Send one token.")
    scheme, _, token = "".join(headers).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Rejected(
            "token-missing",
            "there is no bearer token",
            remedy="Send `Authorization: Bearer <token>`.",
        )
    return token.strip()


Asker = Annotated[Principal, Depends(_asker)]
