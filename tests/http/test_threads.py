"""Threads, standings and incidents over HTTP, each as the asker may know them."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.rm import write_aid
from tests.hubkit import Hub, problem
from tests.log.samples import named

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from aid_messages import BOOM, aid_message, item

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT = datetime.now(UTC).replace(microsecond=0)
IR = "duty@ir.example"


def new() -> str:
    return f"test-{uuid.uuid4().hex}"


async def say(
    hub: Hub, identifier: str, *of: str, msg_type: str = "", who: str = "az-fhn", **given: Any
) -> int:
    """Publish an alert, or an Update of others."""
    given = {
        "sent": SENT,
        "msg_type": msg_type or ("Update" if of else "Alert"),
        "references": named(*of, sent=SENT) if of else "",
        **given,
    }
    return await hub.publish(who, identifier=identifier, **given)


async def get(hub: Hub, who: str, path: str, **params: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def standing(hub: Hub, index: int, who: str = "auditor") -> Any:
    return (await get(hub, who, f"/v1/messages/{index}"))["standing"]


def states(thread: dict[str, Any]) -> list[Any]:
    return [
        (m["index"], m["standing"] and m["standing"]["state"], m["changes"])
        for m in thread["messages"]
    ]


async def test_a_message_shows_where_it_stands(hub: Hub) -> None:
    a, b = new(), new()
    alert = await say(hub, a)
    assert await standing(hub, alert) == {"state": "active", "by": []}

    update = await say(hub, b, a)
    assert await standing(hub, alert) == {"state": "updated", "by": [update]}

    cancel = await say(hub, new(), b, msg_type="Cancel")
    assert await standing(hub, update) == {"state": "cancelled", "by": [cancel]}
    assert await standing(hub, cancel) is None


async def test_an_alert_of_yesterday_has_expired(hub: Hub) -> None:
    index = await say(hub, new(), sent=SENT - timedelta(hours=7))

    assert await standing(hub, index) == {"state": "expired", "by": []}


async def test_a_thread_has_all_that_belongs_together_in_the_order_it_was_sent(hub: Hub) -> None:
    first, ru, en = new(), new(), new()
    later = {"sent": SENT + timedelta(seconds=1)}
    update = await say(hub, first, ru, en, **later)
    one = await say(hub, ru)
    other = await say(hub, en, sent=SENT - timedelta(seconds=1))
    stray = await say(hub, new())

    for name in (first, str(one), str(update)):
        thread = await get(hub, "kz-mes", f"/v1/messages/{name}/thread")
        assert states(thread) == [
            (one, "updated", []),
            (update, "active", [one]),
        ], "what was sent at another time is another message"
        assert thread["mentions"] == []
    assert [r["identifier"] for r in thread["messages"][1]["elsewhere"]] == [en]
    assert states(await get(hub, "kz-mes", f"/v1/messages/{other}/thread")) == [
        (other, "active", [])
    ]
    assert states(await get(hub, "az-fhn", f"/v1/messages/{stray}/thread")) == [
        (stray, "active", [])
    ]


async def test_the_same_in_other_languages_is_of_one_thread(hub: Hub) -> None:
    stem = new()
    ru, en = [await say(hub, f"{stem}.{code}") for code in ("RU", "EN")]
    hidden = await say(hub, f"{stem}.FA", scope="Private", addresses="ir-ndmo")
    cancel = await say(hub, new(), f"{stem}.RU", msg_type="Cancel")

    thread = await get(hub, "kz-mes", f"/v1/messages/{en}/thread")

    assert {m["index"]: m["siblings"] for m in thread["messages"]} == {
        ru: [en],
        en: [ru],
        cancel: [],
    }
    assert await standing(hub, en) == {"state": "active", "by": []}
    theirs = await get(hub, "ir-ndmo", f"/v1/messages/{en}/thread")
    assert {m["index"] for m in theirs["messages"]} == {ru, en, hidden, cancel}


async def test_who_acknowledges_or_belongs_elsewhere_is_a_mention(hub: Hub) -> None:
    a = new()
    alert = await say(hub, a)
    ack = await say(hub, new(), a, msg_type="Ack", who="ir-ndmo", sender=IR)
    drill = await say(hub, new(), a, msg_type="Cancel", status="Exercise")

    thread = await get(hub, "kz-mes", f"/v1/messages/{alert}/thread")

    assert states(thread) == [(alert, "active", [])]
    found = {m["index"]: (m["agency"], m["msg_type"], m["of"]) for m in thread["mentions"]}
    assert found == {
        ack: ("ir-ndmo", "Ack", [alert]),
        drill: ("az-fhn", "Cancel", [alert]),
    }


async def test_another_agencys_cancel_is_refused_or_changes_nothing(hub: Hub) -> None:
    """Two agencies may write the same sender: the hub knows them apart."""
    a = new()
    alert = await say(hub, a)
    other = await say(hub, new(), a, msg_type="Cancel", who="ir-ndmo")

    assert await standing(hub, alert) == {"state": "active", "by": []}
    thread = await get(hub, "az-fhn", f"/v1/messages/{alert}/thread")
    assert [m["index"] for m in thread["mentions"]] == [other]


async def test_a_private_cancel_ends_the_alert_for_those_who_get_it(hub: Hub) -> None:
    a = new()
    alert = await say(hub, a)
    private = {"scope": "Private", "addresses": "ir-ndmo"}
    cancel = await say(hub, new(), a, msg_type="Cancel", **private)

    for who in ("ir-ndmo", "az-fhn", "auditor"):
        assert await standing(hub, alert, who) == {"state": "cancelled", "by": [cancel]}
    for who in ("kz-mes", "ru-mchs"):
        assert await standing(hub, alert, who) == {"state": "active", "by": []}
        thread = await get(hub, who, f"/v1/messages/{alert}/thread")
        assert str(cancel) not in str(states(thread))
        assert thread["mentions"] == []


async def test_a_thread_that_one_may_not_read_is_not_there(hub: Hub) -> None:
    index = await say(hub, new(), scope="Private", addresses="ir-ndmo")

    async with hub.http("kz-mes") as http:
        problem(await http.get(f"/v1/messages/{index}/thread"), 404, "unknown-message")


async def test_an_incident_has_its_messages_and_counts(hub: Hub) -> None:
    incident, a = f"ac {uuid.uuid4().hex}", new()
    about = {"incidents": f'"{incident}"'}
    alert = await say(hub, a, **about, headline="Oil")
    update = await say(hub, new(), a, **about, headline="Much oil")
    message = aid_message(
        "RequestResource",
        new(),
        [item("1", 20, code=BOOM)],
        agency="ir-ndmo",
        sent=SENT,
        incident=incident.upper(),
    )
    request = await hub.publish("ir-ndmo", write_aid(message))
    await say(hub, new(), status="Exercise", **about)

    newest = (await get(hub, "kz-mes", "/v1/incidents"))["incidents"][0]
    found = await get(hub, "kz-mes", f"/v1/incidents/{incident}")

    assert newest == {
        "incident": incident.upper(),
        "channel": "actual",
        "headline": "Much oil",
        "messages": 3,
        "more": False,
        "kinds": {"aid": 1, "alert": 2},
        "active": 1,
        "agencies": ["az-fhn", "ir-ndmo"],
        "first": alert,
        "last": request,
        "last_at": newest["last_at"],
    }
    assert [(m["index"], m["standing"]) for m in found["messages"]] == [
        (alert, {"state": "updated", "by": [update]}),
        (update, {"state": "active", "by": []}),
        (request, None),
    ]
    drill = await get(hub, "kz-mes", f"/v1/incidents/{incident}", channel="exercise")
    assert len(drill["messages"]) == 1


async def test_incidents_are_paged_from_the_newest(hub: Hub) -> None:
    names = [uuid.uuid4().hex.upper() for _ in range(5)]
    for name in (*names, names[0]):
        await say(hub, new(), incidents=name)
    await say(hub, new(), incidents=f"{names[3]} {names[1]}")
    expected = [names[1], names[3], names[0], names[4], names[2]]
    found: list[str] = []
    before: dict[str, int] = {}

    while len(found) < 5:
        page = await get(hub, "kz-mes", "/v1/incidents", limit=1, **before)
        found += [one["incident"] for one in page["incidents"]]
        before = {"before": page["next"]}

    assert found[:2] in (expected[:2], expected[1::-1])
    assert found[2:5] == expected[2:5]
    rest = await get(hub, "kz-mes", "/v1/incidents", limit=200, **before)
    assert not set(names) & {one["incident"] for one in rest["incidents"]}
    assert rest["next"] is None


async def test_the_messages_about_an_incident_are_paged(hub: Hub) -> None:
    name = uuid.uuid4().hex
    indexes = [await say(hub, new(), incidents=name) for _ in range(3)]

    first = await get(hub, "kz-mes", f"/v1/incidents/{name}", limit=2)
    rest = await get(hub, "kz-mes", f"/v1/incidents/{name}", after=first["next"])
    none = await get(hub, "kz-mes", f"/v1/incidents/{name}", after=rest["next"])

    assert [m["index"] for p in (first, rest, none) for m in p["messages"]] == indexes
    assert none["next"] == rest["next"]


async def test_of_an_incident_one_sees_what_one_may_read(hub: Hub) -> None:
    half, hidden = uuid.uuid4().hex.upper(), uuid.uuid4().hex.upper()
    private = {"scope": "Private", "addresses": "ir-ndmo"}
    public = await say(hub, new(), incidents=half)
    await say(hub, new(), incidents=half, **private)
    await say(hub, new(), incidents=hidden, **private)

    seen = {
        who: {
            one["incident"]: one["messages"]
            for one in (await get(hub, who, "/v1/incidents"))["incidents"]
        }
        for who in ("ir-ndmo", "kz-mes", "auditor")
    }

    assert seen["ir-ndmo"][half] == seen["auditor"][half] == 2
    assert seen["kz-mes"][half] == 1
    assert hidden in seen["ir-ndmo"]
    assert hidden not in seen["kz-mes"]
    page = await get(hub, "kz-mes", f"/v1/incidents/{half}")
    assert [m["index"] for m in page["messages"]] == [public]
    async with hub.http("kz-mes") as http:
        problem(await http.get(f"/v1/incidents/{hidden}"), 404, "incident-unknown")


@pytest.mark.parametrize("name", ["nothing", "a/b", "%00", "x" * 3000])
async def test_what_nobody_has_spoken_of_is_no_incident(hub: Hub, name: str) -> None:
    async with hub.http("auditor") as http:
        answer = await http.get(f"/v1/incidents/{name}")

    body = problem(answer, 404, answer.json()["code"])
    assert body["code"] in {"incident-unknown", "route-unknown"}


async def test_an_incident_may_be_called_anything(hub: Hub) -> None:
    name = f"2026/7 {uuid.uuid4().hex} %41 №1"
    index = await say(hub, new(), incidents=f'"{name}"')

    async with hub.client("kz-mes") as client:
        found = await client.incident(name)

    assert [m["index"] for m in found["messages"]] == [index]


async def test_the_clients_ask_for_them(hub: Hub) -> None:
    a, name = new(), uuid.uuid4().hex
    alert = await say(hub, a, incidents=name)

    async with hub.client("kz-mes") as client:
        assert (await client.thread(a))["index"] == alert
        assert (await client.incidents(limit=1))["incidents"][0]["last"] == alert
        page = await client.incidents(before=alert)
        assert all(one["last"] < alert for one in page["incidents"])
