"""Alerts in force, and the messages of a feed, as other programs read them: Atom, RSS, GeoJSON."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Request, Response

from hub.core.redaction import REDACTED_TYPE
from hub.core.registry import Filter, History
from hub.core.routing import feeds_of, wants
from hub.core.rows import MessageRow
from hub.errors import Rejected
from hub.http import contents
from hub.http.feeds import Wanted, may_read_feed
from hub.http.peer import peer_of
from hub.http.problems import RESPONSES
from hub.http.sight import may_read_message
from hub.http.state import Asker, Hub, HubState
from hub.http.syndication import ATOM, RSS, About, Item, atom, rss
from hub.log.watch_log import latest, payloads_of
from hub.members.roles import require
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["alerts"])

Form = Literal["atom", "rss", "geojson"]
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", include_in_schema=False)]

_GEOJSON: Final = "application/geo+json"
_TYPES: Final[dict[str, str]] = {"atom": ATOM, "rss": RSS, "geojson": _GEOJSON}
_MOST: Final = 500
"""So many alerts, the newest, are in one answer."""
_MOST_FEATURES: Final = 5000
_OF_A_FEED: Final = 100
_LOT: Final = 500
_LOTS: Final = 10
"""So many lots of messages are looked at for the latest of one feed."""

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **RESPONSES,
    200: {"content": {media: {} for media in _TYPES.values()}},
    304: {"description": "As the client has it"},
}
_ATOM_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **_ANSWERS,
    200: {"content": {ATOM: {}}},
}
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}
"""Any page may show what is for everybody."""


@router.get(
    "/v1/alerts/{form}",
    summary="The alerts in force, as Atom, RSS or GeoJSON",
    response_class=Response,
    responses=_ANSWERS,
)
async def alerts(
    form: Form,
    request: Request,
    hub: HubState,
    asker: Asker,
    wanted: Wanted,
    have: IfNoneMatch = "",
) -> Response:
    """Return the Actual alerts in force that one may read, newest first, of very many the first."""
    require(asker, "read")
    history = await hub.registry()

    def may_read(row: MessageRow) -> bool:
        return row.facts.status == "Actual" and may_read_message(asker, row, history)

    given = _Given(hub, history, _base(request, hub), "/v1/messages/{}/payload", wanted)
    title = f"Alerts in force for {asker.agency or asker.state or 'the hub'}"
    found = await asyncio.to_thread(hub.in_force.seen_by, may_read, at=datetime.now(UTC))
    return await _in_force(given, form, request, found, title, have)


@router.get(
    "/v1/feeds/{feed}/atom",
    summary="The latest messages of a feed, as Atom",
    response_class=Response,
    responses=_ATOM_ANSWERS,
)
async def feed_atom(
    feed: str,
    request: Request,
    hub: HubState,
    asker: Asker,
    wanted: Wanted,
    have: IfNoneMatch = "",
) -> Response:
    """Return the latest hundred messages of a feed, newest first, each with a link to itself."""
    require(asker, "read")
    await may_read_feed(hub, asker, feed)
    history = await hub.registry(fresh=True)
    given = _Given(hub, history, _base(request, hub), "/v1/messages/{}/payload", wanted)
    rows = await asyncio.to_thread(_latest_of, given, feed)
    title = f"Caspian Hub: {feed}"
    return await asyncio.to_thread(_answer, given, "atom", request, rows, title, have)


@router.get(
    "/public/alerts/{form}",
    summary="The public alerts in force, as Atom, RSS or GeoJSON",
    response_class=Response,
    responses=_ANSWERS,
)
async def public_alerts(
    form: Form, request: Request, hub: HubState, wanted: Wanted, have: IfNoneMatch = ""
) -> Response:
    """Return the alerts in force for everybody: status Actual, scope Public. Wants no token."""
    _for_everybody(request, hub)
    history = await hub.registry()
    given = _Given(hub, history, _base(request, hub), "/public/messages/{}", wanted)
    title = "Public alerts around the Caspian Sea"
    found = await asyncio.to_thread(hub.in_force.for_everybody, at=datetime.now(UTC))
    answer = await _in_force(given, form, request, found, title, have)
    answer.headers.update(_OPEN)
    return answer


@router.get(
    "/public/messages/{index}",
    summary="A public alert in force, as it was sent",
    response_class=Response,
    responses={
        **RESPONSES,
        200: {"content": {"application/cap+xml": {}, "application/cap+json": {}}},
        304: {"description": "As the client has it"},
    },
)
async def public_message(
    index: int, request: Request, hub: HubState, have: IfNoneMatch = ""
) -> Response:
    """Return the exact bytes of an alert that is in force and for everybody. Wants no token."""
    _for_everybody(request, hub)
    rows = await asyncio.to_thread(hub.in_force.for_everybody, at=datetime.now(UTC))
    row = next((row for row in rows if row.index == index), None)
    found = None if row is None else await asyncio.to_thread(hub.log.row, index)
    if row is None or found is None or found.payload is None or found.payload_type == REDACTED_TYPE:
        raise Rejected(
            "unknown-message",
            f"{index} is no alert that is in force and for everybody",
            remedy="GET /public/alerts/atom lists them.",
        )
    return _kept(found.payload, found.payload_type, f'"{row.sha256}"', have, _OPEN)


def _for_everybody(request: Request, hub: Hub) -> None:
    if not hub.settings.public_feeds:
        raise Rejected(
            "route-unknown",
            "this hub shows nothing without a token",
            remedy="Operator: see CASPIAN_PUBLIC_FEEDS.",
        )
    hub.limits.of_public(peer_of(request, hub.settings).address)


@dataclass(frozen=True, slots=True)
class _Given:
    """What all the forms need."""

    hub: Hub
    history: History
    base: str
    payload: str
    """The path of a message's payload, with {} for its index."""
    wanted: Filter

    def wants(self, row: MessageRow) -> bool:
        agency = self.history.latest.agencies.get(row.agency)
        return wants(self.wanted, row.facts, agency.state if agency else "")


def _base(request: Request, hub: Hub) -> str:
    return (hub.settings.public_url or str(request.base_url)).rstrip("/")


async def _in_force(
    given: _Given,
    form: Form,
    request: Request,
    found: Sequence[MessageRow],
    title: str,
    have: str,
) -> Response:
    rows = [row for row in found if given.wants(row)][:_MOST]
    return await asyncio.to_thread(_answer, given, form, request, rows, title, have)


def _latest_of(given: _Given, feed: str) -> list[MessageRow]:
    log, history = given.hub.log, given.history
    found: list[MessageRow] = []
    before = log.head().size
    since = history.latest.feeds()[feed]
    for _ in range(_LOTS):
        with log.reading() as c:
            rows = latest(c, before=before, since_us=0, limit=_LOT)
        for row in rows:
            if row.index <= since or len(found) == _OF_A_FEED:
                return found
            if given.wants(row) and feed in feeds_of(row.facts, row.agency, history.at(row.index)):
                found.append(row)
        if len(rows) < _LOT:
            break
        before = rows[-1].index
    return found


def _answer(
    given: _Given,
    form: Form,
    request: Request,
    rows: Sequence[MessageRow],
    title: str,
    have: str,
) -> Response:
    """Write the answer; blocks on the store."""
    with given.hub.log.reading() as c:
        payloads = payloads_of(c, [row.index for row in rows])
    headers = {}
    if rows:
        changed = from_micros(max(row.at_us for row in rows)).replace(microsecond=0)
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if form == "geojson":
        body = _geojson(given, rows, payloads)
    else:
        first = given.hub.log.row(0)
        origin = given.hub.settings.origin
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        about = About(
            title=title,
            id=_tag(origin, first.at_us if first else 0, request.url.path.strip("/")),
            address=given.base + path,
            site=given.base + "/",
            begun=from_micros(first.at_us if first else 0),
        )
        items = [_item(given, row, *payloads.get(row.index, ("", b""))) for row in rows]
        body = atom(about, items) if form == "atom" else rss(about, items)
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    return _kept(body, _TYPES[form], tag, have, headers)


def _kept(body: bytes, media_type: str, tag: str, have: str, headers: dict[str, str]) -> Response:
    """Return a body, or only that the client has it; whoever keeps it asks again each time."""
    headers = {**headers, "ETag": tag, "Cache-Control": "no-cache"}
    known = {one.strip().removeprefix("W/") for one in have.split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _item(given: _Given, row: MessageRow, payload_type: str, payload: bytes) -> Item:
    facts = row.facts
    texts = contents.headlines(payload_type, payload) if payload else []
    text = _in_language(texts, given.wanted.languages)
    title = text.get("headline") or facts.headline or facts.msg_type
    if facts.status != "Actual":
        title = f"[{facts.status.upper()}] {title}"
    areas = text.get("areas") or "; ".join(a.description for a in facts.areas if a.description)
    event = text.get("event", "")
    agency = given.history.latest.agencies.get(row.agency)
    summary = ". ".join(dict.fromkeys(one for one in (event, areas) if one)) or title
    return Item(
        row=row,
        id=_tag(given.hub.settings.origin, row.at_us, str(row.index)),
        link=given.base + given.payload.format(row.index),
        media_type="application/octet-stream" if payload_type == REDACTED_TYPE else payload_type,
        title=title,
        summary=summary[:1000],
        author=agency.name if agency else row.agency,
        language=text.get("language", ""),
    )


def _in_language(texts: Sequence[dict[str, str]], languages: Sequence[str]) -> dict[str, str]:
    for wanted in languages:
        for text in texts:
            if text["language"].casefold().startswith(wanted.casefold()):
                return text
    return texts[0] if texts else {}


def _geojson(
    given: _Given, rows: Sequence[MessageRow], payloads: dict[int, tuple[str, bytes]]
) -> bytes:
    features: list[dict[str, Any]] = []
    shown = 0
    for row in rows:
        more = contents.features(*payloads.get(row.index, ("", b"")))
        languages = [w.casefold() for w in given.wanted.languages]
        spoken = [
            one
            for one in more
            if any(str(one["properties"]["language"]).casefold().startswith(w) for w in languages)
        ]
        more = spoken or more
        if len(features) + len(more) > _MOST_FEATURES:
            break
        shown += 1
        agency = given.history.latest.agencies.get(row.agency)
        about = {
            "index": row.index,
            "agency": row.agency,
            "state": agency.state if agency else "",
            "link": given.base + given.payload.format(row.index),
        }
        features += [{**one, "properties": {**one["properties"], **about}} for one in more]
    collection = {
        "type": "FeatureCollection",
        "features": features,
        "alerts": shown,
        "complete": shown == len(rows) < _MOST,
    }
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _tag(origin: str, at_us: int, what: str) -> str:
    """Return a name for ever (RFC 4151), of the log and not of where the hub is reached."""
    host, _, rest = origin.partition("/")
    path = f"{rest}/{what}" if rest else what
    return f"tag:{host},{from_micros(at_us):%Y-%m-%d}:{path}"
