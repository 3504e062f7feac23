"""Outlets over HTTP: made by those who may read the feed, looked after by some more."""

from __future__ import annotations

import asyncio
import base64
import binascii
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from hub.core.actions import ActionName
from hub.errors import Rejected
from hub.http.actions import log_action
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal, require
from hub.outlets import store
from hub.outlets.guard import Guard, is_outside
from hub.outlets.records import (
    PUBLIC,
    MailTarget,
    MqttTarget,
    Outlet,
    Target,
    WebhookTarget,
    shown,
    shown_attempt,
)

__all__ = ["router"]

router = APIRouter(tags=["outlets"], responses=RESPONSES)

_lines = structlog.get_logger("outlets")
_FEED: Final = r"^[a-z0-9.-]{1,80}$"


class Adding(BaseModel):
    """An outlet to be made."""

    model_config = ConfigDict(extra="forbid")

    feed: str = Field(pattern=_FEED)
    """The feed to bring; ``public`` means every public alert, whoever sent it."""
    target: Target
    secret: str = Field("", max_length=200)
    """Of a webhook ``whsec_`` and 24 to 64 bytes in base64, made here where it is left out; of
    a broker the password."""
    confirms: bool = False
    """Whether what a webhook's receiver takes counts as delivered."""
    after: int | None = Field(None, ge=-1, lt=1 << 53)
    """The log index to begin after; from now on where it is left out."""


class Moving(BaseModel):
    """Where an outlet is to go on."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(None, ge=-1, lt=1 << 53)
    """Everything in the feed above this log index is sent, also what was sent before."""


@router.get("/v1/outlets", summary="Where feeds are brought")
async def outlets(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return the outlets that one looks after, with where each stands; secrets are not shown."""
    require(asker, "connect", "audit")
    found = await asyncio.to_thread(store.listed, hub.log)
    return {"outlets": [shown(one) for one in found if _looks_after(asker, one)]}


@router.post("/v1/outlets", status_code=201, summary="Have a feed brought to another system")
async def add(given: Adding, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Make an outlet; the secret of a webhook is in this answer, and in no other."""
    require(asker, "connect")
    require(asker, "read")  # who may not read a feed cannot have it sent somewhere
    _check_feed(asker, given.feed, (await hub.registry(fresh=True)).latest.feeds())
    _check_target(hub, given)
    if given.confirms:
        require(asker, "confirm")
        if given.target.kind != "webhook" or given.feed == PUBLIC:
            raise _invalid("confirms: only a webhook confirms, and a feed of one's own")
    await _told(hub, asker, "outlet-added", given.feed)
    outlet = await asyncio.to_thread(
        store.add,
        hub.log,
        feed=given.feed,
        target=given.target,
        secret=given.secret,
        confirms=given.confirms,
        through=await _beginning(hub, given),
        by=asker.account or asker.person or asker.agency or asker.role,
        now=datetime.now(UTC),
    )
    _lines.info("outlet.added", outlet=outlet.id, feed=outlet.feed, by=outlet.created_by)
    return {**shown(outlet), **_once(outlet)}


@router.get("/v1/outlets/{outlet}", summary="Where an outlet stands, and its latest attempts")
async def outlet(
    outlet: str,
    hub: HubState,
    asker: Asker,
    limit: Annotated[int, Query(ge=0, le=store.KEPT_ATTEMPTS)] = 50,
) -> dict[str, Any]:
    """Return an outlet and its latest attempts, newest first."""
    require(asker, "connect", "audit")
    found = await _find(hub, asker, outlet)
    made = await asyncio.to_thread(store.attempts, hub.log, found.id, limit=limit)
    return {**shown(found), "attempts": [shown_attempt(one) for one in made]}


@router.post("/v1/outlets/{outlet}/{action}", summary="Look after an outlet")
async def act(
    outlet: str,
    action: Literal["pause", "resume", "test", "redeliver", "rotate"],
    hub: HubState,
    asker: Asker,
    given: Moving | None = None,
) -> dict[str, Any]:
    """Pause an outlet or have it go on; test it; send again; give a webhook another secret."""
    require(asker, "connect")
    if action == "rotate":
        require(asker, "read")  # who has the secret can speak as the hub
    found = await _find(hub, asker, outlet)
    await _told(hub, asker, "outlet-changed", found.feed, outlet=found.id, change=action)
    now = datetime.now(UTC)
    if action == "pause":
        by = asker.account or asker.person or asker.agency or asker.role
        changed = await asyncio.to_thread(
            store.set_state, hub.log, found.id, "paused", f"paused by {by}"
        )
    elif action == "resume":
        changed = await asyncio.to_thread(store.set_state, hub.log, found.id, "active")
    elif action == "test":
        changed = await asyncio.to_thread(store.ask_test, hub.log, found.id, now=now)
    elif action == "redeliver":
        through = await _moved(hub, found, given)
        changed = await asyncio.to_thread(store.move, hub.log, found.id, through)
    else:
        if found.target.kind != "webhook":
            raise _invalid("only webhooks are signed")
        changed = await asyncio.to_thread(store.rotate, hub.log, found.id, now=now)
    _lines.info("outlet.changed", outlet=found.id, action=action, by=asker.account or asker.person)
    return {**shown(changed), **(_once(changed) if action == "rotate" else {})}


@router.delete("/v1/outlets/{outlet}", status_code=204, summary="Remove an outlet")
async def remove(outlet: str, hub: HubState, asker: Asker) -> Response:
    """Remove an outlet, its secret, and what is known of its attempts."""
    require(asker, "connect")
    found = await _find(hub, asker, outlet)
    await _told(hub, asker, "outlet-removed", found.feed, outlet=found.id)
    await asyncio.to_thread(store.remove, hub.log, found.id)
    _lines.info("outlet.removed", outlet=found.id, by=asker.account or asker.person)
    return Response(status_code=204)


async def _told(hub: Hub, asker: Principal, action: ActionName, feed: str, **about: str) -> None:
    """Have the log say first what a person does; what an agency's system does is its agency's."""
    if asker.person:
        agency = "" if feed == PUBLIC else feed.partition(".")[0]
        await log_action(hub, asker, action, agency=agency, feed=feed, **about)


def _looks_after(asker: Principal, outlet: Outlet) -> bool:
    if asker.role == "registrar":
        return not asker.state or outlet.agency.startswith(f"{asker.state.lower()}-")
    if not outlet.agency:
        return asker.sees_all
    return asker.sees(outlet.agency)


async def _find(hub: Hub, asker: Principal, outlet: str) -> Outlet:
    if not (outlet.isascii() and outlet.isalnum() and len(outlet) <= 16):
        raise store.unknown(outlet)
    found = await asyncio.to_thread(store.find, hub.log, outlet)
    if not _looks_after(asker, found):
        raise store.unknown(outlet)
    return found


def _check_feed(asker: Principal, feed: str, feeds: dict[str, int]) -> None:
    if feed == PUBLIC:
        if not asker.sees_all:
            raise Rejected(
                "not-allowed",
                "what is public for everybody is brought by the hub's operator",
                remedy="Ask the operator, or bring your own agency's feed.",
            )
    elif feed not in feeds or not asker.sees(feed.partition(".")[0]):
        raise Rejected("feed-unknown", f"there is no feed {feed[:100]} for you")


def _check_target(hub: Hub, given: Adding) -> None:
    target = given.target
    if isinstance(target, MailTarget):
        if not hub.settings.smtp_url:
            raise _invalid("this hub sends no mail: CASPIAN_SMTP_URL is not set")
    else:
        _check_address(hub, target)
    if isinstance(target, WebhookTarget) and given.secret:
        try:
            length = len(base64.b64decode(given.secret.removeprefix("whsec_"), validate=True))
        except binascii.Error:
            length = 0
        if not given.secret.startswith("whsec_") or not 24 <= length <= 64:
            raise _invalid("secret: whsec_ and 24 to 64 bytes in base64")


def _check_address(hub: Hub, target: WebhookTarget | MqttTarget) -> None:
    """Refuse at once what could never be reached; names are looked up when they are needed."""
    parts = urlsplit(target.url)
    inner = hub.settings.inner_networks
    if parts.scheme in {"http", "mqtt"} and not inner:
        raise _invalid(f"url: {parts.scheme}:// would be in the clear; the operator allows none")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return
    if not Guard(inner).allows(address) and not is_outside(address):
        raise _invalid(f"url: {address} is an address of an inner network")


async def _beginning(hub: Hub, given: Adding) -> int:
    size = (await asyncio.to_thread(hub.log.head)).size
    if given.after is not None:
        if given.after >= size:
            raise Rejected("cursor-invalid", f"the log ends at {size - 1}")
        if given.confirms:
            raise _invalid("after: one that confirms begins where the feed was confirmed last")
        return given.after
    if given.confirms:
        # What lies between would count as delivered, and nobody had brought it.
        since = (await hub.registry()).latest.feeds()[given.feed]
        done = await asyncio.to_thread(hub.log.delivered, [given.feed])
        return max(since, done.get(given.feed, -1))
    return size - 1


async def _moved(hub: Hub, outlet: Outlet, given: Moving | None) -> int:
    if given is None or given.after is None:
        raise _invalid("after: from which log index on?")
    size = (await asyncio.to_thread(hub.log.head)).size
    if given.after >= size:
        raise Rejected("cursor-invalid", f"the log ends at {size - 1}")
    if outlet.confirms and given.after > outlet.through:
        raise _invalid("after: what is passed over would count as delivered")
    return given.after


def _invalid(detail: str) -> Rejected:
    return Rejected("outlet-invalid", detail, remedy="See docs/feeds.md.")


def _once(outlet: Outlet) -> dict[str, Any]:
    return {"secret": outlet.secret} if outlet.target.kind == "webhook" else {}
