"""An officer accepts or rejects a message in CAP itself, apart from acknowledging it by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from hub.i18n import texts
from tests.console.browsers import Desk, desk, officer
from tests.console.test_aid_moves import approves, hands_over
from tests.console.test_compose import content, found, sent, tabs, types, writer
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def answers_in_cap(at: Desk, index: int, action: str, *, mode: str = "") -> None:
    """Go from a message's page to one of CAP's own answers, with the keyboard alone."""
    await at.goes(f"/console/messages/{index}{mode}")
    await tabs(at.page, ".cap-answer summary")
    await at.page.keyboard.press("Enter")
    await tabs(at.page, f"[data-act={action}]")
    await at.page.keyboard.press("Enter")
    await at.page.wait_for_url(f"**/console/compose?{action}={index}*")
    await at.page.wait_for_selector("body[data-ready]", state="attached")


async def payload(hub: Hub, who: str, index: int) -> tuple[int, str]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/messages/{index}/payload")
    return answer.status_code, answer.text


async def stands(hub: Hub, index: int, agency: str) -> str:
    async with hub.http("az-fhn") as http:
        life: dict[str, Any] = (await http.get(f"/v1/messages/{index}")).json()
    [one] = [r for r in life["recipients"] if r["agency"] == agency]
    return str(one["state"])


@pytest.mark.parametrize("language", ["en", pytest.param("fa", marks=pytest.mark.long)])
async def test_a_message_is_rejected_with_the_reason_to_its_sender_alone(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    index = await hub.publish("az-fhn", headline="Oil off Astara")
    told = await content(hub, "ir-ndmo", index)
    name = await officer(hub, f"rejects.{language}")
    async with desk(hub, browser, name, language=language) as at:
        page = at.page
        await answers_in_cap(at, index, "error")
        await found(at, "note", _("Say why: whoever sent it must know what to change."))
        assert await page.is_disabled("#send")
        assert "Oil off Astara" in await page.inner_text("#form")
        await types(page, "#field-note", "The place is not in the sea")
        await at.says("checked", "fine")
        assert await page.inner_text("#readers") == "AZ: az-fhn"
        faults = (await Axe().run(page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:2000]
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("#confirm[open]")
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        answer = await sent(at)
        await at.goes(f"/console/messages/{answer}")
        shown = await page.inner_text("#message")
        assert _("Rejects a message:") in shown
        assert "The place is not in the sea" in shown
        faults = (await Axe().run(page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:2000]
        # It is no acknowledgement: the hub goes on asking for one.
        await at.goes(f"/console/messages/{index}")
        assert await page.is_visible("[data-act=acknowledge]")
        assert at.faults == []
        at.only_asked_the_hub()

    assert await stands(hub, index, "ir-ndmo") in {"queued", "delivered"}
    status, xml = await payload(hub, "az-fhn", answer)
    assert status == 200
    assert "<msgType>Error</msgType>" in xml
    assert "<note>The place is not in the sea</note>" in xml
    assert f"<references>{told['sender']},{told['identifier']},{told['sent']}</references>" in xml
    assert "<info>" not in xml
    assert (await payload(hub, "kz-mes", answer))[0] == 404


@pytest.mark.long
async def test_a_message_is_accepted_for_all_to_see_which_acknowledges_it(
    hub: Hub, browser: Browser
) -> None:
    index = await hub.publish("az-fhn", headline="Wind at sea", severity="Severe")
    name = await officer(hub, "accepts.it")
    async with desk(hub, browser, name) as at:
        await answers_in_cap(at, index, "ack")
        await tabs(at.page, "#field-scope")
        await at.page.keyboard.press("ArrowDown")
        await at.says("checked", "fine")
        assert "kz-mes" in await at.page.inner_text("#readers")
        await at.page.keyboard.press("Control+Enter")
        await at.page.wait_for_selector("#confirm[open]")
        await at.page.keyboard.press("Space")
        await at.page.keyboard.press("Enter")
        answer = await sent(at)
        assert "counts as an acknowledgement" in await at.page.inner_text(".sent")
        await at.goes(f"/console/messages/{index}")
        assert await at.page.locator("[data-act=acknowledge]").count() == 0
        assert at.faults == []

    assert "<msgType>Ack</msgType>" in (await payload(hub, "kz-mes", answer))[1]
    assert await stands(hub, index, "ir-ndmo") == "acknowledged"
    async with hub.http("az-fhn") as http:
        thread = (await http.get(f"/v1/messages/{index}/thread")).json()
    assert [one["index"] for one in thread["mentions"]] == [answer]


@pytest.mark.long
async def test_an_exercise_is_answered_within_it(hub: Hub, browser: Browser) -> None:
    index = await hub.publish("az-fhn", status="Exercise")
    name = await officer(hub, "exercises.it")
    async with desk(hub, browser, name) as at:
        await answers_in_cap(at, index, "ack", mode="?mode=exercise")
        assert await at.page.input_value("#field-note") == "a test"
        await at.says("checked", "fine")
        await at.page.keyboard.press("Control+Enter")
        await at.page.wait_for_selector("#confirm[open]")
        await at.page.keyboard.press("Enter")
        answer = await sent(at)

    assert (await content(hub, "az-fhn", answer))["status"] == "Exercise"


@pytest.mark.long
async def test_what_is_not_answered_in_cap_is_told_so(hub: Hub, browser: Browser) -> None:
    own = await hub.publish("ir-ndmo", headline="Our own")
    index = await hub.publish("az-fhn", headline="Theirs")
    told = await content(hub, "ir-ndmo", index)
    reference = f"{told['sender']},{told['identifier']},{told['sent']}"
    ack = await hub.publish("kz-mes", msg_type="Ack", references=reference)
    name = await officer(hub, "answers.nothing")
    async with desk(hub, browser, name) as at:
        for other in (own, ack):
            await at.goes(f"/console/messages/{other}")
            assert await at.page.locator(".cap-answer").count() == 0
            await at.goes(f"/console/compose?error={other}")
            assert "alerts, updates and cancellations" in await at.page.inner_text("#composer")
            assert await at.page.locator("#composer textarea").count() == 0
        assert at.faults == []


@pytest.mark.long
async def test_a_rejection_waits_for_the_second_officer(hub: Hub, browser: Browser) -> None:
    policy = {"id": "ir-two", "state": "IR", "name": "Two officers", "approval": True}
    await hub.add_members([policy])
    index = await hub.publish("az-fhn", headline="Fog")
    first = await writer(hub, "first.of.ir", "ir-two", person="Reza Karimi")
    second = await writer(hub, "second.of.ir", "ir-two", person="Maryam Rahimi")
    async with desk(hub, browser, first) as one, desk(hub, browser, second) as two:
        await answers_in_cap(one, index, "error")
        await types(one.page, "#field-note", "There is no fog")
        await hands_over(one)
        answer = await approves(two, shows="Rejects a message:")
        assert one.faults + two.faults == []

    assert "<msgType>Error</msgType>" in (await payload(hub, "az-fhn", answer))[1]
    row = (await hub.rows("publish", agency="ir-two"))[-1]
    assert (row.entry["by"], row.entry["approved_by"]) == ("Reza Karimi", "Maryam Rahimi")
