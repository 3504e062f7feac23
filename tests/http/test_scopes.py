"""A token does what its role may and its scopes leave of it, and nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from hub.members.credentials import Authenticator, issue, listed
from tests.hubkit import Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(hub: Hub, who: str, method: str, path: str) -> httpx.Response:
    async with hub.http(who) as http:
        if method == "GET":
            return await http.get(path)
        if path == "/v1/messages":
            return await http.post(path, content=alert())
        return await http.post(path, json={"through": 0} if "confirm" in path else {})


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [
        ("only reads", "POST", "/v1/messages"),
        ("only reads", "POST", "/v1/messages/1/acknowledgements"),
        ("only reads", "POST", "/v1/feeds/az-fhn/confirmations"),
        ("only publishes", "GET", "/v1/feeds"),
        ("only publishes", "GET", "/v1/feeds/az-fhn"),
        ("only publishes", "GET", "/v1/feeds/az-fhn/events"),
        ("only publishes", "GET", "/v1/messages/1"),
        ("only publishes", "GET", "/v1/messages/1/payload"),
        ("only publishes", "GET", "/v1/messages/1/thread"),
        ("only publishes", "GET", "/v1/incidents"),
        ("only publishes", "GET", "/v1/incidents/AC-1"),
        ("only publishes", "GET", "/v1/aid/board"),
        ("only publishes", "GET", "/v1/members"),
    ],
)
async def test_a_scope_that_was_left_out_is_missing(
    hub: Hub, who: str, method: str, path: str
) -> None:
    before = await hub.head()

    problem(await ask(hub, who, method, path), 403, "scope-missing")

    await hub.refused("scope-missing", agency="az-fhn", after=before)


async def test_what_a_scope_names_is_allowed(hub: Hub) -> None:
    assert (await ask(hub, "only publishes", "POST", "/v1/messages")).status_code == 201
    for path in ("/v1/feeds", "/v1/feeds/az-fhn", "/v1/aid/board", "/v1/members", "/v1/incidents"):
        assert (await ask(hub, "only reads", "GET", path)).status_code == 200


@pytest.mark.parametrize("who", ["witness", "mirror", "registrar"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages"),
        ("GET", "/v1/feeds"),
        ("GET", "/v1/feeds/az-fhn"),
        ("GET", "/v1/messages/1"),
        ("GET", "/v1/log/entries"),
        ("GET", "/v1/dead-letters"),
        ("POST", "/v1/dead-letters/1/retry"),
    ],
)
async def test_neither_witness_nor_mirror_nor_registrar_reads_or_publishes(
    hub: Hub, who: str, method: str, path: str
) -> None:
    problem(await ask(hub, who, method, path), 403, "not-allowed")
    assert (await ask(hub, who, "GET", "/v1/log")).status_code == 200


async def test_the_last_use_is_written_down_together_and_later(hub: Hub) -> None:
    """A write for each request would cost more than the request."""
    now = datetime.now(UTC)
    token = await asyncio.to_thread(
        issue, hub.log, role="auditor", person="Seldom", expires=None, now=now
    )
    door = Authenticator(hub.log)

    def used() -> datetime | None:
        (one,) = [c for c in listed(hub.log) if token.startswith(f"csp_{c.prefix}_")]
        return one.used

    await asyncio.to_thread(door.principal, token)
    assert await asyncio.to_thread(used) is None
    await asyncio.to_thread(door.note_use)
    first = await asyncio.to_thread(used)

    assert first is not None
    assert first >= now
    slow = Authenticator(hub.log, clock=lambda: now.timestamp() - 60)
    await asyncio.to_thread(slow.principal, token)
    await asyncio.to_thread(slow.note_use)
    assert await asyncio.to_thread(used) == first
