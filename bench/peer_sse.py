"""The peer of bench/subscribers.py: a broadcast of server-sent events with nothing behind it.

    python bench/peer_sse.py PORT

What is posted to ``/publish`` goes to all who follow ``/events``, under the next number. There is
no log, no entitlement, no filter and no resuming.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_queues: set[asyncio.Queue[tuple[int, str]]] = set()
_number = 0


async def publish(request: Request) -> JSONResponse:
    """Give a message to everybody."""
    global _number  # noqa: PLW0603 - the whole state of a peer that has none
    _number += 1
    body = (await request.body()).decode()
    for queue in _queues:
        queue.put_nowait((_number, body))
    return JSONResponse({"index": _number}, status_code=201)


async def events(_request: Request) -> EventSourceResponse:
    """Follow."""
    queue: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
    _queues.add(queue)

    async def follow() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(event="position", id="0", data="{}")
        try:
            while True:
                number, body = await queue.get()
                yield ServerSentEvent(event="publish", id=str(number), data=body)
        finally:
            _queues.discard(queue)

    return EventSourceResponse(follow(), ping=10)


if __name__ == "__main__":
    app = Starlette(
        routes=[
            Route("/publish", publish, methods=["POST"]),
            Route("/events", events),
        ]
    )
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", log_level="warning")
