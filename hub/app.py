"""The one place where the API is wired: which parts it has, how it starts and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import ceil
from socket import socket
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI

from hub import console
from hub.errors import Unavailable
from hub.http import (
    aid,
    alerts,
    approvals,
    auditing,
    documents,
    drafts,
    escalations,
    exports,
    feeds,
    health,
    holds,
    incidents,
    levels,
    members,
    messages,
    operations,
    outlets,
    problems,
    proofs,
    publishing,
    receipts,
    registry,
    replays,
    reports,
    schemas,
    searching,
    session,
    sign_on,
    static_log,
    threads,
    vocabularies,
    watch,
)
from hub.http.event_streams import Heart
from hub.http.guard import Guard
from hub.http.limits import Limits
from hub.http.refusals import Refusals
from hub.http.replaying import Replays
from hub.http.state import Hub
from hub.http.wire import REFUSALS, Wire
from hub.log.in_force import InForce
from hub.log.levels import Levels, read_policy_file
from hub.log.store import Log
from hub.members.credentials import Authenticator
from hub.members.oidc import Provider
from hub.members.sessions import Sessions
from hub.members.sign_in import SignIn
from hub.members.sign_on import read as read_sign_ons
from hub.settings import Settings
from hub.streams.answers import Answers
from hub.streams.connect import connect
from hub.streams.feeds import FeedStreams
from hub.streams.tail import Tailer
from hub.tasks import end
from hub.version import VERSION

__all__ = ["build_api", "serve"]

_NOTED_S: Final = 60
_ROUTES = (
    publishing,
    drafts,
    approvals,
    messages,
    receipts,
    threads,
    incidents,
    escalations,
    aid,
    operations,
    feeds,
    alerts,
    outlets,
    watch,
    members,
    registry,
    proofs,
    static_log,
    auditing,
    searching,
    replays,
    reports,
    holds,
    exports,
    levels,
    session,
    sign_on,
    schemas,
    documents,
    vocabularies,
    health,
)
_log = structlog.get_logger("api")


def build_api(settings: Settings) -> FastAPI:
    """Return the API. It opens the log and Redis when it starts, and closes them when it ends."""
    app = FastAPI(
        title="Caspian Hub",
        version=VERSION,
        summary="Emergency messages between the agencies of the Caspian states",
        # The framework's pages load scripts from elsewhere; a control room may be cut off.
        docs_url=None,
        redoc_url=None,
        # A redirect would go to plain HTTP and the host that the client named, token and all.
        redirect_slashes=False,
        lifespan=_lifespan(settings),
    )
    problems.install(app)
    for module in _ROUTES:
        app.include_router(module.router)
    app.include_router(console.router)
    app.add_middleware(Guard)
    return app


def _lifespan(
    settings: Settings,
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        log = await asyncio.to_thread(Log.open, settings.log_url)
        redis = connect(settings.redis_address, max_connections=200)
        sessions = Sessions(log, idle=settings.session_idle, lifetime=settings.session_lifetime)
        hub = Hub(
            settings=settings,
            log=log,
            redis=redis,
            streams=FeedStreams(redis),
            answers=Answers(redis, lambda: list(hub.history.latest.agencies)),
            tailer=Tailer(redis, queue=settings.sse_queue),
            authenticator=Authenticator(log),
            sessions=sessions,
            sign_in=SignIn(log, sessions),
            sign_ons={s: Provider(one) for s, one in read_sign_ons(settings.sign_on).items()},
            refusals=Refusals(redis),
            limits=Limits(settings),
            replays=Replays(log, redis, settings.receipt_timeout.total_seconds()),
            in_force=InForce(log),
            levels=Levels(log, read_policy_file(settings.policy)),
        )
        app.state.hub = hub
        await hub.registry(fresh=True)
        tasks = [
            asyncio.create_task(hub.answers.run(), name="answers"),
            asyncio.create_task(hub.tailer.run(), name="tail"),
            asyncio.create_task(hub.refusals.run(), name="refusals"),
            asyncio.create_task(_watch_members(hub), name="members"),
            asyncio.create_task(_note_use(hub), name="use"),
            asyncio.create_task(Heart(hub).beat(), name="beat"),
            asyncio.create_task(Heart(hub).watch(), name="watch"),
        ]
        try:
            yield {REFUSALS: hub.refusals}
        finally:
            await end(tasks)
            await hub.replays.close()
            await hub.refusals.flush()
            await _noted(hub)
            for provider in hub.sign_ons.values():
                await provider.close()
            await redis.aclose()
            log.close()

    return lifespan


async def _watch_members(hub: Hub) -> None:
    """Meet new members within a second, so that their receipts are listened for."""
    while True:
        await asyncio.sleep(0.5)
        try:
            await hub.registry()
        except Unavailable as e:
            _log.warning("registry.waiting", error=str(e))


async def _note_use(hub: Hub) -> None:
    """Write down about once a minute when tokens and sessions were last used."""
    while True:
        await asyncio.sleep(_NOTED_S)
        await _noted(hub)


async def _noted(hub: Hub) -> None:
    try:
        await asyncio.to_thread(hub.authenticator.note_use)
        await asyncio.to_thread(hub.sessions.note_use)
    except Unavailable as e:
        _log.warning("use.waiting", error=str(e))


def serve(settings: Settings) -> None:
    """Serve the API until SIGTERM or SIGINT; open event streams end at once.

    Other requests under way have CASPIAN_API_GRACE; what is not done by then is broken off.

    Raises:
        Unavailable: the log cannot be opened.
    """
    app = build_api(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Wire,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose word is believed is `hub.http.peer`'s to say
        timeout_graceful_shutdown=ceil(settings.api_grace.total_seconds()),
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").setLevel(settings.log_level.upper())
    _Server(config, app).run()


class _Server(uvicorn.Server):
    """A server that ends event streams before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take nothing new, end all streams, and wait for the rest, but not for ever."""
        self._app.state.hub.open_streams.end()
        await super().shutdown(sockets)
