"""A hub that is started again, and a line that is lost: nothing is missed, and none comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Self

import pytest
from playwright.async_api import Browser

from hub.streams.embedded import free_port
from tests.console.browsers import Desk, desk, officer
from tests.hubkit import Api, Hub, stopped

pytestmark = pytest.mark.asyncio(loop_scope="module")

_HEARTBEAT = timedelta(milliseconds=400)


@asynccontextmanager
async def api_of_its_own(hub: Hub, **given: Any) -> AsyncIterator[tuple[Api, str]]:
    """Serve the hub once more, for a page whose API comes and goes."""
    settings = hub.settings.model_copy(update={"port": free_port(), **given})
    api = Api(settings)
    await api.start()
    try:
        yield api, f"http://{settings.host}:{settings.port}"
    finally:
        await api.stop()


async def armed(at: Desk) -> None:
    await at.watches()
    if await at.said("alarm") == "unarmed":
        await at.page.click("#arm")
    await at.until("() => document.body.dataset.alarm !== 'unarmed'")


async def heard(at: Desk) -> None:
    """Wait until the alarm has sounded once more."""
    before = int(await at.said("sounded"))
    await at.until("(n) => Number(document.body.dataset.sounded) > n", before)


async def shown(at: Desk, indexes: list[int]) -> None:
    """Wait until all of these are in the queue, and hold that each is there once."""
    await at.until(
        "(all) => all.every((i) => document.querySelector(`#open [data-index='${i}']`))", indexes
    )
    found = await at.open()
    assert len(found) == len(set(found))
    assert set(indexes) <= set(found)


@pytest.mark.long
async def test_a_hub_that_is_started_again_costs_no_message(hub: Hub, browser: Browser) -> None:
    name = await officer(hub, "restarted")
    async with (
        api_of_its_own(hub, sse_heartbeat=_HEARTBEAT) as (api, url),
        desk(hub, browser, name, url=url) as at,
    ):
        await armed(at)
        first = await hub.publish(severity="Minor")
        await shown(at, [first])
        await api.stop()
        await at.says("link", "lost")
        assert await at.page.locator("[data-banner=link]").is_visible()
        assert "link" in (await at.said("reasons")).split()
        assert (await at.page.get_attribute("#icon", "href") or "").endswith("icon-lost.svg")
        await heard(at)
        meanwhile = [await hub.publish(severity=s) for s in ("Minor", "Extreme", "Moderate")]
        assert not set(meanwhile) & set(await at.open())
        await api.start()
        await at.says("link", "live")
        await shown(at, meanwhile)
        after = await hub.publish(severity="Severe")
        await shown(at, [first, *meanwhile, after])

        assert await at.said("received") == "5"
        assert await at.page.locator("[data-banner=link]").count() == 0
        assert "link" not in (await at.said("reasons")).split()


class Line:
    """A line between a page and a hub, which can die without a word, as lines do."""

    def __init__(self, port: int) -> None:
        self._there = port
        self.port = free_port()
        self._dead = False
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        self.mend()

    def die(self) -> None:
        """Pass on nothing more, in either direction; nobody is told."""
        self._dead = True

    def mend(self) -> None:
        """Be a line again; what was open breaks off."""
        self._dead = False
        for writer in self._open:
            writer.transport.abort()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._there)
        self._open |= {writer, there_writer}
        try:
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        finally:
            self._open -= {writer, there_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not self._dead:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()


async def lost_line(hub: Hub, browser: Browser, name: str, port: int, pause_s: float) -> None:
    async with (
        Line(port) as line,
        desk(hub, browser, await officer(hub, name), url=f"http://127.0.0.1:{line.port}") as at,
    ):
        await armed(at)
        first = await hub.publish(severity="Minor")
        await shown(at, [first])
        line.die()
        await at.says("link", "lost")
        await heard(at)
        meanwhile = [await hub.publish(severity="Moderate") for _ in range(3)]
        await asyncio.sleep(pause_s)
        assert not set(meanwhile) & set(await at.open())
        line.mend()
        await at.says("link", "live")
        await shown(at, [first, *meanwhile])
        after = await hub.publish(severity="Severe")
        await shown(at, [after])

        assert await at.said("received") == "5"


@pytest.mark.long
async def test_a_lost_line_sounds_and_costs_no_message(hub: Hub, browser: Browser) -> None:
    async with api_of_its_own(hub, sse_heartbeat=_HEARTBEAT) as (_, url):
        await lost_line(hub, browser, "offline", int(url.rpartition(":")[2]), 0)


@pytest.mark.soak
async def test_a_line_that_is_lost_for_a_minute(hub: Hub, browser: Browser) -> None:
    await lost_line(hub, browser, "offline.long", hub.settings.port, 60)


@pytest.mark.long
async def test_a_short_break_is_no_alarm(hub: Hub, browser: Browser) -> None:
    name = await officer(hub, "short.break")
    async with (
        api_of_its_own(hub, sse_heartbeat=timedelta(seconds=5)) as (api, url),
        desk(hub, browser, name, url=url) as at,
    ):
        await at.watches()
        await api.stop()
        await at.says("link", "connecting")
        index = await hub.publish(severity="Moderate")
        await api.start()
        await at.says("link", "live")
        await shown(at, [index])

        assert "link" not in (await at.said("reasons")).split()


@pytest.mark.long
async def test_a_line_that_lives_and_brings_nothing_is_an_alarm_too(
    hub: Hub, browser: Browser
) -> None:
    name = await officer(hub, "deaf")
    async with (
        api_of_its_own(hub, sse_heartbeat=_HEARTBEAT) as (_, url),
        desk(hub, browser, name, url=url) as at,
    ):
        await at.watches()
        with stopped(hub.valkey):
            await at.until("() => ['deaf', 'lost'].includes(document.body.dataset.link)")
            assert "link" in (await at.said("reasons")).split()
        await at.says("link", "live")


@pytest.mark.long
async def test_a_session_that_ends_is_an_alarm_and_signing_in_again_goes_on(
    hub: Hub, browser: Browser
) -> None:
    name = await officer(hub, "ended")
    async with (
        api_of_its_own(hub, sse_heartbeat=_HEARTBEAT) as (_, url),
        desk(hub, browser, name, url=url) as at,
    ):
        await at.watches()
        other = await at.page.context.new_page()
        await other.goto(f"{url}/console/account")
        await other.wait_for_selector("body[data-ready]", state="attached")
        await other.click("#sign-out")
        await other.wait_for_url("**/console/sign-in")
        await at.says("link", "signed-out")
        assert "link" in (await at.said("reasons")).split()
        index = await hub.publish(severity="Moderate")
        await other.fill("[name=name]", name)
        await other.fill("[name=password]", "dampf schuh laterne")
        await other.press("[name=password]", "Enter")
        await other.wait_for_url("**/console/watch")
        await other.close()

        await at.says("link", "live")
        await shown(at, [index])
