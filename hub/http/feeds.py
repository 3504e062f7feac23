"""Feeds: by cursor, as an event stream, and the confirmation that says they arrived."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.core.registry import Filter, Registry
from hub.errors import Rejected, Unavailable
from hub.http.boxes import Box, read_box
from hub.http.event_streams import EventStream, Following, feed_entries, kept
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState, shown_by
from hub.members.roles import Principal, require
from hub.streams import keys
from hub.streams.connect import LOST
from hub.streams.fields import feed_json
from schemas.places import LATEST

__all__ = ["may_read_feed", "router"]

router = APIRouter(tags=["feeds"], responses=RESPONSES)
_PAGE: Final = 1000
_PAUSE_S: Final = 0.2
_INDEX: Final = re.compile(r"[0-9]{1,15}")


def _filter(
    state: Annotated[list[str] | None, Query(description="ISO 3166-1 alpha-2")] = None,
    kind: Annotated[list[str] | None, Query()] = None,
    severity: Annotated[str | None, Query(description="the mildest wanted")] = None,
    event: Annotated[list[str] | None, Query()] = None,
    language: Annotated[list[str] | None, Query()] = None,
    bbox: Box = None,
    touches: Annotated[list[str] | None, Query(description="AZ, AZ-BA or AZ-coast")] = None,
) -> Filter:
    try:
        return Filter.model_validate(
            {
                "states": [s.upper() for s in state or ()],
                "kinds": kind or (),
                "severity": severity,
                "events": event or (),
                "languages": language or (),
                "bbox": read_box(bbox),
                "outlines": LATEST if touches else "",
                "touches": touches or (),
            }
        )
    except ValidationError as e:
        raise Rejected(
            "filter-invalid", str(e).splitlines()[0][:200], remedy="See docs/protocol/http.md."
        ) from e


Wanted = Annotated[Filter, Depends(_filter)]
Sandbox = Annotated[str, Query(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")]


async def _counted(hub: HubState, asker: Asker) -> AsyncIterator[None]:
    """Count a stream until its response has ended."""
    with hub.limits.stream(asker):
        yield


@router.get("/v1/feeds", summary="The feeds one may read")
async def feeds(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return the feeds of one's agency; an auditor's are those of all agencies they look after."""
    require(asker, "read")
    found = (await hub.registry()).latest.feeds()
    own = [f for f in sorted(found) if asker.sees(f.partition(".")[0])]
    return {"feeds": [{"feed": feed, "since": found[feed]} for feed in own]}


@router.get("/v1/feeds/{feed}", summary="A feed, by cursor")
async def feed_page(
    feed: str,
    hub: HubState,
    asker: Asker,
    wanted: Wanted,
    after: Annotated[int, Query(ge=-1, lt=1 << 53)] = -1,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
    wait: Annotated[float, Query(ge=0, le=60)] = 0,
    sandbox: Sandbox = "",
) -> dict[str, Any]:
    """Return entries after a log index, oldest first, and the cursor to go on from.

    With *wait* the answer waits that many seconds for a first entry. Reading confirms
    nothing: see confirmations.
    """
    require(asker, "read")
    registry = await may_read_feed(hub, asker, feed, sandbox)
    deadline = time.monotonic() + wait
    while True:
        page, after, more = await feed_entries(hub, feed, after, limit, sandbox)
        found = [e for e in page if kept(e, wanted, registry)]
        left = deadline - time.monotonic()
        if found or (not more and left <= 0):
            return {"entries": [feed_json(*e) for e in found], "next": after}
        if not more:
            await asyncio.sleep(min(_PAUSE_S, left))


@router.get(
    "/v1/feeds/{feed}/events",
    summary="A feed, as server-sent events",
    status_code=200,
    response_class=EventStream,
    dependencies=[Depends(_counted)],
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(
    feed: str,
    request: Request,
    hub: HubState,
    asker: Asker,
    wanted: Wanted,
    after: Annotated[int | None, Query(ge=-1, lt=1 << 53)] = None,
    sandbox: Sandbox = "",
    beats: Annotated[bool, Query(description="heartbeats as events that pages can see")] = False,  # noqa: FBT002
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Follow a feed; an event's id is its log index.

    Begins after ``Last-Event-ID``, else after *after*, else with what comes from now on.
    A reader that does not keep up is cut off; it resumes by id and misses nothing. So is one
    whose token or session ends meanwhile.
    """
    require(asker, "read")
    await may_read_feed(hub, asker, feed, sandbox)
    start = after
    if last_event_id:
        # No log has an index of more digits, and no store takes it.
        if not _INDEX.fullmatch(last_event_id):
            raise Rejected("cursor-invalid", "Last-Event-ID is not a log index")
        start = int(last_event_id)
    return EventStream(
        hub,
        Following(
            feed=feed,
            after=start,
            wanted=wanted,
            sandbox=sandbox,
            beats=beats,
            shown=shown_by(request, hub),
            principal=asker,
        ),
    )


class Confirming(BaseModel):
    """How far a feed has arrived."""

    model_config = ConfigDict(extra="forbid")

    through: int = Field(ge=0, lt=1 << 53)
    """The log index through which everything was received."""


@router.post("/v1/feeds/{feed}/confirmations", status_code=202, summary="Say that a feed arrived")
async def confirm(
    feed: str, given: Confirming, hub: HubState, asker: Asker
) -> dict[str, int | str]:
    """Confirm everything in a feed through a log index: it counts as delivered."""
    require(asker, "confirm")
    await may_read_feed(hub, asker, feed, "")
    size = (await asyncio.to_thread(hub.log.head)).size
    if given.through >= size:
        raise Rejected("cursor-invalid", f"the log ends at {size - 1}")
    try:
        await hub.redis.zadd(keys.CONFIRMED, {feed: given.through}, gt=True)
    except LOST as e:
        raise Unavailable("streams-unavailable", "Redis cannot be reached") from e
    return {"feed": feed, "through": given.through}


async def may_read_feed(hub: Hub, asker: Principal, feed: str, sandbox: str = "") -> Registry:
    """Return the registry as it is now, in which there is this feed, for the asker to read.

    Raises:
        Rejected: ``feed-unknown``, ``not-allowed``.
    """
    registry = (await hub.registry()).latest
    if feed not in registry.feeds():
        registry = (await hub.registry(fresh=True)).latest
    if feed not in registry.feeds() or not asker.sees(feed.partition(".")[0]):
        raise Rejected("feed-unknown", f"there is no feed {feed[:100]} for you")
    if sandbox and "audit" not in asker.scopes:
        replay = await hub.replays.find(sandbox)
        if replay is None or not replay.admits(asker.agency, asker.person):
            raise Rejected(
                "not-allowed",
                "a replay is read by an auditor or operator, and by whom they admit",
                remedy="Ask whoever plays it to admit you.",
            )
    return registry
