"""What was said about aid is answered, corrected and taken back from the board, by keys alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from hub.i18n import texts
from schemas.rm.tables import MESSAGES
from tests.console.browsers import Desk, desk
from tests.console.test_compose import content, found, goes_with_keys, sent, tabs, types, writer
from tests.http.test_aid import BOOM, aid, board, exchange, item
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked_and_offered(hub: Hub, incident: str) -> tuple[int, int]:
    """Let Azerbaijan ask for boom, and Kazakhstan offer some."""
    given = {"thread": f"{incident}-0", "incident": incident}
    first = aid("az-fhn", "RequestResource", f"{incident}-0", [item("1", 2000, code=BOOM)], **given)
    offered = [item("a", 1200, answers="1", code=BOOM)]
    kind = "ResponseToRequestResource"
    second = aid("kz-mes", kind, f"{incident}-1", offered, answers=f"{incident}-0", **given)
    return await hub.publish("az-fhn", first), await hub.publish("kz-mes", second)


async def at_board(at: Desk, incident: str, index: int, *, mode: str = "") -> None:
    """Come to a message on the board with the keyboard alone."""
    await at.goes(f"/console/aid?incident={incident}{mode}")
    for _ in range(30):
        await at.page.keyboard.press("j")
        if await at.page.evaluate("document.activeElement.dataset.index") == str(index):
            return
    raise AssertionError(f"{index} is not on the board")


async def by_key(at: Desk, incident: str, index: int, key: str, action: str) -> None:
    await at_board(at, incident, index)
    await at.page.keyboard.press(key)
    await at.page.wait_for_url(f"**/console/compose?{action}={index}")
    await at.page.wait_for_selector("body[data-ready]", state="attached")


async def xml_of(hub: Hub, index: int) -> str:
    async with hub.http("ir-ndmo") as http:
        answer = await http.get(f"/v1/messages/{index}/payload")
    assert answer.headers["content-type"].startswith("application/edxl-rm+xml")
    return answer.text


async def test_an_offer_is_declined_by_its_key(hub: Hub, browser: Browser) -> None:
    incident = "AC-2026-000301-AZE"
    _, offer = await asked_and_offered(hub, incident)
    name = await writer(hub, "declines.by.key")
    async with desk(hub, browser, name) as at:
        await by_key(at, incident, offer, "d", "decline")
        await found(at, "items[1]/reason", "Say why.")
        assert await at.page.is_disabled("#send")
        await types(at.page, "#field-items-1-reason", "Enough is on its way")
        index = await goes_with_keys(at)
        assert at.faults == []

    told = await content(hub, "kz-mes", index)
    assert told["MessageContentType"] == "AidOfferResponse"
    assert told["ResourceInformation"][0]["ResponseInformation"] == {
        "PrecedingResourceInfoElementID": "a",
        "ResponseType": "Decline",
        "ResponseReason": "Enough is on its way",
    }


@pytest.mark.long
async def test_who_offered_declines_to_commit_by_the_same_key(hub: Hub, browser: Browser) -> None:
    incident = "AC-2026-000302-AZE"
    *_before, accepted, _promise = await exchange(hub, incident)
    name = await writer(hub, "cannot.commit", "kz-mes")
    async with desk(hub, browser, name) as at:
        await by_key(at, incident, accepted, "d", "decline")
        await types(at.page, "#field-items-1-reason", "The vessel has broken down")
        index = await goes_with_keys(at)
        await at_board(at, incident, index)
        assert await at.page.locator(f"li[data-index='{index}'] [data-act=departed]").count() == 0
        assert at.faults == []

    told = await content(hub, "az-fhn", index)
    assert told["MessageContentType"] == "CommitResource"
    [one] = told["ResourceInformation"]
    assert one["ResponseInformation"]["ResponseType"] == "Decline"
    assert one["AssignmentInformation"]["Quantity"] == {"QuantityText": ["all"]}


@pytest.mark.parametrize("language", ["en", pytest.param("fa", marks=pytest.mark.long)])
async def test_what_was_promised_is_taken_back_by_a_key(
    hub: Hub, browser: Browser, language: str
) -> None:
    _ = texts(language)
    incident = {"en": "AC-2026-000311-AZE", "fa": "AC-2026-000312-AZE"}[language]
    *_before, promise = await exchange(hub, incident)
    name = await writer(hub, f"takes.back.{language}", "kz-mes")
    async with desk(hub, browser, name, language=language) as at:
        await by_key(at, incident, promise, "r", "recall")
        assert await at.page.inner_text("#title") == _("Take {what} back", what=f"#{promise}")
        await types(at.page, "#field-description", "The vessel has broken down")
        await at.says("checked", "checking")
        await at.says("checked", "fine")
        faults = (await Axe().run(at.page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:2000]
        await at.page.keyboard.press("Control+Enter")
        await at.page.wait_for_selector("#confirm[open]")
        taken = _("Taken back: {what}", what=_("Commitment of aid"))
        assert taken in await at.page.inner_text("#confirm-what")
        await at.page.keyboard.press("Enter")
        assert await at.said("sent") == ""
        await at.page.keyboard.press("Space")
        await at.page.keyboard.press("Enter")
        index = await sent(at)

        await at_board(at, incident, promise)
        line = at.page.locator(f"li[data-index='{promise}']")
        assert _("Taken back") in await line.inner_text()
        assert await line.locator("[data-key]").count() == 0
        faults = (await Axe().run(at.page)).response["violations"]
        assert faults == [], json.dumps(faults, ensure_ascii=False)[:2000]
        assert await at.page.locator(f"li[data-index='{index}'] [data-key]").count() == 0
        await at.goes(f"/console/messages/{promise}")
        assert _("Taken back") in await at.page.inner_text("#message .message-head")
        await at.goes(f"/console/messages/{index}")
        assert _("Takes a message back:") in await at.page.inner_text("#message .aid-text")
        assert at.faults == []
        at.only_asked_the_hub()

    xml = await xml_of(hub, index)
    assert "<rm:RecallType>Cancel</rm:RecallType>" in xml
    assert f"<rm:RecallMessageID>{incident}-3</rm:RecallMessageID>" in xml
    assert (await content(hub, "az-fhn", index))["MessageContentType"] == "CommitResource"
    [told] = await board(hub, "ir-ndmo", incident=incident)
    assert told["lines"][0]["committed"]["amount"] == "0"
    assert told["lines"][0]["offered"]["amount"] == "1200"


@pytest.mark.long
async def test_what_was_promised_in_an_exercise_is_taken_back_in_it(
    hub: Hub, browser: Browser
) -> None:
    incident = "EXERCISE-2026-7"
    *_before, promise = await exchange(hub, incident)
    name = await writer(hub, "plays.back", "kz-mes")
    async with desk(hub, browser, name) as at:
        await at_board(at, incident, promise, mode="&mode=exercise")
        await at.page.keyboard.press("r")
        await at.page.wait_for_url(f"**/console/compose?recall={promise}&mode=exercise")
        await at.page.wait_for_selector("body[data-ready]", state="attached")
        await at.says("checked", "fine")
        await at.page.keyboard.press("Control+Enter")
        await at.page.wait_for_selector("#confirm[open]")
        await at.page.keyboard.press("Enter")
        index = await sent(at)
        assert at.faults == []

    told = await content(hub, "az-fhn", index)
    assert told["IncidentInformation"] == [{"IncidentID": incident}]
    [one] = await board(hub, "ir-ndmo", incident=incident)
    assert (one["status"], one["lines"][0]["committed"]["amount"]) == ("Exercise", "0")


@pytest.mark.long
async def test_on_an_open_watch_a_recall_is_none_of_the_aid_that_it_takes_back(
    hub: Hub, browser: Browser
) -> None:
    incident = "AC-2026-000309-AZE"
    *_before, promise = await exchange(hub, incident)
    name = await writer(hub, "watches.aid", "ir-ndmo")
    async with desk(hub, browser, name) as at:
        await at.watches()
        await at.page.wait_for_selector(f".card[data-index='{promise}']:not(.replaced)")
        given = {"thread": f"{incident}-0", "incident": incident, "answers": f"{incident}-2"}
        back = {"recalls": f"{incident}-3", "recall": "Cancel", **given}
        one = item("1", 1200, answers="1", code=BOOM)
        message = aid("kz-mes", "CommitResource", f"{incident}-b", [one], **back)
        recall = await hub.publish("kz-mes", message)
        card = await at.page.wait_for_selector(f".card[data-index='{recall}'] .kind")
        assert await card.inner_text() == "Taken back: Commitment of aid"
        old = await at.page.wait_for_selector(f".card[data-index='{promise}'].replaced")
        assert "Taken back" in await old.inner_text()
        assert at.faults == []


@pytest.mark.long
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_request_an_offer_and_an_acceptance_are_taken_back_too(
    hub: Hub, browser: Browser, place: int
) -> None:
    incident = f"AC-2026-00032{place}-AZE"
    said = await exchange(hub, incident)
    name = await writer(hub, f"back.{place}", ("az-fhn", "kz-mes")[place % 2])
    async with desk(hub, browser, name) as at:
        await by_key(at, incident, said[place], "r", "recall")
        await goes_with_keys(at)
        assert at.faults == []

    [told] = await board(hub, "ir-ndmo", incident=incident)
    stage = ("asked", "offered", "accepted")[place]
    assert told["lines"][0][stage]["amount"] == "0"
    assert told["lines"][0]["committed"]["amount"] == "1200"


@pytest.mark.long
async def test_an_offer_is_corrected_by_a_key_and_keeps_what_was_not_touched(
    hub: Hub, browser: Browser
) -> None:
    incident = "AC-2026-000303-AZE"
    _, offer = await asked_and_offered(hub, incident)
    before = await content(hub, "kz-mes", offer)
    name = await writer(hub, "corrects.it", "kz-mes")
    async with desk(hub, browser, name) as at:
        await by_key(at, incident, offer, "u", "amend")
        assert await at.page.input_value("#field-items-1-amount") == "1200"
        await types(at.page, "#field-items-1-amount", "900")
        index = await goes_with_keys(at)
        await at_board(at, incident, offer)
        line = at.page.locator(f"li[data-index='{offer}']")
        assert "Replaced by a correction" in await line.inner_text()
        assert at.faults == []

    told = await content(hub, "az-fhn", index)
    assert told.pop("MessageRecall") == {
        "RecallMessageID": before["MessageID"],
        "RecallType": "Update",
    }
    [one], [old] = told["ResourceInformation"], before["ResourceInformation"]
    assert one["AssignmentInformation"]["Quantity"]["MeasuredQuantity"]["Amount"] == "900"
    assert one["Resource"] == old["Resource"]
    assert one["ResponseInformation"] == old["ResponseInformation"]
    assert one["AssignmentInformation"]["PriceQuote"] == old["AssignmentInformation"]["PriceQuote"]
    [line_] = (await board(hub, "ir-ndmo", incident=incident))[0]["lines"]
    assert line_["offered"] == {"amount": "900", "messages": [offer, index]}


@pytest.mark.long
async def test_what_cannot_be_taken_back_is_told_before_anything_is_written(
    hub: Hub, browser: Browser
) -> None:
    incident = "AC-2026-000304-AZE"
    request, offer = await asked_and_offered(hub, incident)
    given = {"answers": f"{incident}-0", "thread": f"{incident}-0", "incident": incident}
    items = [item("a", 1200, answers="1", code=BOOM)]
    back = {"recalls": f"{incident}-1", "recall": "Cancel", **given}
    message = aid("kz-mes", "ResponseToRequestResource", f"{incident}-2", items, **back)
    recall = await hub.publish("kz-mes", message)
    name = await writer(hub, "may.not", "kz-mes")
    async with desk(hub, browser, name) as at:
        for index, why in (
            (request, "Only the agency that sent a message"),
            (offer, "This message was taken back already."),
            (recall, "This message takes another one back"),
        ):
            await at.goes(f"/console/compose?recall={index}")
            assert why in await at.page.inner_text("#composer")
            assert await at.page.locator("#composer input").count() == 0
        assert at.faults == []


async def test_the_console_writes_every_kind_of_aid_message(hub: Hub, browser: Browser) -> None:
    name = await writer(hub, "every.kind")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/aid")
        written = await at.page.evaluate(
            """async (types) => {
              const { ACTIONS, answersTo } = await import(
                `${document.body.dataset.static}/aid-moves.js`);
              const begun = Object.keys(ACTIONS).filter((one) => one.startsWith("aid-"));
              const made = new Set(begun.map((one) => ACTIONS[one].type("")));
              for (const type of types) for (const mine of [false, true])
                for (const [action] of answersTo({ type, mine }))
                  if (!ACTIONS[action].recall) made.add(ACTIONS[action].type(type));
              return [...made].sort();
            }""",
            list(MESSAGES),
        )

    assert written == sorted(MESSAGES)


@pytest.mark.long
async def test_aid_goes_all_its_ways_by_keys(hub: Hub, browser: Browser) -> None:
    """Order and price, questions, whereabouts, longer stay and return: each by its key."""
    incident = "AC-2026-000305-AZE"
    _, offer = await asked_and_offered(hub, incident)
    asks = await writer(hub, "all.ways.az")
    gives = await writer(hub, "all.ways.kz", "kz-mes")
    async with desk(hub, browser, asks) as az, desk(hub, browser, gives) as kz:

        async def moves(at: Desk, index: int, key: str, action: str, **given: str) -> int:
            await by_key(at, incident, index, key, action)
            for field_, value in given.items():
                await types(at.page, f"#field-{field_.replace('_', '-')}", value)
            return await goes_with_keys(at)

        quote = await moves(az, offer, "f", "quote")
        price = await moves(kz, quote, "a", "price", items_1_price="1200 EUR")
        await moves(kz, quote, "d", "decline", items_1_reason="Not for sale")
        question = await moves(az, price, "i", "ask", description="Is it heavy?")
        answer = await moves(kz, question, "a", "tell", description="Two tonnes.")
        order = await moves(az, offer, "q", "order", funding="Budget line 7")
        commit = await moves(kz, order, "c", "commit")
        where = await moves(az, commit, "w", "whereabouts")
        located = await moves(kz, where, "s", "located", items_1_place="Aktau")
        longer = await moves(az, commit, "e", "extend")
        await moves(kz, longer, "a", "accept")
        back = await moves(kz, commit, "t", "return")
        agreed = await moves(az, back, "a", "accept")
        await moves(az, back, "d", "decline", items_1_reason="Still needed")
        await moves(az, agreed, "h", "homeward", items_1_amount="1200")
        await moves(kz, agreed, "b", "home", items_1_amount="1200")
        assert az.faults + kz.faults == []

    assert (await content(hub, "kz-mes", order))["Funding"] == [{"FundingInfo": "Budget line 7"}]
    assert (await content(hub, "az-fhn", answer))["MessageDescription"] == "Two tonnes."
    [report] = (await content(hub, "az-fhn", located))["ResourceInformation"]
    assert report["ScheduleInformation"][0]["ScheduleType"] == "Current"
    [line] = (await board(hub, "ir-ndmo", incident=incident))[0]["lines"]
    assert line["accepted"] == {"amount": "1200", "messages": [order]}
    assert line["committed"] == {"amount": "1200", "messages": [commit]}
    assert line["released"]["amount"] == "1200"
    assert line["return_asked"]["amount"] == "1200"


@pytest.mark.long
async def test_a_question_appears_on_an_open_board_and_is_answered_there(
    hub: Hub, browser: Browser
) -> None:
    incident = "AC-2026-000308-AZE"
    given = {"thread": f"{incident}-0", "incident": incident}
    await hub.publish("kz-mes", aid("kz-mes", "RequestInformation", f"{incident}-0", [], **given))
    name = await writer(hub, "answers.there")
    async with desk(hub, browser, name) as at:
        await at.goes(f"/console/aid?incident={incident}")
        assert await at.page.locator("li[data-index]").count() == 1
        again = aid("kz-mes", "RequestInformation", f"{incident}-1", [], incident=incident)
        question = await hub.publish("kz-mes", again)
        # Whatever is chosen, the board asks the hub anew; else it does so every ten seconds.
        await at.page.select_option("[name=incident]", incident)
        await at.page.wait_for_selector(f"li[data-index='{question}']")
        await by_key(at, incident, question, "a", "tell")
        await types(at.page, "#field-description", "Two tonnes.")
        answer = await goes_with_keys(at)
        assert at.faults == []

    told = await content(hub, "kz-mes", answer)
    assert told["MessageContentType"] == "ResponseToRequestInformation"
    assert told["PrecedingMessageID"] == f"{incident}-1"


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    [
        "aid-order",
        "aid-quote",
        "aid-ask",
    ],
)
async def test_an_order_a_price_and_a_question_begin_an_exchange(
    hub: Hub, browser: Browser, kind: str
) -> None:
    name = await writer(hub, f"begins.{kind}")
    async with desk(hub, browser, name) as at:
        await at.goes("/console/compose")
        await tabs(at.page, ".kinds summary")
        await at.page.keyboard.press("Enter")
        await tabs(at.page, f".kinds a[href*='kind={kind}']")
        await at.page.keyboard.press("Enter")
        await at.page.wait_for_url(f"**/console/compose?kind={kind}")
        await at.page.wait_for_selector("body[data-ready]", state="attached")
        if kind == "aid-ask":
            await found(at, "description", "This is needed.")
            await types(at.page, "#field-description", "Who has skimmers?")
        else:
            code = "urn:caspian:resource:oil-spill=boom-offshore"
            await at.page.select_option("#field-items-1-type", code)
            await types(at.page, "#field-items-1-amount", "20")
        if kind == "aid-order":
            await found(at, "funding", "Say who pays.")
            await types(at.page, "#field-funding", "Budget line 7")
        await types(at.page, "#field-incident", "AC-2026-000306-AZE")
        index = await goes_with_keys(at)
        assert at.faults == []

    told: dict[str, Any] = await content(hub, "kz-mes", index)
    assert told["OriginatingMessageID"] == told["MessageID"]


@pytest.mark.long
async def test_a_recall_waits_for_the_second_officer(hub: Hub, browser: Browser) -> None:
    policy = {"id": "kz-two", "state": "KZ", "name": "Two officers", "approval": True}
    await hub.add_members([policy])
    incident = "AC-2026-000307-AZE"
    first = await writer(hub, "first.of.kz", "kz-two", person="Aliya Omarova")
    second = await writer(hub, "second.of.kz", "kz-two", person="Daniyar Akhmetov")
    async with desk(hub, browser, first) as one, desk(hub, browser, second) as two:
        await one.goes("/console/compose?kind=aid-offer")
        code = "urn:caspian:resource:oil-spill=boom-offshore"
        await one.page.select_option("#field-items-1-type", code)
        await types(one.page, "#field-items-1-amount", "20")
        await types(one.page, "#field-incident", incident)
        await hands_over(one)
        offer = await approves(two)
        await by_key(one, incident, offer, "r", "recall")
        await hands_over(one)
        recall = await approves(two, shows="Takes a message back:")
        assert one.faults + two.faults == []

    assert "<rm:RecallType>Cancel</rm:RecallType>" in await xml_of(hub, recall)
    row = (await hub.rows("publish", agency="kz-two"))[-1]
    assert (row.entry["by"], row.entry["approved_by"]) == ("Aliya Omarova", "Daniyar Akhmetov")


async def hands_over(at: Desk) -> None:
    await at.says("checked", "fine")
    await at.page.keyboard.press("Control+Enter")
    await at.page.wait_for_selector("#confirm[open]")
    await at.page.keyboard.press("Space")
    await at.page.keyboard.press("Enter")
    await at.page.wait_for_selector("body[data-handed]", state="attached")


async def approves(at: Desk, *, shows: str = "") -> int:
    """Approve the one draft that waits, with the keyboard alone; return its index."""
    await at.goes("/console/drafts")
    assert shows in await at.page.inner_text("#waiting")
    await tabs(at.page, "[data-act=approve]")
    await at.page.keyboard.press("Enter")
    await at.page.wait_for_selector("#decide[open]")
    await at.page.keyboard.press("Space")
    await tabs(at.page, "#decide-do")
    await at.page.keyboard.press("Enter")
    await at.page.wait_for_selector("#waiting .empty")
    number = await at.page.inner_text("#decided li:first-child a")
    return int(number.removeprefix("#"))
