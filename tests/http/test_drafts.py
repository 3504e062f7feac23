"""What a draft would be: judged as the ledger would judge it, and nothing of it stays."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.members.credentials import issue
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


def draft(**given: Any) -> dict[str, Any]:
    """Return an alert in JSON, sent now; *given* are its own members, or ``info`` of them."""
    now = datetime.now(UTC)
    info = {
        "language": "en",
        "category": ["Env"],
        "event": "Oil spill",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "expires": f"{now + timedelta(hours=6):%Y-%m-%dT%H:%M:%S}-00:00",
        "senderName": "Duty",
        "description": "Oil on the water",
        "area": [{"areaDesc": "Baku bay", "circle": ["40.4,49.9 10"]}],
        **given.pop("info", {}),
    }
    return {
        "identifier": f"draft-{uuid.uuid4().hex}",
        "sender": "centre@az.example",
        "sent": f"{now:%Y-%m-%dT%H:%M:%S}-00:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [info],
        **given,
    }


async def check(hub: Hub, who: str, message: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.post("/v1/drafts/check", json=message)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_good_draft_comes_as_xml_with_its_recipients_and_nothing_is_logged(
    hub: Hub,
) -> None:
    before = await hub.head()

    told = await check(hub, "az-fhn", draft())

    assert (told["valid"], told["refusal"], told["findings"]) == (True, None, [])
    asked = {one["agency"]: one["state"] for one in told["recipients"]}
    assert {"ir-ndmo": "IR", "kz-mes": "KZ"}.items() <= asked.items()
    assert "az-fhn" not in asked
    assert told["limit_bytes"] == 1 << 20
    assert await hub.rows("publish", "refusal", after=before) == []
    index = await hub.publish("az-fhn", told["xml"].encode())
    async with hub.http("ir-ndmo") as http:
        payload = await http.get(f"/v1/messages/{index}/payload")
    assert payload.text == told["xml"]
    assert payload.headers["content-type"].startswith(told["payload_type"])


async def test_every_rule_is_told_with_its_place(hub: Hub) -> None:
    told = await check(
        hub, "az-fhn", draft(info={"web": "nowhere", "headline": "x" * 161, "expires": None})
    )

    assert not told["valid"]
    assert told["refusal"]["code"] == "rule-broken"
    found = {(f["rule"], f["severity"], f["path"]) for f in told["findings"]}
    assert ("R22", "error", "alert/info[1]/web") in found
    assert ("R21", "warning", "alert/info[1]/headline") in found
    assert "xml" not in told


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"scope": "Private", "addresses": "nobody-here"}, "no-known-recipient"),
        ({"sent": "2099-01-01T00:00:00-00:00", "info": {"expires": None}}, "sent-in-future"),
        ({"sender": "somebody@else.example"}, "sender-not-of-agency"),
        ({"info": {"area": [{"areaDesc": "Far", "circle": ["36.5,53 5"]}]}}, "area-outside"),
        (
            {
                "msgType": "Update",
                "references": "duty@kz.example,KZ-1,2026-11-26T10:00:00-00:00",
            },
            "not-your-message",
        ),
    ],
)
async def test_what_the_ledger_would_refuse_is_refused_before(
    hub: Hub, changed: dict[str, Any], code: str
) -> None:
    member = {"id": "az-strict", "state": "AZ", "name": "Strict"}
    limits = {"senders": ["centre@az.example"], "areas": ["AZ"]}
    await hub.add_members([{**member, **limits}])
    hub.tokens.setdefault("az-strict", await token(hub, "az-strict"))

    told = await check(hub, "az-strict", draft(**changed))

    assert not told["valid"]
    assert told["refusal"]["code"] == code
    assert told["refusal"]["remedy"]
    assert told["xml"]


async def token(hub: Hub, agency: str) -> str:
    return await asyncio.to_thread(
        issue,
        hub.log,
        role="agency",
        agency=agency,
        person="",
        expires=None,
        now=datetime.now(UTC),
    )


async def test_an_answer_in_cap_is_for_whom_it_is_addressed_to(hub: Hub) -> None:
    index = await hub.publish("az-fhn")
    async with hub.http("ir-ndmo") as http:
        of = (await http.get(f"/v1/messages/{index}/content")).json()["message"]
    names = ("identifier", "sender", "sent", "status")
    ack = {name: value for name, value in draft(sender="ir-ndmo").items() if name in names}
    reference = f"{of['sender']},{of['identifier']},{of['sent']}"
    ack |= {"msgType": "Ack", "references": reference, "scope": "Private", "addresses": "az-fhn"}

    told = await check(hub, "ir-ndmo", ack)

    assert told["valid"], told
    assert [one["agency"] for one in told["recipients"]] == ["az-fhn"]


async def test_what_is_no_message_is_told_so(hub: Hub) -> None:
    assert (await check(hub, "az-fhn", {}))["refusal"]["code"] == "structure-invalid"
    aid = {"MessageContentType": "RequestResource", "MessageID": "x"}
    told = await check(hub, "az-fhn", aid)
    assert told["refusal"]["code"] == "structure-invalid"
    async with hub.http("az-fhn") as http:
        answer = await http.post("/v1/drafts/check", content=b"<alert/>")
    assert answer.json()["refusal"]["code"] == "not-json"


async def test_code_lists_have_their_names_in_languages(hub: Hub) -> None:
    async with hub.http("ir-ndmo") as http:
        listed = (await http.get("/v1/vocabularies")).json()["vocabularies"]
        oet = (await http.get("/v1/vocabularies/oet")).json()
        missing = await http.get("/v1/vocabularies/none")

    assert {"name": "oet", "urn": "OET:v1.2"}.items() <= next(
        one for one in listed if one["name"] == "oet"
    ).items()
    [spill] = [one for one in oet["terms"] if one["code"] == "OET-138"]
    assert spill["labels"]["en"] == "oil spill"
    assert spill["facts"] == {"categories": "Env"}
    problem(missing, 404, "route-unknown")


async def test_a_draft_of_whose_messages_bear_a_signature_is_judged_but_for_that(hub: Hub) -> None:
    await hub.add_members([{"id": "tm-signs", "state": "TM", "name": "tm-signs", "signs": True}])
    hub.tokens["tm-signs"] = await token(hub, "tm-signs")

    told = await check(hub, "tm-signs", draft(sender="tm-signs"))
    wrong = await check(
        hub, "tm-signs", draft(sender="tm-signs", scope="Private", addresses="nobody")
    )
    other = await check(hub, "az-fhn", draft())

    assert (told["valid"], told["signs"], told["refusal"]) == (True, True, None)
    assert (wrong["valid"], wrong["refusal"]["code"]) == (False, "no-known-recipient")
    assert other["signs"] is False
