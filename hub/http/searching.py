"""The search of the log: what is found, and which range was looked at to find it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.core.search import RULES, told
from hub.core.search import Query as Wanted
from hub.http.boxes import Box, read_box
from hub.http.problems import RESPONSES
from hub.http.sight import may_read, shown
from hub.http.state import Asker, HubState
from hub.log.search import Range, search
from hub.log.store import LogRow
from hub.members.roles import require
from schemas.entry import micros

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)

_SPAN: Final = 5000
"""So many entries one answer looks at: what is searched for long must not hold up the others."""

_Index = Annotated[int | None, Query(ge=0, lt=1 << 53)]
_Time = Annotated[AwareDatetime | None, Query()]


@router.get("/v1/log/search", summary="Search the log")
async def searched(
    hub: HubState,
    asker: Asker,
    text: Annotated[str, Query(max_length=500)] = "",
    since: _Time = None,
    until: _Time = None,
    kind: Annotated[list[str] | None, Query(max_length=50)] = None,
    agency: Annotated[str, Query(max_length=64)] = "",
    incident: Annotated[str, Query(max_length=1000)] = "",
    severity: Annotated[str | None, Query(description="the mildest wanted")] = None,
    bbox: Box = None,
    touches: Annotated[list[str] | None, Query(description="AZ, AZ-BA or AZ-coast")] = None,
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    before: _Index = None,
    newest: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query string
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Return what of a range of the log is searched for, and which range was looked at.

    All that is given must hold. Nothing of an entry that is not the asker's to read is
    looked at: `withheld` says how many of the range there are. What an answer leaves of the
    range, the next one looks at: `next` is its `after`, with `newest` its `before`.
    """
    require(asker, "audit")
    query = Wanted.of(
        kinds=kind or (),
        agency=agency,
        incident=incident,
        severity=severity,
        bbox=read_box(bbox),
        touches=touches or (),
        text=text,
    )
    wanted = Range(
        after,
        before,
        None if since is None else micros(since),
        None if until is None else micros(until),
    )
    history = await hub.registry()
    readable: Callable[[LogRow], bool] | None = None
    if not asker.sees_all:

        def readable(row: LogRow) -> bool:
            return may_read(asker, row, history)

    found = await asyncio.to_thread(
        search,
        hub.log,
        query,
        wanted,
        may_read=readable,
        newest=newest,
        limit=limit,
        span=_SPAN,
    )
    entries = []
    for row in found.rows:
        one = shown(asker, row, history)
        del one["payload"]
        entries.append({**one, "message": row.facts and told(row.facts)})
    return {
        "rules": RULES,
        "size": found.size,
        "root": found.root.hex(),
        "first": found.first,
        "end": found.end,
        "entries": entries,
        "withheld": found.withheld,
        "removed": found.removed,
        "next": found.next,
    }
