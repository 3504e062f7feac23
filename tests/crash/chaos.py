"""A hub of real processes under a stream of messages, and what must hold when it is over."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.client import AsyncClient
from hub.client.stream import StreamPublisher
from hub.core.candidate import Candidate
from hub.core.merkle import root_of
from hub.core.registry import History
from hub.core.routing import feeds_of
from hub.log.store import Log
from hub.members.credentials import issue
from hub.parts import embedded_settings, parts
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import connect
from hub.streams.embedded import free_port
from hub.streams.submit import propose
from hub.supervisor import Supervisor
from schemas.receipt import Receipt

AGENCIES = ("az-fhn", "ir-ndmo", "kz-mes", "ru-mchs", "tm-msfs")
_ALERT = (Path(__file__).parent / "alert.xml").read_text("utf-8")


def alert(number: int, *, status: str = "Actual", scope: str = "<scope>Public</scope>") -> bytes:
    """Return a CAP alert of about 1.5 kB whose identifier holds *number*."""
    sent = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return (
        _ALERT.replace("{number}", str(number))
        .replace("{sent}", sent)
        .replace("{status}", status)
        .replace("{scope}", scope)
        .encode()
    )


@dataclass
class Hub:
    """The running processes, and their log and streams as a stranger sees them."""

    settings: Settings
    supervisor: Supervisor
    redis: Any
    log: Log
    receipts: dict[int, tuple[Receipt, bytes]] = field(default_factory=dict)

    def kill(self, *names: str) -> list[str]:
        """SIGKILL running children at once; return who was hit."""
        hit = []
        states = self.supervisor.states()
        for name in names or states:
            pid = states[name].pid
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                    hit.append(name)
        return hit

    async def stream(
        self, agency: str, numbers: range, *, window: int = 256, pace: float = 0.0
    ) -> None:
        """Publish messages, a window of them at a time, until each has its receipt."""
        slots = asyncio.Semaphore(window)
        async with StreamPublisher(
            self.settings.redis_url, agency, resend_after=timedelta(seconds=1)
        ) as publisher:

            async def one(number: int) -> None:
                payload = alert(number)
                try:
                    self.receipts[number] = (await publisher.publish(payload), payload)
                finally:
                    slots.release()

            async with asyncio.TaskGroup() as tasks:
                for number in numbers:
                    await slots.acquire()
                    tasks.create_task(one(number))
                    if pace:
                        await asyncio.sleep(pace)

    async def post(self, agency: str, numbers: range, *, window: int = 64) -> None:
        """Publish messages over HTTP, a window of them at a time, until each has its receipt."""
        slots = asyncio.Semaphore(window)
        async with self.client(agency) as client:

            async def one(number: int) -> None:
                payload = alert(number)
                async with slots:
                    self.receipts[number] = (await client.publish(payload), payload)

            async with asyncio.TaskGroup() as tasks:
                for number in numbers:
                    tasks.create_task(one(number))

    def client(self, agency: str) -> AsyncClient:
        """Return an HTTP client with a token of its agency, that outlasts any restart."""
        token = issue(
            self.log, role="agency", agency=agency, person="", expires=None, now=datetime.now(UTC)
        )
        url = f"http://{self.settings.host}:{self.settings.port}"
        return AsyncClient(url, token, within=timedelta(minutes=2))

    async def follow(self, agency: str, messages: int) -> list[int]:
        """Return the indexes of what an agency's feed brings over HTTP, until there are so many."""
        seen: list[int] = []
        async with self.client(agency) as client:
            entries = client.follow(agency, after=-1)
            async for entry in entries:
                seen.append(entry["index"])
                if len(seen) == messages:
                    break
            await entries.aclose()
        return seen

    def fed(self) -> dict[str, list[int]]:
        """Return for each feed the indexes that it must hold, derived from the log alone."""
        history = History(self.log.registry_entries())
        expected: dict[str, list[int]] = {feed: [] for feed in history.latest.feeds()}
        after = -1
        while rows := self.log.rows(after=after, limit=2000):
            for row in rows:
                if row.facts is not None:
                    for feed in feeds_of(row.facts, row.agency, history.at(row.index)):
                        expected[feed].append(row.index)
            after = rows[-1].index
        return expected

    async def feed(self, feed: str) -> list[int]:
        """Return the indexes that a feed holds."""
        found: list[int] = []
        with suppress(Exception):  # the server may be down this moment; the caller asks again
            found = [keys.index_of(i) for i, _ in await self.redis.xrange(keys.feed(feed))]
        return found

    async def has_some_receipts(self) -> bool:
        """Return whether the stream is under way."""
        return len(self.receipts) > 100

    async def assert_nothing_lost(self) -> None:
        """Every receipt is in the log once, the tree is whole, every feed is as the log says."""
        bodies, seen, after = [], {}, -1
        while rows := self.log.rows(after=after, limit=2000):
            for row in rows:
                bodies.append(row.body)
                if row.kind == "publish":
                    assert row.facts is not None
                    seen.setdefault(row.facts.identifier, []).append(row)
            after = rows[-1].index
        head = self.log.head()
        assert head.size == len(bodies)
        assert head.root == root_of(bodies)
        twins = [name for name, found in seen.items() if len(found) > 1]
        assert not twins
        for number, (receipt, payload) in self.receipts.items():
            (row,) = seen[f"chaos-{number}"]
            assert row.index == receipt.index
            assert row.payload == payload
        expected = self.fed()
        for feed, indexes in expected.items():
            await until(lambda f=feed, i=indexes: self._equals(f, i), f"{feed} is complete")

    async def _equals(self, feed: str, indexes: list[int]) -> bool:
        return await self.feed(feed) == indexes


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


def delete(directory: Path) -> None:
    """Delete a directory into which a server goes on writing: away at once, and for good.

    The server may make a file between two steps of the deletion, which then fails; once its
    directory is gone it can make none, so trying again comes to an end.
    """
    away = directory.with_name(f"{directory.name}.away")
    directory.rename(away)
    while away.exists():
        shutil.rmtree(away, ignore_errors=True)


@asynccontextmanager
async def running(directory: Path, *, api: bool = False, **given: Any) -> AsyncIterator[Hub]:
    """Run a hub of real processes with five members; *given* are settings of one's own."""
    valkey_port = free_port()
    settings = embedded_settings(
        Settings(
            data=directory,
            port=free_port(),
            claim_idle=timedelta(seconds=2),
            log_format="json",
            **given,
        ),
        port=valkey_port,
    )
    supervisor = Supervisor(
        parts(settings, valkey_port=valkey_port, api=api),
        directory=directory,
        settled_after=timedelta(seconds=1),
    )
    running_ = asyncio.create_task(supervisor.run())
    redis = connect(settings.redis_url)
    log = Log.open(settings.log_url)
    hub = Hub(settings, supervisor, redis, log)
    try:

        async def up() -> bool:
            with suppress(Exception):  # the server is still starting
                return bool(await redis.ping())
            return False

        await until(up, "Redis answers")
        members = [
            Candidate("member", "", body={"id": a, "state": a[:2].upper(), "name": a})
            for a in AGENCIES
        ]
        await propose(redis, members)

        async def registered() -> bool:
            return len(log.registry_entries()) >= len(AGENCIES)

        await until(registered, "the members are in the log")
        yield hub
    finally:
        supervisor.stop()
        await running_
        await redis.aclose()
        log.close()


async def killing(hub: Hub, *names: str, seed: int, done: Callable[[], int] | None = None) -> None:
    """SIGKILL children again and again at random moments, until cancelled.

    Most kills come once there was progress since the last, and so hit a part at its work; some
    come at once, and hit it while it starts. *done* counts the part's work, receipts by default.
    """
    count = done or (lambda: len(hub.receipts))
    random_ = random.Random(seed)
    while True:
        await asyncio.sleep(random_.uniform(0.05, 1.5))
        hub.kill(*names)
        if random_.random() < 0.7:
            before = count()

            async def progress(before: int = before) -> bool:
                return count() > before

            with suppress(AssertionError):
                await until(progress, "progress", 15)
