"""An agency's own system in a process of its own: publishes, or reads and acknowledges.

Usage: agency.py publish URL AGENCY RUN FIRST COUNT RATE   (RATE 0: as fast as the window lets)
       agency.py read URL FEED RUN COUNT

Prints one JSON object when it is done; ``read`` prints ``ready`` first.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))

from work import WORK, payload, sent_ns

from hub.client.stream import StreamPublisher, read_feed


async def publish(url: str, agency: str, run: str, first: int, count: int, rate: float) -> None:
    """Publish messages, a window of them under way at once; print when each had its receipt."""
    slots = asyncio.Semaphore(WORK.window)
    latencies: list[float] = []
    began = time.monotonic()
    async with StreamPublisher(url, agency) as publisher:

        async def one(number: int) -> None:
            sent = time.monotonic()
            await publisher.publish(payload(run, number))
            latencies.append(time.monotonic() - sent)
            slots.release()

        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                await slots.acquire()
                if rate and (wait := began + number / rate - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                tasks.create_task(one(first + number))
    ended = time.monotonic()
    print(json.dumps({"began": began, "ended": ended, "receipt_s": latencies}))


async def read(url: str, feed: str, run: str, count: int) -> None:
    """Read and acknowledge a feed until *count* messages of the run have come."""
    mark = f"<identifier>{run}-".encode()
    latencies, seen = [], 0
    print("ready", flush=True)
    async for batch in read_feed(url, feed, consumer="bench", batch=WORK.batch):
        now = time.monotonic_ns()
        for message in batch:
            data = message.fields.get(b"payload", b"")
            if mark in data:
                seen += 1
                latencies.append((now - sent_ns(data)) / 1e9)
        if seen >= count:
            break
    print(json.dumps({"ended": time.monotonic(), "seen": seen, "feed_s": latencies}))


if __name__ == "__main__":
    command, *args = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if command == "publish":
            url, agency, run, first, count, rate = args
            runner.run(publish(url, agency, run, int(first), int(count), float(rate)))
        else:
            url, feed, run, count = args
            runner.run(read(url, feed, run, int(count)))
