"""One publisher, durable receipts, five members that read and acknowledge: the hub beside NATS.

Both do the same work (bench/work.py) in the same run, round by round in turn, on one
machine. The hub verifies every message, keeps a Merkle log, routes by entitlement and
answers with a receipt; NATS JetStream (``sync_interval: always``) stores and delivers.

    python bench/end_to_end.py [--messages 10000] [--rounds 3] [--grow 0]

``--grow N`` measures a second hub, whose log has N entries, beside one on an empty log, to
show that the rate does not depend on the size of the log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

import peer_nats
from grow import grow
from redis.exceptions import RedisError
from work import WORK

from hub.core.candidate import Candidate
from hub.parts import embedded_settings, parts
from hub.settings import Settings
from hub.streams import keys
from hub.streams.connect import connect
from hub.streams.embedded import free_port
from hub.streams.submit import propose
from hub.supervisor import Supervisor

AGENCIES = ("az-bench", "ir-bench", "kz-bench", "ru-bench", "tm-bench")[: WORK.members]
HERE = Path(__file__).parent


class Hub:
    """A hub of real processes, measured from outside."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self.settings, self.supervisor = settings, supervisor

    def peak_mib(self) -> float:
        """Return the peak memory of all processes together, in MiB; shared pages count in each."""
        pids = [s.pid for s in self.supervisor.states().values() if s.pid]
        return sum(_peak_kib(pid) for pid in pids) / 1024

    async def round(self, run: str, count: int, rate: float) -> dict[str, object]:
        """Publish and read *count* messages; *rate* 0 is as fast as possible."""
        url = self.settings.redis_url
        readers = [
            await _agency("read", url, feed, run, str(count), piped=True) for feed in AGENCIES
        ]
        for reader in readers:
            assert reader.stdout is not None
            await reader.stdout.readline()
        publisher = await _agency("publish", url, AGENCIES[0], run, "0", str(count), str(rate))
        out, _ = await publisher.communicate()
        sent = json.loads(out)
        read = [json.loads((await r.communicate())[0]) for r in readers]
        return {
            "accepted_per_s": count / (sent["ended"] - sent["began"]),
            "end_to_end_per_s": count / (max(r["ended"] for r in read) - sent["began"]),
            "feed_s": sorted(x for r in read for x in r["feed_s"]),
            "receipt_s": sorted(sent["receipt_s"]),
        }


async def _agency(*args: str, piped: bool = True) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "agency.py"),
        *args,
        stdout=asyncio.subprocess.PIPE if piped else None,
        limit=1 << 26,
    )


def _peak_kib(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    return 0


@asynccontextmanager
async def hub(directory: Path) -> AsyncIterator[Hub]:
    """Run a hub of real processes with its members registered."""
    port = free_port()
    settings = embedded_settings(
        Settings(
            data=directory,
            log_format="json",
            log_level="warning",
            agency_rate=0,
            address_rate=0,
        ),
        port=port,
    )
    supervisor = Supervisor(parts(settings, valkey_port=port, api=False), directory=directory)
    running = asyncio.create_task(supervisor.run())
    redis = connect(settings.redis_url)
    try:

        async def up() -> bool:
            with suppress(RedisError):
                return bool(await redis.ping())
            return False

        async def joined() -> bool:
            return await redis.exists(*(keys.feed(a) for a in AGENCIES)) == len(AGENCIES)

        await _until(up)
        await propose(
            redis,
            [
                Candidate("member", "", body={"id": a, "state": a[:2].upper(), "name": a})
                for a in AGENCIES
            ],
        )
        await _until(joined)
        yield Hub(settings, supervisor)
    finally:
        supervisor.stop()
        await running
        await redis.aclose()


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 60
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the hub does not start")
        await asyncio.sleep(0.05)


def at(sorted_s: list[float], share: float) -> float:
    """Return a quantile in milliseconds."""
    return 1000 * sorted_s[min(len(sorted_s) - 1, int(share * len(sorted_s)))]


def fsync_us(directory: Path, times: int = 200) -> float:
    """Return the median time of writing and syncing 4 KiB, in microseconds."""
    found = []
    with (directory / "probe").open("wb") as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            found.append(time.perf_counter() - began)
    return 1e6 * median(found)


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--grow", type=int, default=0)
    parser.add_argument("--no-peer", action="store_true")
    args = parser.parse_args()
    rounds: dict[str, list[dict]] = {"hub": [], "nats": []}
    with tempfile.TemporaryDirectory(prefix="caspian-bench-") as name:
        directory = Path(name)
        print(
            f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, "
            f"write + fsync of 4 KiB {fsync_us(directory):.0f} us"
        )
        async with hub(directory / "hub") as h:
            for i in range(args.rounds):
                rounds["hub"].append(await h.round(f"fast{i}", args.messages, 0))
                if not args.no_peer:
                    rounds["nats"].append(
                        await peer_nats.measure(directory / f"nats{i}", args.messages, 0)
                    )
            paced = WORK.paced_per_s * WORK.paced_s
            slow = {"hub": await h.round("paced", paced, WORK.paced_per_s)}
            if not args.no_peer:
                slow["nats"] = await peer_nats.measure(
                    directory / "nats-paced", paced, WORK.paced_per_s
                )
            memory = {"hub": h.peak_mib()}
            if not args.no_peer:
                memory["nats"] = slow["nats"]["peak_mib"]
            _print(rounds, slow, memory)
        if args.grow:
            await _grown(directory, args.messages, args.rounds, args.grow)


def _print(rounds: dict, slow: dict, memory: dict) -> None:
    print(f"{'':28}{'hub':>12}{'NATS':>12}{'ratio':>8}")

    def row(what: str, values: dict[str, float]) -> None:
        ratio = values["hub"] / values["nats"] if values.get("nats") else float("nan")
        print(f"{what:28}{values['hub']:12.1f}{values.get('nats', float('nan')):12.1f}{ratio:8.2f}")

    for key in ("accepted_per_s", "end_to_end_per_s"):
        row(
            key.replace("_per_s", "/s"),
            {n: median(r[key] for r in rs) for n, rs in rounds.items() if rs},
        )
    for share, label in ((0.5, "p50"), (0.99, "p99")):
        row(f"publish to feed {label}, ms", {n: at(s["feed_s"], share) for n, s in slow.items()})
        row(
            f"publish to receipt {label}, ms",
            {n: at(s["receipt_s"], share) for n, s in slow.items()},
        )
    row("peak memory, MiB", memory)


async def _grown(directory: Path, messages: int, count: int, size: int) -> None:
    """Measure two hubs in turn: one on an empty log, one on a log of *size* entries."""
    url = f"sqlite:///{directory / 'large' / 'log.db'}"
    rate = await asyncio.to_thread(grow, url, size, Settings().origin, AGENCIES)
    print(f"\na log of {size} entries was made, {rate:.0f} a second")
    rounds: dict[str, list[dict]] = {"small": [], "large": []}
    async with hub(directory / "small") as small, hub(directory / "large") as large:
        for i in range(count + 1):
            for name, one in (("small", small), ("large", large)):
                rounds[name].append(await one.round(f"grown{i}", messages, 0))
    print(f"{'':28}{'empty log':>12}{size:>12}{'ratio':>8}")
    for key in ("accepted_per_s", "end_to_end_per_s"):
        # The first round of each warms up what a fresh process has not loaded.
        a, b = (median(r[key] for r in rounds[name][1:]) for name in ("small", "large"))
        print(f"{key.replace('_per_s', '/s'):28}{a:12.1f}{b:12.1f}{b / a:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
