"""A hub in the test's own event loop: real Valkey, log, consumers, and a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from consumers.app import JOBS, JobName, running
from hub.app import build_api
from hub.client import AsyncClient, Client
from hub.core.candidate import Candidate
from hub.http.wire import Wire
from hub.log.store import Log, LogRow
from hub.members.credentials import Role, issue, listed, revoke
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import connect
from hub.streams.embedded import EmbeddedServer, free_port
from hub.streams.feeds import reached
from hub.streams.submit import propose
from tests.crash.chaos import AGENCIES, until
from tests.log.samples import cap

__all__ = [
    "AGENCIES",
    "NO_TLS",
    "OFFICER",
    "Api",
    "Hub",
    "QuietServer",
    "alert",
    "another_api",
    "running_hub",
    "stopped",
    "store",
    "until",
]

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading the machine's certificates for each client would take most of a test's time."""

OFFICER = "Reza Karimi"
"""The duty officer of ir-ndmo, who has a token of his own."""


def alert(identifier: str = "", **given: Any) -> bytes:
    """Return an alert sent now; nobody has used its identifier where none is given."""
    return cap(identifier or f"test-{uuid.uuid4().hex}", **{"sent": datetime.now(UTC), **given})


class Api:
    """The API behind a real socket, in this loop; it may be stopped and started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app = build_api(settings)
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve; return once requests are answered."""
        self._app = build_api(self._settings)
        config = uvicorn.Config(
            self._app,
            host=self._settings.host,
            port=self._settings.port,
            http=Wire,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=0,  # what is open breaks off, as it does when a process dies
        )
        self._server = QuietServer(config)
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            assert not self._task.done(), self._task.exception()
            await asyncio.sleep(0.01)

    @property
    def parts(self) -> Any:
        """The parts behind the routes, for a test that has to look into one."""
        return self._app.state.hub

    async def flush(self) -> None:
        """Pass on at once the refusals that it would pass on within a second."""
        if self._server is not None:
            await self._app.state.hub.refusals.flush()

    async def stop(self) -> None:
        """Stop serving; open streams break off."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._server = self._task = None


class QuietServer(uvicorn.Server):
    """A server that leaves the signals of the test's process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Hub:
    """The running hub, and its log and streams as a stranger sees them."""

    settings: Settings
    valkey: EmbeddedServer
    api: Api
    log: Log
    redis: Any
    tokens: dict[str, str] = field(default_factory=dict)
    """By role, by agency, ``expired``, ``revoked``; ``officer`` is that of ir-ndmo."""

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def client(self, who: str, **options: Any) -> AsyncClient:
        """Return the project's own client, as *who*."""
        return AsyncClient(self.url, self.tokens[who], **options)

    def blocking(self, who: str, **options: Any) -> Client:
        """Return the client for code without a loop, as *who*; use it in another thread."""
        return Client(self.url, self.tokens[who], **options)

    @asynccontextmanager
    async def http(self, who: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """Give a bare HTTP client, as *who*; without a token where it is empty."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=30, verify=NO_TLS
        ) as client:
            yield client

    async def publish(self, who: str = "az-fhn", payload: bytes = b"", **given: Any) -> int:
        """Publish over HTTP, an alert of *given* facts where there is none; return its index."""
        async with self.http(who) as http:
            answer = await http.post("/v1/messages", content=payload or alert(**given))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["index"])

    async def rows(self, *kinds: str, agency: str | None = None, after: int = -1) -> list[LogRow]:
        """Return the entries of the log, of these kinds."""
        return await asyncio.to_thread(
            self.log.rows, after=after, limit=5000, kinds=kinds, agency=agency
        )

    async def refused(
        self, code: str, *, agency: str | None = None, after: int = -1
    ) -> dict[str, Any]:
        """Wait until the log tells of a refusal above *after*; return its facts."""
        found: list[dict[str, Any]] = []
        await self.api.flush()

        async def logged() -> bool:
            rows = await self.rows("refusal", agency=agency, after=after)
            found[:] = [r.entry for r in rows if r.entry["code"] == code]
            return bool(found)

        await until(logged, f"the refusal {code} is in the log", 20)
        return found[0]

    async def head(self) -> int:
        """Return the index of the log's last entry."""
        return (await asyncio.to_thread(self.log.head)).size - 1

    async def feed(self, feed: str) -> list[tuple[int, dict[bytes, bytes]]]:
        """Return what the stream of a feed holds."""
        return [
            (keys.index_of(i), fields) for i, fields in await self.redis.xrange(keys.feed(feed))
        ]

    async def fed(self, feed: str, index: int) -> None:
        """Wait until fan-out has brought a feed to a log index."""

        async def there() -> bool:
            return (await reached(self.redis, [feed]))[feed] >= index

        await until(there, f"{feed} has reached {index}", 20)

    async def answers(self, agency: str) -> list[dict[str, str]]:
        """Return what stands on an agency's receipt stream."""
        return [
            {k.decode(): v.decode() for k, v in fields.items()}
            for _, fields in await self.redis.xrange(keys.receipts(agency))
        ]

    async def add_members(self, members: Sequence[dict[str, Any]]) -> None:
        """Register members, and wait until their feeds are there."""
        await propose(self.redis, [Candidate("member", "", body=m) for m in members])

        async def there() -> bool:
            count = await self.redis.exists(*(keys.feed(m["id"]) for m in members))
            return int(count) == len(members)

        await until(there, "the members have feeds", 20)


def store(directory: Path) -> str:
    """Return the URL of a log in a directory."""
    return f"sqlite:///{directory / 'log.db'}"


def issue_tokens(log: Log) -> dict[str, str]:
    """Return a token for everybody, one that has expired, and one that is revoked."""
    now = datetime.now(UTC)

    def token(
        role: Role, agency: str = "", person: str = "", expires: Any = None, **limits: Any
    ) -> str:
        return issue(
            log, role=role, agency=agency, person=person, expires=expires, now=now, **limits
        )

    tokens = {agency: token("agency", agency) for agency in AGENCIES}
    tokens["officer"] = token("officer", "ir-ndmo", OFFICER)
    tokens["auditor"] = token("auditor", person="Auditor")
    tokens["operator"] = token("operator", person="Operator")
    tokens["registrar"] = token("registrar", person="Registrar")
    tokens["registrar of KZ"] = token("registrar", person="Registrar", state="KZ")
    tokens["auditor of KZ"] = token("auditor", state="KZ")
    tokens["auditor of ir-ndmo"] = token("auditor", "ir-ndmo")
    tokens["witness"] = token("witness", state="TM")
    tokens["mirror"] = token("mirror", state="TM")
    tokens["only reads"] = token("agency", "az-fhn", scopes=("read",))
    tokens["only publishes"] = token("agency", "az-fhn", scopes=("publish",))
    tokens["stranger"] = token("agency", "az-unknown")
    tokens["expired"] = token("agency", "az-fhn", expires=now - timedelta(seconds=1))
    tokens["revoked"] = token("agency", "az-fhn")
    prefix = tokens["revoked"].split("_")[1]
    revoke(log, prefix, now=now)
    assert any(c.prefix == prefix and c.revoked for c in listed(log))
    return tokens


@asynccontextmanager
async def running_hub(
    directory: Path, jobs: Sequence[JobName] = JOBS, *, members: bool = True, **given: Any
) -> AsyncIterator[Hub]:
    """Run a hub with five members, or none; *given* are settings of one's own."""
    with EmbeddedServer(directory / "valkey") as valkey:
        settings = Settings.model_validate(
            {
                "redis_url": valkey.url,
                "log_url": store(directory),
                "origin": "test.example/log",
                "port": free_port(),
                "data": directory,
                "log_key": str(directory / "log.key"),
                "delivery_interval": timedelta(milliseconds=200),
                **given,
            }
        )
        log = await asyncio.to_thread(Log.open, settings.log_url)
        redis = connect(settings.redis_url)
        hub = Hub(settings, valkey, Api(settings), log, redis)
        try:
            hub.tokens = await asyncio.to_thread(issue_tokens, log)
            async with running(settings, jobs):
                if members:
                    await hub.add_members(
                        [{"id": a, "state": a[:2].upper(), "name": a} for a in AGENCIES]
                    )
                await hub.api.start()
                try:
                    yield hub
                finally:
                    await hub.api.stop()
        finally:
            await redis.aclose()
            log.close()


@contextmanager
def stopped(server: EmbeddedServer) -> Iterator[None]:
    """Let the stream server hang: connections stay open, and nothing is answered."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@asynccontextmanager
async def another_api(hub: Hub, **given: Any) -> AsyncIterator[Settings]:
    """Serve the same hub a second time, with settings of one's own."""
    settings = hub.settings.model_copy(update={"port": free_port(), **given})
    api = Api(settings)
    await api.start()
    try:
        yield settings
    finally:
        await api.stop()


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold a response against the form of all errors (RFC 9457); return it."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == f"urn:caspian-hub:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert "remedy" in body
    return body
