"""``GET /v1/feeds/{feed}/events``: each entry once, in order, through every break of the line."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from hub.client import StreamPublisher
from hub.http.event_streams import Heart
from hub.streams import keys
from hub.streams.embedded import free_port
from hub.telemetry import process_metrics
from tests.http.events import events
from tests.hubkit import Hub, alert, another_api, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def publish_on_the_stream(hub: Hub, count: int, **given: Any) -> list[int]:
    """Publish without the API, which may be away; return the indexes."""
    async with StreamPublisher(
        hub.settings.redis_url, "az-fhn", resend_after=timedelta(seconds=1)
    ) as publisher:
        receipts = await asyncio.gather(*(publisher.publish(alert(**given)) for _ in range(count)))
    return sorted(r.index for r in receipts)


async def publish_some(hub: Hub, count: int, **given: Any) -> list[int]:
    """Publish through the API; return the indexes."""
    return sorted(await asyncio.gather(*(hub.publish(**given) for _ in range(count))))


async def test_one_begins_with_what_comes_from_now_on(hub: Hub) -> None:
    await hub.publish()

    async with events(hub, "kz-mes", "kz-mes") as stream:
        position = await stream.next()
        index = await hub.publish()
        (entry,) = await stream.through(index)

    assert position.event == "position"
    assert json.loads(position.data)["after"] == int(position.id) < index
    assert entry["index"] == index


async def test_an_event_is_the_entry_that_the_cursor_gives(hub: Hub) -> None:
    index = await hub.publish()
    await hub.fed("kz-mes", index)
    async with hub.http("kz-mes") as http:
        page = (await http.get("/v1/feeds/kz-mes", params={"after": index - 1})).json()

    async with events(hub, "kz-mes", "kz-mes", after=index - 1) as stream:
        found = await stream.through(index)

    assert found == page["entries"]


async def test_the_last_event_id_goes_before_the_parameter(hub: Hub) -> None:
    """A browser repeats the address that it was given, and adds how far it has come."""
    first, second = await hub.publish(), await hub.publish()

    async with events(hub, "kz-mes", "kz-mes", last=first, after=-1) as stream:
        found = await stream.through(second)

    assert [e["index"] for e in found] == [second]


async def test_a_stream_is_safe_to_pass_on_and_is_not_kept(hub: Hub) -> None:
    async with events(hub, "kz-mes", "kz-mes") as stream:
        headers = stream.response.headers

    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("last", ["-1", "x", "1-0", "١", "1.5", str(1 << 70)])
async def test_what_is_no_index_is_no_place_to_go_on_from(hub: Hub, last: str) -> None:
    async with hub.http("kz-mes") as http:
        answer = await http.get(
            "/v1/feeds/kz-mes/events", headers={b"Last-Event-ID": last.encode()}
        )

    problem(answer, 422, "cursor-invalid")


async def test_a_filter_leaves_out_events(hub: Hub) -> None:
    async with events(hub, "kz-mes", "kz-mes", severity="Extreme") as stream:
        await stream.next()
        await hub.publish(severity="Minor")
        grave = await hub.publish(severity="Extreme")

        assert [e["index"] for e in await stream.through(grave)] == [grave]


async def test_an_idle_stream_shows_that_it_lives(hub: Hub) -> None:
    async with (
        another_api(hub, sse_heartbeat=timedelta(milliseconds=50)) as other,
        hub.http("kz-mes") as http,
        http.stream("GET", f"http://127.0.0.1:{other.port}/v1/feeds/kz-mes/events") as response,
        asyncio.timeout(20),
    ):
        comments = 0
        async for line in response.aiter_lines():
            comments += line.startswith(":")
            if comments == 3:
                break

    assert comments == 3


async def restart_the_api(hub: Hub) -> None:
    await hub.api.stop()
    await publish_on_the_stream(hub, 3)
    await hub.api.start()


async def kill_valkey(hub: Hub) -> None:
    await asyncio.to_thread(hub.valkey.kill)
    await asyncio.to_thread(hub.valkey.start)


async def lose_valkey(hub: Hub) -> None:
    """Kill it, and delete what it kept: it comes back empty."""
    await asyncio.to_thread(hub.valkey.kill)
    for kept in (hub.valkey.directory / "appendonlydir").glob("*"):
        kept.unlink()
    await asyncio.to_thread(hub.valkey.start)


async def flush(hub: Hub) -> None:
    await hub.redis.flushall()


async def trim(hub: Hub) -> None:
    await hub.redis.xtrim(keys.feed("ir-ndmo"), maxlen=1, approximate=False)


@pytest.mark.parametrize("mishap", [trim, restart_the_api, kill_valkey, flush])
async def test_who_resumes_by_the_last_event_id_gets_every_entry_once_and_in_order(
    hub: Hub, mishap: Any
) -> None:
    before = await hub.head()
    published = await publish_some(hub, 4)
    async with events(hub, "ir-ndmo", "ir-ndmo", last=before) as stream:
        seen = await stream.through(published[1])
    published += await publish_some(hub, 2)

    await mishap(hub)
    published += await publish_some(hub, 2)
    async with events(hub, "ir-ndmo", "ir-ndmo", last=seen[-1]["index"]) as stream:
        seen += await stream.through(published[-1])

    known = {r.index for r in await hub.rows("publish", after=before)}
    assert [e["index"] for e in seen] == sorted(known)
    assert known >= set(published)


@pytest.mark.parametrize("mishap", [kill_valkey, lose_valkey, flush])
async def test_an_open_stream_outlives_a_mishap_of_redis(hub: Hub, mishap: Any) -> None:
    before = await hub.head()
    async with events(hub, "ir-ndmo", "ir-ndmo", last=before) as stream:
        published = await publish_some(hub, 3)
        seen = await stream.through(published[-1])
        await mishap(hub)
        published += await publish_some(hub, 3)
        seen += await stream.through(published[-1])

    assert [e["index"] for e in seen] == published


async def test_a_reader_that_stalls_is_cut_off_and_costs_no_other(hub: Hub) -> None:
    """It never reads: what is sent to it fills the line, then its queue, and then it is dropped."""
    before = await hub.head()
    dropped = process_metrics().sse_dropped
    had = dropped._value.get()
    async with another_api(hub, sse_queue=10) as other, AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{other.port}"
        stalled = stack.enter_context(socket.socket())
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.settimeout(0)  # as the loop wants it
        loop = asyncio.get_running_loop()
        await loop.sock_connect(stalled, ("127.0.0.1", other.port))
        await loop.sock_sendall(
            stalled,
            b"GET /v1/feeds/tm-msfs/events HTTP/1.1\r\nHost: hub\r\n"
            b"Authorization: Bearer " + hub.tokens["tm-msfs"].encode() + b"\r\n\r\n",
        )
        assert b"200 OK" in await loop.sock_recv(stalled, 200)
        stream = await stack.enter_async_context(
            events(hub, "tm-msfs", "tm-msfs", url=url, last=before)
        )

        published: list[int] = []
        seen: list[int] = []
        while dropped._value.get() == had:
            assert len(published) < 400
            published += await publish_some(hub, 4, headline="x" * 200_000)
            seen += [e["index"] for e in await stream.through(published[-1])]

    assert seen == published


@asynccontextmanager
async def real_process(hub: Hub, directory: Path, **given: Any) -> AsyncIterator[Any]:
    """Serve the hub by a process of its own; give it, and its address."""
    settings = hub.settings.model_copy(update={"port": free_port(), **given})
    with (directory / "serve.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub.cli",
            "serve",
            env=settings.to_environment()
            | {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd())},
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{settings.port}"

    async def ready() -> bool:
        assert process.returncode is None, (directory / "serve.log").read_text()
        try:
            async with hub.http() as http:
                return (await http.get(f"{url}/readyz")).is_success
        except httpx.TransportError:
            return False

    try:
        await until(ready, "the process serves", 30)
        yield process, url
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: Any, directory: Path) -> None:
    """Wait until a process has ended by itself, in good order.

    It waits without end for what nobody stops; the time here is for a machine that is busy.
    """
    async with asyncio.timeout(45):
        assert await process.wait() == 0
    assert "Traceback" not in (directory / "serve.log").read_text()


async def test_a_real_process_with_open_streams_ends_when_it_is_told_to(
    hub: Hub, tmp_path: Path
) -> None:
    async with real_process(hub, tmp_path) as (process, url), AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(events(hub, who, who, url=url))
            for who in ("kz-mes", "ru-mchs", "tm-msfs")
        ]
        for stream in streams:
            assert (await stream.next()).event == "position"

        process.send_signal(signal.SIGTERM)

        for stream in streams:
            with pytest.raises((StopAsyncIteration, httpx.RemoteProtocolError)):
                await stream.next()
        await ended(process, tmp_path)


async def test_what_does_not_end_by_itself_is_broken_off_after_the_grace(
    hub: Hub, tmp_path: Path
) -> None:
    """A reader that polls for a minute would keep the process for as long."""
    grace = timedelta(seconds=1)
    async with (
        real_process(hub, tmp_path, api_grace=grace) as (process, url),
        hub.http("kz-mes") as http,
    ):
        asked = f"{url}/v1/feeds/kz-mes?wait=60&after={await hub.head()}"
        polling = asyncio.create_task(http.get(asked, timeout=90))
        async with events(hub, "kz-mes", "kz-mes", url=url) as stream:
            await stream.next()  # so the poll, which was asked before, is under way
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(45):
                await process.wait()

        with suppress(httpx.TransportError):
            assert (await polling).status_code == 500
    assert process.returncode == 0


async def test_who_is_admitted_to_a_replay_no_longer_reads_on_no_longer(hub: Hub) -> None:
    index = await hub.publish()
    async with (
        another_api(hub, sse_heartbeat=timedelta(milliseconds=50)) as other,
        hub.http("auditor") as http,
    ):
        replay = {"sandbox": "withdrawn", "first": index, "through": index, "paused": True}
        assert (await http.post("/v1/replays", json=replay)).status_code == 201
        admission = {"agency": "kz-mes"}
        await http.post("/v1/replays/withdrawn/admissions", json=admission)
        url = f"http://127.0.0.1:{other.port}"
        async with events(hub, "kz-mes", "kz-mes", url=url, sandbox="withdrawn") as stream:
            await stream.next()
            await http.delete("/v1/replays/withdrawn/admissions", params=admission)
            with pytest.raises(StopAsyncIteration):
                await stream.next()
        await http.delete("/v1/replays/withdrawn")


async def test_all_readers_are_looked_after_with_one_query(hub: Hub) -> None:
    """Two thousand of them would keep the store busy with nothing else."""
    others = ("az-fhn", "kz-mes", "ru-mchs", "tm-msfs", "ir-ndmo")
    asked: list[str] = []

    def asks(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    async with AsyncExitStack() as stack:
        for who in others:
            stream = await stack.enter_async_context(events(hub, who, who))
            await stream.next()
        parts = hub.api.parts
        event.listen(parts.log.engine, "before_cursor_execute", asks)
        try:
            await Heart(parts)._look()
        finally:
            event.remove(parts.log.engine, "before_cursor_execute", asks)

    assert len([s for s in asked if "credentials" in s]) == 1
