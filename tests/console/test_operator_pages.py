"""The operator's page and the aid board in a real browser: what is wrong stands at the top."""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from hub.core.candidate import Candidate
from hub.i18n import texts
from hub.streams.submit import propose
from tests.console.browsers import Desk, desk, officer
from tests.http.test_aid import exchange
from tests.hubkit import Hub, alert, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

LANGUAGES = ("en", "fa")
_LOOK = os.environ.get("CASPIAN_TEST_SCREENSHOTS", "")
"""A directory for pictures of the pages, for whoever wants to look."""


async def accessible(at: Desk, name: str) -> None:
    """Hold a page against axe's rules, in light and in dark."""
    for scheme in ("light", "dark"):
        await at.page.emulate_media(color_scheme=scheme)
        if _LOOK:
            await at.page.screenshot(path=f"{_LOOK}/{name}-{scheme}.png", full_page=True)
        found = await Axe().run(at.page)
        assert found.violations_count == 0, found.generate_report()


async def someone(hub: Hub, name: str, role: str) -> str:
    return await officer(hub, name, roles=(role,), agency="", person="Farid")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_operator_sees_what_is_wrong_and_tries_again(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    before = len(await hub.rows("dead-letter"))
    letter = {"stage": "intake", "reason": "worn out", "fields": {}}
    await propose(hub.redis, [Candidate("dead-letter", "az-fhn", payload=alert(), body=letter)])

    async def logged() -> bool:
        return len(await hub.rows("dead-letter")) > before

    await until(logged, "the dead letter is in the log", 20)
    name = await someone(hub, f"operator.{language}", "operator")
    async with desk(hub, browser, name, language=language) as at:
        await at.goes("/console/operations")
        assert "worn out" in (await at.page.text_content("#figures") or "")
        assert _("Silent: {agencies}").split("{")[0].strip() not in (
            await at.page.text_content("#alarms") or ""
        )
        given_up = _("{count} messages were given up, see below.").partition("{count}")[2]
        assert given_up in (await at.page.text_content("#alarms") or "")
        await accessible(at, f"operations-{language}")

        size = await hub.head()
        await at.page.click(f"text={_('Try again')}")
        await at.page.wait_for_selector(f"text={_('Put into the inbox again')}")
        assert at.faults == []
        at.only_asked_the_hub()

    async def published() -> bool:
        return bool(await hub.rows("publish", agency="az-fhn", after=size))

    await until(published, "the message is published after all", 20)


async def test_an_officer_does_not_find_the_operators_page(hub: Hub, browser: Browser) -> None:
    name = await officer(hub, "no.operator")
    async with desk(hub, browser, name) as at:
        await at.page.wait_for_selector(
            "#pages a[href='/console/operations'][hidden]", state="attached"
        )
        assert await at.page.is_visible("#pages a[href='/console/aid']")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_figure_of_the_board_leads_to_its_messages(
    hub: Hub, browser: Browser, language: str
) -> None:
    incident = f"AC-2026-00007{LANGUAGES.index(language)}-AZE"
    indexes = await exchange(hub, incident)
    name = await officer(hub, f"board.{language}")
    async with desk(hub, browser, name, language=language) as at:
        await at.goes(f"/console/aid?incident={incident}")
        shown: list[Any] = await at.page.eval_on_selector_all(
            ".figures tbody tr:first-child .amount", "(all) => all.map((one) => one.textContent)"
        )
        latin = [str(text).translate(_LATIN) for text in shown]
        assert latin == ["2000", "1200", "1200", "1200", "800"]
        linked = await at.page.eval_on_selector_all(
            ".figures .behind a", "(all) => all.map((a) => a.getAttribute('href'))"
        )
        assert {f"/console/messages/{i}" for i in indexes} <= set(linked)
        assert await at.page.locator(".aid-incident").count() == 1
        assert await at.page.locator(".thread li").count() == 4
        await accessible(at, f"aid-{language}")
        await at.page.select_option("[name=incident]", "")
        assert at.faults == []
        at.only_asked_the_hub()


_LATIN = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")
