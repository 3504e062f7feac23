"""What a mirror serves: the log as the hub does, read only, and its witness under ``/witness``.

Whoever may read what is told by the mirror's own tokens (`caspian tokens`, with its store).
Nothing that is refused here is logged: the log is another's.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from hub.errors import Rejected
from hub.http import auditing, problems, proofs, registry, static_log
from hub.http.guard import Guard
from hub.http.limits import Limits
from hub.http.state import Hub
from hub.log.in_force import InForce
from hub.log.levels import Levels
from hub.members.credentials import Authenticator
from hub.members.sessions import Sessions
from hub.members.sign_in import SignIn
from hub.mirror.running import Mirror
from hub.settings import Settings
from hub.version import VERSION
from hub.witness.app import build_witness
from hub.witness.config import WitnessConfig
from hub.witness.identity import Identity
from hub.witness.store import WitnessStore

__all__ = ["build_mirror"]

_ROUTES: Final = (static_log, proofs, auditing, registry)
_NO_REDIS: Final = cast("Any", None)


class _Unlogged:
    """Where a hub's refusals go, those of a mirror go nowhere."""

    def note(self, agency: str, refusal: Rejected) -> None:
        """Take no note."""


def build_mirror(
    mirror: Mirror,
    settings: Settings,
    witness: tuple[WitnessConfig, Identity, WitnessStore],
) -> FastAPI:
    """Return the app of a mirror."""
    app = FastAPI(
        title="Caspian Hub: a mirror of the log",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    for module in _ROUTES:
        app.include_router(_reading(module.router))
    app.add_middleware(Guard)
    app.mount("/witness", build_witness(*witness, holds=mirror.holds))
    log = mirror.log
    sessions = Sessions(log, idle=settings.session_idle, lifetime=settings.session_lifetime)
    app.state.hub = Hub(
        settings=settings,
        log=log,
        redis=_NO_REDIS,
        streams=_NO_REDIS,
        answers=_NO_REDIS,
        tailer=_NO_REDIS,
        authenticator=Authenticator(log),
        sessions=sessions,
        sign_in=SignIn(log, sessions),
        sign_ons={},
        refusals=cast("Any", _Unlogged()),
        limits=Limits(settings),
        replays=_NO_REDIS,
        in_force=InForce(log),
        levels=Levels(log, None),
    )

    @app.get("/healthz", summary="The mirror works")
    async def healthz() -> dict[str, Any]:
        head = await asyncio.to_thread(log.head)
        return {"status": "alive", "size": head.size}

    return app


def _reading(router: APIRouter) -> APIRouter:
    """Return those of a router's routes that change nothing."""
    found = APIRouter()
    found.routes.extend(
        route
        for route in router.routes
        if isinstance(route, APIRoute) and route.methods and route.methods <= {"GET", "HEAD"}
    )
    return found
