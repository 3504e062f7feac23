"""When each of many messages arrived in each feed: as `Log.delivered_at` has it for one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from hub.log.tables import DELIVERIES

__all__ = ["Arrivals"]


class Arrivals:
    """When some feeds had confirmed what, of the messages at some log indexes."""

    def __init__(self, c: Connection, feeds: Iterable[str], indexes: Collection[int]) -> None:
        self._through: dict[str, list[int]] = {}
        self._at_us: dict[str, list[int]] = {}
        if not indexes:
            return
        lowest, highest = min(indexes), max(indexes)
        for feed in sorted(set(feeds)):
            through = self._through[feed] = []
            at_us = self._at_us[feed] = []
            query = (
                select(DELIVERIES.c.through, DELIVERIES.c.at_us)
                .where(DELIVERIES.c.feed == feed, DELIVERIES.c.through >= lowest)
                .order_by(DELIVERIES.c.through)
                .execution_options(yield_per=500)
            )
            # A feed confirms upwards: the first that is high enough is also the earliest.
            for row in c.execute(query):
                through.append(row.through)
                at_us.append(row.at_us)
                if row.through >= highest:
                    break

    def at_us(self, feed: str, index: int) -> int | None:
        """Return when a feed had confirmed this index, in microseconds; None if it has not."""
        place = bisect_left(self._through[feed], index)
        return self._at_us[feed][place] if place < len(self._at_us[feed]) else None
