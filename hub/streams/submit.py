"""Put something at the door: into an agency's inbox, or, for the hub itself, before the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.core.candidate import Candidate
from hub.errors import Unavailable
from hub.streams import keys
from hub.streams.connect import LOST

__all__ = ["propose", "queue", "to_inbox"]


async def to_inbox(redis: Redis, agency: str, fields: dict[str, str | bytes]) -> str:
    """Add an entry to an agency's inbox; return its id, which the answer will repeat.

    Raises:
        Unavailable: ``streams-unavailable``; it may or may not have been added, and
            adding the same again is safe.
    """
    try:
        added = await redis.xadd(keys.inbox(agency), cast("dict[Any, Any]", fields))
    except (RedisError, OSError) as e:
        raise _unavailable(e) from e
    return added.decode() if isinstance(added, bytes) else str(added)


async def propose(redis: Redis, candidates: Sequence[Candidate]) -> None:
    """Add candidates for the ledger in one round trip.

    Raises:
        Unavailable: ``streams-unavailable``; some may have been added.
    """
    pipe: Any = redis.pipeline(transaction=False)
    queue(pipe, candidates)
    try:
        await pipe.execute()
    except (RedisError, OSError) as e:
        raise _unavailable(e) from e


def queue(pipe: Any, candidates: Sequence[Candidate]) -> None:
    """Put the commands that add candidates for the ledger into a pipeline."""
    for candidate in candidates:
        pipe.xadd(keys.CANDIDATES, candidate.to_fields())


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, LOST):
        return Unavailable("streams-unavailable", "Redis cannot be reached")
    return Unavailable("streams-unavailable", f"Redis takes nothing: {error}"[:300])
