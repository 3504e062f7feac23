"""Members and subscriptions: an operator's record is an entry of the log, and works at once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.hubkit import AGENCIES, Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def post(hub: Hub, path: str, record: Any, who: str = "operator") -> httpx.Response:
    async with hub.http(who) as http:
        return await http.post(path, json=record)


async def members(hub: Hub, who: str) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get("/v1/members")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_new_member_has_feeds_and_gets_what_comes_from_then_on(hub: Hub) -> None:
    earlier = await hub.publish()
    record = {"id": "kz-kaz", "state": "KZ", "name": "Kazhydromet", "names": {"ru": "Казгидромет"}}

    made = await post(hub, "/v1/members", record)

    assert made.status_code == 201
    assert made.json()["names"] == {"ru": "Казгидромет"}
    later = await hub.publish()
    await hub.fed("kz-kaz", later)
    async with hub.http("auditor") as http:
        entries = (await http.get("/v1/feeds/kz-kaz")).json()["entries"]
        feeds = {f["feed"]: f["since"] for f in (await http.get("/v1/feeds")).json()["feeds"]}
    assert [e["index"] for e in entries] == [later]
    assert earlier < feeds["kz-kaz"] < later
    assert feeds["kz-kaz"] == feeds["kz-kaz.exercise"]


async def test_the_same_record_again_changes_nothing(hub: Hub) -> None:
    record = {"id": "kz-same", "state": "KZ", "name": "The same"}
    first = await post(hub, "/v1/members", record)
    before = await hub.head()

    again = await post(hub, "/v1/members", record)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert not await hub.rows("member", after=before)


async def test_a_changed_record_holds_from_then_on(hub: Hub) -> None:
    """From its first registered sender on an agency speaks as those that are registered alone."""
    record = {"id": "tm-msfs", "state": "TM", "name": "State service", "senders": ["tm-*"]}
    await post(hub, "/v1/members", record)
    async with hub.http("tm-msfs") as http:
        own = await http.post("/v1/messages", content=alert(sender="tm-desk@x.example"))
        other = await http.post("/v1/messages", content=alert(sender="az-desk@x.example"))

    assert own.status_code == 201
    problem(other, 403, "sender-not-of-agency")


async def test_a_member_that_is_not_active_gets_and_sends_nothing(hub: Hub) -> None:
    record = {"id": "ru-mchs", "state": "RU", "name": "ru-mchs", "active": False}
    await post(hub, "/v1/members", record)
    async with hub.http("ru-mchs") as http:
        problem(await http.post("/v1/messages", content=alert()), 403, "unknown-agency")
        problem(await http.get("/v1/feeds/ru-mchs"), 404, "feed-unknown")

    await post(hub, "/v1/members", record | {"active": True})

    index = await hub.publish("ru-mchs")
    await hub.fed("ru-mchs", index)
    async with hub.http("ru-mchs") as http:
        page = (await http.get("/v1/feeds/ru-mchs", params={"after": index - 1})).json()
    assert [e["index"] for e in page["entries"]] == [index]


async def test_everybody_sees_the_members_and_their_own_subscriptions(hub: Hub) -> None:
    for agency in ("az-fhn", "ir-ndmo"):
        record = {"agency": agency, "name": "grave", "filter": {"severity": "Severe"}}
        made = await post(hub, "/v1/subscriptions", record)
        assert (made.status_code, made.json()["feed"]) == (201, f"{agency}.grave")

    def feeds(found: dict[str, Any]) -> set[str]:
        return {s["feed"] for s in found["subscriptions"]}

    own = await members(hub, "az-fhn")
    assert {m["id"] for m in own["members"]} >= set(AGENCIES)
    assert feeds(own) == {"az-fhn.grave"}
    assert feeds(await members(hub, "officer")) == {"ir-ndmo.grave"}
    for who in ("auditor", "operator"):
        assert feeds(await members(hub, who)) >= {"az-fhn.grave", "ir-ndmo.grave"}


async def test_a_subscription_stays_in_its_channel(hub: Hub) -> None:
    """Its feed keeps what it holds: exercises and the real thing would stand in it together."""
    record = {"agency": "kz-mes", "name": "drills", "channel": "exercise"}
    assert (await post(hub, "/v1/subscriptions", record)).status_code == 201

    answer = await post(hub, "/v1/subscriptions", record | {"channel": "actual"})

    problem(answer, 422, "subscription-invalid")
    index = await hub.publish(status="Exercise")
    await hub.fed("kz-mes.drills", index)
    async with hub.http("kz-mes") as http:
        page = (await http.get("/v1/feeds/kz-mes.drills")).json()
    assert [e["index"] for e in page["entries"]] == [index]


@pytest.mark.parametrize(
    ("path", "record", "status", "code"),
    [
        ("/v1/members", {"id": "az-x", "state": "KZ", "name": "x"}, 422, "member-invalid"),
        ("/v1/members", {"id": "AZ-X", "state": "AZ", "name": "x"}, 422, "member-invalid"),
        ("/v1/members", {"id": "az-x", "state": "AZ", "name": ""}, 422, "member-invalid"),
        ("/v1/members", {"id": "az-x", "state": "AZ"}, 422, "member-invalid"),
        ("/v1/members", {"id": "az-x", "state": "AZ", "name": "x", "y": 1}, 422, "member-invalid"),
        ("/v1/members", {"id": "az.x", "state": "AZ", "name": "x"}, 422, "member-invalid"),
        ("/v1/members", [], 422, "request-invalid"),
        (
            "/v1/subscriptions",
            {"agency": "az-fhn", "name": "exercise"},
            422,
            "subscription-invalid",
        ),
        (
            "/v1/subscriptions",
            {"agency": "az-fhn", "name": "n", "filter": {"bbox": [9, 0, 1, 1]}},
            422,
            "subscription-invalid",
        ),
        ("/v1/subscriptions", {"agency": "az-nobody", "name": "n"}, 403, "unknown-agency"),
    ],
)
async def test_what_is_no_record_is_refused_and_logged(
    hub: Hub, path: str, record: Any, status: int, code: str
) -> None:
    before = await hub.head()

    answer = await post(hub, path, record)

    problem(answer, status, code)
    await hub.refused(code, after=before)
    assert not await hub.rows("member", "subscription", after=before)


@pytest.mark.parametrize("who", ["az-fhn", "officer", "auditor"])
@pytest.mark.parametrize("path", ["/v1/members", "/v1/subscriptions"])
async def test_only_an_operator_changes_the_registry(hub: Hub, path: str, who: str) -> None:
    before = await hub.head()

    answer = await post(hub, path, {"id": "az-x", "state": "AZ", "name": "x"}, who)

    problem(answer, 403, "not-allowed")
    assert not await hub.rows("member", "subscription", after=before)


async def test_a_registrar_of_a_state_registers_its_agencies_alone(hub: Hub) -> None:
    record = {"id": "kz-reg", "state": "KZ", "name": "Registered by its state"}

    assert (await post(hub, "/v1/members", record, "registrar of KZ")).status_code == 201
    other = record | {"id": "az-reg", "state": "AZ"}
    problem(await post(hub, "/v1/members", other, "registrar of KZ"), 403, "not-allowed")
    feed = {"agency": "az-fhn", "name": "of-another"}
    problem(await post(hub, "/v1/subscriptions", feed, "registrar of KZ"), 403, "not-allowed")
    assert (await post(hub, "/v1/members", other, "registrar")).status_code == 201
    assert "kz-reg" in {m["id"] for m in (await members(hub, "registrar"))["members"]}
