"""The auditor's page in a real browser: it proves the log itself, and sees every lie of a hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Route

from hub.i18n import texts
from tests.console.browsers import Desk, desk, officer
from tests.console.test_operator_pages import accessible
from tests.hubkit import Hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def signed(hub: Hub, index: int) -> None:
    """Wait until a checkpoint covers an entry."""

    async def there() -> bool:
        async with hub.http() as http:
            answer = await http.get("/log/checkpoint")
        return answer.is_success and int(answer.text.split("\n")[1]) > index

    await until(there, f"{index} is signed", 20)


async def auditor(hub: Hub, name: str) -> str:
    return await officer(hub, name, roles=("auditor",), agency="", person="Maral")


async def verified(at: Desk) -> str:
    """Verify, and return what the page says of it."""
    await at.page.evaluate("delete document.body.dataset.verified")
    await at.page.click("#verify")
    await at.page.wait_for_selector("body[data-verified]", state="attached")
    return await at.page.inner_text("#verdict")


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "fa"])
async def test_the_browser_proves_the_log_and_every_entry_that_it_shows(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    index = await hub.publish("az-fhn", headline="<b>Oil</b>")
    await signed(hub, index)
    name = await auditor(hub, f"auditor.{language}")
    async with desk(hub, browser, name, language=language) as at:
        await at.goes("/console/log")
        first = await verified(at)
        assert await at.said("verified") == "yes", first
        marks = await at.page.eval_on_selector_all(
            ".log .mark", "(all) => all.map((one) => one.textContent.trim())"
        )
        assert set(marks) <= {_("yes"), _("newer")}
        assert _("yes") in marks
        await accessible(at, f"log-{language}")

        later = await hub.publish("kz-mes")
        await signed(hub, later)
        again = await verified(at)
        grew = "It grew from the {size} entries that this browser saw on {at}; "
        grown = _(grew + "nothing of them was changed.").partition("{")[0].strip()
        assert grown in again
        await at.page.select_option("[name=kind]", "acknowledgement")
        await at.page.select_option("[name=kind]", "publish")
        await at.page.wait_for_selector(f".log tr[data-index='{index}']")
        assert at.faults == []
        at.only_asked_the_hub()


def _swap(body: bytes) -> bytes:
    return body[:40] + bytes([body[40] ^ 1]) + body[41:]


async def _altered(route: Route, change: Callable[[bytes], bytes]) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, body=change(await answer.body()))


LIES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a tile with another hash": ("**/log/tile/0/**", _swap, "do not make the tree"),
    "a tile that is too short": ("**/log/tile/0/**", lambda b: b[:-32], "not give all hashes"),
    "another root": (
        "**/log/checkpoint",
        lambda b: b.replace(b.split(b"\n")[2], b"A" * 43 + b"="),
        "signature does not hold",
    ),
    "another size": (
        "**/log/checkpoint",
        lambda b: b.replace(b"\n" + b.split(b"\n")[1] + b"\n", b"\n1\n", 1),
        "signature does not hold",
    ),
    "no signature": (
        "**/log/checkpoint",
        lambda b: b.partition(b"\n\n")[0] + b"\n\n",
        "not signed by the log's key",
    ),
}


@pytest.mark.parametrize(
    "lie",
    [pytest.param(lie, marks=[] if lie == "another root" else pytest.mark.long) for lie in LIES],
)
async def test_a_hub_that_lies_is_seen(hub: Hub, browser: Browser, lie: str) -> None:
    pattern, change, says = LIES[lie]
    await signed(hub, await hub.publish("az-fhn"))
    name = await auditor(hub, f"liar.{list(LIES).index(lie)}")

    async def altered(route: Route) -> None:
        await _altered(route, change)

    async with desk(hub, browser, name) as at:
        await at.goes("/console/log")
        assert await at.said("verified") == ""
        await at.page.route(pattern, altered)

        told = await verified(at)

        assert await at.said("verified") == "no"
        assert says in told


@pytest.mark.long
async def test_an_entry_that_is_shown_otherwise_than_it_was_logged_is_seen(
    hub: Hub, browser: Browser
) -> None:
    index = await hub.publish("az-fhn")
    await signed(hub, index)
    name = await auditor(hub, "altered.entry")

    async def forged(route: Route) -> None:
        answer = await route.fetch()
        page = json.loads(await answer.body())
        for entry in page["entries"]:
            if entry["index"] == index:
                entry["entry"] = page["entries"][0]["entry"]
        await route.fulfill(response=answer, body=json.dumps(page))

    async with desk(hub, browser, name) as at:
        await at.page.route("**/v1/log/entries*", forged)
        await at.goes("/console/log")
        await verified(at)
        cell = at.page.locator(f".log tr[data-index='{index}'] .mark")
        assert (await cell.inner_text()).strip() == "NO: altered"


@pytest.mark.long
async def test_what_was_seen_before_is_remembered_against_a_rewritten_log(
    hub: Hub, browser: Browser
) -> None:
    await signed(hub, await hub.publish("az-fhn"))
    name = await auditor(hub, "memory")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/log")
        assert "for the first time" in await verified(at)
        kept: dict[str, Any] = await at.page.evaluate(
            "JSON.parse(localStorage.getItem('caspian-log'))"
        )
        for change, says in (
            ({"root": "00" * 32}, "The log was changed"),
            ({"size": kept["size"] + 1000}, "has become shorter"),
            ({"origin": "elsewhere"}, "another log"),
            ({"keys": ["x+00000000+AQ=="]}, "cannot be read"),
        ):
            await at.page.evaluate(
                "(kept) => localStorage.setItem('caspian-log', JSON.stringify(kept))",
                {**kept, **change},
            )
            assert says in await verified(at)
            assert await at.said("verified") == "no"
