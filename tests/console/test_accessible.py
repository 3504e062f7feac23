"""Everybody can use every page: axe finds nothing, in any language, light or dark."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page

from hub.i18n import LANGUAGES
from tests.console.browsers import Desk, desk, officer
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def message(hub: Hub) -> int:
    """Fill the queue with one of each sort; return one of them."""
    for severity in ("Extreme", "Severe", "Moderate", "Minor", "Unknown"):
        index = await hub.publish("az-fhn", severity=severity, headline=f"{severity} weather")
    done = await hub.publish("kz-mes", headline="Done already")
    own = await hub.publish("ir-ndmo", headline="Our own")
    async with hub.client("officer") as client:
        await client.acknowledge(str(done), note="Seen")
    async with hub.client("az-fhn") as client:
        await client.acknowledge(str(own), officer="Leyla", note="Thanks")
    return index


async def faults(page: Page, *rules: str, outlines: bool = False) -> list[str]:
    """Return what axe finds wrong with a page as it is shown now.

    The map's outlines are hundreds of elements, the same in every language: once is enough.
    """
    if not await page.evaluate("() => Boolean(window.axe)"):
        await page.evaluate(await asyncio.to_thread(AXE_FILE_PATH.read_text, "utf-8"))
    options: dict[str, Any] = (
        {"runOnly": {"type": "rule", "values": list(rules)}}
        if rules
        else {"runOnly": {"type": "tag", "values": _RULES}}
    )
    what = {"exclude": [] if outlines else [[".leaflet-map-pane"]]}
    found = await page.evaluate(
        "([what, options]) => window.axe.run(what, options)", [what, options]
    )
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def each_page(at: Desk, message: int) -> Any:
    await at.watches()
    yield "watch"
    for path in (f"/console/messages/{message}", "/console/handover", "/console/account"):
        await at.goes(path)
        yield path
    await at.watches("/console/wall")
    yield "wall"
    await at.page.context.clear_cookies(name="caspian-local")
    await at.goes("/console/sign-in")
    yield "sign-in"


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_axe_finds_nothing_on_any_page(
    hub: Hub, browser: Browser, message: int, language: str
) -> None:
    name = await officer(hub, f"axe.{language}")
    async with desk(hub, browser, name, language=language, bypass_csp=True) as at:
        async for page in each_page(at, message):
            await at.page.emulate_media(color_scheme="light")
            assert await faults(at.page, outlines=language == "en") == [], page
            await at.page.emulate_media(color_scheme="dark")
            assert await faults(at.page, "color-contrast") == [], page
            assert await at.page.evaluate(
                "() => document.documentElement.scrollWidth <= window.innerWidth"
            ), page


@pytest.mark.long
async def test_axe_finds_nothing_in_boxes_in_an_exercise_and_on_a_telephone(
    hub: Hub, browser: Browser, message: int
) -> None:
    name = await officer(hub, "axe.boxes")
    async with desk(hub, browser, name, bypass_csp=True) as at:
        await at.watches()
        for key, box in (("?", "#help"), ("a", "#note"), ("Enter", "#details")):
            await at.page.keyboard.press("j")
            await at.page.keyboard.press(key)
            await at.page.wait_for_selector(f"{box}[open]")
            if box == "#details":
                await at.page.wait_for_selector(".language-text")
            assert await faults(at.page) == [], box
            await at.page.keyboard.press("Escape")
        await hub.publish("az-fhn", status="Exercise")
        await at.watches("/console/watch?mode=exercise")
        assert await faults(at.page) == []
        await at.page.emulate_media(color_scheme="dark")
        assert await faults(at.page, "color-contrast") == []
        await at.page.set_viewport_size({"width": 390, "height": 844})
        for path in ("/console/watch", f"/console/messages/{message}", "/console/handover"):
            await at.goes(path)
            assert await faults(at.page) == [], path
            wide = await at.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, path
            small = await at.page.evaluate(
                """() => [...document.querySelectorAll("main button, main select, main .button")]
                  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 35)
                  .map((one) => one.textContent)"""
            )
            assert small == [], path
