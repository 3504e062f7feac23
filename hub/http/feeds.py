"""Feeds: by cursor, as an event stream, and the confirmation that says they arrived."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.exceptions import RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent

from hub.core.registry import Filter, History, Registry
from hub.core.routing import wants
from hub.errors import Rejected, Unavailable
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState, identify
from hub.log.feeding import Entry, read_feed
from hub.members.roles import Principal, require
from hub.streams import keys
from hub.streams.connect import LOST
from hub.streams.feeds import FeedStreams, reached
from hub.streams.fields import feed_json
from hub.streams.tail import Reader
from schemas.facts import MessageFacts
from schemas.places import LATEST

__all__ = ["may_read_feed", "router"]

router = APIRouter(tags=["feeds"], responses=RESPONSES)
_PAGE: Final = 1000
_PAUSE_S: Final = 0.2
_BEAT_PATIENCE_S: Final = 2.0
_EVERYTHING: Final = Filter()
_WRITTEN: Final[OrderedDict[tuple[int | bytes | None, ...], bytes]] = OrderedDict()
_KEPT_WRITTEN: Final = 64
_INDEX: Final = re.compile(r"[0-9]{1,15}")


def _filter(
    state: Annotated[list[str] | None, Query(description="ISO 3166-1 alpha-2")] = None,
    kind: Annotated[list[str] | None, Query()] = None,
    severity: Annotated[str | None, Query(description="the mildest wanted")] = None,
    event: Annotated[list[str] | None, Query()] = None,
    language: Annotated[list[str] | None, Query()] = None,
    bbox: Annotated[str | None, Query(description="south,west,north,east")] = None,
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
                "bbox": [float(x) for x in bbox.split(",")] if bbox else None,
                "outlines": LATEST if touches else "",
                "touches": touches or (),
            }
        )
    except (ValidationError, ValueError) as e:
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
        page, after, more = await _page(hub, feed, after, limit, sandbox)
        kept = [e for e in page if _kept(e, wanted, registry)]
        left = deadline - time.monotonic()
        if kept or (not more and left <= 0):
            return {"entries": [feed_json(*e) for e in kept], "next": after}
        if not more:
            await asyncio.sleep(min(_PAUSE_S, left))


@router.get(
    "/v1/feeds/{feed}/events",
    summary="A feed, as server-sent events",
    response_class=EventSourceResponse,
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
) -> EventSourceResponse:
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
    return EventSourceResponse(
        _follow(hub, feed, start, wanted, sandbox, lambda: identify(request, hub), beats=beats),
        ping=hub.settings.sse_heartbeat.total_seconds(),
        send_timeout=30,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
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


async def _page(
    hub: Hub, feed: str, after: int, limit: int, sandbox: str
) -> tuple[list[Entry], int, bool]:
    """Return entries above *after*, the cursor behind them, and whether more may be there now."""
    streams = FeedStreams(hub.redis, sandbox=sandbox) if sandbox else hub.streams

    async def history() -> History:
        return await hub.registry(fresh=True)

    return await read_feed(streams, hub.log, history, feed, after=after, limit=limit)


def _kept(entry: Entry, wanted: Filter, registry: Registry) -> bool:
    if wanted == _EVERYTHING:
        return True
    fields = entry[1]
    if fields[b"kind"] == b"redaction":
        return True  # whoever may hold a copy must hear of it
    if b"facts" not in fields:
        return not wanted.kinds or fields[b"kind"].decode() in wanted.kinds
    facts = MessageFacts.model_validate_json(fields[b"facts"])
    agency = registry.agencies.get(fields[b"agency"].decode())
    return wants(wanted, facts, agency.state if agency else "")


async def _follow(
    hub: Hub,
    feed: str,
    after: int | None,
    wanted: Filter,
    sandbox: str,
    asker: Callable[[], Awaitable[Principal]],
    *,
    beats: bool,
) -> AsyncIterator[ServerSentEvent | bytes]:
    key = keys.sandbox_feed(sandbox, feed) if sandbox else keys.feed(feed)
    reader = await _open(hub, key)
    watch = asyncio.create_task(_watch(hub, reader, asker), name="watch")
    try:
        if after is None:
            after = (await asyncio.to_thread(hub.log.head)).size - 1
            # A first event tells the reader where it stands, so that a break loses nothing.
            yield ServerSentEvent(
                event="position", id=str(after), data=json.dumps({"after": after})
            )
        while True:
            entries, through, more = await _page(hub, feed, after, _PAGE, sandbox)
            for entry in entries:
                event = await _event(hub, entry, wanted)
                if event is not None:
                    yield event
            after = max(after, through)
            if not more:
                break
        live = _live(hub, reader, after, wanted)
        async for one in _with_beats(hub, feed, live) if beats else live:
            yield one
    finally:
        watch.cancel()
        hub.tailer.close(reader)


async def _watch(hub: Hub, reader: Reader, asker: Callable[[], Awaitable[Principal]]) -> None:
    """End a stream once it would not be opened again; while it lasts its session is in use."""
    first: Principal | None = None
    while True:
        now: Principal | None
        try:
            now = await asker()
        except Rejected:
            break
        except Unavailable:
            now = first  # nobody can say: who was let in stays
        first = first or now
        if now != first:
            break
        await asyncio.sleep(hub.settings.sse_heartbeat.total_seconds())
    reader.end()


async def _live(hub: Hub, reader: Reader, after: int, wanted: Filter) -> AsyncIterator[bytes]:
    while (entry := await reader.queue.get()) is not None:
        if entry[0] <= after:
            continue  # the tailer began before the pages ended
        after = entry[0]
        event = await _event(hub, entry, wanted)
        if event is not None:
            yield event


async def _with_beats(
    hub: Hub, feed: str, live: AsyncIterator[bytes]
) -> AsyncIterator[ServerSentEvent | bytes]:
    """Put heartbeats between events, the first at once: from here on what comes is new.

    Pages do not see the comments that keep a line open; and a line that is open tells nothing
    of whether the hub still brings anything. A beat says how far the log and the feed are.
    """
    every = hub.settings.sse_heartbeat.total_seconds()
    waiting: asyncio.Future[bytes] | None = None
    try:
        yield await _beat(hub, feed)
        while True:
            waiting = waiting or asyncio.ensure_future(anext(live))
            done, _ = await asyncio.wait({waiting}, timeout=every)
            if not done:
                yield await _beat(hub, feed)
                continue
            try:
                event = waiting.result()
            except StopAsyncIteration:
                return
            finally:
                waiting = None
            yield event
    finally:
        if waiting is not None:
            waiting.cancel()


async def _beat(hub: Hub, feed: str) -> ServerSentEvent:
    """Tell the time, how far the log is, and how far the feed; null where nobody can say."""
    told: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "log": None, "through": None}
    told["every_s"] = hub.settings.sse_heartbeat.total_seconds()
    with suppress(Unavailable):
        told["log"] = (await asyncio.to_thread(hub.log.head)).size - 1
    with suppress(*LOST, RedisError, TimeoutError):
        async with asyncio.timeout(_BEAT_PATIENCE_S):
            told["through"] = (await reached(hub.redis, [feed]))[feed]
    return ServerSentEvent(event="beat", data=json.dumps(told))


async def _event(hub: Hub, entry: Entry, wanted: Filter) -> bytes | None:
    if wanted != _EVERYTHING and not _kept(entry, wanted, (await hub.registry()).latest):
        return None
    return _written(entry)


def _written(entry: Entry) -> bytes:
    """Return an entry as it goes over the line; written once for all who follow its feed.

    Known by all that it holds: what a redaction has left of one is not the same entry.
    """
    index, fields = entry
    key = (index, *(fields.get(name) for name in (b"entry", b"payload", b"facts", b"replay")))
    found = _WRITTEN.get(key)
    if found is None:
        shown = feed_json(index, fields)
        data = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        found = ServerSentEvent(event=shown["kind"], id=str(index), data=data).encode()
        _WRITTEN[key] = found
        if len(_WRITTEN) > _KEPT_WRITTEN:
            _WRITTEN.popitem(last=False)
    return found


async def _open(hub: Hub, key: str) -> Reader:
    while True:
        try:
            return await hub.tailer.open(key)
        except (*LOST, RedisError):
            await asyncio.sleep(_PAUSE_S)
