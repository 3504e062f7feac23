"""What the routes share: the log, Redis, who asks, and the registry as it is now."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from redis.asyncio import Redis

from hub.core.registry import History
from hub.errors import Rejected
from hub.http.cookies import key_in
from hub.http.limits import Limits
from hub.http.open_streams import OpenStreams
from hub.http.peer import Peer, peer_of, same_origin
from hub.http.refusals import Refusals
from hub.http.replaying import Replays
from hub.log.in_force import InForce
from hub.log.levels import Levels
from hub.log.store import Log
from hub.members.certificates import in_header
from hub.members.credentials import Authenticator
from hub.members.oidc import Provider
from hub.members.roles import Principal
from hub.members.sessions import Sessions, csrf_of
from hub.members.sign_in import SignIn
from hub.settings import Settings
from hub.streams.answers import Answers
from hub.streams.feeds import FeedStreams
from hub.streams.tail import Tailer

__all__ = [
    "CLIENT_CERT",
    "CSRF_HEADER",
    "Asker",
    "Hub",
    "HubState",
    "Shown",
    "identify",
    "shown_by",
    "who_shows",
]

CLIENT_CERT: Final = "Client-Cert"
CSRF_HEADER: Final = "Caspian-Csrf"
_FRESH_S = 1.0
_SHOWN: Final = ("authorization", "cookie", CLIENT_CERT)
_GUESSES: Final = frozenset({"token-invalid", "session-ended", "certificate-unknown"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Hub:
    """The parts behind the API of one process."""

    settings: Settings
    log: Log
    redis: Redis
    streams: FeedStreams
    answers: Answers
    tailer: Tailer
    authenticator: Authenticator
    sessions: Sessions
    sign_in: SignIn
    sign_ons: Mapping[str, Provider]
    """The states' own sign-ons, by state."""
    refusals: Refusals
    limits: Limits
    replays: Replays
    in_force: InForce
    levels: Levels
    open_streams: OpenStreams = field(default_factory=OpenStreams)
    history: History = field(default_factory=History)
    _read_at: float = -1.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def registry(self, *, fresh: bool = False) -> History:
        """Return the registry's history, at most a second old; with *fresh*, as it is now.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        async with self._lock:
            now = time.monotonic()
            if fresh or now - self._read_at > _FRESH_S:
                for index, entry in await asyncio.to_thread(
                    self.log.registry_entries, after=self.history.last_index
                ):
                    self.history.apply(index, entry)
                self._read_at = now
        return self.history


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubState = Annotated[Hub, Depends(_hub)]


async def _asker(request: Request, hub: HubState) -> Principal:
    """Return who asks: the holder of a bearer token, else of a session, else of a certificate.

    Raises:
        Rejected: ``token-missing``, ``token-invalid``, ``token-expired``, ``session-ended``,
            ``csrf-refused``, ``certificate-refused``, ``certificate-unknown``,
            ``certificate-invalid``; logged as a refusal.
        Unavailable: ``rate-limited``.
    """
    address = peer_of(request, hub.settings).address
    shown = "\n".join(request.headers.get(name, "") for name in _SHOWN)
    hub.limits.before_looking(address, shown)
    try:
        principal = await identify(request, hub)
    except Rejected as refusal:
        if refusal.code in _GUESSES:
            hub.limits.failed(address)
        raise
    request.state.agency = principal.agency
    hub.limits.right(address, shown)
    hub.limits.of_agency(principal)
    return principal


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request showed of who sends it: one of these."""

    token: str = ""
    key: str = ""
    """Of a session."""
    certificate: bytes = b""


async def identify(request: Request, hub: Hub) -> Principal:
    """Return who sent a request, as of now.

    A browser sends its cookie along with whatever any page makes it send, so a session
    changes something only with a token that no other site's page can know.

    Raises:
        Rejected: see `Asker`.
    """
    shown = shown_by(request, hub)
    principal = await asyncio.to_thread(who_shows, hub, shown)
    if shown.key and request.method not in _SAFE:
        _of_our_page(request, hub.settings, shown.key)
    return principal


def shown_by(request: Request, hub: Hub) -> Shown:
    """Return what a request shows: a bearer token, else a session, else a certificate.

    Raises:
        Rejected: ``token-missing``, ``token-invalid``, ``certificate-refused``,
            ``certificate-invalid``.
    """
    peer = peer_of(request, hub.settings)
    certificate = _certificate(request, peer, hub.settings)
    if "authorization" in request.headers:
        return Shown(token=_bearer(request.headers.getlist("authorization")))
    if key := key_in(request, peer):
        return Shown(key=key)
    if certificate is None:
        raise _missing()
    return Shown(certificate=certificate)


def who_shows(hub: Hub, shown: Shown) -> Principal:
    """Return whose it is. Blocks on the store when it has to ask.

    Raises:
        Rejected: see `Asker`. Unavailable: ``log-unavailable``.
    """
    if shown.token:
        return hub.authenticator.principal(shown.token)
    if shown.key:
        return hub.sessions.whose(shown.key)[0]
    return hub.authenticator.holder(shown.certificate)


def _of_our_page(request: Request, settings: Settings, key: str) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    known = hmac.compare_digest(given.encode(), csrf_of(key).encode())
    if not known or not same_origin(request, settings):
        raise Rejected(
            "csrf-refused",
            f"the header {CSRF_HEADER} is missing or wrong, or another site sends this",
            remedy="Send the `csrf` of GET /v1/session along with whatever changes something.",
        )


def _bearer(headers: Sequence[str]) -> str:
    if len(headers) > 1:
        # What stands before the hub may have looked at the other one.
        raise Rejected("token-invalid", "there are several tokens", remedy="Send one token.")
    scheme, _, token = "".join(headers).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _missing()
    return token.strip()


def _missing() -> Rejected:
    return Rejected(
        "token-missing",
        "there is no bearer token, and no session",
        remedy="Send `Authorization: Bearer <token>`, or sign in: POST /v1/session.",
    )


def _certificate(request: Request, peer: Peer, settings: Settings) -> bytes | None:
    """Return the fingerprint of the certificate that the front saw; None where it saw none.

    Anybody can write the header: on any other connection than the front's it is an attempt
    to be somebody else, or a front that the settings do not name. Neither goes unseen.
    """
    given = request.headers.getlist(CLIENT_CERT)
    if not any(given):
        return None
    if not (settings.client_certificates and peer.proxied) or len(given) > 1:
        raise Rejected(
            "certificate-refused",
            f"the header {CLIENT_CERT} is taken from the hub's own front alone, and once",
            remedy="Do not send it. Operator: see CASPIAN_CLIENT_CERTIFICATES.",
        )
    return in_header(given[0])


Asker = Annotated[Principal, Depends(_asker)]
