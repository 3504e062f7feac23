"""The other peer of bench/subscribers.py: the least that Python can do for as many readers.

    python bench/peer_raw.py PORT

What is posted to ``/publish`` is written to every connection that asked for ``/events``: one
call of the transport for each, and nothing else. There is no flow control: a reader that stalls
would fill the memory.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_readers: set[Any] = set()
_number = 0


def chunk(data: bytes) -> bytes:
    """Return data as a part of a body of unknown length."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Raw(asyncio.Protocol):
    """A connection that speaks as much HTTP as the bench needs."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport."""
        self.transport = transport
        self.data = b""

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the reader."""
        _readers.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole."""
        global _number  # noqa: PLW0603 - the whole state of a peer that has none
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (length and len(body) < int(length[1])):
            return
        self.data = b""
        if head.startswith(b"GET /events"):
            self.transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
                + chunk(b"id: 0\r\nevent: position\r\ndata: {}\r\n\r\n")
            )
            _readers.add(self.transport)
            return
        told = b"{}"
        if head.startswith(b"POST /publish"):
            _number += 1
            lines = b"".join(b"data: %b\r\n" % line for line in body.splitlines())
            event = chunk(b"id: %d\r\nevent: publish\r\n%b\r\n" % (_number, lines))
            for reader in _readers:
                reader.write(event)
            told = json.dumps({"index": _number}).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))


async def main() -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Raw, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
