"""Webhooks: post each entry of a feed to a receiver, signed, and to nowhere else.

2xx means that it is taken; what the answer says besides is not read beyond a few bytes.
410 ends the outlet. Anything else, a redirect too, is a failure.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpcore

from consumers.channel import Outcome
from hub.log.feeding import Entry
from hub.outlets.events import event_of, event_of_test, id_of, id_of_test, signed
from hub.outlets.guard import Forbidden, Guard, GuardedBackend
from hub.outlets.records import Kind, Outlet, WebhookTarget
from hub.settings import Settings
from hub.version import VERSION

__all__ = ["Webhooks"]

_READ_BYTES: Final = 64 * 1024
"""Of an answer so much is read, so that its connection can be used again; else it is closed."""

_SHOWN: Final = 200


class Webhooks:
    """The channel to receivers of webhooks; each has one connection of its own."""

    kind: Final[Kind] = "webhook"

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.webhook_timeout.total_seconds()
        self._guard = Guard(settings.inner_networks)
        self._tls = ssl.create_default_context(
            cafile=None if settings.webhook_ca is None else str(settings.webhook_ca)
        )
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    def at_once(self, _outlet: Outlet, _entry: Entry) -> bool:
        """Return True: a receiver gets each entry."""
        return True

    def digest_every(self, _outlet: Outlet) -> timedelta | None:
        """Return None: there is no rest."""
        return None

    async def send(self, outlet: Outlet, entry: Entry) -> Outcome:
        """Post an entry."""
        return await self._post(outlet, id_of(outlet, entry[0]), event_of(outlet, entry))

    async def send_digest(self, outlet: Outlet, entries: Sequence[Entry]) -> Outcome:
        """Do nothing: there is no rest."""
        raise NotImplementedError

    async def test(self, outlet: Outlet, at_us: int) -> Outcome:
        """Post a test."""
        return await self._post(outlet, id_of_test(outlet, at_us), event_of_test(outlet, at_us))

    async def leave(self, outlet: str) -> None:
        """Close the connection to an outlet's receiver."""
        pool = self._pools.pop(outlet, None)
        if pool is not None:
            await pool.aclose()

    def _pool(self, outlet: Outlet, *, encrypted: bool) -> httpcore.AsyncConnectionPool:
        if outlet.id not in self._pools:
            self._pools[outlet.id] = httpcore.AsyncConnectionPool(
                ssl_context=self._tls,
                max_connections=1,
                keepalive_expiry=30.0,
                network_backend=GuardedBackend(self._guard, encrypted=encrypted),
            )
        return self._pools[outlet.id]

    async def _post(self, outlet: Outlet, message_id: str, body: bytes) -> Outcome:
        assert isinstance(outlet.target, WebhookTarget)  # noqa: S101  # of this kind all are
        now = time.time()
        url = outlet.target.url
        headers = {
            "Host": _host(url),
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": f"Caspian-Hub/{VERSION}",
            "Accept-Encoding": "identity",
            **signed(
                body,
                message_id=message_id,
                at_s=int(now),
                secrets=outlet.secrets_at(int(now * 1_000_000)),
            ),
        }
        pool = self._pool(outlet, encrypted=url.startswith("https:"))
        limit = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        try:
            async with pool.stream(
                "POST",
                _encoded(url),
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": limit},
            ) as answer:
                said = await _beginning(answer)
                return _outcome(answer, said)
        except Forbidden as e:
            return Outcome(ok=False, detail=f"not connected: {e}")
        except (httpcore.TimeoutException, TimeoutError):
            return Outcome(ok=False, detail="it took too long")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as e:
            return Outcome(ok=False, detail=f"{type(e).__name__}: {e}"[:300])


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna" if not _bare_v6(parts.hostname) else "ascii")
    name = f"[{host.decode()}]" if _bare_v6(parts.hostname) else host.decode()
    usual = {"https": 443, "http": 80}[parts.scheme]
    return name if parts.port in {None, usual} else f"{name}:{parts.port}"


def _bare_v6(host: str | None) -> bool:
    return ":" in (host or "")


def _encoded(url: str) -> httpcore.URL:
    """Return an address as it goes over the line: the name in IDNA, the rest in percents."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    raw = host.encode("ascii") if _bare_v6(host) else host.encode("idna")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(
        scheme=parts.scheme.encode(),
        host=raw,
        port=parts.port,
        target="".join(
            c if c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in target
        ).encode(),
    )


async def _beginning(answer: httpcore.Response) -> bytes:
    """Read an answer to its end, or so much of it that the rest does not matter."""
    said = b""
    async for chunk in answer.aiter_stream():
        said += chunk
        if len(said) > _READ_BYTES:
            break
    return said


def _outcome(answer: httpcore.Response, said: bytes) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return Outcome(ok=True, status=status)
    detail = " ".join(said[:_SHOWN].decode("utf-8", "replace").split())
    if 300 <= status < 400:
        detail = "redirects are not followed"
    return Outcome(
        ok=False,
        status=status,
        detail="".join(c for c in detail if c.isprintable()),
        gone=status == 410,
        retry_after_s=_retry_after_s(answer),
    )


def _retry_after_s(answer: httpcore.Response) -> float:
    given = next((v for k, v in answer.headers if k.lower() == b"retry-after"), b"").decode(
        "latin-1"
    )
    if given.isascii() and given.isdigit():
        return float(min(int(given[:9]), 86_400))
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, TypeError):
        return 0.0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
