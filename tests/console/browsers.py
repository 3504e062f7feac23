"""A real Chromium, and pages of the console in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import TimeoutError as TooLate

from tests.http.people import PASSWORD, add_person
from tests.hubkit import Hub

__all__ = ["CHROMIUM", "Desk", "chromium", "desk"]

CHROMIUM: Final = "/usr/bin/chromium"
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE_MS: Final = 30_000
_SHOWN: Final = """() => JSON.stringify({
  says: document.body.dataset,
  banners: [...document.querySelectorAll("[data-banner]")].map((one) => one.textContent),
  boxes: [...document.querySelectorAll("dialog[open]")].map((one) => one.id),
  focus: document.activeElement?.outerHTML.slice(0, 200),
  cards: [...document.querySelectorAll(".card")].map((one) => one.dataset.index),
})"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser; without one tests are skipped, but not where a submission is judged."""
    if shutil.which(CHROMIUM) is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no chromium: apt-get install chromium")
        pytest.skip("there is no chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Desk:
    """An officer at a computer: one page, and all that it asked for and complained of."""

    url: str
    page: Page
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def goes(self, path: str) -> None:
        """Open a page, and wait until it shows what it is for."""
        await self.page.goto(self.url + path)
        await self.page.wait_for_selector("body[data-ready]", state="attached")

    async def watches(self, path: str = "/console/watch") -> None:
        """Open the watch, and wait until the line is live and the map is there."""
        await self.goes(path)
        await self.says("link", "live")
        await self.page.wait_for_selector("body[data-map]", state="attached")

    async def says(self, name: str, value: str) -> None:
        """Wait until the page says this of itself."""
        await self.page.wait_for_selector(f'body[data-{name}="{value}"]', state="attached")

    async def said(self, name: str) -> str:
        """Return what the page says of itself."""
        return await self.page.evaluate("(name) => document.body.dataset[name] ?? ''", name)

    async def until(self, condition: str, argument: Any = None) -> None:
        """Wait until a condition, in the page's own language, holds."""
        try:
            # As often as it is drawn would have it drawn all the time.
            await self.page.wait_for_function(condition, arg=argument, polling=50)
        except TooLate as e:
            shown = await self.page.evaluate(_SHOWN)
            raise AssertionError(f"{condition} of {argument!r} did not come: {shown}") from e

    async def open(self) -> list[int]:
        """Return the numbers of what is to acknowledge, in the page's order."""
        return await self.page.eval_on_selector_all(
            "#open .card", "(all) => all.map((card) => Number(card.dataset.index))"
        )

    def only_asked_the_hub(self) -> None:
        """Hold it against its promise that no request leaves the hub."""
        assert self.requests
        elsewhere = [r for r in self.requests if not r.startswith((self.url + "/", "data:"))]
        assert elsewhere == []


@asynccontextmanager
async def desk(
    hub: Hub, browser: Browser, name: str, *, url: str = "", language: str = "en", **given: Any
) -> AsyncIterator[Desk]:
    """Sit an officer of ir-ndmo down, signed in by the page itself; *given* are of the context."""
    url = url or hub.url
    # What blinks is drawn anew all the time, and the tests would wait for it.
    still = {"reduced_motion": "reduce"}
    options = {"timezone_id": "Asia/Baku", "locale": "en-GB", **still, **given}
    context = await browser.new_context(**options)
    context.set_default_timeout(_PATIENCE_MS)
    await context.add_cookies([{"name": "caspian-language", "value": language, "url": url}])
    page = await context.new_page()
    one = Desk(url, page)
    page.on("request", lambda request: one.requests.append(request.url))
    page.on("pageerror", lambda fault: one.faults.append(str(fault)))
    page.on(
        "console",
        lambda message: (
            one.faults.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    try:
        await one.goes("/console/sign-in")
        await page.fill("[name=name]", name)
        await page.fill("[name=password]", PASSWORD)
        await page.press("[name=password]", "Enter")
        await page.wait_for_url("**/console/watch*")
        yield one
    finally:
        await context.close()


async def officer(hub: Hub, name: str, **given: Any) -> str:
    """Give an officer of ir-ndmo an account; return the name to sign in with."""
    return (await add_person(hub, name, **{"language": "en", **given})).name
