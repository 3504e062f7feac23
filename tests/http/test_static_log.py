"""The log as static files: a stranger verifies it from them, and reads nothing it may not."""

from __future__ import annotations

import asyncio
import gzip
from hashlib import sha256
from typing import Any

import pytest

from hub.core.merkle import leaf_hash, root_of
from hub.core.proofs import range_root
from hub.core.tiles import node_from, partial_widths, tile_path
from schemas.checkpoint import Checkpoint, read_checkpoint
from schemas.ed25519 import VerifierKey
from tests.hubkit import Hub, problem, running_hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def get(hub: Hub, path: str, who: str = "", **headers: str) -> Any:
    async with hub.http(who) as http:
        return await http.get(path, headers=headers)


async def signed(hub: Hub, size: int) -> Checkpoint:
    """Wait until a checkpoint covers *size* entries; return the newest, verified."""
    key = (await get(hub, "/v1/log/entries/0", "auditor")).json()
    assert key["kind"] == "genesis"
    first = await asyncio.to_thread(hub.log.row, 0)
    assert first is not None
    public = VerifierKey.read(first.entry["key"])
    found: list[Checkpoint] = []

    async def there() -> bool:
        answer = await get(hub, "/log/checkpoint")
        if answer.status_code == 404:
            return False
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        found[:] = [read_checkpoint(answer.content, hub.settings.origin, (public,))[0]]
        return found[0].size >= size

    await until(there, f"{size} entries are signed", 20)
    return found[0]


async def test_a_stranger_verifies_the_checkpoint_from_the_tiles_alone(hub: Hub) -> None:
    index = await hub.publish()
    checkpoint = await signed(hub, index + 1)
    tiles = {}
    for level, number, width in partial_widths(checkpoint.size):
        answer = await get(hub, f"/log/{tile_path(level, number, width)}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"].startswith("public, ")
        tiles[level, number] = answer.content

    assert range_root(node_from(tiles), 0, checkpoint.size) == checkpoint.root


async def test_a_mirror_gets_the_exact_bytes_of_all_entries(hub: Hub) -> None:
    other = {"scope": "Private", "addresses": "ir-ndmo"}
    index = await hub.publish(**other)
    checkpoint = await signed(hub, index + 1)
    answer = await get(hub, f"/log/tile/entries/000.p/{checkpoint.size}", "mirror")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"].startswith("private, ")
    entries, data = [], answer.content
    while data:
        length = int.from_bytes(data[:2], "big")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]

    assert root_of(entries) == checkpoint.root
    assert b"Crude oil" not in answer.content, "a mirror never gets a payload"
    row = await asyncio.to_thread(hub.log.row, index)
    assert row is not None
    assert entries[index] == row.body


async def test_entries_come_packed_where_that_is_asked_for(hub: Hub) -> None:
    path = "/log/tile/entries/000.p/3"
    plain = await get(hub, path, "auditor", **{"Accept-Encoding": "identity"})
    async with hub.http("auditor") as http, http.stream("GET", path) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])

    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert answer.headers["etag"] != plain.headers["etag"]
    assert "Authorization" in answer.headers["vary"]


@pytest.mark.parametrize(
    "path", ["/log/checkpoint", "/log/tile/0/000.p/2", "/log/tile/entries/000.p/2"]
)
async def test_what_one_has_already_is_not_sent_again(hub: Hub, path: str) -> None:
    if path == "/log/checkpoint":
        await signed(hub, await hub.head() + 1)
    first = await get(hub, path, "auditor")
    tag = first.headers["etag"]

    for have in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await get(hub, path, "auditor", **{"If-None-Match": have})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    assert (await get(hub, path, "auditor", **{"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("who", ["az-fhn", "officer", "auditor of KZ", "registrar", "witness"])
async def test_whoever_is_no_mirror_gets_no_entries(hub: Hub, who: str) -> None:
    problem(await get(hub, "/log/tile/entries/000.p/1", who), 403, "not-allowed")


async def test_nobody_gets_entries_without_a_token(hub: Hub) -> None:
    problem(await get(hub, "/log/tile/entries/000.p/1"), 401, "token-missing")


@pytest.mark.parametrize(
    "path",
    [
        "0/000",
        "0/x001/000",
        "0/000.p/0",
        "0/000.p/256",
        "00/000.p/1",
        "64/000.p/1",
        "0/0.p/1",
        "entries/000",
        "entries/000.p/256",
        "entries/x999/x999/x999/x999/x999/999",
        "entries/",
        "7/000.p/1",
    ],
)
async def test_what_there_is_not_is_not_found(hub: Hub, path: str) -> None:
    problem(await get(hub, f"/log/tile/{path}", "auditor"), 404, "entry-unknown")


async def test_a_tile_holds_the_leaves(hub: Hub) -> None:
    index = await hub.publish()
    answer = await get(hub, f"/log/tile/0/000.p/{index + 1}")
    row = await asyncio.to_thread(hub.log.row, index)

    assert row is not None
    assert answer.content[-32:] == leaf_hash(row.body)
    assert answer.headers["etag"] == f'"{sha256(answer.content).hexdigest()[:32]}"'


async def test_a_hub_that_signs_nothing_says_so(tmp_path_factory: Any) -> None:
    async with running_hub(tmp_path_factory.mktemp("unsigned"), members=False, log_key="") as hub:
        problem(await get(hub, "/log/checkpoint"), 404, "checkpoint-none")
