"""A receiver of webhooks that does what a test tells it to: a real server, honest or not."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

__all__ = ["Receiver", "Request", "receiving", "status"]


@dataclass
class Request:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def index(self) -> int:
        return int(self.event["data"]["index"])

    def verified(self, secret: str) -> Any:
        """Verify it as any receiver would, with the reference implementation."""
        return Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def status(code: int, *headers: str, body: bytes = b"") -> Answer:
    """Return a behaviour: answer so."""

    async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return answer


@dataclass
class Receiver:
    """Answers 204 unless it is told otherwise; keeps what it had taken, as it came."""

    url: str = ""
    taken: list[Request] = field(default_factory=list)
    """What was answered with 2xx."""
    seen: list[Request] = field(default_factory=list)
    """All requests."""
    answers: list[Answer] = field(default_factory=list)
    """How the next ones are answered; the last one stays."""
    always: Answer | None = None
    connections: int = 0

    @property
    def indexes(self) -> list[int]:
        """The log indexes that were taken, tests left out."""
        return [r.index for r in self.taken if r.event["type"] != "outlet.test"]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while not writer.is_closing():
                    await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await asyncio.shield(writer.wait_closed())

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        request = Request(first.split()[1], headers, body)
        self.seen.append(request)
        if self.answers:
            await self.answers.pop(0)(request, writer)
        elif self.always is not None:
            await self.always(request, writer)
        else:
            self.taken.append(request)
            await status(204)(request, writer)


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
