"""What the hub's operator has to know, in one answer: who is silent, what waits, what runs out."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from redis.exceptions import RedisError
from sqlalchemy import make_url, select

from hub.core.escalation import LAST_STEP
from hub.core.registry import History, Registry
from hub.heard import Heard, heard
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.log import checkpoints
from hub.log.tables import CREDENTIALS, ESCALATIONS
from hub.members.roles import require
from hub.streams import keys
from hub.streams.feeds import reached
from hub.version import VERSION
from schemas.cosignature import time_of
from schemas.entry import from_micros, micros

__all__ = ["router"]

router = APIRouter(tags=["operation"], responses=RESPONSES)
_SOON: Final = timedelta(days=30)
_RATES: Final = (("minute", timedelta(minutes=1)), ("hour", timedelta(hours=1)))


@router.get("/v1/operations", summary="What the operator has to know")
async def operations(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return how the hub and its members are, as of now; for operators.

    What cannot be asked, because a part is away, is null.
    """
    require(asker, "operate")
    history = await hub.registry(fresh=True)
    now = datetime.now(UTC)
    stored = await asyncio.to_thread(_stored, hub, history, now)
    after = hub.settings.silent_after
    waiting = agencies = None
    with suppress(RedisError, OSError, TimeoutError):
        async with asyncio.timeout(5):
            waiting = await _waiting(hub, history.latest, stored["size"])
            found = await heard(hub.log, hub.redis, history.latest, now=now, silent_after=after)
            agencies = _agencies(history.latest, found)
    return {
        "at": now,
        "version": VERSION,
        "origin": history.latest.origin,
        **stored,
        "streams": waiting,
        "agencies": agencies,
        "silent_after_s": after.total_seconds(),
    }


def _agencies(registry: Registry, found: Mapping[str, Heard]) -> list[dict[str, Any]]:
    return [
        {
            "agency": one.id,
            "state": one.state,
            "name": one.name,
            "signs": one.signs,
            "coordinates": one.coordinates,
            "heard_at": found[one.id].at,
            "silent": found[one.id].silent,
        }
        for one in sorted(registry.agencies.values(), key=lambda a: a.id)
        if one.active
    ]


def _stored(hub: Hub, history: History, now: datetime) -> dict[str, Any]:
    head = hub.log.head()
    with hub.log.reading() as c:
        signed = checkpoints.latest(c)
        lines = checkpoints.cosignatures(c, signed.size) if signed is not None else ()
        late = c.execute(
            select(ESCALATIONS.c.message, ESCALATIONS.c.recipient).where(
                ESCALATIONS.c.step == LAST_STEP,
                ESCALATIONS.c.at_us > micros(now - timedelta(days=1)),
            )
        ).all()
        tokens = c.execute(
            select(CREDENTIALS).where(
                CREDENTIALS.c.revoked_us.is_(None),
                CREDENTIALS.c.expires_us > micros(now),
                CREDENTIALS.c.expires_us < micros(now + _SOON),
            )
        ).all()
    witnesses = [{"name": line.name, "at": _moment(time_of(line))} for line in lines]
    checkpoint = None
    if signed is not None:
        at = from_micros(signed.at_us)
        checkpoint = {"size": signed.size, "at": at, "witnesses": witnesses}
    return {
        "size": head.size,
        "last_at": from_micros(head.at_us) if head.size else None,
        "rates": {
            name: head.size - hub.log.first_index_at(micros(now - span)) for name, span in _RATES
        },
        "checkpoint": checkpoint,
        "unanswered": [{"message": r.message, "recipient": r.recipient} for r in late],
        "expiring": [
            *_keys(history.latest, now),
            *(
                {
                    "what": "token",
                    "name": r.prefix,
                    "of": r.agency or r.state or r.role,
                    "expires": from_micros(r.expires_us),
                }
                for r in tokens
            ),
        ],
        "disk": _disk(hub.settings.log_url),
    }


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _keys(registry: Registry, now: datetime) -> list[dict[str, Any]]:
    return [
        {"what": "key", "name": key.partition("+")[0], "of": life.agency, "expires": life.expires}
        for key, life in registry.keys.items()
        if life.until is None and life.expires is not None and now < life.expires < now + _SOON
    ]


def _disk(url: str) -> dict[str, Any] | None:
    """Return the room where the log is; None where it is on another machine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    file = Path(parsed.database)
    usage = shutil.disk_usage(file.parent)
    return {
        "free_bytes": usage.free,
        "total_bytes": usage.total,
        "log_bytes": file.stat().st_size if file.exists() else 0,
    }


async def _waiting(hub: Hub, registry: Registry, size: int) -> dict[str, Any]:
    feeds = list(registry.feeds())
    behind = {
        feed: max(0, size - 1 - max(at, 0))
        for feed, at in (await reached(hub.redis, feeds)).items()
    }
    pipe: Any = hub.redis.pipeline(transaction=False)
    pipe.xlen(keys.CANDIDATES)
    pipe.info("memory")
    members = sorted(registry.members)
    for agency in members:
        pipe.xlen(keys.inbox(agency))
    candidates, memory, *inboxes = await pipe.execute()
    return {
        "candidates": candidates,
        "inboxes": {a: n for a, n in zip(members, inboxes, strict=True) if n},
        "behind": {feed: n for feed, n in sorted(behind.items()) if n > 0},
        "memory_bytes": memory.get("used_memory"),
        "memory_limit_bytes": memory.get("maxmemory") or None,
    }
