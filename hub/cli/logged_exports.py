"""How an export gets into the log: the hub is asked, or the ledger beside the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getuser
from typing import Any

from redis.exceptions import RedisError

from hub.cli.log_remote import HubSource
from hub.cli.log_source import StoreSource
from hub.cli.words import t
from hub.client import calls
from hub.core.candidate import Candidate
from hub.core.exports import Export
from hub.core.known import export_key
from hub.errors import Unavailable
from hub.log.store import Log
from hub.settings import Settings
from hub.streams.connect import connect
from hub.streams.submit import propose
from schemas.entry import rfc3339

__all__ = ["logger"]


def logger(source: StoreSource | HubSource) -> Callable[[Export], int] | None:
    """Return what logs an export; None where the hub of a store does not run."""
    if isinstance(source, HubSource):
        client = source.client
        return lambda record: int(client.call(calls.export(record.model_dump()))["index"])
    settings = Settings.from_environment()
    if not asyncio.run(_reachable(settings)):
        return None
    log = source.log
    return lambda record: asyncio.run(_propose(settings, log, record))


async def _reachable(settings: Settings) -> bool:
    redis = connect(settings.redis_address)
    try:
        async with asyncio.timeout(2):
            await redis.ping()
    except (RedisError, OSError, TimeoutError):
        return False
    finally:
        await redis.aclose()
    return True


async def _propose(settings: Settings, log: Log, record: Export) -> int:
    """Propose the entry to the ledger, and wait until the log has it."""
    made = rfc3339(int(datetime.now(UTC).timestamp() * 1_000_000))
    body: dict[str, Any] = {
        "role": "operator",
        "made": made,
        "export": record.model_dump(mode="json"),
    }
    candidate = Candidate("export", "", body=body, person=getuser())
    redis = connect(settings.redis_address)
    try:
        await propose(redis, [candidate])
    finally:
        await redis.aclose()
    deadline = asyncio.get_running_loop().time() + settings.receipt_timeout.total_seconds()
    while True:
        known = await asyncio.to_thread(log.known_for, [candidate])
        if (found := known.inputs.get(export_key(candidate))) is not None:
            return found[0]
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "receipt-pending",
                t("the ledger has not logged the export in time"),
                remedy=t("See that the hub's ledger runs, or export with --unlogged."),
            )
        await asyncio.sleep(0.02)
