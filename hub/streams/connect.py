"""Connections to Redis that outlive its restarts."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

__all__ = ["LOST", "connect"]

LOST = (RedisConnectionError, RedisTimeoutError, OSError)
"""What a lost or restarting Redis raises: wait and try again."""


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
