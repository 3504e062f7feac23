"""The aid board over HTTP: what the demonstration comes to, and who sees what of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.rm import ResourceInformation, write_aid
from tests.hubkit import Hub, problem

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from aid_messages import BOOM, aid_message, item

pytestmark = pytest.mark.asyncio(loop_scope="module")

OIL = f"urn:caspian:resource:oil-spill={BOOM}"


def aid(
    agency: str, kind: str, name: str, items: Sequence[ResourceInformation], **given: Any
) -> bytes:
    return write_aid(aid_message(kind, name, items, agency=agency, sent=datetime.now(UTC), **given))


async def board(hub: Hub, who: str, **wanted: str) -> list[dict[str, Any]]:
    async with hub.http(who) as http:
        answer = await http.get("/v1/aid/board", params=wanted)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["incidents"]
    return found


async def exchange(hub: Hub, incident: str) -> list[int]:
    """Let Azerbaijan ask for boom, Kazakhstan offer some, and leave with it."""
    ask, offer = [item("1", 2000, code=BOOM)], [item("a", 1200, answers="1", code=BOOM)]
    yes, promise = [item("1", answers="a")], [item("1", 1200, answers="1")]
    names = [f"{incident}-{n}".replace(" ", "-") for n in range(4)]
    kinds = "RequestResource", "ResponseToRequestResource", "AidOfferResponse", "CommitResource"
    found = []
    for number, items in enumerate((ask, offer, yes, promise)):
        agency = ("az-fhn", "kz-mes")[number % 2]
        answers = names[number - 1] if number else ""
        given = {"answers": answers, "thread": names[0], "incident": incident}
        message = aid(agency, kinds[number], names[number], items, **given)
        found.append(await hub.publish(agency, message))
    return found


async def test_every_figure_names_the_messages_behind_it(hub: Hub) -> None:
    ask, offer, yes, promise = await exchange(hub, "AC-2026-000011-AZE")

    [found] = await board(hub, "ir-ndmo", incident="ac-2026-000011-aze")

    assert (found["incident"], found["status"]) == ("AC-2026-000011-AZE", "Actual")
    [line] = found["lines"]
    assert (line["type"], line["name"], line["unit"]) == (OIL, "boom offshore", "MTR")
    assert line["asked"] == {"amount": "2000", "messages": [ask]}
    assert line["offered"] == {"amount": "1200", "messages": [offer]}
    assert line["accepted"] == {"amount": "1200", "messages": [yes]}
    assert line["committed"] == {"amount": "1200", "messages": [promise]}
    assert line["gap"] == {"amount": "800", "messages": [ask, promise]}
    assert line["on_site"] == {"amount": "0", "messages": []}
    assert line["states"]["KZ"]["committed"] == line["committed"]


async def test_a_state_is_shown_with_what_it_gives(hub: Hub) -> None:
    incident = "AC-2026-000012-AZE"
    await exchange(hub, incident)

    assert len(await board(hub, "auditor", incident=incident, state="KZ")) == 1
    assert await board(hub, "auditor", incident=incident, state="RU") == []
    async with hub.http("auditor") as http:
        answer = await http.get("/v1/aid/board", params={"state": "kazakhstan"})
    problem(answer, 422, "request-invalid")


async def test_quantities_in_words_stand_as_they_were_said(hub: Hub) -> None:
    incident = "AC-2026-000013-AZE"
    ask = [item("1", code=BOOM, words="as much as you have")]
    index = await hub.publish(
        "az-fhn", aid("az-fhn", "RequestResource", incident, ask, incident=incident)
    )

    [found] = await board(hub, "az-fhn", incident=incident)

    asked = {"amount": "0", "messages": [index], "words": ["as much as you have"]}
    assert found["lines"][0]["asked"] == asked


async def test_an_exercise_has_a_board_of_its_own(hub: Hub) -> None:
    await exchange(hub, "EXERCISE 2026-1")

    [found] = await board(hub, "operator", incident="EXERCISE 2026-1")

    assert found["status"] == "Exercise"


async def test_who_was_no_member_then_does_not_see_it(hub: Hub) -> None:
    incident = "AC-2026-000014-AZE"
    await exchange(hub, incident)

    assert await board(hub, "stranger", incident=incident) == []
    assert len(await board(hub, "auditor", incident=incident)) == 1


async def test_what_was_taken_back_or_corrected_says_so_and_by_what(hub: Hub) -> None:
    incident = "AC-2026-000018-AZE"
    ask, offer, _, promise = await exchange(hub, incident)
    given = {"thread": f"{incident}-0", "incident": incident}
    items = [item("a", 900, answers="1", code=BOOM)]
    kind, of = "ResponseToRequestResource", {"answers": f"{incident}-0", **given}
    lower = aid("kz-mes", kind, f"{incident}-l", items, recalls=f"{incident}-1", **of)
    back = {"recalls": f"{incident}-3", "recall": "Cancel", "answers": f"{incident}-2", **given}
    gone = aid("kz-mes", "CommitResource", f"{incident}-g", [item("1", 1, answers="1")], **back)
    update, cancel = await hub.publish("kz-mes", lower), await hub.publish("kz-mes", gone)

    async with hub.http("ir-ndmo") as http:
        told = (await http.get(f"/v1/incidents/{incident}")).json()["messages"]
        one = (await http.get(f"/v1/messages/{promise}")).json()

    found = {m["index"]: (m["standing"], m["recall"]) for m in told}
    assert found[ask] == (None, "")
    assert found[offer] == ({"state": "updated", "by": [update]}, "")
    assert found[update] == (None, "Update")
    assert found[promise] == ({"state": "cancelled", "by": [cancel]}, "")
    assert found[cancel] == (None, "Cancel")
    assert one["standing"] == {"state": "cancelled", "by": [cancel]}


async def test_what_has_no_figure_is_spoken_of_all_the_same(hub: Hub) -> None:
    incident = "AC-2026-000019-AZE"
    message = aid("az-fhn", "RequestInformation", incident, [], incident=incident.lower())
    index = await hub.publish("az-fhn", message)

    async with hub.http("ir-ndmo") as http:
        told = (await http.get("/v1/aid/board", params={"incident": incident})).json()
        all_ = (await http.get("/v1/aid/board")).json()["talks"]

    assert told["incidents"] == []
    assert told["talks"] == [{"incident": incident, "status": "Actual", "last": index}]
    assert told["talks"][0] in all_


async def test_an_illegal_move_is_answered_with_its_code_and_logged(hub: Hub) -> None:
    incident = "AC-2026-000015-AZE"
    await exchange(hub, incident)
    yes, before = [item("1", answers="a")], await hub.head()
    given = {"answers": f"{incident}-1", "incident": incident}
    message = aid("kz-mes", "AidOfferResponse", f"{incident}-x", yes, **given)

    async with hub.http("kz-mes") as http:
        answer = await http.post("/v1/messages", content=message)

    problem(answer, 403, "own-offer")
    assert (await hub.refused("own-offer", agency="kz-mes", after=before))["code"] == "own-offer"


async def test_the_board_is_for_who_has_a_token(hub: Hub) -> None:
    async with hub.http() as http:
        problem(await http.get("/v1/aid/board"), 401, "token-missing")


async def test_the_client_asks_for_it(hub: Hub) -> None:
    incident = "AC-2026-000016-AZE"
    await exchange(hub, incident)

    async with hub.client("kz-mes") as client:
        found = await client.aid_board(incident=incident, state="KZ")

    assert [one["incident"] for one in found["incidents"]] == [incident]
