"""The asynchronous client of a hub."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import EventSource

from hub.client import calls
from hub.client.calls import Backoff, Call
from hub.client.outbox import Signed
from hub.errors import Rejected, Unavailable
from schemas.receipt import Receipt

__all__ = ["AsyncClient"]

T = TypeVar("T")


class AsyncClient:
    """A hub, over HTTP. Use it as an asynchronous context manager.

    Calls are repeated while the hub is away, for as long as *within*; every one of them
    may be repeated safely.

    Raises:
        Rejected: from every call; change something.
        Unavailable: from every call, after *within*; try later. ``hub-unreachable`` where
            nothing answers.
    """

    def __init__(
        self, url: str, token: str, *, within: timedelta = timedelta(seconds=30), **options: Any
    ) -> None:
        self._within = within
        if not url.lower().startswith("https:"):
            # To read which authorities there are takes longer than a call, and nobody asks them.
            options.setdefault("verify", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, **options
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make a call, again and again while the hub is away."""
        backoff = Backoff(self._within)
        while True:
            try:
                response = await self._http.request(
                    call.method,
                    call.path,
                    content=call.content,
                    json=call.json,
                    params=call.params,
                    headers=call.headers,
                    timeout=call.patience.total_seconds(),
                )
                if response.is_success:
                    return calls.read_answer(call, response)
                error = calls.read_error(response)
                if isinstance(error, Rejected):
                    raise error
                away = Unavailable(error.code, error.detail, remedy=error.remedy)
            except httpx.TransportError as e:
                away = Unavailable(calls.GAVE_UP, f"{self._http.base_url} does not answer: {e!r}")
            wait_s = backoff.wait_s(away)
            if wait_s is None:
                raise away
            await asyncio.sleep(wait_s)

    async def publish(
        self, payload: bytes, *, message_id: str | None = None, content_type: str | None = None
    ) -> Receipt:
        """Publish a message; return once it is durable in the log."""
        return await self.call(
            calls.publish(payload, message_id=message_id, content_type=content_type)
        )

    async def send_signed(self, message: Signed) -> Receipt:
        """Send a message that its agency signed; `SignedPublisher` keeps their order."""
        return await self.call(calls.send_signed(message))

    async def redact(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Have a payload removed by law: ``agency``, ``message`` (its index), ``grounds``."""
        return await self.call(calls.redact(record))

    async def registry(self) -> dict[str, Any]:
        """Return the registry: ``origin``, ``states``, ``agencies``, ``keys``, ``versions`` …."""
        return await self.call(calls.registry())

    async def chain(self, agency: str) -> dict[str, Any]:
        """Return where an agency's count of what it signed stands: ``seq`` and ``head``."""
        return await self.call(calls.chain(agency))

    async def submit(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a signed change of the registry; return where the log has it: ``index``."""
        return await self.call(calls.post_statement(statement))

    async def acknowledge(self, name: str, *, note: str = "", officer: str = "") -> Receipt:
        """Acknowledge a message by its id or log index."""
        return await self.call(calls.acknowledge(name, note=note, officer=officer))

    async def message(self, name: str) -> dict[str, Any]:
        """Return a message's facts and its life with every recipient."""
        return await self.call(calls.message(name))

    async def payload(self, name: str) -> bytes:
        """Return a message exactly as it was sent."""
        return await self.call(calls.payload(name))

    async def proof(self, name: str) -> bytes:
        """Return the proof that a message is in the log, as C2SP tlog-proof writes it."""
        return await self.call(calls.proof(name))

    async def log_receipt(self, name: str) -> dict[str, Any]:
        """Return the receipt of a message (`schemas.log_receipt`), to keep."""
        return await self.call(calls.log_receipt(name))

    async def thread(self, name: str) -> dict[str, Any]:
        """Return the messages that belong together with one, and where each of them stands."""
        return await self.call(calls.thread(name))

    async def incidents(
        self, *, channel: str = "actual", before: int | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """Return a page of incidents, newest first, and in ``next`` what to go on *before*."""
        return await self.call(calls.incidents(channel=channel, before=before, limit=limit))

    async def incident(
        self, name: str, *, channel: str = "actual", after: int = -1, limit: int = 100
    ) -> dict[str, Any]:
        """Return messages about an incident, in the order of the log."""
        return await self.call(calls.incident(name, channel=channel, after=after, limit=limit))

    async def feeds(self) -> list[dict[str, Any]]:
        """Return the feeds that one may read."""
        return await self.call(calls.feeds())

    async def read(
        self,
        feed: str,
        *,
        after: int = -1,
        limit: int = 100,
        wait: timedelta = timedelta(0),
        wanted: Mapping[str, Any] | None = None,
        sandbox: str = "",
    ) -> dict[str, Any]:
        """Return a page of a feed: ``entries``, and ``next`` to go on from."""
        return await self.call(
            calls.read(
                feed, after=after, limit=limit, wait=wait, wanted=wanted or {}, sandbox=sandbox
            )
        )

    async def confirm(self, feed: str, through: int) -> None:
        """Confirm that a feed arrived through a log index."""
        await self.call(calls.confirm(feed, through))

    async def head(self) -> dict[str, Any]:
        """Return the end of the log: origin, size, root, time."""
        return await self.call(calls.head())

    async def entries(
        self,
        *,
        after: int = -1,
        limit: int = 1000,
        kinds: tuple[str, ...] = (),
        agency: str | None = None,
    ) -> dict[str, Any]:
        """Return a page of the log: ``entries``, and ``next`` to go on from."""
        return await self.call(calls.entries(after=after, limit=limit, kinds=kinds, agency=agency))

    async def watch(self, feed: str, **wanted: Any) -> dict[str, Any]:
        """Return what a watch over a main feed has to know; *wanted* as docs/protocol/http.md."""
        return await self.call(calls.watch(feed, wanted=wanted))

    async def escalations(self, *, after: int = -1, limit: int = 100) -> dict[str, Any]:
        """Return what was not acknowledged in time: ``escalations`` and ``next``."""
        return await self.call(calls.escalations(after=after, limit=limit))

    async def aid_board(self, *, incident: str = "", state: str = "") -> dict[str, Any]:
        """Return the aid board: ``incidents``, of one incident or one state that gives."""
        return await self.call(calls.aid_board(incident=incident, state=state))

    async def members(self) -> dict[str, Any]:
        """Return the members and subscriptions."""
        return await self.call(calls.members())

    async def add_member(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Add or change a member."""
        return await self.call(calls.post_member(record))

    async def add_subscription(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Add or change a subscription."""
        return await self.call(calls.post_subscription(record))

    async def dead_letters(self, *, after: int = -1, limit: int = 100) -> dict[str, Any]:
        """Return a page of dead letters."""
        return await self.call(calls.dead_letters(after=after, limit=limit))

    async def retry(self, index: int) -> dict[str, Any]:
        """Try a dead letter again."""
        return await self.call(calls.retry_dead_letter(index))

    async def follow(
        self,
        feed: str,
        *,
        after: int | None = None,
        wanted: Mapping[str, Any] | None = None,
        sandbox: str = "",
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Follow a feed for ever: each entry once, in order, through every break of the line.

        Begins after the log index *after*, or with what comes from now on. Gives up only
        when the hub stays away for longer than the client's *within*.
        """
        backoff = Backoff(self._within)
        while True:
            call = calls.events(feed, after=after, wanted=wanted or {}, sandbox=sandbox)
            away = Unavailable(calls.GAVE_UP, f"the event stream of {feed} ended")
            try:
                async with self._http.stream(
                    call.method,
                    call.path,
                    params=call.params,
                    headers={**call.headers, "Accept": "text/event-stream"},
                    timeout=call.patience.total_seconds(),
                ) as response:
                    if not response.is_success:
                        await response.aread()
                        error = calls.read_error(response)
                        if isinstance(error, Rejected):
                            raise error
                    else:
                        async for event in EventSource(response).aiter_sse():
                            backoff.reset(self._within)
                            if not event.id or (after is not None and int(event.id) <= after):
                                continue
                            after = int(event.id)
                            if event.event != "position":
                                yield json.loads(event.data)
            except httpx.TransportError as e:
                away = Unavailable(calls.GAVE_UP, f"{self._http.base_url} does not answer: {e!r}")
            wait_s = backoff.wait_s()
            if wait_s is None:
                raise away
            await asyncio.sleep(wait_s)
