"""Retention: propose that payloads go once the policy's time is over; the ledger decides.

The job goes through the messages that are old enough, lot by lot, and begins again every hour:
what was held or in force then may be due now, and what Redis lost is proposed again. It keeps
nothing but its place. What is in the log is not logged twice, whoever proposes it
(`hub.core.retention`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.core.retention import MOST_RETIRED, before_us_of, fitting, retirable
from hub.log.retention_log import aged
from hub.log.store import Log
from hub.streams.submit import propose
from schemas.entry import rfc3339

__all__ = ["Retention"]

_AGAIN_US: Final = 3_600_000_000
_log = structlog.get_logger("retention")


class Retention:
    """The policy, and how far this round has come."""

    def __init__(
        self,
        log: Log,
        redis: Redis,
        *,
        keep: timedelta,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._log = log
        self._redis = redis
        self._keep_us = keep // timedelta(microseconds=1)
        self._now_us = now_us
        self._history = History()
        self._after = -1
        self._rests_until_us = 0

    async def look(self) -> int:
        """Propose the next lot; return how many messages it names.

        Raises:
            Unavailable: call again.
        """
        if self._now_us() < self._rests_until_us:
            return 0
        candidate, reached = await asyncio.to_thread(self._next)
        if candidate is not None:
            await propose(self._redis, [candidate])
        # Only now: what could not be proposed is proposed again.
        self._after = reached
        if reached < 0:
            self._rests_until_us = self._now_us() + _AGAIN_US
        if candidate is None:
            return 0
        count = len(candidate.body["messages"])
        _log.info("retention.proposed", messages=count, before=candidate.body["before"])
        return count

    def _next(self) -> tuple[Candidate | None, int]:
        """Return what to propose, and the place to go on from; -1 at the end of the round."""
        now_us = self._now_us()
        before = rfc3339(now_us - self._keep_us)
        before_us = before_us_of(before, now_us)
        for index, entry in self._log.registry_entries(after=self._history.last_index):
            self._history.apply(index, entry)
        after = self._after
        while True:
            with self._log.reading() as c:
                lot = aged(c, after=after, before_us=before_us, limit=MOST_RETIRED)
            if not lot:
                return None, -1
            asked = Candidate("retirement", "", body={"messages": lot, "before": before})
            known = self._log.known_for([asked])
            rows = [
                row
                for index in lot
                if (row := known.by_index.get(str(index))) is not None
                and retirable(row, known, self._history.latest, before_us=before_us, at_us=now_us)
            ]
            if not rows:
                after = lot[-1]
                continue
            fit = fitting(rows)
            reached = fit[-1].index if len(fit) < len(rows) else lot[-1]
            body = {"messages": [row.index for row in fit], "before": before}
            return Candidate("retirement", "", body=body), reached
