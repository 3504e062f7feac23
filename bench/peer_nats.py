"""The same work on NATS JetStream with ``sync_interval: always``: a receipt there is durable too.

Also the process that one agency runs: ``peer_nats.py publish|read URL …``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import nats
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import ConsumerConfig, StreamConfig
from work import WORK, payload, sent_ns

from hub.streams.embedded import free_port

__all__ = ["measure"]

SUBJECT = "alerts"


async def measure(directory: Path, count: int, rate: float) -> dict[str, Any]:
    """Run one round on a server of its own; return the figures of `end_to_end.Hub.round`."""
    await asyncio.to_thread(directory.mkdir, parents=True)
    port = free_port()
    config = directory / "nats.conf"
    config.write_text(
        f'listen: "127.0.0.1:{port}"\nmax_payload: 2MB\n'
        f'jetstream {{ store_dir: "{directory}/store", sync_interval: always }}\n'
    )
    server = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "nats-server"),
        "-c",
        str(config),
        stderr=(directory / "log").open("wb"),
    )
    url = f"nats://127.0.0.1:{port}"
    try:
        await _stream(url)
        readers = [
            await _process("read", url, f"member{i}", str(count)) for i in range(WORK.members)
        ]
        for reader in readers:
            assert reader.stdout is not None
            await reader.stdout.readline()
        publisher = await _process("publish", url, str(count), str(rate))
        sent = json.loads((await publisher.communicate())[0])
        read = [json.loads((await r.communicate())[0]) for r in readers]
        peak = _peak_mib(server.pid)
    finally:
        server.terminate()
        await server.wait()
    return {
        "accepted_per_s": count / (sent["ended"] - sent["began"]),
        "end_to_end_per_s": count / (max(r["ended"] for r in read) - sent["began"]),
        "feed_s": sorted(x for r in read for x in r["feed_s"]),
        "receipt_s": sorted(sent["receipt_s"]),
        "peak_mib": peak,
    }


async def _stream(url: str) -> None:
    host, _, port = url.rpartition("/")[2].partition(":")
    for _ in range(200):
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            break
        await asyncio.sleep(0.05)
    connection = await nats.connect(url)
    js = connection.jetstream()
    await js.add_stream(StreamConfig(name="ALERTS", subjects=[SUBJECT]))
    for i in range(WORK.members):
        await js.add_consumer(
            "ALERTS",
            ConsumerConfig(
                durable_name=f"member{i}", ack_policy="explicit", max_ack_pending=10_000
            ),
        )
    await connection.close()


async def _process(*args: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, __file__, *args, stdout=asyncio.subprocess.PIPE, limit=1 << 26
    )


def _peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _publish(url: str, count: int, rate: float) -> None:
    connection = await nats.connect(url)
    js = connection.jetstream(publish_async_max_pending=2 * WORK.window)
    slots = asyncio.Semaphore(WORK.window)
    latencies: list[float] = []
    waiting = []
    began = time.monotonic()
    for number in range(count):
        await slots.acquire()
        if rate and (wait := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        sent = time.monotonic()
        future = await js.publish_async(SUBJECT, payload("nats", number))

        def done(_: Any, sent: float = sent) -> None:
            latencies.append(time.monotonic() - sent)
            slots.release()

        future.add_done_callback(done)
        waiting.append(future)
    await asyncio.gather(*waiting)
    print(json.dumps({"began": began, "ended": time.monotonic(), "receipt_s": latencies}))
    await connection.close()


async def _read(url: str, member: str, count: int) -> None:
    connection = await nats.connect(url)
    subscription = await connection.jetstream().pull_subscribe_bind(member, "ALERTS")
    latencies, seen = [], 0
    print("ready", flush=True)
    while seen < count:
        # What is there comes at once; only where nothing is does the time-out count.
        with suppress(NatsTimeoutError):
            for message in await subscription.fetch(WORK.batch, timeout=1):
                latencies.append((time.monotonic_ns() - sent_ns(message.data)) / 1e9)
                await message.ack()
                seen += 1
    await connection.flush()
    print(json.dumps({"ended": time.monotonic(), "seen": seen, "feed_s": latencies}))
    await connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "publish":
        asyncio.run(_publish(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    else:
        asyncio.run(_read(sys.argv[2], sys.argv[3], int(sys.argv[4])))
