"""What stands before every route: who asks too often, bodies without end, headers of safety."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import Unavailable
from hub.http import problems
from hub.http.peer import peer_of
from hub.http.state import Hub

__all__ = ["HEADERS", "HSTS", "LONGEST_BODY_BYTES", "Guard"]

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=31536000"
LONGEST_BODY_BYTES: Final = 1 << 20
"""Of whatever is no message: those have a setting, and a route that reads them itself."""

_PATIENCE_S: Final = 30.0
_READS_ITSELF: Final = "/v1/messages"
_NEVER_REFUSED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_log = structlog.get_logger("api")


class Guard:
    """Give every answer the safe headers, and a fault of ours the form of all errors.

    Refuses an address that asks too often, and bodies that are too long or too slow: the
    framework reads them whole before it looks at who sends them.

    Plain ASGI: a middleware that wraps responses would hold event streams open.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hub: Hub = scope["app"].state.hub
        peer = peer_of(HTTPConnection(scope), hub.settings)
        answer = _Answer(send, secure=peer.secure)
        try:
            if scope["path"] not in _NEVER_REFUSED:
                hub.limits.of_address(peer.address)
            bounded = receive if scope["path"] == _READS_ITSELF else _bounded(receive)
            await self._app(scope, bounded, answer.send)
        except Unavailable as refusal:
            # The routes answer their own; this is the limit above.
            await problems.problem(refusal)(scope, receive, answer.send)
        except ClientDisconnect:
            # It hung up before its request was whole: nothing was taken, nobody is to be answered.
            _log.info("request.abandoned", path=scope["path"])
        except Exception:  # noqa: BLE001  # the process's last word on a request
            _log.exception("request.failed", path=scope["path"])
            if not answer.begun:
                await problems.internal()(scope, receive, answer.send)


class _Answer:
    """An answer on its way out, which gets the safe headers."""

    def __init__(self, send: Send, *, secure: bool) -> None:
        self._send = send
        self._secure = secure
        self.begun = False

    async def send(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._secure:
                headers.setdefault("Strict-Transport-Security", HSTS)
        await self._send(message)


def _bounded(receive: Receive) -> Receive:
    """Return what a request brings, as long as its body is neither too long nor too slow."""
    size, whole, deadline = 0, False, time.monotonic() + _PATIENCE_S

    async def bounded() -> Message:
        nonlocal size, whole
        if whole:
            return await receive()  # it waits until the client hangs up, however long that is
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                message = await receive()
        except TimeoutError as e:
            raise _refused(408, f"the body did not arrive within {_PATIENCE_S:.0f} s") from e
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
        if size > LONGEST_BODY_BYTES:
            raise _refused(413, f"the body is longer than {LONGEST_BODY_BYTES} bytes")
        return message

    return bounded


def _refused(status: int, detail: str) -> HTTPException:
    # The framework passes its own exceptions on, and hides all others, while it reads a body.
    return HTTPException(status, detail, headers={"Connection": "close"})
