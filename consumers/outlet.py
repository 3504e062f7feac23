"""One outlet while it is served: in log order, one entry at a time, until each is taken."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import uniform
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError

from consumers.channel import Channel, Outcome
from hub.errors import Unavailable
from hub.log.feeding import Entry
from hub.outlets.records import Attempt, Outlet, State
from hub.outlets.store import Progress
from hub.settings import Settings
from hub.telemetry import process_metrics

__all__ = ["Line", "Whole"]

_AGAIN_S: Final = 1.0
_QUIETLY_S: Final = 5.0
_HELD_S: Final = 0.2
_LONGEST_WAIT_S: Final = 3600.0
_log = structlog.get_logger("outlets")


class Whole(Protocol):
    """What a line needs of those who serve all of them (`consumers.outlets`)."""

    channel: Channel
    settings: Settings

    @property
    def held(self) -> bool:
        """Whether nobody else can have begun to serve the same outlets."""
        ...

    async def page(self, feed: str, *, after: int) -> tuple[list[Entry], int, bool]:
        """Return what a feed holds above *after*, how far that goes, and if there may be more."""
        ...

    async def give_up(self, outlet: Outlet, state: State, reason: str, index: int) -> None:
        """Tell people of an outlet that takes nothing any more."""
        ...


class Line:
    """One outlet while it is served; of no use once *task* has ended or was cancelled."""

    def __init__(self, whole: Whole, outlet: Outlet) -> None:
        self.outlet = outlet
        self.progress = Progress(
            id=outlet.id,
            version=outlet.version,
            through=outlet.through,
            place=outlet.place,
            state=outlet.state,
            reason=outlet.reason,
            failures=outlet.failures,
            failing_since_us=outlet.failing_since_us,
            next_us=outlet.next_us,
            attempts=outlet.attempts,
            delivered_us=outlet.delivered_us,
        )
        self.wake = asyncio.Event()
        self.waits = False
        self.dirty = False
        """Whether there is something to write down soon."""
        self.moved = False
        """Whether there is something to write down now and then."""
        self.saved = asyncio.Event()
        """Set once the place that was put last is written down."""
        self._tested = False
        self._whole = whole
        self._channel = whole.channel
        self.task = asyncio.create_task(self._run(), name=f"outlet {outlet.id}")

    def take(self) -> Progress:
        """Return what is to be written down, as of now."""
        p = self.progress
        told = Progress(**{name: getattr(p, name) for name in Progress.__dataclass_fields__})
        p.made, p.tested_us = [], None
        self.dirty = self.moved = False
        return told

    def give_back(self, told: Progress) -> None:
        """Take back what could not be written down."""
        self.progress.made = told.made + self.progress.made
        self.progress.tested_us = self.progress.tested_us or told.tested_us
        self.dirty = True

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except (Unavailable, RedisError, OSError) as e:
                _log.warning("outlet.waiting", outlet=self.outlet.id, error=repr(e)[:300])
                await asyncio.sleep(_AGAIN_S)
            except Exception:  # noqa: BLE001  # a fault with one outlet must not end all others
                _log.exception("outlet.failed", outlet=self.outlet.id)
                await asyncio.sleep(_QUIETLY_S)
            else:
                return

    async def _serve(self) -> None:
        if self.outlet.test_us is not None and not self._tested:
            await self._test(self.outlet.test_us)
        while self.progress.state == "active":
            if not await self._digest():
                return
            entries, through, more = await self._whole.page(
                self.outlet.feed, after=self.progress.through
            )
            for entry in entries:
                at_once = self._channel.at_once(self.outlet, entry)
                send = partial(self._channel.send, self.outlet, entry)
                if at_once and not await self._until_taken(send, entry[0]):
                    return
                self._move(entry[0])
            self._move(through)
            if not more:
                await self._wait(self._until_digest_s())

    def _move(self, through: int) -> None:
        if through > self.progress.through:
            self.progress.through = through
            self.moved = True

    async def _wait(self, longest_s: float) -> None:
        self.wake.clear()
        self.waits = True
        try:
            async with asyncio.timeout(longest_s):
                await self.wake.wait()
        except TimeoutError:
            pass
        finally:
            self.waits = False

    async def _test(self, at_us: int) -> None:
        began = time.time()
        outcome = await self._attempted(partial(self._channel.test, self.outlet, at_us))
        self.progress.tested_us, self._tested = at_us, True
        self._note(-1, began, outcome)

    async def _until_taken(self, send: Callable[[], Awaitable[Outcome]], index: int) -> bool:
        """Bring something until it is taken; return False where the outlet is given up."""
        p = self.progress
        while True:
            await self._pause()
            began = time.time()
            outcome = await self._attempted(send)
            now_us = time.time_ns() // 1000
            if outcome.ok:
                p.failures, p.failing_since_us, p.next_us = 0, None, 0
                p.delivered_us = now_us
                self._note(index, began, outcome)
                return True
            p.failures += 1
            if p.failing_since_us is None:
                p.failing_since_us = now_us
            patience_us = self._whole.settings.outlet_patience // timedelta(microseconds=1)
            state: State | None = None
            if outcome.gone:
                state = "disabled"
            elif now_us - p.failing_since_us >= patience_us:
                state = "failing"
            if state is not None:
                # First the log, so that whatever dies now, somebody is told.
                await self._whole.give_up(self.outlet, state, outcome.detail, index)
                p.state, p.reason = state, outcome.detail
                self._note(index, began, outcome)
                return False
            p.next_us = now_us + int(self._wait_s(outcome) * 1_000_000)
            self._note(index, began, outcome)

    async def _attempted(self, send: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            async with asyncio.timeout(self._whole.settings.webhook_timeout.total_seconds()):
                return await send()
        except TimeoutError:
            return Outcome(ok=False, detail="it took too long")
        except Exception as e:  # noqa: BLE001  # whatever a receiver does, its line stands and no other
            _log.exception("attempt.failed", outlet=self.outlet.id)
            return Outcome(ok=False, detail=f"a fault of the hub: {type(e).__name__}")

    async def _pause(self) -> None:
        """Wait until it is time for the next attempt, and nobody else can be making it."""
        while True:
            wait_s = self.progress.next_us / 1_000_000 - time.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif self._whole.held:
                return
            else:
                await asyncio.sleep(_HELD_S)

    def _wait_s(self, outcome: Outcome) -> float:
        first_s = self._whole.settings.outlet_retry.total_seconds()
        longest_s = max(first_s, _LONGEST_WAIT_S)
        doubled = min(first_s * 2.0 ** min(self.progress.failures - 1, 30), longest_s)
        asked = min(outcome.retry_after_s, longest_s)
        return max(doubled * uniform(0.75, 1.25), asked)  # noqa: S311  # spreads load, keeps no secret

    def _note(self, index: int, began: float, outcome: Outcome) -> None:
        p = self.progress
        p.attempts += 1
        took_ms = int((time.time() - began) * 1000)
        p.made.append(
            Attempt(
                index,
                int(began * 1_000_000),
                max(took_ms, 0),
                outcome.ok,
                outcome.status,
                outcome.detail,
                p.attempts,
            )
        )
        if outcome.ok and index >= 0:
            p.through = max(p.through, index)
        self.dirty = True
        word = "ok" if outcome.ok else "failed"
        process_metrics().outlet_attempts.labels(self._channel.kind, word).inc()

    # Digests. The place is {"after", "due_us"}, and "to" once one is on its way.

    def _until_digest_s(self) -> float:
        every = self._channel.digest_every(self.outlet)
        if every is None:
            return _QUIETLY_S
        due_us = int(json.loads(self.progress.place).get("due_us", 0))
        return min(_QUIETLY_S, max(0.05, due_us / 1_000_000 - time.time()))

    async def _digest(self) -> bool:
        """Bring the rest together, where that is due; return False where it was given up."""
        every = self._channel.digest_every(self.outlet)
        if every is None:
            return True
        p = self.progress
        place = json.loads(p.place)
        now_us = time.time_ns() // 1000
        if "after" not in place:
            place = {"after": p.through, "due_us": now_us + every // timedelta(microseconds=1)}
            self._put(place)
        if place["due_us"] > now_us and "to" not in place:
            return True
        if "to" not in place:
            # Written down first: after a crash it must be the very same one again.
            place["to"] = p.through
            self._put(place)
            await self.saved.wait()
        rest = await self._rest(place["after"], place["to"])
        send = partial(self._channel.send_digest, self.outlet, rest)
        if rest and not await self._until_taken(send, rest[-1][0]):
            return False
        due_us = time.time_ns() // 1000 + every // timedelta(microseconds=1)
        self._put({"after": place["to"], "due_us": due_us})
        return True

    async def _rest(self, after: int, through: int) -> list[Entry]:
        found: list[Entry] = []
        while after < through:
            entries, after, more = await self._whole.page(self.outlet.feed, after=after)
            found += [
                e for e in entries if e[0] <= through and not self._channel.at_once(self.outlet, e)
            ]
            if not more:
                break
        return found

    def _put(self, place: dict[str, int]) -> None:
        self.progress.place = json.dumps(place)
        self.saved.clear()
        self.dirty = True
