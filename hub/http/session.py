"""Sign in and out: a session is made, shown and ended here."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hub.errors import Rejected
from hub.http.cookies import drop_key, give_key, key_in, secure_enough
from hub.http.peer import peer_of, same_origin
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal
from hub.members.sessions import csrf_of, listed
from hub.members.sign_in import Offered

__all__ = ["end_earlier", "router"]

router = APIRouter(tags=["session"], responses=RESPONSES)
_GONE: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "Ended"}}


class SigningIn(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)
    code: str = Field("", max_length=40)
    """Of the authenticator app, or a recovery code."""


@router.post("/v1/session", status_code=201, summary="Sign in")
async def sign_in(given: SigningIn, request: Request, hub: HubState) -> Response:
    """Open a session for a person; its key comes as a cookie, always a new one.

    Every mistake has the same answer after the same time. After a few the next attempt
    has to wait: 429 with ``Retry-After``.
    """
    peer = peer_of(request, hub.settings)
    secure_enough(peer)
    if not same_origin(request, hub.settings):
        raise _cross_site()
    before = key_in(request, peer)
    key = await hub.sign_in.enter(
        Offered(
            given.name,
            given.password,
            given.code,
            peer.address,
            request.headers.get("user-agent", ""),
        )
    )
    await end_earlier(hub, before)
    response = JSONResponse(await shown(hub, key), status_code=201)
    give_key(response, peer, key)
    return response


@router.get("/v1/session", summary="Who one is")
async def who(request: Request, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return who asks, what they may, and the token that a page sends along with changes."""
    if not asker.session:
        return _person(asker)
    return await shown(hub, key_in(request, peer_of(request, hub.settings)))


@router.delete("/v1/session", status_code=204, summary="Sign out", responses=_GONE)
async def sign_out(request: Request, hub: HubState, asker: Asker) -> Response:
    """End this session, and let the browser forget its key."""
    _by_session(asker)
    await asyncio.to_thread(hub.sessions.end, asker.session, account=asker.account)
    response = Response(status_code=204)
    drop_key(response, peer_of(request, hub.settings))
    return response


@router.get("/v1/sessions", summary="Where one is signed in")
async def sessions(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return one's own open sessions, the newest first."""
    _by_session(asker)
    found = await asyncio.to_thread(
        listed, hub.log, asker.account, now=datetime.now(UTC), idle=hub.sessions.idle
    )
    return {
        "sessions": [
            {
                "session": one.handle,
                "this": one.handle == asker.session,
                "way": one.way,
                "address": one.address,
                "agent": one.agent,
                "created": one.created,
                "seen": one.seen,
                "expires": one.expires,
            }
            for one in found
        ]
    }


@router.delete(
    "/v1/sessions/{session}", status_code=204, summary="Sign out elsewhere", responses=_GONE
)
async def end_session(session: str, hub: HubState, asker: Asker) -> Response:
    """End another of one's own sessions: a telephone that was lost."""
    _by_session(asker)
    if not await asyncio.to_thread(hub.sessions.end, session[:16], account=asker.account):
        raise Rejected("session-unknown", "you have no open session of that name")
    return Response(status_code=204)


async def shown(hub: Hub, key: str) -> dict[str, Any]:
    """Return a session as its own person sees it."""
    principal, session, account = await asyncio.to_thread(hub.sessions.whose, key)
    return {
        **_person(principal),
        "account": account.name,
        "roles": list(account.roles),
        "language": account.language,
        "session": session.handle,
        "way": session.way,
        "created": session.created.isoformat(),
        "expires": session.expires.isoformat(),
        "idle_s": int(hub.sessions.idle.total_seconds()),
        "csrf": csrf_of(key),
    }


def _person(asker: Principal) -> dict[str, Any]:
    return {
        "role": asker.role,
        "agency": asker.agency,
        "state": asker.state,
        "person": asker.person,
        "scopes": sorted(asker.scopes),
    }


async def end_earlier(hub: Hub, key: str) -> None:
    """End the session that this browser had before; one that is over already is left alone."""
    if not key:
        return
    try:
        principal, _, _ = await asyncio.to_thread(hub.sessions.whose, key)
    except Rejected:
        return
    await asyncio.to_thread(hub.sessions.end, principal.session, account=principal.account)


def _by_session(asker: Principal) -> None:
    if not asker.session:
        raise Rejected(
            "not-allowed",
            "a token has no session",
            remedy="Sign in as a person: POST /v1/session.",
        )


def _cross_site() -> Rejected:
    return Rejected(
        "csrf-refused",
        "this comes from another site's page",
        remedy="Use the hub's own pages; Origin must be the hub's own address.",
    )
