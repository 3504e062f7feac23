"""Sign in with one's own state's sign-on: the way to it, and the way back."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from hub.errors import HubError, Rejected
from hub.http.cookies import drop_flow, flow_in, give_flow, give_key, key_in, secure_enough
from hub.http.peer import peer_of
from hub.http.problems import RESPONSES
from hub.http.session import end_earlier
from hub.http.state import Hub, HubState
from hub.members.oidc import Flow, Provider

__all__ = ["router"]

router = APIRouter(tags=["session"], responses=RESPONSES)
_THERE: Final[dict[int | str, dict[str, Any]]] = {303: {"description": "Go on there"}}
_PATH: Final = r"^/([A-Za-z0-9_.-][A-Za-z0-9_./-]*)?$"


@router.get("/v1/sign-on", summary="Which states have a sign-on of their own")
async def sign_ons(hub: HubState) -> dict[str, Any]:
    """Return the states whose people can sign in with their own state's sign-on."""
    return {
        "sign_on": [
            {"state": state, "name": p.sign_on.name or state, "path": f"/v1/sign-on/{state}"}
            for state, p in sorted(hub.sign_ons.items())
        ]
    }


@router.get(
    "/v1/sign-on/{state}",
    status_code=303,
    summary="Go to a state's sign-on",
    response_class=RedirectResponse,
    responses=_THERE,
)
async def go(
    state: str,
    request: Request,
    hub: HubState,
    then: Annotated[str, Query(pattern=_PATH, max_length=200)] = "/",
) -> Response:
    """Send a browser to the provider; it comes back, signed in, to the path *then*."""
    peer = peer_of(request, hub.settings)
    secure_enough(peer)
    provider, flow = _provider(hub, state), Flow.begin()
    try:
        address = await provider.address(flow, redirect=_back(request, hub, state))
    except HubError as refusal:
        return _at_the_door(request, refusal)
    response = RedirectResponse(address, status_code=303)
    give_flow(response, peer, flow.secret, then)
    return response


@router.get(
    "/v1/sign-on/{state}/callback",
    status_code=303,
    summary="Come back from a state's sign-on",
    response_class=RedirectResponse,
    responses=_THERE,
)
async def back(
    state: str,
    request: Request,
    hub: HubState,
    code: Annotated[str | None, Query(max_length=4096)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    iss: Annotated[str | None, Query(max_length=1024)] = None,
    flow: Annotated[str, Query(alias="state", max_length=200)] = "",
) -> Response:
    """Take the provider's word for who this is, if it is its word; open a session."""
    peer = peer_of(request, hub.settings)
    secure_enough(peer)
    provider = _provider(hub, state)
    secret, then = flow_in(request, peer)
    given = {"code": code, "error": error, "iss": iss, "state": flow}
    try:
        key = await hub.sign_in.by_sign_on(
            provider,
            {name: value for name, value in given.items() if value is not None},
            Flow(secret),
            redirect=_back(request, hub, state),
            address=peer.address,
            agent=request.headers.get("user-agent", ""),
        )
    except HubError as refusal:
        return _at_the_door(request, refusal)
    await end_earlier(hub, key_in(request, peer))
    response = RedirectResponse(then, status_code=303)
    drop_flow(response, peer)
    give_key(response, peer, key)
    return response


def _at_the_door(request: Request, refusal: HubError) -> Response:
    """Let the page at the door tell a person what was wrong, in their language.

    Raises:
        HubError: it is no page that asks, but a program.
    """
    if "text/html" not in request.headers.get("accept", ""):
        raise refusal
    return RedirectResponse(f"/console/sign-in?refused={refusal.code}", status_code=303)


def _provider(hub: Hub, state: str) -> Provider:
    if state not in hub.sign_ons:
        raise Rejected(
            "sign-on-unknown",
            f"{state[:20]} has no sign-on of its own here",
            remedy="GET /v1/sign-on lists those that have.",
        )
    return hub.sign_ons[state]


def _back(request: Request, hub: Hub, state: str) -> str:
    """Return where the provider sends the browser back to; it must know this address."""
    # Without a public address only a browser on this machine comes this far.
    base = hub.settings.public_url or f"http://{request.headers.get('host', '')}"
    return f"{base}/v1/sign-on/{state}/callback"
