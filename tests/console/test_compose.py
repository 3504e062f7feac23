"""An officer writes a message in a real browser, sees what is wrong, corrects it, and sends it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from hub.core.candidate import Candidate
from hub.core.signing import Chain
from hub.i18n import texts
from hub.i18n.recognised import Recogniser
from hub.streams.submit import propose
from schemas.payload import read_payload
from tests.console.browsers import Desk, desk
from tests.http.people import add_person
from tests.hubkit import Hub, until
from tests.keys import key, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def writer(hub: Hub, name: str, agency: str = "az-fhn", **given: Any) -> str:
    """Give an officer of an agency an account; return the name to sign in with."""
    return (await add_person(hub, name, agency=agency, **{"language": "en", **given})).name


async def tabs(page: Page, selector: str) -> None:
    """Go on with the tab key until an element has the focus."""
    for _ in range(250):
        if await page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not come to {selector}")


async def types(page: Page, selector: str, text: str) -> None:
    await tabs(page, selector)
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(text)


async def chooses(page: Page, selector: str, value: str) -> None:
    """Choose in a list with the arrow keys."""
    await tabs(page, selector)
    options = await page.eval_on_selector(selector, "(s) => [...s.options].map((o) => o.value)")
    at = await page.eval_on_selector(selector, "(s) => s.selectedIndex")
    steps = options.index(value) - at
    for _ in range(abs(steps)):
        await page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    assert await page.eval_on_selector(selector, "(s) => s.value") == value


async def found(at: Desk, field: str, text: str) -> None:
    """Wait until a finding stands beside its field."""
    await at.until(
        '([key, text]) => document.querySelector(`[data-field="${key}"] .findings`)'
        "?.textContent.includes(text)",
        [field, text],
    )


async def sent(at: Desk) -> int:
    """Return the index of what was sent."""
    await at.page.wait_for_selector("body[data-sent]", state="attached")
    return int(await at.said("sent"))


async def content(hub: Hub, who: str, index: int) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/messages/{index}/content")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["message"]
    return told


async def knows_sentences(page: Page, language: str) -> None:
    """See that a page says what the hub finds in its language, as the command line does."""
    told = [
        "it is longer than 160 characters",
        "an amount is above 0",
        "field 4 stands after field 5: each field once, in order",
        "alert/note: an Error needs a note that explains it (R09)",
        "'too large' is no code of a list",
        "Element 'scope': [facet 'enumeration'] The value 'x' is not an element of the set {'Y'}.",
        "the message has 7 bytes; the limit is 5",
        "nothing that is known",
        "the moon is not full",
        "'of several words' is not a URI",
    ]
    known = dict(texts(language, "details").by_name) | texts(language, "findings").by_name
    said = Recogniser(known)

    shown = await page.evaluate(
        """async (told) => {
          const from = document.querySelector('script[type=module]').src;
          const { said } = await import(new URL("recognised.js", from).href);
          return told.map((text) => said(text));
        }""",
        told,
    )

    assert shown == [said(text) or text for text in told]
    assert (shown == told) == (language == "en")


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "fa"])
async def test_an_officer_writes_an_alert_with_the_keyboard_alone(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    name = await writer(hub, f"writes.{language}")
    async with desk(hub, browser, name, language=language) as at:
        page = at.page
        await at.goes("/console/compose")
        await page.wait_for_selector("body[data-map=shown]", state="attached")
        await at.says("checked", "mistakes")
        await found(at, "severity", _("This is needed."))
        await knows_sentences(page, language)
        assert await page.is_disabled("#send")

        await chooses(page, "#field-example", "oil")
        await tabs(page, "#take-example")
        await page.keyboard.press("Enter")
        await at.until("() => document.querySelector('#field-eventCode').value === 'OET-138'")
        await chooses(page, "#field-severity", "Severe")
        await chooses(page, "#field-urgency", "Immediate")
        await chooses(page, "#field-certainty", "Observed")
        await types(page, "#field-info-1-areaDesc", "Absheron")
        headline = "سکوی نفتی" if language == "fa" else "Oil near the rig"
        await types(page, "#field-info-1-headline", headline)
        for key in ("ArrowLeft", "ArrowDown", "ArrowRight"):
            await tabs(page, "#draw-corner")
            await page.keyboard.press("Enter")
            await tabs(page, ".leaflet-container")
            before = await page.evaluate(
                "document.querySelector('.leaflet-map-pane').style.transform"
            )
            await page.keyboard.press(key)
            await at.until(
                "(old) => { const pane = document.querySelector('.leaflet-map-pane');"
                " return pane.style.transform !== old"
                " && !pane.classList.contains('leaflet-pan-anim'); }",
                before,
            )
            await page.keyboard.press("Shift+Tab")
            await page.evaluate("document.querySelector('#draw-corner').focus()")
        await tabs(page, "#draw-close")
        await page.keyboard.press("Enter")
        await at.until("() => document.querySelectorAll('#shapes li').length === 1")
        await types(page, "#field-web", "not an address")
        await found(at, "web", _("A web address begins with https://."))
        assert await page.get_attribute("#field-web", "aria-invalid") == "true"
        assert await page.is_disabled("#send")
        await types(page, "#field-web", "https://fhn.gov.az/")
        await at.says("checked", "fine")
        assert headline in await page.inner_text("#preview")
        assert "ir-ndmo" in await page.inner_text("#readers")

        await tabs(page, "#send")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#confirm[open]")
        assert await page.is_disabled("#confirm-send")
        await page.keyboard.press("Space")
        await tabs(page, "#confirm-send")
        await page.keyboard.press("Enter")
        index = await sent(at)
        assert at.faults == []
        at.only_asked_the_hub()

    told = await content(hub, "ir-ndmo", index)
    [info] = told["info"]
    assert info["headline"] == headline
    assert info["language"] == language
    assert info["eventCode"] == [{"valueName": "OET:v1.2", "value": "OET-138"}]
    corners = info["area"][0]["polygon"][0].split()
    assert len(corners) == 4
    assert corners[0] == corners[-1]
    async with hub.http("ir-ndmo") as http:
        payload = await http.get(f"/v1/messages/{index}/payload")
    assert payload.headers["content-type"].startswith("application/cap+xml")


async def filled(at: Desk, **given: str) -> None:
    """Fill what an alert needs, quickly."""
    page = at.page
    await page.select_option("#field-example", "wind")
    await page.click("#take-example")
    await at.until("() => document.querySelector('#field-eventCode').value === 'OET-218'")
    for name, value in {
        "severity": "Moderate", "urgency": "Expected", "certainty": "Likely", **given,
    }.items():  # fmt: skip
        await page.select_option(f"#field-{name}", value)
    await page.fill("#field-info-1-areaDesc", "The middle Caspian")
    await page.fill("#typed", "40.5, 50.5\n40.5, 52\n42, 52")
    await page.click("#add-typed")
    await at.says("checked", "fine")


async def sends(at: Desk, *, real: bool = True) -> int:
    await at.page.click("#send")
    if real:
        await at.page.check("#confirm-real")
    await at.page.click("#confirm-send")
    return await sent(at)


@pytest.mark.long
async def test_an_alert_is_updated_and_cancelled_from_where_it_was_sent(
    hub: Hub, browser: Browser
) -> None:
    name = await writer(hub, "changes.it")
    async with desk(hub, browser, name) as at:
        page = at.page
        await at.goes("/console/compose")
        await filled(at)
        await page.select_option("#add-language", "ru")
        await page.click("#add-language + button")
        await page.select_option("#field-example", "wind")
        await page.click("#take-example")
        await at.until(
            "(text) => document.querySelector('#field-info-2-event').value === text",
            texts("ru")("Strong wind at sea"),
        )
        await page.fill("#field-info-2-areaDesc", "Средний Каспий")
        await page.click("#draw-corner")
        await page.click("#draw-undo")
        assert await page.is_disabled("#draw-close")
        await page.select_option("#region", "AZ-BA")
        await page.click("#add-region")
        await page.click("#shapes li:last-child button")
        await page.click("#undo")
        assert await page.locator("#shapes li").count() == 2
        await at.says("checked", "fine")
        first = await sends(at)

        await page.click(f"a[href='/console/compose?update={first}']")
        await page.wait_for_url("**/console/compose?update=*")
        await page.wait_for_selector("body[data-ready]", state="attached")
        assert await page.input_value("#field-info-2-event") == texts("ru")("Strong wind at sea")
        assert await page.locator("#shapes li").count() == 2
        await page.fill("#field-info-1-headline", "The wind has dropped")
        await at.says("checked", "fine")
        second = await sends(at)

        await at.goes(f"/console/compose?cancel={second}")
        await at.says("checked", "fine")
        third = await sends(at)
        assert at.faults == []

    async with hub.http("ir-ndmo") as http:
        thread = (await http.get(f"/v1/messages/{first}/thread")).json()
    assert [(m["index"], m["msg_type"]) for m in thread["messages"]] == [
        (first, "Alert"), (second, "Update"), (third, "Cancel"),
    ]  # fmt: skip
    assert thread["messages"][0]["standing"]["state"] in {"updated", "cancelled"}
    told = await content(hub, "ir-ndmo", second)
    assert [one["language"] for one in told["info"]] == ["en", "ru"]
    assert told["info"][0]["headline"] == "The wind has dropped"


@pytest.mark.long
async def test_a_failure_keeps_the_draft_and_the_next_press_sends_the_same_once(
    hub: Hub, browser: Browser
) -> None:
    name = await writer(hub, "line.breaks")
    async with desk(hub, browser, name) as at:
        page = at.page
        await at.goes("/console/compose")
        await filled(at)
        bodies: list[str | None] = []

        async def breaks(route: Any) -> None:
            bodies.append(route.request.post_data)
            await route.abort()

        await page.route("**/v1/messages", breaks)
        await page.click("#send")
        await page.check("#confirm-real")
        await page.click("#confirm-send")
        await page.wait_for_selector("#confirm-refused:not([hidden])")
        await page.unroute("**/v1/messages")
        async with page.expect_request("**/v1/messages") as again:
            await page.click("#confirm-send")
        index = await sent(at)
        assert (await again.value).post_data == bodies[0]

        await at.goes("/console/compose")
        await page.fill("#field-info-1-headline", "Half written")
        await page.wait_for_function("Object.values(localStorage).join().includes('Half written')")
        await at.goes("/console/compose")
        assert await page.input_value("#field-info-1-headline") == "Half written"
        await page.click("#anew")
        assert await page.input_value("#field-info-1-headline") == ""
        await page.click("#undo")
        assert await page.input_value("#field-info-1-headline") == "Half written"

    rows = await hub.rows("publish", agency="az-fhn", after=index - 1)
    assert [r.index for r in rows] == [index]


@pytest.mark.long
async def test_aid_is_asked_for_and_answered_step_by_step(hub: Hub, browser: Browser) -> None:
    asks = await writer(hub, "asks.aid")
    gives = await writer(hub, "gives.aid", "kz-mes")
    async with desk(hub, browser, asks) as at, desk(hub, browser, gives) as other:
        page = at.page
        await at.goes("/console/compose?kind=aid-request")
        await found(at, "incident", "Name the incident.")
        faults = (await Axe().run(page)).response["violations"]
        assert faults == [], json.dumps(faults)[:2000]
        kind = "urn:caspian:resource:oil-spill=boom-offshore"
        await page.select_option("[id='field-items-1-type']", kind)
        await page.fill("#field-items-1-amount", "2000")
        await page.fill("#field-items-1-place", "Port of Baku")
        await page.fill("#field-items-1-point", "40.35, 49.87")
        await page.fill("#field-incident", "AC-2026-000077-AZE")
        await at.says("checked", "fine")
        request = await sends(at)

        await by_a_key(other, request, "o", "offer")
        assert await other.page.input_value("#field-items-1-amount") == "2000"
        await other.page.fill("#field-items-1-amount", "1200")
        await other.says("checked", "checking")
        await other.says("checked", "fine")
        offer = await sends(other)

        await by_a_key(at, offer, "a", "accept")
        await page.fill("#field-items-1-amount", "5000")
        await at.until("() => document.querySelector('#left').textContent.includes('more-than-')")
        assert "Lower the amount" in await page.inner_text("#left")
        assert await page.is_disabled("#send")
        await page.fill("#field-items-1-amount", "1000")
        await at.says("checked", "fine")
        accepted = await sends(at)

        await by_a_key(other, accepted, "c", "commit")
        committed = await goes_with_keys(other)
        for key, action in (("p", "departed"), ("v", "arrived"), ("l", "release")):
            await by_a_key(other, committed, key, action)
            await goes_with_keys(other)
        assert at.faults + other.faults == []

    async with hub.http("ir-ndmo") as http:
        board = await http.get("/v1/aid/board", params={"incident": "AC-2026-000077-AZE"})
    [line] = board.json()["incidents"][0]["lines"]
    assert line["asked"] == {"amount": "2000", "messages": [request]}
    assert line["offered"] == {"amount": "1200", "messages": [offer]}
    assert line["accepted"] == {"amount": "1000", "messages": [accepted]}
    assert line["committed"] == {"amount": "1000", "messages": [committed]}
    assert line["released"]["amount"] == "1000"


async def by_a_key(at: Desk, index: int, key: str, action: str) -> None:
    """Go from the board to an answer to one of its messages, with the keyboard alone."""
    await at.goes("/console/aid?incident=AC-2026-000077-AZE")
    for _ in range(20):
        await at.page.keyboard.press("j")
        if await at.page.evaluate("document.activeElement.dataset.index") == str(index):
            break
    await at.page.keyboard.press(key)
    await at.page.wait_for_url(f"**/console/compose?{action}={index}")
    await at.page.wait_for_selector("body[data-ready]", state="attached")


async def goes_with_keys(at: Desk) -> int:
    """Send what the hub finds no mistake in, with three keys at once; return its index."""
    await at.page.keyboard.press("Control+Enter")
    await at.page.wait_for_selector("#confirm[open]")
    await at.page.keyboard.press("Space")
    await at.page.keyboard.press("Enter")
    return await sent(at)


async def answers(at: Desk, index: int, action: str) -> None:
    """Go from a message's page to one of its answers."""
    await at.goes(f"/console/messages/{index}")
    await at.page.click(f"nav [data-act={action}]")
    await at.page.wait_for_url(f"**/console/compose?{action}=*")
    await at.page.wait_for_selector("body[data-ready]", state="attached")


@pytest.mark.long
async def test_an_offer_that_nobody_asked_for_is_declined(hub: Hub, browser: Browser) -> None:
    name = await writer(hub, "offers.aid", "kz-mes")
    async with desk(hub, browser, name) as at:
        page = at.page
        await at.goes("/console/compose?kind=aid-offer")
        await page.select_option(
            "#field-items-1-type", "urn:caspian:resource:oil-spill=vessel-recovery"
        )
        await page.fill("#field-items-1-amount", "1")
        await page.fill("#field-items-1-price", "")
        await page.fill("#field-incident", "AC-2026-000078-AZE")
        await found(at, "items[1]/price", "Say what it costs")
        await page.fill("#field-items-1-price", "free of charge")
        await at.says("checked", "fine")
        offer = await sends(at)
    name = await writer(hub, "declines.aid")
    async with desk(hub, browser, name) as at:
        await answers(at, offer, "decline")
        await found(at, "items[1]/reason", "Say why.")
        await at.page.fill("#field-items-1-reason", "Not needed")
        await at.says("checked", "fine")
        index = await sends(at)

    [item] = (await content(hub, "kz-mes", index))["ResourceInformation"]
    assert item["ResponseInformation"]["ResponseType"] == "Decline"


@pytest.mark.long
async def test_a_second_officer_approves_what_the_first_has_written(
    hub: Hub, browser: Browser
) -> None:
    policy = {"id": "az-two", "state": "AZ", "name": "Two officers", "approval": True}
    await hub.add_members([policy])
    first = await writer(hub, "first.officer", "az-two", person="Leyla Aliyeva")
    second = await writer(hub, "second.officer", "az-two", person="Orkhan Mammadov")
    async with desk(hub, browser, first) as one, desk(hub, browser, second) as two:
        await one.goes("/console/compose")
        await filled(one)
        await one.page.click("#send")
        await one.page.check("#confirm-real")
        await one.page.click("#confirm-send")
        await one.page.wait_for_selector("body[data-handed]", state="attached")
        draft = await one.said("handed")
        await one.goes("/console/drafts")
        assert await one.page.locator(f"[data-draft='{draft}'] [data-act=approve]").count() == 0

        await two.goes("/console/drafts")
        assert "Leyla Aliyeva" in await two.page.inner_text(f"[data-draft='{draft}']")
        await two.page.click(f"[data-draft='{draft}'] [data-act=approve]")
        assert await two.page.is_disabled("#decide-do")
        faults = (await Axe().run(two.page)).response["violations"]
        assert faults == [], json.dumps(faults)[:2000]
        await two.page.check("#decide-real")
        await two.page.click("#decide-do")
        await two.page.wait_for_selector("#decided a")
        await two.page.click("#decided a")
        await two.page.wait_for_selector("#message .message-head")
        assert "Orkhan Mammadov" in await two.page.inner_text("#message")
        assert one.faults + two.faults == []

    [row] = await hub.rows("publish", agency="az-two")
    assert (row.entry["by"], row.entry["approved_by"]) == ("Leyla Aliyeva", "Orkhan Mammadov")


@pytest.mark.long
async def test_what_is_written_in_an_exercise_is_one(hub: Hub, browser: Browser) -> None:
    name = await writer(hub, "plays.it")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/compose?mode=exercise")
        options = await at.page.eval_on_selector_all(
            "#field-status option", "(all) => all.map((o) => o.value)"
        )
        assert options == ["Exercise"]
        await at.page.fill("#field-note", "Caspian Shield")
        await filled(at)
        index = await sends(at, real=False)

    assert (await content(hub, "ir-ndmo", index))["status"] == "Exercise"


@pytest.mark.long
async def test_who_is_addressed_is_shown_before_and_gets_it_alone(
    hub: Hub, browser: Browser
) -> None:
    name = await writer(hub, "whispers")
    async with desk(hub, browser, name) as at:
        page = at.page
        await at.goes("/console/compose")
        await filled(at)
        await page.select_option("#field-scope", "Private")
        await found(at, "addresses", "A private message has addressees.")
        await page.check("[data-field=addresses] input[value=kz-mes]")
        await at.says("checked", "fine")
        await at.until("() => document.querySelector('#readers').textContent === 'KZ: kz-mes'")
        index = await sends(at)

    assert (await content(hub, "kz-mes", index))["addresses"] == "kz-mes"
    async with hub.http("ir-ndmo") as http:
        assert (await http.get(f"/v1/messages/{index}")).status_code == 404


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(hub: Hub, browser: Browser, scheme: Any) -> None:
    name = await writer(hub, f"looks.{scheme}")
    async with desk(hub, browser, name, language="fa", color_scheme=scheme) as at:
        await at.goes("/console/compose")
        await at.page.wait_for_selector("body[data-map=shown]", state="attached")
        for ready in (False, True):
            if ready:
                await filled(at)
                await at.page.click("#send")
            faults = (await Axe().run(at.page)).response["violations"]
            assert faults == [], json.dumps(faults, ensure_ascii=False)[:3000]


@pytest.mark.long
async def test_what_must_bear_a_signature_is_written_here_and_saved_to_be_signed(
    hub: Hub, browser: Browser
) -> None:
    record = {"id": "tm-signs", "state": "TM", "name": "tm-signs", "signs": True}
    await hub.add_members([record])
    name = await writer(hub, "signs.alone", "tm-signs")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/compose")
        assert "the system that has the key" in await at.page.inner_text("#composer")
        await at.says("checked", "mistakes")
        await filled(at)
        await at.page.click("#send")
        await at.page.check("#confirm-real")
        async with at.page.expect_download() as download:
            await at.page.click("#confirm-send")
        payload = (await (await download.value).path()).read_bytes()
        named = await at.said("saved")
        assert "caspian publish" in await at.page.inner_text("#composer")
        assert at.faults == []

    assert [r for r in await hub.rows("publish") if r.agency == "tm-signs"] == []
    read = read_payload(payload)
    assert read.facts.identifier == named.removesuffix(".xml")
    secret = "tm-signs/2026"
    body = {"agency": "tm-signs", "key": str(key(secret)), "action": "add"}
    made = Candidate(
        "publish", "tm-signs", payload=payload, payload_type=read.payload_type, facts=read.facts
    )
    await propose(hub.redis, [Candidate("key", "tm-signs", body=body)])
    await propose(hub.redis, [signed(made, secret, Chain(), id="tm-signs-1")])

    async def taken() -> bool:
        return any(r.agency == "tm-signs" for r in await hub.rows("publish"))

    await until(taken, "what was saved is signed and taken", 20)
