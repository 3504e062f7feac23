"""Log what was refused at the door (guarantee G6), and survive a flood of it.

The first few refusals of an agency and code in an interval become entries of their
own; the rest of the interval becomes one entry with a count. The answer to the
sender never waits for this.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from hub.core.candidate import Candidate
from hub.errors import Rejected, Unavailable
from hub.streams.submit import propose

__all__ = ["Refusals"]

_SINGLE: Final = 5
_KINDS: Final = 200
_KEPT: Final = 2000
_log = structlog.get_logger("refusals")


class Refusals:
    """The refusals of one API process that are on their way into the log."""

    def __init__(self, redis: Redis, *, every: timedelta = timedelta(seconds=1)) -> None:
        self._redis = redis
        self._every = every
        self._waiting: list[Candidate] = []
        self._single: Counter[tuple[str, str]] = Counter()
        self._more: Counter[tuple[str, str]] = Counter()

    def note(self, agency: str, refusal: Rejected) -> None:
        """Take note of a refusal that no inbox entry tells of."""
        key = (agency, refusal.code)
        if key not in self._single and len(self._single) >= _KINDS:
            key = ("", "other")
        self._single[key] += 1
        if self._single[key] <= _SINGLE:
            self._waiting.append(_candidate(agency, refusal.code, refusal.detail, 1))
        else:
            self._more[key] += 1

    async def run(self) -> None:
        """Pass refusals on, an interval's worth at a time, until cancelled."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            await self.flush()

    async def flush(self) -> None:
        """Pass on what has been noted; what Redis cannot take now is kept for the next time."""
        batch = self._waiting + [
            _candidate(agency, code, "as the refusals of this code just before", count)
            for (agency, code), count in self._more.items()
        ]
        self._waiting = []
        self._single.clear()
        self._more.clear()
        if batch:
            try:
                await propose(self._redis, batch)
            except Unavailable:
                _log.warning("refusals.waiting", refusals=len(batch))
                self._waiting = (batch + self._waiting)[:_KEPT]


def _candidate(agency: str, code: str, detail: str, count: int) -> Candidate:
    return Candidate(
        "refusal",
        agency,
        via="http",
        body={"code": code, "detail": detail[:300], "count": count, "of": "request"},
    )
