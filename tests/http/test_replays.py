"""Replays over HTTP: begun, steered step by step, read by those who are admitted, and logged."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hub.core.registry import History
from hub.log.projections import read_logged
from hub.log.replay import replay as route_again
from hub.log.scan import scan
from hub.log.verify import verify_store
from hub.streams.embedded import free_port
from tests.hubkit import OFFICER, Hub, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def trainer(hub: Hub, name: str, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Begin a replay as an auditor, and end it."""
    async with hub.http("auditor") as http:
        answer = await http.post("/v1/replays", json={"sandbox": name, **given})
        assert answer.status_code == 201, answer.text
        try:
            yield http
        finally:
            await http.delete(f"/v1/replays/{name}")


async def state(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    answer = await http.get(f"/v1/replays/{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def comes_to(http: httpx.AsyncClient, name: str, wanted: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [await state(http, name)]
        return bool(found[0]["state_now"] == wanted)

    await until(there, f"{name} is {wanted}", 30)
    return found[0]


async def entries(http: httpx.AsyncClient, feed: str, name: str) -> list[dict[str, Any]]:
    answer = await http.get(f"/v1/feeds/{feed}", params={"sandbox": name, "limit": 1000})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def published(hub: Hub, count: int, **given: Any) -> list[int]:
    return [await hub.publish(**given) for _ in range(count)]


async def test_a_replay_fills_a_sandbox_with_marked_entries_and_no_live_feed(hub: Hub) -> None:
    indexes = await published(hub, 3)
    await hub.fed("ir-ndmo", indexes[-1])
    live = await hub.feed("ir-ndmo")

    async with trainer(hub, "night-1", first=indexes[0], through=indexes[-1]) as http:
        ended = await comes_to(http, "night-1", "ended")
        found = await entries(http, "ir-ndmo", "night-1")

    assert [e["index"] for e in found] == indexes
    assert {e["replay"] for e in found} == {"night-1"}
    assert (ended["reached"], ended["error"]) == (indexes[-1], "")
    assert await hub.feed("ir-ndmo") == live
    assert not [k async for k in hub.redis.scan_iter("sandbox:night-1*")]


async def test_who_replayed_what_is_in_the_log(hub: Hub) -> None:
    (index,) = await published(hub, 1)
    async with trainer(hub, "told", first=index, through=index, kinds=["publish"]) as http:
        ended = await comes_to(http, "told", "ended")
        await told_of(hub, "told", 2)

    began, over = await told_of(hub, "told", 2)
    assert (began["by"], began["replay"]["action"]) == ("Auditor", "started")
    assert began["replay"]["part"]["kinds"] == ["publish"]
    assert (over["replay"]["action"], over["replay"]["digest"]) == ("ended", ended["digest"])
    assert (await asyncio.to_thread(verify_store, hub.log, read=read_logged)).fault is None


async def told_of(hub: Hub, name: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [
            row.entry for row in await hub.rows("replay") if row.entry["replay"]["sandbox"] == name
        ]
        return len(found) == count

    await until(there, f"the log tells {count} times of {name}", 20)
    return found


async def test_the_digest_is_that_of_the_command(hub: Hub) -> None:
    await published(hub, 2)
    async with trainer(hub, "all") as http:
        ended = await comes_to(http, "all", "ended")

    rows = scan(hub.log, through=ended["through"])
    assert (await route_again(rows)).digest == ended["digest"]


async def test_a_trainer_goes_on_step_by_step(hub: Hub) -> None:
    indexes = await published(hub, 4)
    async with trainer(hub, "steps", first=indexes[0], through=indexes[-1], paused=True) as http:
        assert await entries(http, "ir-ndmo", "steps") == []
        one = (await http.post("/v1/replays/steps/step")).json()
        assert [e["index"] for e in one["entries"]] == indexes[:1]
        assert "ir-ndmo" in one["entries"][0]["feeds"]
        assert one["entries"][0]["replay"] == "steps"
        assert [e["index"] for e in await entries(http, "ir-ndmo", "steps")] == indexes[:1]
        two = (await http.post("/v1/replays/steps/step", json={"entries": 2})).json()
        assert [e["index"] for e in two["entries"]] == indexes[1:3]
        assert two["state_now"] == "paused"
        await http.post("/v1/replays/steps/resume")
        await comes_to(http, "steps", "ended")
        assert [e["index"] for e in await entries(http, "ir-ndmo", "steps")] == indexes
        over = await http.post("/v1/replays/steps/step")
    problem(over, 422, "replay-invalid")


async def test_what_is_paused_stands_still_and_a_speed_can_change(hub: Hub) -> None:
    indexes = await published(hub, 3)
    async with trainer(hub, "slow", first=indexes[0], through=indexes[-1], speed=0.0001) as http:

        async def first() -> bool:
            return len(await entries(http, "ir-ndmo", "slow")) == 1

        await until(first, "the first entry is due at once", 20)
        paused = (await http.post("/v1/replays/slow/pause")).json()
        assert paused["state_now"] == "paused"
        faster = (await http.post("/v1/replays/slow/speed", json={"speed": None})).json()
        assert faster["speed"] is None
        assert len(await entries(http, "ir-ndmo", "slow")) == 1
        await http.post("/v1/replays/slow/resume")
        await comes_to(http, "slow", "ended")
        assert len(await entries(http, "ir-ndmo", "slow")) == 3


async def test_a_part_by_incident_state_agency_and_time(hub: Hub) -> None:
    before = datetime.now(UTC)
    other = await hub.publish("kz-mes", sender="duty@kz.example")
    oil = await hub.publish(incidents="AC-2026-7")
    async with hub.http("officer") as http:
        await http.post(f"/v1/messages/{oil}/acknowledgements", json={})
    acknowledged = await hub.head()
    parts: dict[str, tuple[dict[str, Any], list[int]]] = {
        "by-incident": ({"incident": "ac-2026-7"}, [oil, acknowledged]),
        "by-state": ({"state": "KZ"}, [other]),
        "by-agency": ({"agency": "az-fhn"}, [oil]),
        "by-kind": ({"kinds": ["acknowledgement"]}, [acknowledged]),
    }

    for name, (given, expected) in parts.items():
        async with trainer(hub, name, since=before.isoformat(), **given) as http:
            await comes_to(http, name, "ended")
            found = await entries(http, "az-fhn", name)
            found += await entries(http, "ir-ndmo", name)
        assert sorted({e["index"] for e in found}) == expected, name


async def test_an_officer_in_training_reads_where_they_are_admitted(hub: Hub) -> None:
    indexes = await published(hub, 1)
    asked = {"sandbox": "class"}
    async with (
        trainer(hub, "class", first=indexes[0], through=indexes[0]) as http,
        hub.http("officer") as officer,
        hub.http("kz-mes") as stranger,
    ):
        await comes_to(http, "class", "ended")
        before = await officer.get("/v1/feeds/ir-ndmo", params=asked)
        admitted = await http.post(
            "/v1/replays/class/admissions", json={"agency": "ir-ndmo", "person": OFFICER}
        )
        found = await entries(officer, "ir-ndmo", "class")
        seen = await officer.get("/v1/replays")
        other_feed = await officer.get("/v1/feeds/az-fhn", params=asked)
        not_admitted = await stranger.get("/v1/feeds/kz-mes", params=asked)
        steering = await officer.post("/v1/replays/class/step")
        nobody = await http.post("/v1/replays/class/admissions", json={"agency": "xx-none"})

    problem(before, 403, "not-allowed")
    assert admitted.json()["admitted"] == [{"agency": "ir-ndmo", "person": OFFICER}]
    assert [e["replay"] for e in found] == ["class"]
    assert [r["sandbox"] for r in seen.json()["replays"]] == ["class"]
    problem(other_feed, 404, "feed-unknown")
    problem(not_admitted, 403, "not-allowed")
    problem(steering, 403, "not-allowed")
    problem(nobody, 403, "unknown-agency")


async def test_an_admission_can_be_taken_back(hub: Hub) -> None:
    given = {"agency": "ir-ndmo", "person": OFFICER}
    async with trainer(hub, "back", paused=True) as http, hub.http("officer") as officer:
        await http.post("/v1/replays/back/admissions", json=given)
        await http.post("/v1/replays/back/admissions", json={"agency": "kz-mes"})
        seen = await officer.get("/v1/replays/back")
        other = await http.delete("/v1/replays/back/admissions", params={"agency": "ir-ndmo"})
        left = await http.delete("/v1/replays/back/admissions", params=given)
        hidden = await officer.get("/v1/replays/back")
        reading = await officer.get("/v1/feeds/ir-ndmo", params={"sandbox": "back"})
        not_theirs = await officer.delete("/v1/replays/back/admissions", params=given)

    assert seen.status_code == 200
    assert len(other.json()["admitted"]) == 2  # that of a person is not the agency's
    assert left.json()["admitted"] == [{"agency": "kz-mes", "person": ""}]
    problem(hidden, 404, "replay-unknown")
    problem(reading, 403, "not-allowed")
    problem(not_theirs, 403, "not-allowed")


async def test_who_is_admitted_follows_it_as_an_event_stream(hub: Hub) -> None:
    indexes = await published(hub, 1)
    given = {"first": indexes[0], "through": indexes[0], "paused": True}
    async with trainer(hub, "live", **given) as http, hub.http("officer") as officer:
        await http.post("/v1/replays/live/admissions", json={"agency": "ir-ndmo"})
        url = "/v1/feeds/ir-ndmo/events?sandbox=live&after=-1"
        async with officer.stream("GET", url) as stream:
            lines = stream.aiter_lines()
            stepping = asyncio.create_task(http.post("/v1/replays/live/step"))
            async for line in lines:
                if line.startswith("data: "):
                    break
            await stepping
    assert json.loads(line[6:])["replay"] == "live"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"sandbox": "../feed"}, "request-invalid"),
        ({"sandbox": ""}, "request-invalid"),
        ({"sandbox": "a:feed:az-fhn"}, "request-invalid"),
        ({"sandbox": "x", "speed": 0}, "request-invalid"),
        ({"sandbox": "x", "speed": -1}, "request-invalid"),
        ({"sandbox": "x", "state": "Azerbaijan"}, "request-invalid"),
        ({"sandbox": "x", "kinds": ["poetry"]}, "replay-invalid"),
        ({"sandbox": "x", "why": "x"}, "request-invalid"),
    ],
    ids=str,
)
async def test_what_cannot_be_replayed_is_refused(
    hub: Hub, given: dict[str, Any], code: str
) -> None:
    async with hub.http("auditor") as http:
        answer = await http.post("/v1/replays", json=given)

    problem(answer, 422, code)
    assert not [k async for k in hub.redis.scan_iter("sandbox:x*")]


async def test_a_name_is_used_once_at_a_time(hub: Hub) -> None:
    async with trainer(hub, "twice", paused=True) as http:
        again = await http.post("/v1/replays", json={"sandbox": "twice"})
    problem(again, 422, "replay-invalid")
    async with hub.http("auditor") as http:
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/step"), ("POST", "/pause")):
            gone = await http.request(method, f"/v1/replays/twice{path}")
            problem(gone, 404, "replay-unknown")


async def test_what_one_state_replays_is_not_anothers_to_steer(hub: Hub) -> None:
    async with (
        trainer(hub, "whole", paused=True) as http,
        hub.http("auditor of KZ") as of_state,
    ):
        own = await of_state.post("/v1/replays", json={"sandbox": "kz", "paused": True})
        hidden = await of_state.get("/v1/replays/whole")
        stepping = await of_state.post("/v1/replays/whole/step")
        listed = (await of_state.get("/v1/replays")).json()["replays"]
        all_of_them = (await http.get("/v1/replays")).json()["replays"]
        ended = await http.delete("/v1/replays/kz")

    assert own.status_code == 201, own.text
    problem(hidden, 404, "replay-unknown")
    problem(stepping, 404, "replay-unknown")
    assert [r["sandbox"] for r in listed] == ["kz"]
    assert [r["sandbox"] for r in all_of_them] == ["kz", "whole"]
    assert ended.status_code == 204


@pytest.mark.asyncio(loop_scope="function")
async def test_after_a_restart_a_replay_is_stopped_and_goes_on_where_it_was(own_hub: Hub) -> None:
    hub = own_hub
    indexes = await published(hub, 4)
    given = {"first": indexes[0], "through": indexes[-1], "paused": True}
    async with trainer(hub, "long", **given) as http:
        await http.post("/v1/replays/long/step", json={"entries": 2})
        await hub.api.stop()
        await hub.api.start()
        stopped = await state(http, "long")
        # A process that is killed leaves its lease, which ends by itself; so does a lost part.
        third = (await http.post("/v1/replays/long/step")).json()
        await http.post("/v1/replays/long/resume")
        ended = await comes_to(http, "long", "ended")
        found = await entries(http, "ir-ndmo", "long")

    assert (stopped["state_now"], stopped["reached"]) == ("stopped", indexes[1])
    assert [e["index"] for e in third["entries"]] == indexes[2:3]
    assert [e["index"] for e in found] == indexes
    history = History(hub.log.registry_entries())
    rows = scan(hub.log, after=indexes[0] - 1, through=indexes[-1])
    assert (await route_again(rows, history=history)).digest == ended["digest"]


@asynccontextmanager
async def api_of_its_own(hub: Hub) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve the same hub from a process that can be killed; give it and its address."""
    settings = hub.settings.model_copy(update={"port": free_port()})
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-m", "hub.cli", "serve"],
        env={**os.environ, **settings.to_environment()},
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{settings.host}:{settings.port}"
    try:

        async def ready() -> bool:
            async with httpx.AsyncClient() as http:
                with suppress(httpx.TransportError):
                    return (await http.get(f"{url}/readyz")).status_code == 200
            return False

        await until(ready, "the API answers", 30)
        yield process, url
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


@pytest.mark.long
async def test_sigkill_of_who_plays_a_replay_leaves_no_half_sandbox(hub: Hub) -> None:
    """What is in it is the beginning of the replay; another process goes on to the same end."""
    indexes = await published(hub, 6)
    given = {"sandbox": "killed", "first": indexes[0], "through": indexes[-1], "paused": True}
    async with api_of_its_own(hub) as (process, url):
        async with httpx.AsyncClient(base_url=url) as http:
            http.headers["Authorization"] = f"Bearer {hub.tokens['auditor']}"
            assert (await http.post("/v1/replays", json=given)).status_code == 201
            await http.post("/v1/replays/killed/step", json={"entries": 3})
            await http.post("/v1/replays/killed/speed", json={"speed": 0.001})
            await http.post("/v1/replays/killed/resume")
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    async with hub.http("auditor") as http:
        stopped = await comes_to(http, "killed", "stopped")
        left = await entries(http, "ir-ndmo", "killed")
        await http.post("/v1/replays/killed/speed", json={"speed": None})
        await http.post("/v1/replays/killed/resume")
        ended = await comes_to(http, "killed", "ended")
        whole = await entries(http, "ir-ndmo", "killed")
        removed = await http.delete("/v1/replays/killed")
    rows = scan(hub.log, after=indexes[0] - 1, through=indexes[-1])
    again = await route_again(rows, history=History(hub.log.registry_entries()))

    assert [e["index"] for e in left] == [i for i in indexes if i <= stopped["reached"]]
    assert [e["index"] for e in whole] == indexes
    assert ended["digest"] == again.digest
    assert removed.status_code == 204
    assert await hub.redis.keys("*killed*") == []
