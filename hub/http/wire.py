"""What the API reads from a socket: heads of bounded length and time; what is no HTTP is told."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.errors import Rejected
from hub.http.guard import HEADERS
from hub.http.problems import problem
from hub.http.refusals import Refusals

__all__ = ["LINE", "LONGEST_HEAD_BYTES", "REFUSALS", "Line", "Watcher", "Wire", "chunk"]

LONGEST_HEAD_BYTES: Final = 16_384
"""The longest request line and headers, together."""

REFUSALS: Final = "refusals"
"""Under this name the API's lifespan hands its `Refusals` to the connections."""

LINE: Final = "caspian.line"
"""The ASGI extension by which a response that has begun may write to its connection itself."""


class Watcher(Protocol):
    """Who is told what becomes of a connection."""

    def writable(self) -> None:
        """Go on writing: it takes more again."""

    def lost(self) -> None:
        """Stop: it is gone."""


class Line(Protocol):
    """A connection that a response writes to without waiting; what it writes are `chunk`s."""

    @property
    def full(self) -> bool:
        """Whether so much waits to be sent that nothing more should be put."""

    def watch(self, watcher: Watcher | None) -> None:
        """Tell somebody, or nobody any more, what becomes of it."""

    def put(self, data: bytes) -> None:
        """Send, or keep until it can be sent; of a connection that is gone nothing is told."""

    def cut(self) -> None:
        """Break it off, with all that waits to be sent."""


def chunk(data: bytes) -> bytes:
    """Return data as a part of a body whose length nobody knows yet (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Wire(HttpToolsProtocol):
    """A connection to the API.

    The parser itself takes a head of any length and for any time, from anybody: it would
    fill the memory, and keep connections that say nothing for ever.
    """

    head_s = 10.0
    """How long a head may take, from its first byte or the connection's beginning."""

    idle_s = 5
    """How long a connection may lie idle between two requests."""

    _head_bytes = 0
    _read_bytes = 0
    _in_head = False
    _timer: asyncio.TimerHandle | None = None
    _watcher: Watcher | None = None

    @property
    def full(self) -> bool:
        """Whether so much waits to be sent that nothing more should be put."""
        return self.flow.write_paused

    def watch(self, watcher: Watcher | None) -> None:
        """Tell somebody, or nobody any more, what becomes of the connection."""
        self._watcher = watcher
        if watcher is not None and self.transport.is_closing():
            watcher.lost()

    def put(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def cut(self) -> None:
        """Break it off."""
        self.transport.abort()

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._watcher is not None:
            self._watcher.writable()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.idle_s
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._disarm()
        super().connection_lost(exc)
        if self._watcher is not None:
            self._watcher.lost()

    def data_received(self, data: bytes) -> None:
        """Read on; refuse a head that does not end."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._read_bytes += len(data)
            if self._read_bytes > LONGEST_HEAD_BYTES:
                self.send_400_response("The head is too long.")
        if self._timer is None and not self._busy() and not self.transport.is_closing():
            self._arm()  # bytes ended the wait between two requests: these must become a head

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"line": self}}
        self._in_head, self._head_bytes, self._read_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take the request's target, or a part of it."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(name + value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop counting: bodies are bounded by the routes that read them."""
        self._in_head = False
        self._disarm()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer in the form of all errors, log the refusal, and close."""
        self._refuse(
            b"400 Bad Request",
            Rejected(
                "http-invalid",
                "this is no HTTP/1.1 request with a head of at most "
                f"{LONGEST_HEAD_BYTES} bytes: {msg}",
                remedy="Correct the client, or what stands between it and the hub.",
            ),
        )

    def _refuse(self, status: bytes, refusal: Rejected) -> None:
        self._in_head = False
        self._disarm()
        refusals = self.app_state.get(REFUSALS)
        if isinstance(refusals, Refusals):
            refusals.note("", refusal)
        answer = problem(refusal, headers={**HEADERS, "Connection": "close"})
        head = b"".join(b"%s: %s\r\n" % pair for pair in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n" + bytes(answer.body))
        self.transport.close()

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.head_s, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._busy():
            self._arm()  # it is our own answer that the rest of the head waits for
        elif self._in_head:
            self._refuse(
                b"408 Request Timeout",
                Rejected(
                    "head-too-slow",
                    f"the head did not arrive within {self.head_s:g} s",
                    remedy="Send the same again, on a better line.",
                ),
            )
        else:
            self.transport.close()  # it never asked for anything

    def _count(self, part: bytes) -> None:
        self._head_bytes += len(part)
        if self._head_bytes > LONGEST_HEAD_BYTES:
            raise ValueError("the head is too long")
