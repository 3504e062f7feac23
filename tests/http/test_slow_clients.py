"""A connection that does not get on with it is closed, and costs nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from hub.http import guard
from hub.http.guard import LONGEST_BODY_BYTES
from hub.http.wire import Wire
from tests.http.test_refusals import send
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def line(hub: Hub) -> AsyncIterator[Line]:
    """Open a connection."""
    reader, writer = await asyncio.open_connection(hub.settings.host, hub.settings.port)
    try:
        async with asyncio.timeout(30):
            yield reader, writer
    finally:
        writer.close()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Read one answer with a length; return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


@pytest.mark.parametrize("begun", [b"GET", b"GET /v1/feeds HTTP/1.1\r\nX-One: 1\r\n"])
async def test_a_head_that_does_not_end_is_refused_and_logged(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(Wire, "head_s", 0.1)
    before = await hub.head()

    answer = await send(hub, begun)

    assert answer is not None
    problem(answer, 408, "head-too-slow")
    assert answer.headers["connection"] == "close"
    await hub.refused("head-too-slow", after=before)


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """Return what came before the end, or before a reset: the hub does not read what is late."""
    data = b""
    with suppress(ConnectionResetError):
        while chunk := await reader.read(4096):
            data += chunk
    return data


async def test_a_head_that_comes_by_drops_gets_no_more_time(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "head_s", 0.3)
    async with line(hub) as (reader, writer):
        writer.write(b"GET /v1/feeds HTTP/1.1\r\n")
        said = asyncio.create_task(_all_of(reader))
        while not said.done():
            writer.write(b"X-One: 1\r\n")
            await asyncio.wait([said], timeout=0.02)

        assert b" 408 " in said.result()


@pytest.mark.parametrize("said", [b"", b"\r\n"], ids=["nothing", "an empty line"])
async def test_who_asks_nothing_is_left(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(Wire, "head_s", 0.1)
    async with line(hub) as (reader, writer):
        writer.write(said)

        assert await reader.read() == b""


async def test_between_two_requests_a_connection_waits_a_while_and_no_longer(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "idle_s", 0.3)
    async with line(hub) as (reader, writer):
        for _ in range(2):
            writer.write(ASKED)
            assert b"alive" in await answered(reader)

        assert await reader.read() == b""


async def test_empty_lines_between_two_requests_do_not_keep_a_connection(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "head_s", 0.2)
    async with line(hub) as (reader, writer):
        writer.write(ASKED)
        assert b"alive" in await answered(reader)
        writer.write(b"\r\n")

        assert await reader.read() == b""


async def test_a_head_that_waits_for_our_own_answer_is_not_slow(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "head_s", 0.1)
    token = hub.tokens["az-fhn"].encode()
    head = await hub.head()
    polled = (
        b"GET /v1/feeds/az-fhn.system?wait=1&after=%d HTTP/1.1\r\nHost: hub\r\n"
        b"Authorization: Bearer %s\r\n\r\n" % (head, token)
    )
    async with line(hub) as (reader, writer):
        writer.write(polled + ASKED[:10])
        assert b"entries" in await answered(reader)
        writer.write(ASKED[10:])

        assert b"alive" in await answered(reader)


async def test_a_body_of_json_is_neither_waited_for_nor_kept_without_bound(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From anybody: the framework reads it before it asks for a token."""
    head = b"POST /v1/session HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    long = b"x" * (LONGEST_BODY_BYTES + 1)

    too_long = await send(hub, head + b"Content-Length: %d\r\n\r\n" % len(long) + long)
    monkeypatch.setattr(guard, "_PATIENCE_S", 0.1)
    too_slow = await send(hub, head + b'Content-Length: 100\r\n\r\n{"name":')

    assert too_long is not None
    problem(too_long, 413, "too-large")
    assert too_long.headers["connection"] == "close"
    assert too_slow is not None
    problem(too_slow, 408, "body-too-slow")
    assert too_slow.headers["connection"] == "close"
