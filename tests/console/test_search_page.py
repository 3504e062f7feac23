"""The search of the log in a real browser: by its fields, by keyboard, in both directions."""

from __future__ import annotations

import uuid

import pytest
from playwright.async_api import Browser

from hub.i18n import texts
from tests.console.browsers import Desk, desk, officer
from tests.console.test_operator_pages import accessible
from tests.hubkit import Hub

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

_LATIN = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")


async def searched(at: Desk) -> tuple[list[int], str]:
    """Return what the page has found when it is done, and what it says of the range."""
    await at.page.wait_for_selector("body[data-searched='yes']", state="attached")
    rows = await at.page.eval_on_selector_all(
        "#found tbody tr", "(all) => all.map((row) => Number(row.dataset.index))"
    )
    return rows, (await at.page.inner_text("#looked")).translate(_LATIN)


@pytest.mark.parametrize("language", ["en", "fa"])
async def test_an_auditor_searches_and_is_told_what_was_looked_at(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    word = f"w{uuid.uuid4().hex}"
    grave = await hub.publish("az-fhn", headline=f"<b>Нефть</b> {word}", incidents="AC-7")
    mild = await hub.publish("kz-mes", headline=word, severity="Minor")
    hidden = await hub.publish("az-fhn", headline=word, scope="Private", addresses="ir-ndmo")
    name = await officer(
        hub, f"searcher.{language}", roles=("auditor",), agency="", person="Maral", state="KZ"
    )
    async with desk(hub, browser, name, language=language) as at:
        await at.goes("/console/search")
        assert await at.page.evaluate("document.activeElement.name") == "text"
        await at.page.fill("[name=text]", word.upper())
        await at.page.press("[name=text]", "Enter")
        found, told = await searched(at)

        assert found == [mild, grave]
        assert hidden not in found
        size = (await hub.head()) + 1
        looked = _("Looked at the entries {first} to {last} of {size}.")
        assert looked.partition("{")[0] in told
        assert f"{size}" in told.replace(",", "").replace("٬", "")
        withheld = _("{n} of them are not yours to read: they were not searched.")
        assert withheld.rpartition("}")[2] in told
        assert await at.page.locator("#found b").count() == 0
        await accessible(at, f"search-{language}")

        await at.page.select_option("[name=severity]", "Severe")
        await at.page.fill("[name=incident]", "ac-7")
        await at.page.fill("[name=area]", "40.1,49.9,40.6,50.6")
        await at.page.click("#choice [type=submit]")
        await at.until("() => document.querySelectorAll('#found tbody tr').length === 1")
        assert (await searched(at))[0] == [grave]
        assert "severity=Severe" in at.page.url
        await at.page.reload()
        assert (await searched(at))[0] == [grave]

        await at.page.fill("[name=area]", "Atlantis")
        await at.page.click("#choice [type=submit]")
        await at.page.wait_for_selector("#looked .refused")
        assert await at.page.inner_text("#looked") == _("There is no such place or box.")
        at.faults.clear()  # the browser says itself that it was refused

        await at.goes(f"/console/search?text={word}")
        await searched(at)
        await at.page.click(f"#found tr[data-index='{grave}'] td a")
        await at.page.wait_for_url(f"**/console/messages/{grave}")
        await at.goes(f"/console/search?text={word}")
        await searched(at)
        await at.page.click(f"#found tr[data-index='{grave}'] th a")
        await at.page.wait_for_selector(f".log tr[data-index='{grave}']")
        assert at.faults == []
        at.only_asked_the_hub()


async def test_a_search_goes_on_until_the_range_is_done_and_fits_a_telephone(
    hub: Hub, browser: Browser
) -> None:
    for _ in range(3):
        await hub.publish()
    name = await officer(hub, "searcher.long", roles=("auditor",), agency="", person="Maral")
    async with desk(hub, browser, name) as at:
        await at.page.route(
            "**/v1/log/search*",
            lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=2")),
        )
        await at.goes("/console/search?kind=publish")
        found, _told = await searched(at)
        assert found == sorted(found, reverse=True)
        assert len(found) == len(set(found)) >= 3
        await at.page.set_viewport_size({"width": 390, "height": 844})
        assert await at.page.evaluate("document.documentElement.scrollWidth") <= 390
