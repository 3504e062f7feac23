"""What the API reads from a socket: heads of bounded length; what is no HTTP is told and logged."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.errors import Rejected
from hub.http.problems import problem
from hub.http.refusals import Refusals

__all__ = ["LONGEST_HEAD_BYTES", "REFUSALS", "Wire"]

LONGEST_HEAD_BYTES: Final = 16_384
"""The longest request line and headers, together."""

REFUSALS: Final = "refusals"
"""Under this name the API's lifespan hands its `Refusals` to the connections."""


class Wire(HttpToolsProtocol):
    """A connection to the API.

    The parser itself takes a head of any length, from anybody: it would fill the memory.
    """

    _head_bytes = 0
    _read_bytes = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Read on; refuse a head that does not end."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._read_bytes += len(data)
            if self._read_bytes > LONGEST_HEAD_BYTES:
                self.send_400_response("The head is too long.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
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
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer in the form of all errors, log the refusal, and close."""
        self._in_head = False
        refusal = Rejected(
            "http-invalid",
            f"this is no HTTP/1.1 request with a head of at most {LONGEST_HEAD_BYTES} bytes: {msg}",
            remedy="Correct the client, or what stands between it and the hub.",
        )
        refusals = self.app_state.get(REFUSALS)
        if isinstance(refusals, Refusals):
            refusals.note("", refusal)
        answer = problem(refusal, headers={"Connection": "close"})
        head = b"".join(b"%s: %s\r\n" % pair for pair in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(answer.body))
        self.transport.close()

    def _count(self, part: bytes) -> None:
        self._head_bytes += len(part)
        if self._head_bytes > LONGEST_HEAD_BYTES:
            raise ValueError("the head is too long")
