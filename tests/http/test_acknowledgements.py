"""Acknowledgements, and the life of a message with each recipient: from queued to acknowledged."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest

from hub.core import lifecycle
from tests.hubkit import OFFICER, Hub, alert, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def acknowledge(hub: Hub, who: str, name: object, **body: str) -> httpx.Response:
    async with hub.http(who) as http:
        return await http.post(f"/v1/messages/{name}/acknowledgements", json=body)


async def life(hub: Hub, name: object, agency: str = "ir-ndmo") -> dict[str, Any]:
    """Return what became of a message with one recipient, as its sender sees it."""
    async with hub.http("az-fhn") as http:
        answer = await http.get(f"/v1/messages/{name}")
    assert answer.status_code == 200, answer.text
    (one,) = [r for r in answer.json()["recipients"] if r["agency"] == agency]
    return cast("dict[str, Any]", one)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_message_is_queued_delivered_and_acknowledged(hub: Hub) -> None:
    index = await hub.publish("az-fhn", severity="Extreme")
    queued = await life(hub, index)
    assert queued["state"] == "queued"
    assert queued["acknowledgements"] == []
    assert queued["delivered_at"] is None
    assert at(queued["deadline"]) - at(queued["queued_at"]) == timedelta(minutes=5)

    await hub.fed("ir-ndmo", index)
    async with hub.http("ir-ndmo") as http:
        await http.post("/v1/feeds/ir-ndmo/confirmations", json={"through": index})

    async def is_delivered() -> bool:
        return bool((await life(hub, index))["state"] == "delivered")

    await until(is_delivered, "the delivery is in the log", 20)
    delivered = await life(hub, index)
    assert at(queued["queued_at"]) <= at(delivered["delivered_at"]) <= datetime.now(UTC)
    assert (await life(hub, index, "kz-mes"))["state"] == "queued"

    receipt = (await acknowledge(hub, "officer", index, note="Boats are on their way")).json()
    acknowledged = await life(hub, index)
    assert acknowledged["state"] == "acknowledged"
    assert acknowledged["overdue"] is False
    assert acknowledged["delivered_at"] == delivered["delivered_at"]
    (ack,) = acknowledged["acknowledgements"]
    assert ack["officer"] == OFFICER
    assert ack["note"] == "Boats are on their way"
    assert ack["index"] == receipt["index"]
    assert at(ack["at"]) == at(receipt["at"])


async def test_everybody_but_the_sender_is_a_recipient(hub: Hub) -> None:
    index = await hub.publish("az-fhn", scope="Private", addresses="ir-ndmo kz-mes")

    async with hub.http("kz-mes") as http:
        body = (await http.get(f"/v1/messages/{index}")).json()

    assert [r["agency"] for r in body["recipients"]] == ["ir-ndmo", "kz-mes"]
    assert body["agency"] == "az-fhn"
    assert body["facts"]["scope"] == "Private"


async def test_the_same_officer_twice_brings_the_first_receipt(hub: Hub) -> None:
    index = await hub.publish()

    first = await acknowledge(hub, "officer", index)
    again = await acknowledge(hub, "officer", index, note="another note")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["index"] == first.json()["index"]
    assert again.json()["duplicate"] is True
    (ack,) = (await life(hub, index))["acknowledgements"]
    assert ack["note"] == ""


async def test_several_officers_of_an_agency_may_each_acknowledge(hub: Hub) -> None:
    index = await hub.publish()

    for officer in ("Aysel", "Kamran"):
        assert (await acknowledge(hub, "kz-mes", index, officer=officer)).status_code == 201

    acks = (await life(hub, index, "kz-mes"))["acknowledgements"]
    assert [a["officer"] for a in acks] == ["Aysel", "Kamran"]


async def test_a_message_may_be_named_by_its_id(hub: Hub) -> None:
    message_id = f"own.{uuid.uuid4()}"
    async with hub.http("az-fhn") as http:
        await http.post("/v1/messages", content=alert(), headers={"Caspian-Message-Id": message_id})

    assert (await acknowledge(hub, "officer", message_id)).status_code == 201
    assert (await life(hub, message_id))["state"] == "acknowledged"


async def test_an_acknowledgement_is_told_to_who_sent_and_to_who_acknowledged(hub: Hub) -> None:
    index = await hub.publish()
    receipt = (await acknowledge(hub, "officer", index, note="seen")).json()

    for who in ("az-fhn", "ir-ndmo"):
        await hub.fed(who, receipt["index"])
        async with hub.http(who) as http:
            page = await http.get(f"/v1/feeds/{who}", params={"after": receipt["index"] - 1})
        (entry,) = [e for e in page.json()["entries"] if e["index"] == receipt["index"]]
        assert entry["kind"] == "acknowledgement"
        assert entry["message"] == index
        assert entry["message_agency"] == "az-fhn"
        assert (entry["agency"], entry["officer"], entry["note"]) == ("ir-ndmo", OFFICER, "seen")


async def test_a_cap_ack_acknowledges_what_it_refers_to(hub: Hub) -> None:
    identifier = uuid.uuid4().hex
    now = datetime.now(UTC).replace(microsecond=0)
    index = await hub.publish("az-fhn", identifier=identifier, sent=now)

    ack = await hub.publish(
        "ir-ndmo",
        msg_type="Ack",
        sender="desk@ir.example",
        references=f"centre@az.example,{identifier},{now.strftime('%Y-%m-%dT%H:%M:%S-00:00')}",
    )

    found = await life(hub, index)
    assert found["state"] == "acknowledged"
    (one,) = found["acknowledgements"]
    assert (one["officer"], one["index"]) == ("desk@ir.example", ack)
    assert problem(
        await acknowledge(hub, "az-fhn", ack, officer="Aysel"), 422, "not-to-acknowledge"
    )


@pytest.mark.parametrize(
    ("severity", "urgency", "state"),
    [("Extreme", "Immediate", "overdue"), ("Minor", "Immediate", "queued")],
)
async def test_what_nobody_acknowledges_in_time_is_overdue(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, severity: str, urgency: str, state: str
) -> None:
    """Five minutes are not waited for: an Extreme message here has no time at all."""
    at_once = cast("dict[str, timedelta]", lifecycle._BY_SEVERITY)
    monkeypatch.setitem(at_once, "Extreme", timedelta(0))

    index = await hub.publish("az-fhn", severity=severity, urgency=urgency)

    found = await life(hub, index)
    assert (found["state"], found["overdue"]) == (state, state == "overdue")


async def test_who_acknowledges_late_has_acknowledged_and_was_late(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = cast("dict[str, timedelta]", lifecycle._BY_SEVERITY)
    monkeypatch.setitem(at_once, "Extreme", timedelta(0))
    index = await hub.publish("az-fhn", severity="Extreme")

    await acknowledge(hub, "officer", index)

    found = await life(hub, index)
    assert (found["state"], found["overdue"]) == ("acknowledged", True)


async def test_a_message_past_its_own_expiry_is_expired(hub: Hub) -> None:
    index = await hub.publish("az-fhn", sent=datetime.now(UTC) - timedelta(hours=7))

    assert (await life(hub, index))["state"] == "expired"
    assert (await acknowledge(hub, "officer", index)).status_code == 201
    assert (await life(hub, index))["state"] == "acknowledged"


async def test_what_is_not_ones_own_to_acknowledge_is_refused_and_logged(hub: Hub) -> None:
    index = await hub.publish("az-fhn")

    own = problem(
        await acknowledge(hub, "az-fhn", index, officer="Aysel"), 422, "not-to-acknowledge"
    )
    unknown = problem(
        await acknowledge(hub, "kz-mes", "no-such-message", officer="Aysel"), 404, "unknown-message"
    )
    nobody = problem(await acknowledge(hub, "kz-mes", index), 422, "field-missing")

    for refusal in (own, unknown, nobody):
        assert refusal["remedy"]
        (row,) = [r for r in await hub.rows("refusal") if r.index == refusal["index"]]
        assert row.entry["code"] == refusal["code"]
        assert row.entry["of"] == "acknowledgement"
    assert (await life(hub, index, "kz-mes"))["state"] == "queued"


async def test_an_officer_speaks_only_for_themselves(hub: Hub) -> None:
    index = await hub.publish()
    before = await hub.head()

    problem(await acknowledge(hub, "officer", index, officer="Another"), 403, "not-allowed")
    assert (await acknowledge(hub, "officer", index, officer=OFFICER)).status_code == 201

    await hub.refused("not-allowed", agency="ir-ndmo", after=before)


@pytest.mark.parametrize("who", ["auditor", "operator"])
async def test_who_belongs_to_no_agency_acknowledges_nothing(hub: Hub, who: str) -> None:
    index = await hub.publish()

    problem(await acknowledge(hub, who, index), 403, "not-allowed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"note": "x" * 2001}, "request-invalid"),
        ({"officer": "x" * 201}, "request-invalid"),
        ({"oficer": "misspelt"}, "request-invalid"),
        ({"note": 7}, "request-invalid"),
        ([], "request-invalid"),
        ({"officer": OFFICER, "note": "a\x00b"}, "field-invalid"),
    ],
    ids=lambda x: str(x)[:20],
)
async def test_what_is_no_acknowledgement_is_refused(hub: Hub, body: Any, code: str) -> None:
    index = await hub.publish()

    async with hub.http("officer") as http:
        answer = await http.post(f"/v1/messages/{index}/acknowledgements", json=body)

    problem(answer, 422, code)
    assert (await life(hub, index))["state"] == "queued"


async def test_half_a_character_is_refused_and_not_a_fault(hub: Hub) -> None:
    index = await hub.publish()

    async with hub.http("officer") as http:
        answer = await http.post(
            f"/v1/messages/{index}/acknowledgements",
            content=b'{"note": "\\ud800"}',
            headers={"Content-Type": "application/json"},
        )

    assert answer.status_code == 422, answer.text
    problem(answer, 422, answer.json()["code"])
