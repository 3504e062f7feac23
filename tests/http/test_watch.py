"""What a watch is told: all of its feed, what is open, and heartbeats that a page can see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.streams import keys
from tests.http.events import events
from tests.http.test_aid import BOOM, aid, exchange, item
from tests.hubkit import Hub, another_api, problem, stopped

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def watch(hub: Hub, who: str, feed: str = "", **params: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/feeds/{feed or who}/watch", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def indexes(told: dict[str, Any]) -> list[int]:
    return [message["index"] for message in told["messages"]]


async def test_a_message_is_open_until_somebody_of_the_agency_acknowledges_it(hub: Hub) -> None:
    index = await hub.publish("az-fhn", severity="Severe", urgency="Immediate")
    before = await watch(hub, "ir-ndmo", open=True)
    others = await watch(hub, "kz-mes", open=True)
    async with hub.client("officer") as officer:
        await officer.acknowledge(str(index), note="Seen")
    after = await watch(hub, "ir-ndmo", open=True)
    everything = await watch(hub, "ir-ndmo")
    still = await watch(hub, "kz-mes", open=True)
    sender = await watch(hub, "az-fhn", open=True)

    assert index in indexes(before)
    assert index in indexes(others)
    assert index not in indexes(after)
    assert index in indexes(everything)
    assert index in indexes(still)
    assert index not in indexes(sender)
    [shown] = [m for m in everything["messages"] if m["index"] == index]
    assert not shown["open"]
    assert shown["acknowledgements"][0]["note"] == "Seen"
    assert "az-fhn" not in shown["expected"]
    assert shown["standing"]["state"] == "active"
    accepted, due = (datetime.fromisoformat(shown[k]) for k in ("accepted_at", "deadline"))
    assert due - accepted == timedelta(minutes=15)


async def test_as_it_was_at_a_time(hub: Hub) -> None:
    index = await hub.publish("az-fhn")
    between = datetime.now(UTC)
    later = await hub.publish("az-fhn")
    async with hub.client("officer") as officer:
        await officer.acknowledge(str(index))

    then = await watch(hub, "ir-ndmo", until=between.isoformat())
    since = await watch(hub, "ir-ndmo", since=between.isoformat())

    [shown] = [m for m in then["messages"] if m["index"] == index]
    assert shown["open"]
    assert shown["acknowledgements"] == []
    assert later not in indexes(then)
    assert index not in indexes(since)
    assert later in indexes(since)


async def test_aid_that_was_taken_back_is_told_apart_from_what_takes_it_back(hub: Hub) -> None:
    incident = "AC-2026-000021-AZE"
    *_before, promise = await exchange(hub, incident)
    given = {"thread": f"{incident}-0", "incident": incident, "answers": f"{incident}-2"}
    between = datetime.now(UTC)
    back = {"recalls": f"{incident}-3", "recall": "Cancel", **given}
    one = item("1", 1200, answers="1", code=BOOM)
    recall = await hub.publish(
        "kz-mes", aid("kz-mes", "CommitResource", f"{incident}-b", [one], **back)
    )

    now = {m["index"]: m for m in (await watch(hub, "ir-ndmo"))["messages"]}
    then = await watch(hub, "ir-ndmo", until=between.isoformat())

    assert now[promise]["standing"] == {"state": "cancelled", "by": [recall]}
    assert (now[promise]["recall"], now[recall]["recall"]) == ("", "Cancel")
    assert now[recall]["standing"] is None
    [before] = [m for m in then["messages"] if m["index"] == promise]
    assert before["standing"] is None


async def test_what_has_expired_is_not_open(hub: Hub) -> None:
    index = await hub.publish("az-fhn")
    told = await watch(hub, "ir-ndmo", message=index)
    later = (datetime.now(UTC) + timedelta(hours=7)).isoformat()
    then = await watch(hub, "ir-ndmo", message=index, until=later)

    assert indexes(told) == indexes(then) == [index]
    assert told["messages"][0]["open"]
    assert not then["messages"][0]["open"]
    assert then["messages"][0]["standing"]["state"] == "expired"


async def test_pages_miss_nothing_and_name_where_events_go_on(hub: Hub) -> None:
    sent = [await hub.publish("az-fhn") for _ in range(5)]
    await hub.publish("az-fhn", status="Exercise")
    first = await watch(hub, "ir-ndmo", limit=2)
    found, cursor = indexes(first), first["next"]
    while cursor is not None:
        page = await watch(hub, "ir-ndmo", limit=2, before=cursor)
        found += indexes(page)
        cursor = page["next"]

    assert found == sorted(set(found), reverse=True)
    assert set(sent) <= set(found)
    assert found == indexes(await watch(hub, "ir-ndmo", limit=500))
    assert first["through"] == await hub.head()
    async with events(hub, "ir-ndmo", "ir-ndmo", after=first["through"]) as stream:
        new = await hub.publish("az-fhn")
        assert (await stream.next()).id == str(new)


async def test_exercises_are_on_the_exercise_feed_alone(hub: Hub) -> None:
    index = await hub.publish("az-fhn", status="Exercise")

    assert index in indexes(await watch(hub, "ir-ndmo", "ir-ndmo.exercise"))
    assert index not in indexes(await watch(hub, "ir-ndmo"))
    assert indexes(await watch(hub, "ir-ndmo", message=index)) == []


async def test_private_messages_are_on_the_watch_of_those_they_are_for(hub: Hub) -> None:
    index = await hub.publish("az-fhn", scope="Private", addresses="kz-mes")

    assert index in indexes(await watch(hub, "kz-mes", open=True))
    assert index not in indexes(await watch(hub, "ir-ndmo"))
    assert index in indexes(await watch(hub, "auditor", "kz-mes"))


async def test_a_subscription_has_no_watch_and_another_agencys_is_hidden(hub: Hub) -> None:
    async with hub.http("operator") as http:
        made = await http.post("/v1/subscriptions", json={"agency": "ir-ndmo", "name": "w"})
        assert made.status_code == 201, made.text
    async with hub.http("ir-ndmo") as http:
        problem(await http.get("/v1/feeds/ir-ndmo.w/watch"), 404, "feed-unknown")
        problem(await http.get("/v1/feeds/kz-mes/watch"), 404, "feed-unknown")


async def test_the_content_is_the_json_form_of_the_message(hub: Hub) -> None:
    index = await hub.publish("az-fhn", headline="Öl")
    async with hub.http("ir-ndmo") as http:
        told = (await http.get(f"/v1/messages/{index}/content")).json()
        listed = await watch(hub, "ir-ndmo", message=index)

    assert told["form"] == "alert"
    assert told["payload_type"] == "application/cap+xml"
    assert told["message"]["info"][0]["headline"] == "Öl"
    assert listed["messages"][0]["texts"][0]["headline"] == "Öl"


async def test_a_page_sees_that_the_line_lives_and_how_far_the_feed_is(hub: Hub) -> None:
    index = await hub.publish("az-fhn")
    async with another_api(hub, sse_heartbeat=timedelta(milliseconds=200)) as settings:
        url = f"http://127.0.0.1:{settings.port}"
        async with events(hub, "ir-ndmo", "ir-ndmo", url=url, after=index - 1, beats=True) as got:
            assert (await got.next()).id == str(index)
            beats = [await got.next() for _ in range(3)]
            later = await hub.publish("az-fhn")
            while (event := await got.next()).event == "beat":
                continue

    assert [b.event for b in beats] == ["beat"] * 3
    # A beat has no id: resuming begins after the last message, not after a beat.
    assert event.id == str(later)
    told = json.loads(beats[-1].data)
    assert told["log"] >= index
    assert told["through"] >= index
    assert told["every_s"] == 0.2


async def test_a_beat_tells_that_redis_cannot_be_asked(hub: Hub) -> None:
    async with another_api(hub, sse_heartbeat=timedelta(milliseconds=100)) as settings:
        url = f"http://127.0.0.1:{settings.port}"
        async with events(hub, "az-fhn", "az-fhn", url=url, beats=True) as got:
            assert (await got.next()).event == "position"
            assert json.loads((await got.next()).data)["through"] is not None
            with stopped(hub.valkey):
                while json.loads((await got.next()).data)["through"] is not None:
                    continue
    assert await hub.redis.exists(keys.feed("az-fhn"))
