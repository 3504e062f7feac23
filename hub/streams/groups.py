"""Consumer groups: made before anything is read, mended when lost, claimed when abandoned.

Two facts of Redis shape this module. A group made at ``$`` never sees what came
before it, so ours begin at ``0``. And what a dead consumer had read stays pending
for ever unless another claims it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

__all__ = ["Abandoned", "abandoned", "ensure_group", "is_no_group"]


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An entry taken over from a consumer that did not finish it."""

    id: bytes
    fields: dict[bytes, bytes]
    deliveries: int
    """How often it was handed out before, this time included."""


async def ensure_group(redis: Redis, stream: str, group: str, *, start: str = "0") -> bool:
    """Make the group, and the stream, unless they are there; return whether it was made."""
    try:
        await redis.xgroup_create(stream, group, id=start, mkstream=True)
    except ResponseError as e:
        if "BUSYGROUP" not in str(e):
            raise
        return False
    return True


def is_no_group(e: BaseException) -> bool:
    """Return whether an error says that a stream or its group is gone."""
    return isinstance(e, ResponseError) and "NOGROUP" in str(e)


async def abandoned(
    redis: Redis,
    stream: str,
    group: str,
    consumer: str,
    *,
    idle: timedelta,
    own: bool,
    suspect_after: int,
    held: Container[bytes] = (),
    count: int = 256,
) -> AsyncIterator[list[Abandoned]]:
    """Claim, batch by batch, what lies pending for longer than *idle*; oldest first.

    With *own*, claim what is pending for *consumer* itself, however short: right after
    its start nobody else works under its name. What it has *held* in hand is not claimed.
    Entries that were deleted while pending are dropped from the pending list.

    Redis counts an entry as handed out when it is claimed. What was handed out more than
    *suspect_after* times is claimed one by one, each just before it is yielded: a process
    that is killed again and again adds to the count of the one entry that it had in
    hand, and not of hundreds that it never looked at.
    """
    idle_ms = 0 if own else max(1, int(idle.total_seconds() * 1000))
    start: bytes | str = "-"
    while True:
        pending: Any = await redis.xpending_range(
            stream,
            group,
            min=start,
            max="+",
            count=count,
            consumername=consumer if own else None,
            idle=None if own else idle_ms,
        )
        if not pending:
            return
        times = {p["message_id"]: p["times_delivered"] for p in pending}
        free = {i: n for i, n in times.items() if i not in held}
        batch = [i for i, n in free.items() if n <= suspect_after]
        for ids in [batch, *([i] for i, n in free.items() if n > suspect_after)]:
            if not ids:
                continue
            claimed: Any = await redis.xclaim(stream, group, consumer, idle_ms, ids)
            found = [
                Abandoned(id_, fields, times[id_] + 1)
                for id_, fields in claimed
                if id_ is not None and fields
            ]
            if found:
                yield found
        start = b"(" + pending[-1]["message_id"]
