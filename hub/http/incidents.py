"""Incidents over HTTP: which there are, and the messages about each, as the asker may know it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from hub.core.incidents import incident_name
from hub.core.registry import Channel, History
from hub.core.rows import MessageRow
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.sight import may_read_message
from hub.http.standings import Seen, aid_standing, shown_standing
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal, require
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["incidents"], responses=RESPONSES)

_LOT: Final = 500
_LOTS: Final = 20
_LOOKED_AT: Final = 200
"""So many incidents are looked at for one page, also where the asker may see few of them."""
_COUNTED: Final = 1000
"""So many messages of an incident are counted for the list."""


@router.get("/v1/incidents", summary="The incidents")
async def incidents(
    hub: HubState,
    asker: Asker,
    channel: Channel = "actual",
    before: Annotated[int | None, Query(ge=0, lt=1 << 53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Return incidents by their latest message, newest first, and the cursor to go on from.

    Counted is what one may read. Of several channels each has incidents of its own.
    """
    require(asker, "read")
    history = await hub.registry()
    return await asyncio.to_thread(_page, _Eyes(hub, asker, history, channel), before, limit)


@router.get("/v1/incidents/{incident:path}", summary="The messages about an incident")
async def incident(
    incident: str,
    hub: HubState,
    asker: Asker,
    channel: Channel = "actual",
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Return messages about an incident after a log index, in order, and where each stands.

    An aid message that was taken back or corrected has a standing, and says in ``recall``
    whether it does that to another; ``declines`` is true where it declines everything.
    An incident of which one may read nothing does not exist: ``incident-unknown``.
    """
    require(asker, "read")
    history = await hub.registry()
    eyes = _Eyes(hub, asker, history, channel)
    return await asyncio.to_thread(_messages, eyes, incident, after, limit)


class _Eyes:
    """What one asker sees of the incidents of a channel."""

    def __init__(self, hub: Hub, asker: Principal, history: History, channel: Channel) -> None:
        self.hub, self.asker, self.history, self.channel = hub, asker, history, channel

    def first(self, incident: str, *, after: int, limit: int) -> list[MessageRow]:
        """Return the first messages about an incident above the index *after*, in order."""
        found: list[MessageRow] = []
        while len(found) < limit:
            rows = self.hub.log.incident_messages(self.channel, incident, after=after, limit=_LOT)
            found += self._seen_of(rows)
            if len(rows) < _LOT:
                break
            after = rows[-1].index
        return found[:limit]

    def latest(self, incident: str) -> tuple[list[MessageRow], bool]:
        """Return the last messages about an incident, in order, and whether there are more."""
        before = None
        while True:
            rows = self.hub.log.latest_about(
                self.channel, incident, before=before, limit=_COUNTED + 1
            )
            found = self._seen_of(rows)
            if found or len(rows) <= _COUNTED:
                return found[-_COUNTED:], len(rows) > _COUNTED
            before = rows[0].index

    def threads_of(self, messages: list[MessageRow]) -> Seen:
        """Return the threads of these messages."""
        return Seen(self.hub, self.asker, self.history, messages)

    def _seen_of(self, rows: list[MessageRow]) -> list[MessageRow]:
        return [row for row in rows if may_read_message(self.asker, row, self.history)]


def _page(eyes: _Eyes, before: int | None, limit: int) -> dict[str, Any]:
    """Walk back through the messages; an incident is told of where its latest message stands.

    So a page has no incident twice, and none is missed, whatever comes in between: the
    cursor is a place in the log, which does not move.
    """
    told: list[dict[str, Any]] = []
    last: dict[str, int | None] = {}
    for _ in range(_LOTS):
        rows = eyes.hub.log.incidents(eyes.channel, before=before, limit=_LOT)
        full = len(rows) == _LOT
        for index, name in rows:
            if full and index == rows[-1][0]:
                break  # not all of its incidents may be in this lot
            if index != before and (len(told) >= limit or len(last) >= _LOOKED_AT):
                return {"incidents": told, "next": before}
            before = index
            if name not in last or last[name] == index:
                messages, more = eyes.latest(name)
                last[name] = messages[-1].index if messages else None
                if last[name] == index:
                    told.append(_line(eyes, name, messages, more=more))
        if not full:
            return {"incidents": told, "next": None}
    return {"incidents": told, "next": before}


def _line(eyes: _Eyes, name: str, messages: list[MessageRow], *, more: bool) -> dict[str, Any]:
    last, titles = messages[-1], [m.facts.headline for m in messages if m.facts.kind == "alert"]
    kinds = [m.facts.kind for m in messages]
    return {
        "incident": name,
        "channel": eyes.channel,
        "headline": titles[-1] if titles else last.facts.headline,
        "messages": len(messages),
        "more": more,
        "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "active": eyes.threads_of(messages).active(m.index for m in messages),
        "agencies": sorted({m.agency for m in messages}),
        "first": messages[0].index,
        "last": last.index,
        "last_at": from_micros(last.at_us),
    }


def _messages(eyes: _Eyes, incident: str, after: int, limit: int) -> dict[str, Any]:
    name = incident_name(incident)
    found = eyes.first(name, after=after, limit=limit)
    if not found and not eyes.first(name, after=-1, limit=1):
        raise Rejected("incident-unknown", f"there is no incident {incident[:200]}")
    seen = eyes.threads_of(found)
    aid = aid_standing(eyes.hub, eyes.asker, eyes.history, found)
    return {
        "incident": name,
        "channel": eyes.channel,
        "messages": [
            {**seen.brief(row), "standing": shown_standing(aid[row.index])}
            if row.index in aid
            else seen.brief(row)
            for row in found
        ],
        "next": found[-1].index if found else after,
    }
