"""Legal holds and exports over HTTP: entries of the log like any other."""

from __future__ import annotations

from typing import Any

import pytest

from hub.log.projections import read_logged, rebuild
from hub.log.store import Log
from hub.log.verify import verify_store
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKEN = {
    "format": "csv",
    "first": 0,
    "through": 2,
    "payloads": False,
    "entries": 3,
    "sha256": "0" * 64,
    "purpose": "yearly audit",
}


async def post(hub: Hub, who: str, path: str, **record: Any) -> Any:
    async with hub.http(who) as http:
        return await http.post(path, json=record)


async def test_what_is_held_cannot_be_redacted_until_it_is_released(hub: Hub) -> None:
    index = await hub.publish()
    record = {"state": "AZ", "message": index, "reason": "case 7"}
    made = await post(hub, "operator", "/v1/holds", **record)
    again = await post(hub, "operator", "/v1/holds", **record)
    order = {"agency": "az-fhn", "message": index, "grounds": "order 7"}

    assert (made.status_code, again.json()["index"]) == (201, made.json()["index"]), made.text
    problem(await post(hub, "operator", "/v1/redactions", **order), 409, "payload-held")
    async with hub.http("az-fhn") as http:
        shown = (await http.get("/v1/holds")).json()["holds"]
    (one,) = [h for h in shown if h["index"] == made.json()["index"]]
    assert (one["message"], one["reason"], one["until"]) == (index, "case 7", None)

    path = f"/v1/holds/{made.json()['index']}/release"
    ended = await post(hub, "operator", path, reason="closed")
    assert ended.status_code == 201, ended.text
    problem(await post(hub, "operator", path, reason="closed"), 404, "hold-unknown")
    assert (await post(hub, "operator", "/v1/redactions", **order)).status_code == 201
    (row,) = [r for r in await hub.rows("hold") if r.index == made.json()["index"]]
    assert row.entry["by"] == "Operator"


async def test_an_export_is_an_entry_with_who_and_what(hub: Hub) -> None:
    first = await post(hub, "auditor", "/v1/exports", **TAKEN)
    second = await post(hub, "auditor", "/v1/exports", **TAKEN)

    assert first.status_code == 201, first.text
    assert second.json()["index"] > first.json()["index"]
    (row,) = [r for r in await hub.rows("export") if r.index == first.json()["index"]]
    assert row.entry["export"] == {**TAKEN, "kinds": [], "agency": ""}
    assert row.entry["role"] == "auditor"
    wrong = await post(hub, "auditor", "/v1/exports", **{**TAKEN, "sha256": "x"})
    problem(wrong, 422, "request-invalid")


async def test_holds_and_exports_are_decided_again_and_made_anew(hub: Hub) -> None:
    await post(hub, "auditor", "/v1/exports", **TAKEN)
    log = Log.open(hub.settings.log_url)
    try:
        assert verify_store(log, read=read_logged).fault is None
        assert rebuild(log) == log.head().size
    finally:
        log.close()
