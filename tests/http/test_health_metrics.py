"""Whether the hub lives and can work, its figures, and the description of its routes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.app import build_api
from hub.http.problems import PROBLEM
from hub.log.store import Log
from hub.telemetry import metric_names
from tests.http.description import operations
from tests.http.events import events
from tests.hubkit import Hub, alert, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ready(hub: Hub) -> tuple[int, dict[str, Any]]:
    async with hub.http() as http:
        answer = await http.get("/readyz")
    return answer.status_code, answer.json()


async def figures(hub: Hub) -> dict[str, float]:
    """Return the API's metrics by name and labels."""
    async with hub.http() as http:
        text = (await http.get("/metrics")).text
    return {
        s.name + "".join(f",{k}={v}" for k, v in sorted(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


async def test_a_hub_that_can_work_says_so(hub: Hub) -> None:
    await hub.publish()

    async def caught_up() -> bool:
        status, body = await ready(hub)
        return status == 200 and body["checks"]["feeds"] == {"ok": True, "most_behind": 0}

    await until(caught_up, "all feeds have reached the end of the log", 20)
    before = await hub.head()
    _, body = await ready(hub)
    assert body["ready"] is True
    assert before < body["checks"]["log"]["size"] <= await hub.head() + 1
    assert body["checks"]["redis"] == {"ok": True}


async def test_without_redis_it_lives_and_is_not_ready_until_redis_is_back(hub: Hub) -> None:
    await asyncio.to_thread(hub.valkey.stop)
    status, body = await ready(hub)
    async with hub.http() as http:
        alive = await http.get("/healthz")
    await asyncio.to_thread(hub.valkey.start)

    assert (status, body["ready"]) == (503, False)
    assert body["checks"]["redis"] == {"ok": False, "code": "streams-unavailable"}
    assert body["checks"]["log"]["ok"] is True
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})

    async def again() -> bool:
        return (await ready(hub))[0] == 200

    await until(again, "it is ready again", 20)
    assert await hub.publish() > 0


async def test_without_its_log_it_is_not_ready(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.api._app.state.hub, "log", lost(hub))

    status, body = await ready(hub)

    assert (status, body["ready"]) == (503, False)
    assert body["checks"]["log"] == {"ok": False, "code": "log-unavailable"}
    assert body["checks"]["redis"]["ok"] is True


def lost(hub: Hub) -> Any:
    """Return the log of a store that is gone: the database's own answer, not an imitation."""
    path = Path(hub.settings.data) / "other.db"
    log = Log.open(f"sqlite:///{path}")
    log.close()
    for file in path.parent.glob("other.db*"):
        file.unlink()
    path.mkdir()
    return log


async def test_the_figures_have_their_names_and_move(hub: Hub) -> None:
    before = await figures(hub)
    async with events(hub, "kz-mes", "kz-mes") as stream:
        await stream.next()
        followed = await figures(hub)
    published = await hub.publish()
    await ready(hub)
    after = await figures(hub)

    async with hub.http() as http:
        text = (await http.get("/metrics")).text
    for name in metric_names():
        assert f"# HELP {name} " in text
    assert followed["caspian_sse_clients"] == before["caspian_sse_clients"] + 1
    count = "caspian_receipt_seconds_count"
    assert after[count] == before[count] + 1
    assert after["caspian_log_size"] > published
    assert "caspian_feed_lag_entries,feed=kz-mes" in after


async def test_refusals_are_counted_by_code(hub: Hub) -> None:
    name = "caspian_refusals_total,code=not-xml"
    before = (await figures(hub)).get(name, 0)

    async with hub.http("az-fhn") as http:
        await http.post("/v1/messages", content=alert()[:100])

    assert (await figures(hub))[name] == before + 1


OPERATIONS = operations()
OPEN = {
    *("GET /healthz", "GET /readyz", "GET /metrics", "GET /schemas", "GET /schemas/{name}"),
    *("GET /log/checkpoint", "GET /log/tile/{path}"),  # hashes are for everybody
    *("GET /public/alerts/{form}", "GET /public/messages/{index}"),  # where they are shown at all
}
SIGNING_IN = {
    "POST /v1/session",
    "GET /v1/sign-on",
    "GET /v1/sign-on/{state}",
    "GET /v1/sign-on/{state}/callback",
}
"""Whoever wants to sign in has nothing to show yet."""


async def test_the_description_is_served_and_whole(hub: Hub) -> None:
    async with hub.http() as http:
        answer = await http.get("/openapi.json")
    found = answer.json()

    assert found == json.loads(json.dumps(build_api(hub.settings).openapi()))
    assert found["openapi"].startswith("3.1")
    assert found["info"]["version"]
    text = json.dumps(found)
    for reference in set(text.split('"$ref": "')[1:]):
        node: Any = found
        for part in reference.partition('"')[0].removeprefix("#/").split("/"):
            node = node[part]
        assert node
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_route_says_what_it_answers(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["description"]
    answers = operation["responses"]
    assert any(status < "400" for status in answers)
    if name not in OPEN:
        for status in ("401", "403", "404", "422", "503"):
            assert set(answers[status]["content"]) == {PROBLEM}, status
        for status in answers:
            if status >= "400":
                assert PROBLEM in answers[status]["content"]
    for parameter in operation.get("parameters", ()):
        assert parameter["schema"]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OPEN - SIGNING_IN))
async def test_every_route_but_the_open_ones_wants_a_token(hub: Hub, name: str) -> None:
    method, path = name.split(" ")
    for part in ("name", "feed", "index", "session"):
        path = path.replace(f"{{{part}}}", "1")

    async with hub.http() as http:
        answer = await http.request(method, path, json={})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
