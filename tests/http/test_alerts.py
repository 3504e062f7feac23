"""Alerts as other programs read them: what is in force, for whom, and nothing else."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import httpx
import pytest
from lxml import etree

from hub.http import alerts as routes
from hub.log import in_force
from hub.log.in_force import InForce
from tests.hubkit import Hub, alert, another_api, problem
from tests.log.samples import named

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "_REMEMBERED_S", 0.0)


@asynccontextmanager
async def strangers(hub: Hub, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serve what is public; give a client without a token."""
    async with another_api(hub, public_feeds=True, **given) as other, hub.http() as http:
        http.base_url = httpx.URL(f"http://127.0.0.1:{other.port}")
        yield http


async def told(http: httpx.AsyncClient, path: str = "/public/alerts/atom", **params: Any) -> Any:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(("application/atom", "application/rss"))
    found = feedparser.parse(answer.content)
    assert not found.bozo, found.get("bozo_exception")
    return found


async def indexes(
    http: httpx.AsyncClient, path: str = "/public/alerts/atom", **p: Any
) -> list[int]:
    found = await told(http, path, **p)
    return [int(entry.id.rpartition("/")[2]) for entry in found.entries]


def name() -> str:
    return f"a-{uuid.uuid4().hex}"


async def test_a_feed_in_atom_links_each_message_as_it_was_sent(hub: Hub) -> None:
    payload = alert(headline="Flood at <Atyrau> & beyond")
    index = await hub.publish("ir-ndmo", payload)
    drill = await hub.publish("ir-ndmo", status="Exercise")
    async with hub.http("az-fhn") as http:
        answer = await http.get("/v1/feeds/az-fhn/atom")
        found = feedparser.parse(answer.content)
        entry = found.entries[0]
        link = next(x for x in entry.links if x.rel == "alternate")
        sent = await http.get(link.href)
        again = await http.get(
            "/v1/feeds/az-fhn/atom", headers={"If-None-Match": answer.headers["etag"]}
        )
        exercise = await told(http, "/v1/feeds/az-fhn.exercise/atom")

    assert not found.bozo
    assert entry.id.endswith(f"/{index}")
    assert entry.id.startswith("tag:test.example,")
    assert entry.title == "Flood at <Atyrau> & beyond"
    assert entry.author == "ir-ndmo"
    assert (entry.cap_severity, entry.cap_status, entry.cap_areadesc) == (
        "Severe",
        "Actual",
        "Absheron",
    )
    assert link.type == "application/cap+xml"
    assert link.hreflang == "en-US"
    assert sent.content == payload
    assert again.status_code == 304
    assert answer.headers["last-modified"].endswith("GMT")
    assert exercise.entries[0].title.startswith("[EXERCISE] ")
    assert exercise.entries[0].id.endswith(f"/{drill}")
    assert f":log/{drill}<" not in answer.text


async def test_a_feed_of_another_is_not_there(hub: Hub) -> None:
    async with hub.http("az-fhn") as http:
        problem(await http.get("/v1/feeds/ir-ndmo/atom"), 404, "feed-unknown")


async def test_without_the_setting_nothing_is_shown_without_a_token(hub: Hub) -> None:
    index = await hub.publish("ir-ndmo")
    async with hub.http() as http:
        problem(await http.get("/public/alerts/atom"), 404, "route-unknown")
        problem(await http.get(f"/public/messages/{index}"), 404, "route-unknown")
        problem(await http.get("/v1/alerts/atom"), 401, "token-missing")


async def test_what_is_for_everybody_is_actual_public_and_in_force(hub: Hub) -> None:
    now, sent = datetime.now(UTC), {"sent": datetime.now(UTC).replace(microsecond=0)}
    ids = [name() for _ in range(6)]
    shown = await hub.publish("ir-ndmo", alert(ids[0], **sent))
    hidden = [
        await hub.publish("ir-ndmo", status="Exercise"),
        await hub.publish("ir-ndmo", status="Test"),
        await hub.publish("ir-ndmo", scope="Restricted", restriction="members"),
        await hub.publish("ir-ndmo", scope="Private", addresses="az-fhn"),
        await hub.publish("ir-ndmo", alert(name(), sent=now - timedelta(hours=7))),
        await hub.publish("ir-ndmo", alert(ids[1], **sent)),
        await hub.publish("ir-ndmo", alert(ids[2], **sent)),
    ]
    update = await hub.publish(
        "ir-ndmo", alert(ids[3], msg_type="Update", references=named(ids[1], **sent), **sent)
    )
    hidden.append(
        await hub.publish(
            "ir-ndmo", alert(ids[4], msg_type="Cancel", references=named(ids[2], **sent), **sent)
        )
    )
    for form in ("atom", "rss"):
        async with strangers(hub) as http:
            found = await indexes(http, f"/public/alerts/{form}")
            payload = await http.get(f"/public/messages/{shown}")
            refused = [await http.get(f"/public/messages/{index}") for index in hidden]

        assert {shown, update} <= set(found)
        assert not set(hidden) & set(found)
        assert payload.content == alert(ids[0], **sent)
        assert payload.headers["access-control-allow-origin"] == "*"
        for answer in refused:
            problem(answer, 404, "unknown-message")


async def test_a_cancel_for_few_ends_no_alert_for_everybody(hub: Hub) -> None:
    sent = {"sent": datetime.now(UTC).replace(microsecond=0)}
    one = name()
    index = await hub.publish("ir-ndmo", alert(one, **sent))
    cancel = alert(
        name(),
        msg_type="Cancel",
        references=named(one, **sent),
        scope="Private",
        addresses="az-fhn",
        **sent,
    )
    await hub.publish("ir-ndmo", cancel)

    async with strangers(hub) as http, hub.http("az-fhn") as own, hub.http("kz-mes") as other:
        assert index in await indexes(http)
        assert index not in await indexes(own, "/v1/alerts/atom")
        assert index in await indexes(other, "/v1/alerts/atom")


async def test_one_sees_in_force_what_one_may_read(hub: Hub) -> None:
    private = await hub.publish("ir-ndmo", scope="Private", addresses="az-fhn")
    drill = await hub.publish("ir-ndmo", status="Exercise")

    async with hub.http("az-fhn") as own, hub.http("kz-mes") as other:
        seen = await indexes(own, "/v1/alerts/rss")
        not_seen = await indexes(other, "/v1/alerts/rss")

    assert private in seen
    assert private not in not_seen
    assert drill not in seen


async def test_filters_are_those_of_feeds(hub: Hub) -> None:
    grave = await hub.publish("ir-ndmo", severity="Extreme")
    mild = await hub.publish("kz-mes", severity="Minor")

    async with strangers(hub) as http:
        severe = await indexes(http, severity="Severe")
        kazakh = await indexes(http, state="KZ")
        persian = await indexes(http, language="fa")
        wrong = await http.get("/public/alerts/atom", params={"severity": "Bad"})
        form = await http.get("/public/alerts/csv")

    assert grave in severe
    assert mild not in severe
    assert mild in kazakh
    assert grave not in kazakh
    assert not {grave, mild} & set(persian)
    problem(wrong, 422, "filter-invalid")
    problem(form, 422, "request-invalid")


async def test_rss_links_the_message_and_repeats_what_cap_says(hub: Hub) -> None:
    index = await hub.publish("ir-ndmo", severity="Extreme")
    async with strangers(hub, public_url="https://hub.example.org") as http:
        answer = await http.get("/public/alerts/rss")
    root = etree.fromstring(answer.content)
    item = next(
        i for i in root.iterfind("channel/item") if str(i.findtext("guid")).endswith(f"/{index}")
    )

    assert item.findtext("link") == f"https://hub.example.org/public/messages/{index}"
    assert item.find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr]
    assert item.findtext("cap:severity", namespaces=CAP) == "Extreme"
    assert item.findtext("cap:areaDesc", namespaces=CAP) == "Absheron"
    assert item.findtext("cap:polygon", namespaces=CAP) == "40.1,49.9 40.6,49.9 40.6,50.6 40.1,49.9"


async def test_geojson_has_the_areas_and_whose_they_are(hub: Hub) -> None:
    index = await hub.publish("ir-ndmo", severity="Extreme")
    async with strangers(hub) as http:
        answer = await http.get("/public/alerts/geojson")
        same = await http.get(
            "/public/alerts/geojson", headers={"If-None-Match": answer.headers["etag"]}
        )
    found = answer.json()
    (feature,) = [f for f in found["features"] if f["properties"]["index"] == index]

    assert answer.headers["content-type"] == "application/geo+json"
    assert same.status_code == 304
    assert found["type"] == "FeatureCollection"
    assert found["complete"] is True
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["geometry"]["coordinates"][0][0] == [49.9, 40.1]
    said = feature["properties"]
    assert (said["agency"], said["state"], said["severity"]) == ("ir-ndmo", "IR", "Extreme")
    assert (await _get(hub, said["link"])).status_code == 404  # by the other API, which is closed


async def _get(hub: Hub, link: str) -> httpx.Response:
    async with hub.http() as http:
        return await http.get(httpx.URL(link).raw_path.decode())


async def test_of_very_many_the_newest_are_shown(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    published = [await hub.publish("ir-ndmo") for _ in range(4)]
    monkeypatch.setattr(routes, "_MOST", 3)
    monkeypatch.setattr(routes, "_MOST_FEATURES", 2)
    monkeypatch.setattr(routes, "_OF_A_FEED", 2)

    async with strangers(hub) as http, hub.http("az-fhn") as own:
        assert await indexes(http) == published[:0:-1]
        found = (await http.get("/public/alerts/geojson")).json()
        assert len(found["features"]) == found["alerts"] == 2
        assert found["complete"] is False
        assert await indexes(own, "/v1/feeds/az-fhn/atom") == published[:1:-1]


async def test_what_xml_cannot_hold_leaves_a_feed_well_formed(hub: Hub) -> None:
    message = {
        "identifier": name(),
        "sender": "centre@az.example",
        "sent": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "category": ["Env"],
                "event": "Oil ]]> <b>",
                "urgency": "Immediate",
                "severity": "Severe",
                "certainty": "Observed",
                "headline": "\u200fنفت & <script>alert(1)</script>",
            }
        ],
    }
    await hub.publish("ir-ndmo", json.dumps(message).encode())

    async with strangers(hub) as http:
        found = await told(http)
        rss = await told(http, "/public/alerts/rss")

    assert found.entries[0].title == rss.entries[0].title
    assert "نفت" in found.entries[0].title
    assert next(x.type for x in found.entries[0].links) == "application/cap+json"


async def test_a_payload_that_was_removed_by_law_is_shown_nowhere(hub: Hub) -> None:
    index = await hub.publish("ir-ndmo")
    async with strangers(hub) as http, hub.http("operator") as operator:
        assert index in await indexes(http)
        done = await operator.post(
            "/v1/redactions", json={"agency": "ir-ndmo", "message": index, "grounds": "a court"}
        )
        assert done.status_code == 201, done.text

        assert index not in await indexes(http)
        problem(await http.get(f"/public/messages/{index}"), 404, "unknown-message")


async def test_strangers_ask_no_more_often_than_they_may(hub: Hub) -> None:
    async with strangers(hub, public_rate=2) as http:
        answers = [await http.get("/public/alerts/atom") for _ in range(3)]

    problem(answers[2], 429, "rate-limited")
    assert int(answers[2].headers["retry-after"]) > 0


async def test_an_empty_feed_is_one(own_hub: Hub) -> None:
    async with strangers(own_hub) as http:
        for form in ("atom", "rss"):
            assert (await told(http, f"/public/alerts/{form}")).entries == []
        assert (await http.get("/public/alerts/geojson")).json()["features"] == []


async def test_what_is_in_force_is_read_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "_LOT", 2)
    monkeypatch.setattr(in_force, "_MOST", 3)
    looking = InForce(hub.log)
    first = [await hub.publish("ir-ndmo") for _ in range(3)]

    async def seen(at: datetime) -> list[int]:
        rows = await asyncio.to_thread(looking.seen_by, lambda _: True, at=at)
        return [row.index for row in rows]

    assert await seen(datetime.now(UTC)) == first[::-1]
    more = await hub.publish("ir-ndmo")
    assert await seen(datetime.now(UTC)) == [more, *first[:0:-1]]
    assert await seen(datetime.now(UTC) + timedelta(hours=7)) == []
