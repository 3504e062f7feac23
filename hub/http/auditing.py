"""The log for auditors: its end, its entries as they were hashed, its dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from hub.errors import Rejected
from hub.http.actions import log_action
from hub.http.problems import RESPONSES
from hub.http.sight import PUBLIC, may_read, shown
from hub.http.state import Asker, HubState
from hub.log.store import Log, LogRow
from hub.members.roles import require
from hub.streams.submit import to_inbox
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)

_LOT: Final = 512
_LOTS: Final = 10
"""So many lots one answer looks at that must not tell what it passed over."""


@router.get("/v1/log", summary="The end of the log")
async def head(hub: HubState, _asker: Asker) -> dict[str, Any]:
    """Return how many entries there are, when the last was logged, and the Merkle root."""
    found = await asyncio.to_thread(hub.log.head)
    return {
        "origin": hub.settings.origin,
        "size": found.size,
        "root": found.root.hex(),
        "at": from_micros(found.at_us) if found.size else None,
    }


@router.get("/v1/log/entries", summary="Entries of the log")
async def entries(
    hub: HubState,
    asker: Asker,
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    kind: Annotated[list[str] | None, Query()] = None,
    agency: str | None = None,
) -> dict[str, Any]:
    """Return entries above a log index, in order: exact bytes in base64, and payloads.

    Of what an auditor of one state or agency may not see, the leaf hash stands there, whatever
    kind and agency were asked for: else the answer would tell them. Where nothing is left,
    `next` is the index that was asked for.
    """
    require(asker, "audit")
    history = await hub.registry()
    wanted = frozenset(kind or ())
    if asker.sees_all or not (kind or agency) or (wanted and wanted <= PUBLIC):
        rows = await asyncio.to_thread(
            hub.log.rows, after=after, limit=limit, kinds=kind or (), agency=agency
        )
        end = rows[-1].index if rows else after
    else:

        def kept(row: LogRow) -> bool:
            is_it = (not wanted or row.kind in wanted) and agency in {None, row.agency}
            return is_it or not may_read(asker, row, history)

        rows, end = await asyncio.to_thread(_looked_at, hub.log, after, limit, kept)
    return {"entries": [shown(asker, r, history) for r in rows], "next": end}


def _looked_at(
    log: Log, after: int, limit: int, kept: Callable[[LogRow], bool]
) -> tuple[list[LogRow], int]:
    """Return the entries that are kept, and how far was looked: at each entry, but not for ever."""
    found: list[LogRow] = []
    for _ in range(_LOTS):
        rows = log.rows(after=after, limit=_LOT)
        for row in rows:
            if kept(row):
                found.append(row)
            after = row.index
            if len(found) == limit:
                return found, after
        if len(rows) < _LOT:
            break
    return found, after


@router.get("/v1/log/entries/{index}", summary="One entry of the log")
async def entry(index: int, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return one entry: its exact bytes in base64, and its payload."""
    require(asker, "audit")
    row = await asyncio.to_thread(hub.log.row, index) if 0 <= index < 1 << 53 else None
    if row is None:
        raise Rejected("entry-unknown", f"the log has no entry {index}")
    return shown(asker, row, await hub.registry())


@router.get("/v1/dead-letters", summary="What the hub could not handle")
async def dead_letters(
    hub: HubState,
    asker: Asker,
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Return dead letters above a log index: where, why, and the fields that came."""
    require(asker, "audit")
    rows = await asyncio.to_thread(hub.log.rows, after=after, limit=limit, kinds=("dead-letter",))
    history = await hub.registry()
    return {
        "entries": [{"index": r.index, **r.entry} for r in rows if may_read(asker, r, history)],
        "next": rows[-1].index if rows else after,
    }


@router.post("/v1/dead-letters/{index}/retry", status_code=202, summary="Try a dead letter again")
async def retry(index: int, hub: HubState, asker: Asker) -> dict[str, str]:
    """Put a dead letter into its agency's inbox again, as it came, once the log says who does.

    Trying it twice is safe: a message is never logged twice.
    """
    require(asker, "operate")
    row = await asyncio.to_thread(hub.log.row, index) if 0 <= index < 1 << 53 else None
    if row is None or row.kind != "dead-letter":
        raise Rejected("entry-unknown", f"{index} is not a dead letter")
    if not row.agency or row.payload is None:
        raise Rejected(
            "nothing-to-retry",
            f"the dead letter {index} holds no message",
            remedy="It tells of a fault inside the hub: see its reason, then `caspian rebuild`.",
        )
    fields: dict[str, str | bytes] = {"type": "message", "payload": row.payload}
    given = row.entry.get("fields", {})
    # A signed message stays one: without its signature it would be the hub's word.
    for name in ("id", "payload_type", "person", "header", "signature", "key"):
        if given.get(name):
            fields[name] = given[name]
    await log_action(hub, asker, "dead-letter-retried", agency=row.agency, index=index)
    return {"inbox": await to_inbox(hub.redis, row.agency, fields)}
