"""An officer's watch in a real browser: seen, heard, acknowledged, with the keyboard alone."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser

from hub.i18n import texts
from tests.console.browsers import desk, officer
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SEVERITIES = ("Minor", "Extreme", "Unknown", "Severe", "Moderate")


async def quiet(hub: Hub) -> None:
    """Acknowledge all that is open, so that a test begins with an empty queue."""
    async with hub.http("officer") as http:
        for feed in ("ir-ndmo", "ir-ndmo.exercise"):
            path = f"/v1/feeds/{feed}/watch"
            told = (await http.get(path, params={"open": True})).json()
            for message in told["messages"]:
                await http.post(f"/v1/messages/{message['index']}/acknowledgements")


@pytest.mark.parametrize("language", ["en", "fa"])
async def test_the_whole_watch_of_an_officer_with_the_keyboard_alone(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    await quiet(hub)
    sent = {s: await hub.publish("az-fhn", severity=s, headline=f"About {s}") for s in _SEVERITIES}
    name = await officer(hub, f"watch.{language}", person="Leyla")
    async with desk(hub, browser, name, language=language) as at:
        page = at.page
        await at.watches()
        order = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
        assert await at.open() == [sent[s] for s in order]
        assert (await page.text_content("#open-title")).strip().startswith(_("To acknowledge"))

        await page.keyboard.press("j")
        await page.keyboard.press("j")
        focused = "document.activeElement.dataset.index"
        assert await page.evaluate(focused) == str(sent["Severe"])
        await page.keyboard.press("k")
        await page.keyboard.press("a")
        await page.keyboard.type("Two ships are on their way")
        await page.keyboard.press("Enter")
        await at.until(
            "(i) => !document.querySelector(`#open [data-index='${i}']`)", sent["Extreme"]
        )
        # The stream may bring the acknowledgement before its own answer closes the box.
        await at.until("() => !document.querySelector('dialog[open]')")
        await page.keyboard.press("t")
        await page.keyboard.press("Shift+A")
        await at.until(
            "(i) => !document.querySelector(`#open [data-index='${i}']`)", sent["Severe"]
        )
        await page.keyboard.press("t")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#details[open] .language-text")
        assert "About Moderate" in (await page.text_content("#details-body"))
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await page.wait_for_selector("#help[open]")
        await page.keyboard.press("Escape")

        new = await hub.publish("kz-mes", severity="Extreme", headline="Something new")
        await page.wait_for_selector(f"#open .card[data-index='{new}']")
        assert (await at.open())[0] == new
        assert at.faults == []
        at.only_asked_the_hub()

    async with hub.http("ir-ndmo") as http:
        life = (await http.get(f"/v1/messages/{sent['Extreme']}")).json()
    [own] = [one for one in life["recipients"] if one["agency"] == "ir-ndmo"]
    assert own["acknowledgements"][0]["officer"] == "Leyla"
    assert own["acknowledgements"][0]["note"] == "Two ships are on their way"


@pytest.mark.long
async def test_the_alarm_is_armed_by_hand_and_sounds_until_all_is_acknowledged(
    hub: Hub, browser: Browser
) -> None:
    await quiet(hub)
    name = await officer(hub, "alarm")
    async with desk(hub, browser, name) as at:
        await at.watches()
        if await at.said("alarm") == "unarmed":
            await at.page.click("#arm")
        await at.says("alarm", "armed")
        assert await at.page.locator("[data-banner=arm]").count() == 0
        before = int(await at.said("sounded"))
        index = await hub.publish("az-fhn", severity="Extreme")
        await at.says("alarm", "ringing")
        await at.until("(n) => Number(document.body.dataset.sounded) >= n + 2", before)
        assert int(await at.said("oscillators")) >= 12
        assert "(1)" in await at.page.title()
        assert (await at.page.get_attribute("#icon", "href")).endswith("icon-alarm.svg")

        await at.page.keyboard.press("s")
        await at.says("alarm", "silenced")
        other = await hub.publish("az-fhn", severity="Minor")
        await at.says("alarm", "ringing")
        assert sorted(await at.open()) == [index, other]

        await quiet(hub)
        await at.says("alarm", "armed")
        assert await at.open() == []
        assert "(" not in await at.page.title()


@pytest.mark.long
async def test_a_page_that_nobody_has_touched_says_that_it_cannot_sound(
    hub: Hub, browser: Browser
) -> None:
    name = await officer(hub, "untouched")
    async with desk(hub, browser, name) as at:
        await at.page.add_init_script(
            # As in a browser that has not been touched: there is a context, and it does not run.
            "Object.defineProperty(AudioContext.prototype, 'state', {get: () => 'suspended'});"
        )
        await at.watches()

        assert await at.said("alarm") == "unarmed"
        assert await at.page.locator("[data-banner=arm]").is_visible()


@pytest.mark.long
async def test_a_hidden_tab_still_sounds_and_notifies(hub: Hub, browser: Browser) -> None:
    await quiet(hub)
    name = await officer(hub, "hidden")
    async with desk(hub, browser, name, permissions=["notifications"]) as at:
        await at.watches()
        if await at.said("alarm") == "unarmed":
            await at.page.click("#arm")
        await at.says("alarm", "armed")
        other = await at.page.context.new_page()
        await other.goto("about:blank")
        await other.bring_to_front()
        session = await at.page.context.new_cdp_session(at.page)
        await session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
        before = int(await at.said("sounded"))
        await hub.publish("az-fhn", severity="Extreme", headline="Seen by nobody yet")
        await at.says("alarm", "ringing")

        await at.until("(n) => Number(document.body.dataset.sounded) >= n + 2", before)
        assert "(1)" in await at.page.title()
        assert int(await at.said("notified") or 0) >= 1


@pytest.mark.long
async def test_a_failing_map_stops_no_alarm(hub: Hub, browser: Browser) -> None:
    await quiet(hub)
    name = await officer(hub, "no.map")
    async with desk(hub, browser, name) as at:
        await at.page.route("**/leaflet/**", lambda route: route.abort())
        await at.watches()
        assert await at.said("map") == "failed"
        assert await at.page.locator("#map-failed").is_visible()
        index = await hub.publish("az-fhn", severity="Extreme")

        await at.page.wait_for_selector(f"#open .card[data-index='{index}']")
        assert str(index) in (await at.said("reasons")).split()


@pytest.mark.long
async def test_an_exercise_is_unmistakable_and_hides_nothing_real(
    hub: Hub, browser: Browser
) -> None:
    await quiet(hub)
    played = await hub.publish("az-fhn", status="Exercise", severity="Extreme")
    name = await officer(hub, "exercise")
    async with desk(hub, browser, name) as at:
        await at.watches()
        assert played not in await at.open()
        await at.watches("/console/watch?mode=exercise")
        assert await at.open() == [played]
        assert await at.page.locator("#exercise-banner").is_visible()
        assert await at.page.locator(".exercise-mark").is_visible()
        for path in ("/console/handover", "/console/account", f"/console/messages/{played}"):
            await at.goes(f"{path}?mode=exercise")
            assert await at.page.locator("#exercise-banner").is_visible(), path
            await at.page.emulate_media(media="print")
            assert await at.page.locator(".exercise-mark").is_visible(), path
            await at.page.emulate_media(media="screen")
        await at.goes(f"/console/messages/{played}")
        assert await at.page.locator("#exercise-banner").is_visible()

        await at.watches("/console/watch?mode=exercise")
        real = await hub.publish("az-fhn", severity="Extreme", headline="This is real")
        await at.page.wait_for_selector("[data-banner=real]")
        assert real not in await at.open()
        assert f"real-{real}" in (await at.said("reasons")).split()


_HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "'\"><svg onload=document.title='owned'>{{7*7}}${7*7}\u202e"
)


async def test_hostile_texts_are_inert_in_every_field(hub: Hub, browser: Browser) -> None:
    await quiet(hub)
    payload = hostile_alert()
    index = await hub.publish("az-fhn", payload)
    name = await officer(hub, "hostile", person="<b>Officer</b>")
    async with desk(hub, browser, name) as at:
        await at.watches()
        await at.page.wait_for_selector(f"#open .card[data-index='{index}']")
        await at.page.keyboard.press("j")
        await at.page.keyboard.press("Enter")
        await at.page.wait_for_selector("#details[open] .language-text")
        await at.page.keyboard.press("Escape")
        for path in (f"/console/messages/{index}", "/console/handover", "/console/account"):
            await at.goes(path)
            if "messages" in path:
                await at.page.click(".raw summary")
                await at.until("() => document.querySelector('.raw pre').textContent.length > 50")
                assert "<script>" in (await at.page.text_content("#message h1") or "")
            assert await at.page.locator("main script, main img").count() == 0
            assert "owned" not in (await at.page.title()).split()
            assert await at.page.evaluate("document.title") != "owned"
        assert at.faults == []
        at.only_asked_the_hub()


def hostile_alert() -> bytes:
    """Return an alert with markup in all of its texts."""
    text = _HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    fields = {
        "senderName": text,
        "headline": text,
        "description": text,
        "instruction": text,
        "contact": text,
    }
    said = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    now = datetime.now(UTC)
    at, until = (t.strftime("%Y-%m-%dT%H:%M:%S-00:00") for t in (now, now + timedelta(hours=6)))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x{uuid.uuid4().hex}</identifier>
<sender>centre@az.example</sender><sent>{at}</sent><status>Actual</status><msgType>Alert</msgType>
<source>{text}</source><scope>Public</scope><note>{text}</note><incidents>"&lt;b&gt;"</incidents>
<info><language>en-US</language><category>Env</category><event>{text}</event>
<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>
<expires>{until}</expires>{said}
<parameter><valueName>{text}</valueName><value>{text}</value></parameter>
<area><areaDesc>{text}</areaDesc><polygon>40.1,49.9 40.6,49.9 40.6,50.6 40.1,49.9</polygon></area>
</info></alert>""".encode()


@pytest.mark.long
async def test_a_refused_acknowledgement_is_told_and_the_message_stays_open(
    hub: Hub, browser: Browser
) -> None:
    await quiet(hub)
    index = await hub.publish("az-fhn", severity="Extreme")
    name = await officer(hub, "refused")
    async with desk(hub, browser, name) as at:
        await at.watches()
        await at.page.route("**/acknowledgements", lambda route: route.abort())
        await at.page.click(f"#open [data-index='{index}'] [data-act=acknowledge]")
        await at.page.keyboard.press("Enter")
        await at.page.wait_for_selector("#note-refused:not([hidden])")
        assert await at.open() == [index]
        await at.page.unroute("**/acknowledgements")
        await at.page.keyboard.press("Enter")
        await at.until("() => !document.querySelector('#open .card')")


@pytest.mark.long
async def test_every_mistake_at_the_door_is_told_in_ones_own_language(
    hub: Hub, browser: Browser
) -> None:
    name = await officer(hub, "with.code", totp=True)
    context = await browser.new_context()
    try:
        for code in ("en", "fa"):
            _ = texts(code)
            await context.add_cookies([{"name": "caspian-language", "value": code, "url": hub.url}])
            page = await context.new_page()
            await page.goto(f"{hub.url}/console/sign-in?refused=sign-on-refused")
            await page.wait_for_selector("#refused:not([hidden])")
            await page.fill("[name=name]", name)
            await page.fill("[name=password]", "not the password")
            await page.press("[name=password]", "Enter")
            await page.wait_for_function(
                "(said) => document.querySelector('#refused').textContent === said",
                arg=_("Name, password or code is not right."),
            )
            await page.fill("[name=password]", "dampf schuh laterne")
            await page.press("[name=password]", "Enter")
            await page.wait_for_function(
                "(said) => document.querySelector('#refused').textContent === said",
                arg=_(
                    "Your account has a second factor: enter the code that your authenticator "
                    "app shows."
                ),
            )
            assert await page.evaluate("document.activeElement.name") == "code"
    finally:
        await context.close()


@pytest.mark.long
async def test_signing_out_and_ending_another_session(hub: Hub, browser: Browser) -> None:
    name = await officer(hub, "two.places")
    async with desk(hub, browser, name) as one, desk(hub, browser, name) as two:
        await two.goes("/console/account")
        assert await two.page.locator(".sessions li").count() == 2
        await two.page.click(".sessions button")
        await two.until("() => document.querySelectorAll('.sessions li').length === 1")
        await one.page.goto(f"{hub.url}/console/handover")
        await one.page.wait_for_url("**/console/sign-in?then=*")
        await two.page.click("#sign-out")
        await two.page.wait_for_url("**/console/sign-in")


@pytest.mark.long
async def test_the_handover_says_who_acknowledged_and_what_is_open(
    hub: Hub, browser: Browser
) -> None:
    await quiet(hub)
    done = await hub.publish("az-fhn", severity="Severe", headline="Done before the handover")
    left = await hub.publish("az-fhn", severity="Extreme", headline="Left for the next shift")
    async with hub.client("officer") as client:
        await client.acknowledge(str(done), note="Told the port")
    name = await officer(hub, "handover")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/handover")
        sections = at.page.locator("#report section")
        assert f"{left}" in (await sections.nth(0).inner_text())
        assert "Left for the next shift" in (await sections.nth(0).inner_text())
        acknowledged = await sections.nth(1).inner_text()
        assert "Told the port" in acknowledged
        assert "Reza Karimi" in acknowledged
        assert "Left for" not in acknowledged
        await at.page.emulate_media(media="print")
        assert not await at.page.locator("header.top").is_visible()
        assert at.faults == []
