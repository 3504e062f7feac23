"""``/v1/log``: an auditor gets the exact bytes that were hashed, and can make the root again."""

from __future__ import annotations

import asyncio
import base64
import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from hub.core.merkle import leaf_hash, node_hash, root_of
from tests.hubkit import Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def get(hub: Hub, path: str, who: str = "auditor", **params: Any) -> httpx.Response:
    async with hub.http(who) as http:
        return await http.get(path, params=params)


async def whole(hub: Hub, **params: Any) -> list[dict[str, Any]]:
    """Read the log page by page, to its end."""
    found: list[dict[str, Any]] = []
    after = -1
    while page := (answer := (await get(hub, "/v1/log/entries", after=after, **params)).json())[
        "entries"
    ]:
        found += page
        after = answer["next"]
    return found


async def test_the_entries_make_the_root(hub: Hub) -> None:
    await asyncio.gather(*(hub.publish() for _ in range(5)))
    head = (await get(hub, "/v1/log")).json()

    entries = (await whole(hub, limit=3))[: head["size"]]

    assert [e["index"] for e in entries] == list(range(head["size"]))
    assert root_of([base64.b64decode(e["entry"]) for e in entries]).hex() == head["root"]
    assert entries[-1]["at"] == head["at"]
    assert head["origin"] == "test.example/log"


async def test_the_end_of_the_log_is_for_every_token(hub: Hub) -> None:
    for who in ("az-fhn", "officer", "operator"):
        assert (await get(hub, "/v1/log", who)).status_code == 200
    problem(await get(hub, "/v1/log", ""), 401, "token-missing")


async def test_a_message_is_there_with_its_bytes_and_their_digest(hub: Hub) -> None:
    payload = alert()
    index = await hub.publish("az-fhn", payload)

    shown = (await get(hub, f"/v1/log/entries/{index}")).json()

    assert (shown["index"], shown["kind"], shown["agency"]) == (index, "publish", "az-fhn")
    assert base64.b64decode(shown["payload"]) == payload
    header = json.loads(json.loads(base64.b64decode(shown["entry"]))["header"])
    assert header["payload_sha256"] == sha256(payload).hexdigest()
    assert shown["payload_type"] == "application/cap+xml"


async def test_entries_are_chosen_by_kind_and_agency(hub: Hub) -> None:
    mine = await hub.publish("kz-mes")
    await hub.publish("az-fhn")
    async with hub.http("kz-mes") as http:
        refusal = (await http.post("/v1/messages", content=b"none")).json()["index"]

    both = await whole(hub, kind=["publish", "refusal"], agency="kz-mes")
    first = await whole(hub, kind="genesis")

    assert {e["kind"] for e in both} == {"publish", "refusal"}
    assert {e["agency"] for e in both} == {"kz-mes"}
    assert {mine, refusal} <= {e["index"] for e in both}
    assert [e["index"] for e in first] == [0]
    assert await whole(hub, kind="no-such-kind") == []


async def test_nobody_learns_by_asking_for_it_what_they_may_not_read(hub: Hub) -> None:
    hidden = await hub.publish("az-fhn", scope="Private", addresses="IR")
    theirs = await hub.publish("kz-mes")
    alike = []
    for asked in ({"kind": "publish"}, {"kind": "refusal"}, {"agency": "az-fhn"}, {"agency": "x"}):
        params = {"after": hidden - 1, "limit": 1000, **asked}
        page = (await get(hub, "/v1/log/entries", "auditor of KZ", **params)).json()
        alike.append({e["index"] for e in page["entries"] if e["entry"] is None})
        readable = {e["index"] for e in page["entries"] if e["entry"] is not None}
        assert (theirs in readable) == (asked == {"kind": "publish"})
        assert page["next"] >= theirs

    assert all(hidden in found for found in alike)
    assert all(found - alike[0] == set() or min(found - alike[0]) > theirs for found in alike)


async def test_a_refused_payload_is_kept_for_the_auditor(hub: Hub) -> None:
    async with hub.http("kz-mes") as http:
        index = (await http.post("/v1/messages", content=b"<what/>")).json()["index"]

    shown = (await get(hub, f"/v1/log/entries/{index}")).json()

    entry = json.loads(base64.b64decode(shown["entry"]))
    assert entry["code"] == "wrong-namespace"
    assert entry["payload_sha256"] == sha256(b"<what/>").hexdigest()


@pytest.mark.parametrize("path", ["/v1/log/entries", "/v1/log/entries/0", "/v1/dead-letters"])
async def test_the_log_is_for_auditors_and_operators(hub: Hub, path: str) -> None:
    """It holds what was said in private."""
    for who in ("auditor", "operator"):
        assert (await get(hub, path, who)).status_code == 200
    before = await hub.head()
    for who in ("az-fhn", "officer"):
        problem(await get(hub, path, who), 403, "not-allowed")
    await hub.refused("not-allowed", agency="az-fhn", after=before)


@pytest.mark.parametrize("index", [-1, 10**9, 1 << 53, 1 << 70])
async def test_beyond_its_ends_the_log_has_no_entry(hub: Hub, index: int) -> None:
    problem(await get(hub, f"/v1/log/entries/{index}"), 404, "entry-unknown")


@pytest.mark.parametrize("path", ["/v1/log/entries", "/v1/dead-letters"])
@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 1001}, {"after": -2}, {"after": 1 << 53}, {"after": "x"}]
)
async def test_what_is_no_cursor_or_limit_is_refused(
    hub: Hub, path: str, params: dict[str, Any]
) -> None:
    problem(await get(hub, path, **params), 422, "request-invalid")


async def test_past_the_end_the_cursor_stays(hub: Hub) -> None:
    beyond = await hub.head() + 50

    page = (await get(hub, "/v1/log/entries", after=beyond)).json()

    assert page == {"entries": [], "next": beyond}


async def test_an_auditor_of_a_state_reads_what_its_agencies_may_and_can_make_the_root(
    hub: Hub,
) -> None:
    """The rest of the log is there as leaf hashes: withheld, and not to be changed unseen."""
    private = await hub.publish("az-fhn", scope="Private", addresses="ir-ndmo")
    to_them = await hub.publish("az-fhn", scope="Private", addresses="kz-mes")
    await hub.publish("ru-mchs")
    async with hub.http("ru-mchs") as http:
        refused = (await http.post("/v1/messages", content=b"none")).json()["index"]
    head = (await get(hub, "/v1/log")).json()

    entries: list[dict[str, Any]] = []
    while len(entries) < head["size"]:
        page = await get(hub, "/v1/log/entries", "auditor of KZ", after=len(entries) - 1)
        entries += page.json()["entries"]
    entries = entries[: head["size"]]

    assert "kind" not in entries[private]
    assert entries[private]["entry"] is entries[refused]["entry"] is None
    assert entries[to_them]["payload"]
    assert entries[0]["kind"] == "genesis"
    for one in entries:
        if one["entry"] is not None:
            assert leaf_hash(base64.b64decode(one["entry"])).hex() == one["leaf"]
    assert _root([bytes.fromhex(e["leaf"]) for e in entries]).hex() == head["root"]
    shown = (await get(hub, f"/v1/log/entries/{private}", "auditor of ir-ndmo")).json()
    assert shown["kind"] == "publish"
    assert (await get(hub, f"/v1/messages/{private}", "auditor of ir-ndmo")).status_code == 200
    problem(await get(hub, f"/v1/messages/{private}", "auditor of KZ"), 404, "unknown-message")
    assert (await get(hub, "/v1/feeds/kz-mes", "auditor of KZ")).status_code == 200
    problem(await get(hub, "/v1/feeds/az-fhn", "auditor of KZ"), 404, "feed-unknown")


def _root(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 6962, section 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(_root(leaves[:half]), _root(leaves[half:]))
