"""The cookie that holds the key of a session."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from hub.errors import Rejected
from hub.http.peer import Peer

__all__ = [
    "drop_flow",
    "drop_key",
    "flow_in",
    "give_flow",
    "give_key",
    "key_in",
    "secure_enough",
]

_COOKIE: Final = "__Host-caspian"
"""The prefix makes browsers take it over TLS alone, from this host alone, for all its paths."""

_LOCAL: Final = "caspian-local"
"""For a hub and a browser on one machine, without TLS: the demonstration."""

_FLOW: Final = "-sign-on"
"""Ends the name of the cookie that binds a way through a state's sign-on to one browser."""
_FLOW_S: Final = 600


def secure_enough(peer: Peer) -> None:
    """Let nobody sign in where the password and the key could be read on the way.

    Raises:
        Rejected: ``tls-required``.
    """
    if not (peer.secure or peer.local):
        raise Rejected(
            "tls-required",
            "people sign in over TLS, or on the hub's own machine",
            remedy="Operator: put TLS in front, and set CASPIAN_PUBLIC_URL to its https address.",
        )


def key_in(request: HTTPConnection, peer: Peer) -> str:
    """Return the key that the browser sent; empty where there is none."""
    found = request.cookies.get(_COOKIE, "")
    return found or (request.cookies.get(_LOCAL, "") if peer.local else "")


def give_key(response: Response, peer: Peer, key: str) -> None:
    """Let the browser keep a key until it is closed; scripts cannot read it."""
    # Lax: who comes back from their state's sign-on, or follows a link, is still signed in.
    # What changes something needs the session's own token besides.
    response.set_cookie(
        _name(peer),
        key,
        path="/",
        secure=peer.secure,
        httponly=True,
        samesite="lax",
    )


def drop_key(response: Response, peer: Peer) -> None:
    """Let the browser forget its key."""
    response.delete_cookie(
        _name(peer),
        path="/",
        secure=peer.secure,
        httponly=True,
        samesite="lax",
    )


def flow_in(request: HTTPConnection, peer: Peer) -> tuple[str, str]:
    """Return the secret of a way through a sign-on, and where it leads to in the end."""
    secret, _, then = request.cookies.get(_name(peer) + _FLOW, "").partition("!")
    return secret, then if then.startswith("/") and not then.startswith("//") else "/"


def give_flow(response: Response, peer: Peer, secret: str, then: str) -> None:
    """Let the browser keep the secret for ten minutes."""
    response.set_cookie(
        _name(peer) + _FLOW,
        f"{secret}!{then}",
        max_age=_FLOW_S,
        path="/",
        secure=peer.secure,
        httponly=True,
        samesite="lax",
    )


def drop_flow(response: Response, peer: Peer) -> None:
    """Let the browser forget it: nobody comes back twice."""
    response.delete_cookie(
        _name(peer) + _FLOW, path="/", secure=peer.secure, httponly=True, samesite="lax"
    )


def _name(peer: Peer) -> str:
    return _COOKIE if peer.secure else _LOCAL
