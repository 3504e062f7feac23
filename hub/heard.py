"""When each agency was last heard, by whatever it did: "silent" is an alarm.

An agency that publishes nothing for weeks may be well. One whose systems neither ask nor
confirm nor send anything is cut off, or asleep, and nobody would learn it from its feed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import func, select

from hub.core.registry import Registry, main_feeds
from hub.log.store import Log
from hub.log.tables import ACCOUNTS, CREDENTIALS, DELIVERIES, ENTRIES, SESSIONS
from hub.streams import keys
from schemas.entry import from_micros

__all__ = ["Heard", "heard"]


@dataclass(frozen=True, slots=True)
class Heard:
    """When an agency was last heard, and whether that is too long ago."""

    at: datetime | None
    silent: bool


async def heard(
    log: Log, redis: Redis, registry: Registry, *, now: datetime, silent_after: timedelta
) -> dict[str, Heard]:
    """Return of each active agency when it last sent, confirmed or asked for anything.

    Sent: the newest entry of its inbox, which Redis knows also when the entry is gone.
    Confirmed: as the log has it. Asked: its tokens' and its people's sessions' last use, to
    the minute. One that has just joined is given its time.

    Raises:
        Unavailable: ``log-unavailable``. redis.RedisError: Redis cannot be asked.
    """
    agencies = sorted(registry.members)
    pipe: Any = redis.pipeline(transaction=False)
    for agency in agencies:
        pipe.xinfo_stream(keys.inbox(agency))
    sent = await pipe.execute(raise_on_error=False)
    stored, joined = await asyncio.to_thread(_stored, log, agencies, registry)
    found = {}
    for agency, info in zip(agencies, sent, strict=True):
        moments = list(stored.get(agency, ()))
        if isinstance(info, Exception) and not isinstance(info, ResponseError):
            raise info
        if isinstance(info, dict):
            moments.append(int(info["last-generated-id"].partition(b"-")[0]) * 1000)
        newest = max(moments, default=0)
        since = from_micros(max(newest, joined[agency]))
        found[agency] = Heard(from_micros(newest) if newest else None, now - since > silent_after)
    return found


def _stored(
    log: Log, agencies: list[str], registry: Registry
) -> tuple[dict[str, list[int]], dict[str, int]]:
    found: dict[str, list[int]] = {}
    with log.reading() as c:
        used = select(CREDENTIALS.c.agency, func.max(CREDENTIALS.c.used_us)).group_by(
            CREDENTIALS.c.agency
        )
        seen = (
            select(ACCOUNTS.c.agency, func.max(SESSIONS.c.seen_us))
            .join(SESSIONS, SESSIONS.c.account == ACCOUNTS.c.name)
            .group_by(ACCOUNTS.c.agency)
        )
        for query in (used, seen):
            for agency, at_us in c.execute(query):
                if at_us:
                    found.setdefault(agency, []).append(at_us)
        for agency in agencies:
            # The newest of each feed is at the end of its index.
            for feed in main_feeds(agency).values():
                newest = (
                    select(DELIVERIES.c.at_us)
                    .where(DELIVERIES.c.feed == feed)
                    .order_by(DELIVERIES.c.through.desc())
                    .limit(1)
                )
                if (at_us := c.execute(newest).scalar_one_or_none()) is not None:
                    found.setdefault(agency, []).append(at_us)
        indexes = {agency: registry.since[agency] for agency in agencies}
        query = select(ENTRIES.c.idx, ENTRIES.c.at_us).where(
            ENTRIES.c.idx.in_(sorted(set(indexes.values())))
        )
        at = {row.idx: row.at_us for row in c.execute(query)}
    return found, {agency: at.get(index, 0) for agency, index in indexes.items()}
