"""``POST /v1/redactions``: what a message said is gone from everywhere, that it was sent is not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.core.candidate import Candidate
from hub.log.store import Log
from tests.hubkit import Hub, problem, until
from tests.log.samples import Writer

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "the-name-of-a-patient"


async def ask(hub: Hub, who: str, **record: Any) -> Any:
    async with hub.http(who) as http:
        return await http.post("/v1/redactions", json={"grounds": "order 7", **record})


async def test_a_payload_is_gone_from_the_store_the_api_and_the_feeds(hub: Hub) -> None:
    index = await hub.publish(headline=SECRET)
    for feed in ("az-fhn", "ir-ndmo"):
        await hub.fed(feed, index)
    answer = await ask(hub, "operator", agency="az-fhn", message=index)

    assert answer.status_code == 201, answer.text

    async def told() -> bool:
        held = await hub.feed("ir-ndmo")
        return any(i > index and fields[b"kind"] == b"redaction" for i, fields in held)

    await until(told, "the feed tells of the redaction", 20)
    for feed in ("az-fhn", "ir-ndmo"):
        held = await hub.feed(feed)
        assert index not in [i for i, _ in held]
        assert SECRET.encode() not in b"".join(v for _, f in held for v in f.values())
    async with hub.http("ir-ndmo") as http:
        problem(await http.get(f"/v1/messages/{index}/payload"), 410, "payload-redacted")
        shown = (await http.get(f"/v1/messages/{index}")).json()
        page = (await http.get("/v1/feeds/ir-ndmo")).text
    assert shown["redacted"] is True
    assert SECRET not in str(shown) + page
    for file in Path(hub.settings.data).glob("log.db*"):  # noqa: ASYNC240 - a small directory
        assert SECRET.encode() not in file.read_bytes(), file


async def test_what_went_by_age_is_told_apart_with_its_entry(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = await hub.publish()
    monkeypatch.setattr("hub.core.admission.retirable", lambda *_, **__: True)
    now = datetime.now(UTC)
    body = {"messages": [index], "before": now.isoformat()}
    log = Log.open(hub.settings.log_url)
    try:
        done = Writer(log, now=now).commit([Candidate("retirement", "", body=body)])
    finally:
        log.close()
    by = done.outcomes[0].index

    async with hub.http("ir-ndmo") as http:
        told = problem(await http.get(f"/v1/messages/{index}/payload"), 422, "payload-gone")
        shown = (await http.get(f"/v1/messages/{index}")).json()
    assert f"at {by}" in told["detail"]
    assert shown["retired"] == by
    assert "redacted" not in shown


async def test_the_same_again_changes_nothing(hub: Hub) -> None:
    index = await hub.publish()
    await ask(hub, "operator", agency="az-fhn", message=index)
    before = await hub.rows("redaction")
    again = await ask(hub, "operator", agency="az-fhn", message=index)

    assert again.status_code == 201
    assert await hub.rows("redaction") == before
    (row,) = [r for r in before if r.entry["redaction"]["message"] == index]
    assert row.entry["by"] == "Operator"


@pytest.mark.parametrize("who", ["az-fhn", "officer", "auditor"])
async def test_only_those_who_register_redact(hub: Hub, who: str) -> None:
    index = await hub.publish()

    problem(await ask(hub, who, agency="az-fhn", message=index), 403, "not-allowed")


async def test_a_wrong_index_does_no_harm(hub: Hub) -> None:
    index = await hub.publish()

    problem(await ask(hub, "operator", agency="ir-ndmo", message=index), 404, "unknown-message")
    problem(await ask(hub, "operator", agency="az-fhn", message=99999), 404, "unknown-message")
    problem(
        await ask(hub, "operator", agency="az-fhn", message=index, grounds=""),
        422,
        "request-invalid",
    )
