"""What the operator sees of the hub in one answer, and when an agency counts as silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.registry import History
from hub.heard import heard
from tests.hubkit import Hub, alert, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_operator_gets_all_in_one_answer(hub: Hub) -> None:
    index = await hub.publish("az-fhn")

    async with hub.http("operator") as http:
        found = (await http.get("/v1/operations")).json()

    assert found["size"] > index
    assert found["rates"]["hour"] >= found["rates"]["minute"] >= 1
    agencies = {one["agency"]: one for one in found["agencies"]}
    assert set(agencies) == {"az-fhn", "ir-ndmo", "kz-mes", "ru-mchs", "tm-msfs"}
    assert agencies["az-fhn"]["silent"] is False
    heard_at = datetime.fromisoformat(agencies["az-fhn"]["heard_at"])
    assert datetime.now(UTC) - heard_at < timedelta(minutes=1)
    assert found["streams"]["memory_bytes"] > 0
    assert found["disk"]["log_bytes"] > 0
    assert found["unanswered"] == []


async def test_an_agency_that_does_nothing_is_silent_once_its_time_is_over(hub: Hub) -> None:
    await hub.redis.xadd("inbox:tm-msfs", {"payload": alert()})
    history = History(hub.log.registry_entries())

    async def told(after: timedelta, ahead: timedelta) -> dict[str, bool]:
        now = datetime.now(UTC) + ahead
        found = await heard(hub.log, hub.redis, history.latest, now=now, silent_after=after)
        return {agency: one.silent for agency, one in found.items()}

    hour = timedelta(hours=1)
    assert not any((await told(hour, timedelta(0))).values())
    assert all((await told(hour, 2 * hour)).values())
    now = datetime.now(UTC)
    found = await heard(hub.log, hub.redis, history.latest, now=now, silent_after=hour)
    at = found["tm-msfs"].at
    assert at is not None
    assert now - at < timedelta(minutes=1)


async def test_who_only_reads_and_confirms_is_heard(hub: Hub) -> None:
    index = await hub.publish("az-fhn")
    await hub.fed("ru-mchs", index)
    async with hub.http("ru-mchs") as http:
        await http.post("/v1/feeds/ru-mchs/confirmations", json={"through": index})
    history = History(hub.log.registry_entries())

    async def known() -> bool:
        now = datetime.now(UTC)
        one = (
            await heard(
                hub.log, hub.redis, history.latest, now=now, silent_after=timedelta(hours=1)
            )
        )["ru-mchs"]
        return one.at is not None

    await until(known, "the confirmation is known", 20)


async def test_nobody_else_may_look(hub: Hub) -> None:
    for who in ("az-fhn", "officer", "auditor", "registrar", "witness"):
        async with hub.http(who) as http:
            problem(await http.get("/v1/operations"), 403, "not-allowed")
