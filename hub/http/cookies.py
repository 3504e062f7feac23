"""The cookie that holds the key of a session."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from hub.errors import Rejected
from hub.http.peer import Peer

__all__ = ["drop_key", "give_key", "key_in", "secure_enough"]

_COOKIE: Final = "__Host-caspian"
"""The prefix makes browsers take it over TLS alone, from this host alone, for all its paths."""

_LOCAL: Final = "caspian-local"
"""For a hub and a browser on one machine, without TLS: the demonstration."""


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
        _COOKIE if peer.secure else _LOCAL,
        key,
        path="/",
        secure=peer.secure,
        httponly=True,
        samesite="lax",
    )


def drop_key(response: Response, peer: Peer) -> None:
    """Let the browser forget its key."""
    response.delete_cookie(
        _COOKIE if peer.secure else _LOCAL,
        path="/",
        secure=peer.secure,
        httponly=True,
        samesite="lax",
    )
