"""Two thousand readers of event streams on one API process, beside two bare broadcasts.

Each reader has a connection of its own; all of them live in processes apart from the server's,
on the same machine. Measured is the time from the call that publishes a message to its
arrival at each reader: at the hub it is verified, logged with an fsync, and routed in between.

    python bench/subscribers.py [--clients 2000] [--messages 20] [--rate 2] [--rounds 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from hub.core.candidate import Candidate
from hub.log.store import Log
from hub.members.credentials import issue
from hub.parts import embedded_settings, parts
from hub.settings import Settings
from hub.streams.connect import connect
from hub.streams.embedded import free_port
from hub.streams.submit import propose
from hub.supervisor import Supervisor

HERE = Path(__file__).parent
PROCESSES = 2
IDLE_S = 10.0
"""So long nothing is published, to see what open streams cost by themselves; one heartbeat."""

PUBLISHER, READER = "az-bench", "ir-bench"
ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier>
<sender>centre@az.example</sender><sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType>
<scope>Public</scope><info><language>en-US</language><category>Env</category>
<event>Oil spill</event>
<urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
<headline>Oil on the water</headline><description>{text}</description>
<area><areaDesc>Absheron</areaDesc>
<polygon>40.1,49.9 40.6,49.9 40.6,50.6 40.1,49.9</polygon></area></info></alert>"""


def alert(name: str) -> bytes:
    """Return an alert of about 1.5 kB."""
    sent = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return ALERT.format(name=name, sent=sent, text="The oil drifts north. " * 35).encode()


@asynccontextmanager
async def hub(directory: Path) -> AsyncIterator[tuple[str, str, dict[str, str], Any]]:
    """Run a hub of real processes with one API; give the addresses and who may ask."""
    port = free_port()
    settings = embedded_settings(
        Settings(
            data=directory,
            port=free_port(),
            log_format="json",
            log_level="warning",
            agency_rate=0,
            address_rate=0,
            agency_streams=100_000,
        ),
        port=port,
    )
    supervisor = Supervisor(parts(settings, valkey_port=port), directory=directory)
    running = asyncio.create_task(supervisor.run())
    base = f"http://127.0.0.1:{settings.port}"
    redis = connect(settings.redis_url)
    try:
        async with httpx.AsyncClient() as http:
            for _ in range(600):
                with suppress(httpx.TransportError):
                    if (await http.get(f"{base}/readyz")).is_success:
                        break
                await asyncio.sleep(0.1)
            members = [{"id": a, "state": a[:2].upper(), "name": a} for a in (PUBLISHER, READER)]
            await propose(redis, [Candidate("member", "", body=m) for m in members])
            log = Log.open(settings.log_url)
            now = datetime.now(UTC)
            tokens = {
                a: issue(log, role="agency", agency=a, person="", expires=None, now=now)
                for a in (PUBLISHER, READER)
            }
            log.close()
            headers = {"Authorization": f"Bearer {tokens[READER]}"}
            for _ in range(600):
                if (await http.get(f"{base}/v1/feeds/{READER}", headers=headers)).is_success:
                    break
                await asyncio.sleep(0.1)
        yield base, f"/v1/feeds/{READER}/events", tokens, supervisor.states()["api"].pid
    finally:
        await redis.aclose()
        supervisor.stop()
        await running


@asynccontextmanager
async def peer(script: str) -> AsyncIterator[tuple[str, int]]:
    """Run a bare broadcast."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, str(HERE / script), str(port))
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http:
            for _ in range(300):
                with suppress(httpx.TransportError):
                    await http.get(f"{base}/none")
                    break
                await asyncio.sleep(0.1)
        yield base, process.pid
    finally:
        process.terminate()
        await process.wait()


def processor_s(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(
    base: str, pid: int, paths: Sequence[str], tokens: Sequence[str], given: argparse.Namespace
) -> dict[str, Any]:
    """Open all streams, publish at a steady rate, and return how long each arrival took."""
    events, publish = paths
    host, port = base.removeprefix("http://").split(":")
    share = given.clients // PROCESSES
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "sse_clients.py"),
            *(host, port, events, tokens[1], str(share), str(given.messages)),
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 28,
        )
        for _ in range(PROCESSES)
    ]
    for client in clients:
        assert client.stdout is not None
        await client.stdout.readline()
    sent: dict[int, float] = {}
    still = processor_s(pid)
    await asyncio.sleep(IDLE_S)
    still = (processor_s(pid) - still) / IDLE_S
    before = processor_s(pid)
    headers = {"Authorization": f"Bearer {tokens[0]}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
        began = time.monotonic()
        for number in range(given.messages):
            await asyncio.sleep(max(0.0, began + number / given.rate - time.monotonic()))
            payload, at = alert(f"bench-{os.getpid()}-{time.time_ns()}"), time.time()
            answer = await http.post(publish, content=payload)
            sent[answer.raise_for_status().json()["index"]] = at
    took, lost = [], 0
    for client in clients:
        out, _ = await client.communicate()
        told = json.loads(out)
        lost += told["lost"]
        took += [at - sent[int(i)] for i, times in told["came"].items() for at in times]
    took.sort()
    return {
        "arrived": len(took),
        "of": PROCESSES * share * given.messages,
        "lost": lost,
        "took": took,
        "p99_s": took[int(len(took) * 0.99)],
        "still": still,
        "each_us": 1e6 * (processor_s(pid) - before) / max(1, len(took)),
    }


def shown(name: str, found: dict[str, Any]) -> None:
    """Print one line."""
    took = found["took"]
    p50, p99 = (1000 * took[int(len(took) * q)] for q in (0.5, 0.99))
    print(
        f"{name:<7} {found['arrived']:>8} of {found['of']} arrived, {found['lost']} streams cut; "
        f"p50 {p50:7.1f} ms  p99 {p99:7.1f} ms  max {1000 * took[-1]:7.1f} ms; "
        f"processor {found['each_us']:5.1f} us each, idle {100 * found['still']:.1f} %",
        flush=True,
    )


async def main(given: argparse.Namespace) -> None:
    """Measure both, round by round in turn."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    of: dict[str, list[dict[str, Any]]] = {"hub": [], "library": [], "raw": []}
    with tempfile.TemporaryDirectory() as directory:
        async with (
            hub(Path(directory)) as (base, events, tokens, pid),
            peer("peer_sse.py") as library,
            peer("peer_raw.py") as raw,
        ):
            both = [tokens[PUBLISHER], tokens[READER]]
            bare = ("/events", "/publish")
            for _ in range(given.rounds):
                of["hub"].append(await measured(base, pid, (events, "/v1/messages"), both, given))
                of["library"].append(await measured(*library, bare, both, given))
                of["raw"].append(await measured(*raw, bare, both, given))
                for name, found in of.items():
                    shown(name, found[-1])
    for name in ("library", "raw"):
        waits, work = (
            median(
                ours[key] / theirs[key] for ours, theirs in zip(of["hub"], of[name], strict=True)
            )
            for key in ("p99_s", "each_us")
        )
        print(f"hub to {name}: p99 {waits:.2f}, processor {work:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=1)
    asyncio.run(main(parser.parse_args()))
