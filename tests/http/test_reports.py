"""Reports on acknowledgements: what was late or is missing, as it was, for those who may know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core import lifecycle
from hub.http import reports
from tests.hubkit import OFFICER, Hub, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHOWN = ("all", "late", "missing")


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Any:
    """Let the deadline of what is Extreme pass at once, for every part of the hub alike."""
    real: Mapping[str, timedelta] = lifecycle._BY_SEVERITY
    with pytest.MonkeyPatch.context() as patched:
        short = {**real, "Extreme": timedelta(milliseconds=1)}
        patched.setattr(lifecycle, "_BY_SEVERITY", short)
        yield


async def report(hub: Hub, who: str, part: str = "", /, **params: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/reports/acknowledgements{part}", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of(told: dict[str, Any], index: int) -> dict[str, dict[str, Any]]:
    return {r["recipient"]: r for r in told["acknowledgements"] if r["index"] == index}


async def acknowledge(hub: Hub, index: int) -> None:
    async with hub.client("officer") as officer:
        await officer.acknowledge(str(index))


async def test_late_and_missing_acknowledgements(hub: Hub) -> None:
    since = datetime.now(UTC).isoformat()
    late = await hub.publish(
        "az-fhn", severity="Extreme", scope="Private", addresses="IR KZ", headline="Oil at sea"
    )
    between = datetime.now(UTC).isoformat()
    await acknowledge(hub, late)
    timely = await hub.publish("az-fhn", severity="Minor", scope="Private", addresses="IR")
    await acknowledge(hub, timely)

    async def escalated() -> bool:
        told = of(await report(hub, "auditor", since=since), late)
        return [s["step"] for s in told["kz-mes"]["escalations"]][-1:] == [3]

    await until(escalated, "the last step was taken", 20)
    told = await report(hub, "auditor", since=since)

    assert told["next"] is None
    assert [r["index"] for r in told["acknowledgements"]] == [timely, late, late]
    iran, kazakhstan = of(told, late)["ir-ndmo"], of(told, late)["kz-mes"]
    assert (iran["agency"], iran["severity"], iran["headline"]) == (
        "az-fhn",
        "Extreme",
        "Oil at sea",
    )
    assert (iran["state"], iran["officer"]) == ("acknowledged", OFFICER)
    beyond = datetime.fromisoformat(iran["acknowledged_at"]) - datetime.fromisoformat(
        iran["deadline"]
    )
    assert iran["late_by"] == beyond.total_seconds() > 0
    assert (kazakhstan["state"], kazakhstan["officer"], kazakhstan["acknowledged_at"]) == (
        "overdue",
        None,
        None,
    )
    assert kazakhstan["late_by"] > 0
    assert of(told, timely)["ir-ndmo"]["late_by"] is None
    ir, kz = told["sums"]
    assert (ir["recipient"], ir["messages"], ir["in_time"], ir["late"], ir["missing"]) == (
        "ir-ndmo",
        2,
        1,
        1,
        0,
    )
    assert ir["median_late_by"] == ir["worst_late_by"] == iran["late_by"]
    assert (kz["recipient"], kz["messages"], kz["missing"], kz["open"]) == ("kz-mes", 1, 1, 0)

    # As it was before anybody had acknowledged; and twice the same answer.
    before = await report(hub, "auditor", since=since, until=between)
    assert [r["index"] for r in before["acknowledgements"]] == [late, late]
    assert of(before, late)["ir-ndmo"]["state"] == "overdue"
    assert of(before, late)["ir-ndmo"]["acknowledged_at"] is None
    assert await report(hub, "auditor", since=since, until=between) == before


async def test_everybody_is_told_of_their_own(hub: Hub) -> None:
    since = datetime.now(UTC).isoformat()
    index = await hub.publish("az-fhn", severity="Severe", scope="Private", addresses="IR KZ")

    for who, told in {
        "auditor": {"ir-ndmo", "kz-mes"},
        "operator": {"ir-ndmo", "kz-mes"},
        "officer": {"ir-ndmo"},
        "ir-ndmo": {"ir-ndmo"},
        "auditor of ir-ndmo": {"ir-ndmo"},
        "auditor of KZ": {"kz-mes"},
        "az-fhn": set(),
        "tm-msfs": set(),
    }.items():
        found = await report(hub, who, since=since)
        assert set(of(found, index)) == told, who
        assert {one["recipient"] for one in found["sums"]} == told, who
    one = await report(hub, "auditor", since=since, agency="kz-mes")
    assert set(of(one, index)) == {"kz-mes"}


@pytest.mark.parametrize(
    ("who", "agency"), [("officer", "kz-mes"), ("auditor of KZ", "ir-ndmo"), ("az-fhn", "kz-mes")]
)
async def test_nobody_is_told_of_another_agency(hub: Hub, who: str, agency: str) -> None:
    async with hub.http(who) as http:
        answer = await http.get("/v1/reports/acknowledgements", params={"agency": agency})

    assert agency in problem(answer, 403, "not-allowed")["detail"]


@pytest.mark.parametrize("who", ["registrar", "witness", "mirror"])
async def test_who_reads_nothing_gets_no_report(hub: Hub, who: str) -> None:
    async with hub.http(who) as http:
        answer = await http.get("/v1/reports/acknowledgements")

    problem(answer, 403, "not-allowed")


async def test_pages_together_are_the_whole(hub: Hub) -> None:
    since = datetime.now(UTC).isoformat()
    indexes = [await hub.publish("az-fhn", scope="Private", addresses="IR KZ") for _ in range(3)]
    at = datetime.now(UTC).isoformat()
    whole = await report(hub, "auditor", since=since, until=at)
    rows: list[Any] = []
    more: dict[str, Any] = {}
    for _ in indexes:
        page = await report(hub, "auditor", since=since, until=at, limit=1, **more)
        rows += page["acknowledgements"]
        more = {"before": page["next"]}

    assert page["next"] is None
    assert rows == whole["acknowledgements"]
    assert [r["index"] for r in rows[::2]] == indexes[::-1]


async def test_sums_are_of_the_whole_time_however_many_pages_it_has(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_LOT", 2)
    since = datetime.now(UTC).isoformat()
    given = {"severity": "Extreme", "scope": "Private"}
    indexes = [await hub.publish("az-fhn", addresses="IR KZ", **given) for _ in range(4)]
    indexes.append(await hub.publish("az-fhn", severity="Minor", scope="Private", addresses="KZ"))
    await acknowledge(hub, indexes[0])
    at = datetime.now(UTC).isoformat()

    whole = await report(hub, "auditor", since=since, until=at, limit=1000)
    told = await report(hub, "auditor", "/sums", since=since, until=at)
    mine = await report(hub, "officer", "/sums", since=since, until=at)
    one = await report(hub, "auditor", "/sums", since=since, until=at, agency="kz-mes")
    none = await report(hub, "auditor", "/sums", since=since, until=at, agency="tm-msfs")

    assert (told["until"], told["recipients"]) == (whole["until"], whole["sums"])
    assert [s["state"] for s in told["states"]] == ["IR", "KZ"]
    counts = ("messages", "in_time", "late", "missing", "open")
    assert [told["all"][c] for c in counts] == [9, 0, 1, 7, 1]
    waits = sorted(r["late_by"] for r in whole["acknowledgements"] if r["late_by"] is not None)
    assert (told["all"]["worst_late_by"], len(waits)) == (waits[-1], 8)
    assert told["all"]["median_late_by"] == pytest.approx((waits[3] + waits[4]) / 2, abs=1e-6)
    assert {s["recipient"] for s in mine["recipients"]} == {"ir-ndmo"}
    assert one["all"]["messages"] == 5
    assert none["all"] == {**dict.fromkeys(none["all"], 0), **_NO_WAITS}
    assert (none["states"], none["recipients"]) == ([], [])


_NO_WAITS = {"median_late_by": None, "worst_late_by": None}


async def test_what_was_late_or_is_missing_can_be_had_alone(hub: Hub) -> None:
    since = datetime.now(UTC).isoformat()
    late = await hub.publish("az-fhn", severity="Extreme", scope="Private", addresses="IR KZ")
    await acknowledge(hub, late)
    timely = await hub.publish("az-fhn", severity="Minor", scope="Private", addresses="IR KZ")
    given = {"since": since, "until": datetime.now(UTC).isoformat()}

    told = {show: await report(hub, "auditor", show=show, **given) for show in SHOWN}

    found = {
        show: [(r["index"], r["recipient"]) for r in told[show]["acknowledgements"]]
        for show in SHOWN
    }
    assert found["late"] == [(late, "ir-ndmo"), (late, "kz-mes")]
    assert found["missing"] == [(late, "kz-mes")]
    assert found["all"] == [(timely, "ir-ndmo"), (timely, "kz-mes"), *found["late"]]
    assert told["late"]["sums"] == told["missing"]["sums"] == told["all"]["sums"]


async def test_channels_are_apart_and_nothing_is_foretold(hub: Hub) -> None:
    since = datetime.now(UTC)
    index = await hub.publish("az-fhn", status="Exercise", scope="Private", addresses="KZ")
    tomorrow = (since + timedelta(days=1)).isoformat()
    given = {"since": since.isoformat(), "until": tomorrow}

    assert of(await report(hub, "auditor", **given), index) == {}
    told = await report(hub, "auditor", **given, channel="exercise")
    assert of(told, index)["kz-mes"]["state"] == "queued"
    assert told["sums"][0]["open"] == 1
    assert datetime.fromisoformat(told["until"]) < since + timedelta(hours=1)


async def test_delivery_is_that_of_the_message(hub: Hub) -> None:
    first = await hub.publish("az-fhn", scope="Private", addresses="KZ")
    second = await hub.publish("az-fhn", scope="Private", addresses="KZ")
    await hub.fed("kz-mes", second)
    async with hub.http("kz-mes") as http:
        await http.post("/v1/feeds/kz-mes/confirmations", json={"through": first})

        async def delivered() -> bool:
            told = of(await report(hub, "kz-mes"), first)
            return told["kz-mes"]["delivered_at"] is not None

        await until(delivered, "the delivery is logged", 20)
        life = (await http.get(f"/v1/messages/{first}")).json()["recipients"][0]
        told = await report(hub, "kz-mes")
    assert of(told, first)["kz-mes"]["delivered_at"] == life["delivered_at"]
    assert of(told, first)["kz-mes"]["state"] == life["state"] == "delivered"
    assert of(told, second)["kz-mes"]["delivered_at"] is None
