"""An event stream as a browser reads it: event by event, from where it broke off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import ServerSentEvent, aconnect_sse

from tests.hubkit import Hub

__all__ = ["Events", "events"]

_PATIENCE_S = 30


@dataclass
class Events:
    """An open event stream."""

    response: httpx.Response
    stream: AsyncGenerator[ServerSentEvent, None]

    async def next(self) -> ServerSentEvent:
        """Return the next event.

        Raises:
            StopAsyncIteration: the hub ended the stream.
        """
        async with asyncio.timeout(_PATIENCE_S):
            # What httpx-sse makes of a comment after an event is none (HTML, 9.2.6: empty data).
            while not (event := await anext(self.stream)).data:
                continue
            return event

    async def through(self, index: int) -> list[dict[str, Any]]:
        """Return the entries up to and with that of a log index."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["index"] < index:
            event = await self.next()
            assert event.id == str(json.loads(event.data)["index"])
            found.append(json.loads(event.data))
            assert event.event == found[-1]["kind"]
        return found


@asynccontextmanager
async def events(
    hub: Hub, who: str, feed: str, *, url: str = "", last: int | None = None, **params: Any
) -> AsyncIterator[Events]:
    """Open the event stream of a feed; *last* is the Last-Event-ID, *url* another API's."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with (
        hub.http(who) as http,
        aconnect_sse(
            http, "GET", f"{url}/v1/feeds/{feed}/events", params=params, headers=headers
        ) as source,
    ):
        assert source.response.status_code == 200, await source.response.aread()
        async with aclosing(source.aiter_sse()) as stream:
            yield Events(source.response, stream)
