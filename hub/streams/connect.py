"""Connections to Redis that outlive its restarts."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

__all__ = ["LOST", "connect", "is_away"]

LOST = (RedisConnectionError, RedisTimeoutError, OSError)
"""What a lost or restarting Redis raises: wait and try again."""

_CANNOT_NOW: Final = (
    *(
        "BUSY ",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "MISCONF",
        "NOREPLICAS",
        "OOM ",
        "READONLY",
        "TRYAGAIN",
    ),
    "command not allowed when used memory",  # redis-py takes the code away from OOM
    "You can't write against a read only",  # and from READONLY
)


def is_away(error: BaseException) -> bool:
    """Tell whether Redis cannot do now what it could do later.

    It is lost, its memory or disk is full, it has become a replica: no entry is to blame,
    and the same command may succeed when somebody has looked after it.
    """
    # In a pipeline redis-py puts the command, and so what somebody sent, before the error.
    said = str(error).rpartition(" of pipeline caused error: ")[2]
    return isinstance(error, (*LOST, OutOfMemoryError, ReadOnlyError)) or (
        isinstance(error, ResponseError) and said.startswith(_CANNOT_NOW)
    )


def connect(url: str, **options: Any) -> Redis:
    """Return a client of plain bytes that tries a broken connection anew before it raises.

    Commands may thus be sent twice. All of ours may be: a feed refuses a second
    entry of the same id, and intake knows a message that it has seen.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 4),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
        **options,
    )
