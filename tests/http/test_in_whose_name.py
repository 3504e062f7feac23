"""Whatever a person does through the API is an entry of the log with the person's name."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.candidate import Candidate
from hub.streams import keys
from hub.streams.submit import propose
from tests.http.people import add_person, browser
from tests.hubkit import OFFICER, Hub, alert, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def entry(hub: Hub, index: int) -> dict[str, Any]:
    (row,) = [r for r in await hub.rows(after=index - 1) if r.index == index]
    return row.entry


async def dead_letter(hub: Hub, payload: bytes = b"") -> int:
    before = await hub.head()
    body = {"stage": "intake", "reason": "x", "fields": {"person": "Sevda Rzayeva"}}
    await propose(
        hub.redis, [Candidate("dead-letter", "az-fhn", payload=payload or alert(), body=body)]
    )
    found: list[int] = []

    async def logged() -> bool:
        found[:] = [r.index for r in await hub.rows("dead-letter", after=before)]
        return bool(found)

    await until(logged, "the dead letter is in the log", 20)
    return found[0]


async def test_who_signed_in_publishes_in_their_own_name(hub: Hub) -> None:
    person = await add_person(hub, "sevda", person="Sevda Rzayeva", agency="az-fhn")
    async with browser(hub) as page:
        await page.sign_in(person)
        answer = await page.ask("POST", "/v1/messages", content=alert())
        shown = (await page.ask("GET", f"/v1/messages/{answer.json()['index']}")).json()

    assert (await entry(hub, answer.json()["index"]))["by"] == "Sevda Rzayeva"
    assert shown["by"] == "Sevda Rzayeva"


async def test_an_officers_token_publishes_in_the_officers_name(hub: Hub) -> None:
    index = await hub.publish("officer")

    assert (await entry(hub, index))["by"] == OFFICER


async def test_a_system_publishes_in_nobodys_name(hub: Hub) -> None:
    index = await hub.publish("az-fhn")

    assert "by" not in await entry(hub, index)


async def test_over_the_streams_an_agency_names_the_person(hub: Hub) -> None:
    payload = alert()
    fields = {"payload": payload, "person": "  Sevda Rzayeva "}
    await hub.redis.xadd(keys.inbox("az-fhn"), fields)

    async def logged() -> bool:
        return any(r.payload == payload for r in await hub.rows("publish"))

    await until(logged, "it is in the log", 20)
    (row,) = [r for r in await hub.rows("publish") if r.payload == payload]
    assert (row.entry["by"], row.entry["via"]) == ("Sevda Rzayeva", "stream")


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "\x1b[2J", "\u202eabc"])
async def test_what_is_no_name_is_refused(hub: Hub, name: str) -> None:
    before = await hub.head()
    await hub.redis.xadd(keys.inbox("az-fhn"), {"payload": alert(), "person": name})

    await hub.refused("field-invalid", agency="az-fhn", after=before)


async def test_a_dead_letter_is_tried_again_in_a_persons_name_and_logged_before(hub: Hub) -> None:
    payload = alert()
    index = await dead_letter(hub, payload)
    async with hub.http("operator") as http:
        answer = await http.post(f"/v1/dead-letters/{index}/retry")
    assert answer.status_code == 202, answer.text
    (told,) = [r for r in await hub.rows("action") if r.entry["about"].get("index") == index]
    assert (told.entry["by"], told.agency) == ("Operator", "az-fhn")
    assert told.entry["action"] == "dead-letter-retried"

    async def published() -> bool:
        return any(r.payload == payload for r in await hub.rows("publish"))

    await until(published, "it is published", 20)
    (row,) = [r for r in await hub.rows("publish") if r.payload == payload]
    assert row.index > told.index
    assert row.entry["by"] == "Sevda Rzayeva"


async def test_without_a_ledger_no_dead_letter_is_tried_again(hub: Hub) -> None:
    """Nothing is done that the log does not say."""
    index = await dead_letter(hub)
    before = await hub.redis.xlen(keys.inbox("az-fhn"))
    parts = hub.api.parts
    settings = parts.settings
    parts.settings = settings.model_copy(update={"receipt_timeout": settings.receipt_timeout * 0})
    try:
        async with hub.http("operator") as http:
            problem(await http.post(f"/v1/dead-letters/{index}/retry"), 503, "receipt-pending")
    finally:
        parts.settings = settings

    assert await hub.redis.xlen(keys.inbox("az-fhn")) == before


async def test_a_person_makes_changes_and_removes_an_outlet_in_their_name(hub: Hub) -> None:
    before = await hub.head()
    record = {
        "feed": "az-fhn",
        "target": {"kind": "webhook", "url": "https://hooks.example.org/caspian"},
    }
    async with hub.http("operator") as http:
        made = (await http.post("/v1/outlets", json=record)).json()
        await http.post(f"/v1/outlets/{made['id']}/pause")
        assert (await http.delete(f"/v1/outlets/{made['id']}")).status_code == 204

    found = [r.entry for r in await hub.rows("action", after=before)]
    own = [e for e in found if e["action"].startswith("outlet-")]
    assert [e["action"] for e in own] == ["outlet-added", "outlet-changed", "outlet-removed"]
    assert {(e["by"], e["agency"], e["about"]["feed"]) for e in own} == {
        ("Operator", "az-fhn", "az-fhn")
    }
    assert own[1]["about"]["change"] == "pause"
    assert "hooks.example.org" not in str(found)


async def test_an_auditor_reads_the_actions_about_their_state_alone(hub: Hub) -> None:
    def action(key: str, of: str, **about: str) -> Candidate:
        body = {"action": "token-issued", "about": {"token": key, **about}}
        return Candidate("action", of, inbox=f"action/{key}", person="L", body=body)

    before = await hub.head()
    await propose(
        hub.redis,
        [
            action("agency-kz", "kz-mchs", agency="kz-mchs", state="KZ"),
            action("agency-az", "az-fhn", agency="az-fhn", state="AZ"),
            action("state-kz", "", state="KZ"),
            action("state-az", "", state="AZ"),
            action("hub", ""),
        ],
    )

    async def logged() -> bool:
        return len(await hub.rows("action", after=before)) == 5

    await until(logged, "they are in the log", 20)
    seen = {}
    for who in ("auditor", "auditor of KZ", "auditor of ir-ndmo"):
        async with hub.http(who) as http:
            given = {"after": before, "kind": "action"}
            page = (await http.get("/v1/log/entries", params=given)).json()
        seen[who] = sum(e["entry"] is not None for e in page["entries"])

    assert seen == {"auditor": 5, "auditor of KZ": 2, "auditor of ir-ndmo": 0}
