"""Escalations: who was told of what nobody had acknowledged in time, as the asker may know it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from hub.http.problems import RESPONSES
from hub.http.sight import may_read
from hub.http.state import Asker, Hub, HubState
from hub.log.store import LogRow
from hub.members.roles import Principal, require
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["messages"], responses=RESPONSES)
_LOT: Final = 500


@router.get("/v1/escalations", summary="What was not acknowledged in time")
async def escalations(
    hub: HubState,
    asker: Asker,
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Return escalations after a log index, in order, and the cursor to go on from.

    An agency sees those of what it should have acknowledged, and of what it sent.
    """
    require(asker, "read")
    found, reached = await asyncio.to_thread(_page, hub, asker, after, limit)
    return {"escalations": [_shown(row) for row in found], "next": reached}


def _page(hub: Hub, asker: Principal, after: int, limit: int) -> tuple[list[LogRow], int]:
    found: list[LogRow] = []
    while True:
        rows = hub.log.rows(after=after, limit=_LOT, kinds=["escalation"])
        for row in rows:
            after = row.index
            if may_read(asker, row, hub.history):
                found.append(row)
                if len(found) == limit:
                    return found, after
        if len(rows) < _LOT:
            return found, after


def _shown(row: LogRow) -> dict[str, Any]:
    entry = row.entry
    names = ("recipient", "step", "of", "status", "messages")
    return {"index": row.index, "at": from_micros(row.at_us), **{n: entry[n] for n in names}}
