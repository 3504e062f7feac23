"""Replays, reports, exports and witnesses in a real browser, as an auditor has them."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route

from hub.core import lifecycle
from hub.i18n import texts
from hub.log.bundle import open_bundle
from hub.log.log_keys import first_key
from tests.console.browsers import Desk, desk, officer
from tests.console.test_operator_pages import accessible
from tests.http.test_receipts import FIVE, ORIGIN, cosign_from, until_signed
from tests.hubkit import Hub, running_hub, until
from tests.keys import witness

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANGUAGES = ("en", "fa")
_LATIN = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: Any) -> AsyncIterator[Hub]:
    """Give a hub with a policy of five witnesses, where what is Extreme is late at once."""
    place = tmp_path_factory.mktemp("auditing")
    key = first_key([place / "log.key"], ORIGIN)
    lines = [f"log {key}", *(f"witness {n} {witness(n)}" for n in FIVE)]
    text = "\n".join([*lines, f"group states 3 {' '.join(FIVE)}", "quorum states", ""])
    (place / "policy").write_text(text)
    with pytest.MonkeyPatch.context() as patched:
        short = {**lifecycle._BY_SEVERITY, "Extreme": lifecycle.timedelta(milliseconds=1)}
        patched.setattr(lifecycle, "_BY_SEVERITY", short)
        async with running_hub(place, policy=place / "policy") as hub:
            yield hub


async def auditor(hub: Hub, name: str, **given: Any) -> str:
    return await officer(hub, name, roles=("auditor",), agency="", person="Maral", **given)


async def fits_a_telephone(at: Desk) -> None:
    """Hold a page against the width of a telephone, and the size of a finger."""
    await at.page.set_viewport_size({"width": 390, "height": 844})
    assert await at.page.evaluate("document.documentElement.scrollWidth") <= 390
    small = await at.page.evaluate(
        """() => [...document.querySelectorAll("main button:not(.link), main select, main .button")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 35)
          .map((one) => one.textContent)"""
    )
    assert small == []


async def slowly(route: Route) -> None:
    """Let one reading of a feed begin before the last has ended: none may come twice."""
    await asyncio.sleep(0.5)
    await route.continue_()


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_trainer_steers_a_replay_with_the_keyboard_alone(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    indexes = [await hub.publish("az-fhn", headline=f"Oil {n}") for n in range(3)]
    await hub.fed("ir-ndmo", indexes[-1])
    name = await auditor(hub, f"trainer.{language}")
    async with desk(hub, browser, name, language=language) as at:
        await at.page.route("**/v1/feeds/*", slowly)
        await at.goes("/console/replays")
        await accessible(at, f"replays-{language}")
        await at.page.fill("[name=sandbox]", f"drill-{language}")
        await at.page.fill("[name=first]", str(indexes[0]))
        await at.page.fill("[name=through]", str(indexes[-1]))
        await at.page.press("[name=through]", "Enter")
        await at.page.wait_for_url(f"**/console/replays/drill-{language}")
        await at.says("state", "paused")
        await at.page.select_option("[name=feed]", "ir-ndmo")

        await at.page.focus("#main")
        await at.page.keyboard.press("n")
        await at.page.wait_for_selector(f"#entries li[data-index='{indexes[0]}']")
        assert await at.page.locator("#entries li").count() == 1
        await at.page.keyboard.press("p")
        await at.says("state", "ended")
        await at.page.wait_for_selector(f"#entries li[data-index='{indexes[2]}']")
        shown = await at.page.inner_text("main")
        assert "Oil 0" in shown
        assert _("At its end") in shown
        mark = await at.page.inner_text("#exercise-banner")
        assert _("REPLAY") in mark
        assert await at.page.is_visible(".exercise-mark")
        assert (await at.page.title()).startswith(_("REPLAY"))
        assert len(await at.page.inner_text("#facts code")) == 64

        await at.page.select_option("#admit [name=agency]", "kz-mes")
        await at.page.press("#admit [name=person]", "Enter")
        await at.page.wait_for_selector("#admitted li")
        await accessible(at, f"replay-{language}")
        await at.page.press("#admitted button", "Enter")
        await at.page.wait_for_selector("#admitted li", state="detached")
        await at.page.press("#end", "Enter")
        await at.page.press("#confirm-end", "Enter")
        await at.page.wait_for_url("**/console/replays")
        await at.page.wait_for_selector("body[data-ready]", state="attached")
        assert f"drill-{language}" not in await at.page.inner_text("#list")
        await fits_a_telephone(at)
        assert at.faults == []
        at.only_asked_the_hub()


@pytest.mark.long
async def test_an_officer_reads_where_they_were_admitted_and_steers_nothing(
    hub: Hub, browser: Browser
) -> None:
    index = await hub.publish("az-fhn", headline="For the class")
    given = {"sandbox": "class", "first": index, "through": index}
    async with hub.http("auditor") as http:
        await http.post("/v1/replays", json=given)
        await http.post("/v1/replays/class/admissions", json={"agency": "ir-ndmo"})
    name = await officer(hub, "pupil")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/replays/class")
        await at.page.wait_for_selector(f"#entries li[data-index='{index}']")
        assert not await at.page.is_visible("#controls")
        await at.page.keyboard.press("n")
        assert await at.page.locator("#banners .banner").count() == 0
        assert at.faults == []


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_was_late_or_is_missing_is_counted_shown_and_downloaded(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    given = {"severity": "Extreme", "scope": "Private", "addresses": "IR KZ"}
    late = await hub.publish("az-fhn", headline="=1+1", **given)
    timely = await hub.publish("az-fhn", severity="Minor", scope="Private", addresses="IR")
    async with hub.client("officer") as client:
        for index in (late, timely):
            await client.acknowledge(str(index))
    name = await auditor(hub, f"reports.{language}")
    async with desk(hub, browser, name, language=language, accept_downloads=True) as at:
        await at.goes("/console/reports")
        link = f"#report a[href='/console/messages/{late}']"
        assert await at.page.locator(link).count() == 2  # late at one, missing at the other
        assert await at.page.locator(f"#report a[href='/console/messages/{timely}']").count() == 0
        await accessible(at, f"reports-{language}")
        async with at.page.expect_download() as begun:
            await at.page.press("#csv", "Enter")
        path = await (await begun.value).path()
        text = await asyncio.to_thread(path.read_text, "utf-8")
        rows = [r for r in csv.DictReader(io.StringIO(text)) if r["index"] == str(late)]
        assert {r["recipient"]: r["state"] for r in rows} == {
            "ir-ndmo": "acknowledged",
            "kz-mes": "overdue",
        }
        assert {r["headline"] for r in rows} == {"'=1+1"}

        assert [r.partition("?")[0][-5:] for r in at.requests if "/reports/ack" in r] == [
            "/sums",
            "ments",
        ], "the hub sums, and tells of what is shown alone"

        async with at.page.expect_response("**/acknowledgements?*show=all*"):
            await at.page.select_option("[name=show]", "all")
        await at.page.wait_for_selector(f"#report a[href='/console/messages/{timely}']")
        await at.page.select_option("[name=state]", "KZ")
        assert await at.page.locator(link).count() == 1
        sums = [
            str(text).translate(_LATIN).strip()
            for text in await at.page.eval_on_selector_all(
                ".sums dd", "(all) => all.map((one) => one.textContent)"
            )
        ]
        assert int(sums[3]) >= 1
        assert int(sums[0]) == sum(map(int, sums[1:5]))
        async with at.page.expect_navigation():
            await at.page.press(link, "Enter")
        assert at.page.url.endswith(f"/console/messages/{late}")
        await at.page.go_back()
        await at.page.wait_for_selector("body[data-ready]", state="attached")
        assert await at.page.input_value("[name=state]") == "KZ"
        await fits_a_telephone(at)
        assert at.faults == []
        at.only_asked_the_hub()


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_export_is_made_downloaded_and_listed(
    hub: Hub, browser: Browser, language: str, tmp_path: Path
) -> None:
    _ = texts(language)
    through = await hub.publish("az-fhn")
    name = await auditor(hub, f"exports.{language}")
    async with desk(hub, browser, name, language=language, accept_downloads=True) as at:
        await at.goes("/console/exports")
        await at.page.fill("[name=first]", "0")
        await at.page.fill("[name=through]", str(through))
        await at.page.fill("[name=purpose]", "Audit of June <b>")
        async with at.page.expect_download() as begun:
            await at.page.press("[name=purpose]", "Enter")
        path = tmp_path / (await begun.value).suggested_filename
        await (await begun.value).save_as(path)
        bundle = await asyncio.to_thread(open_bundle, path)
        assert [row.index for row in bundle.rows()] == list(range(through + 1))
        logged = await at.said("made")
        await at.page.wait_for_function(
            "(text) => document.querySelector('#list').innerText.includes(text)", arg=f"#{logged}"
        )
        assert "Audit of June <b>" in await at.page.inner_text("#list")
        await accessible(at, f"exports-{language}")
        await at.page.fill("[name=first]", "")
        await at.page.select_option("[name=kind]", "genesis")
        await at.page.select_option("[name=format]", "csv")
        assert not await at.page.is_visible("[name=payloads]")
        async with at.page.expect_download() as begun:
            await at.page.press("[name=purpose]", "Enter")
        assert (await begun.value).suggested_filename.endswith(".csv")
        await fits_a_telephone(at)
        assert at.faults == []
        at.only_asked_the_hub()


@pytest.mark.long
async def test_what_a_states_auditor_may_not_have_is_refused_in_words(
    hub: Hub, browser: Browser
) -> None:
    await hub.publish("az-fhn", scope="Private", addresses="ir-ndmo")
    name = await auditor(hub, "exports.kz", state="KZ")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/exports")
        await at.page.press("[name=purpose]", "Enter")
        await at.page.wait_for_selector("#refused:not([hidden])")
        assert await at.page.inner_text("#refused") == "You may not do this in your role."


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_levels_and_witnesses_are_shown_as_they_come(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    index = await hub.publish("az-fhn")
    await until_signed(hub, index)
    name = await auditor(hub, f"witnesses.{language}")
    async with desk(hub, browser, name, language=language) as at:
        await at.goes("/console/witnesses")

        async def cosigned() -> bool:
            size = await asyncio.to_thread(cosign_from, hub, index + 1, *FIVE[:4])
            text = await at.page.inner_text("[data-level=sealed] .amount")
            return text.translate(_LATIN) == str(size)

        await until(cosigned, "the page shows the level that was reached", 20)
        rows = await at.page.eval_on_selector_all(
            "#witnesses tbody tr", "(all) => all.map((one) => one.innerText)"
        )
        assert len(rows) == 5
        assert sum(_("none") in row for row in rows) == 1  # one has never cosigned
        await accessible(at, f"witnesses-{language}")
        await fits_a_telephone(at)
        assert at.faults == []
        at.only_asked_the_hub()
