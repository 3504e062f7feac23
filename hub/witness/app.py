"""A witness over HTTP (C2SP tlog-witness): ``POST /add-checkpoint``, and what it tells of itself.

``GET /`` says who it is and where it stands with each log, ``GET /<sha256 of origin>/checkpoint``
gives the latest checkpoint with its cosignature, ``GET /evidence`` what it holds against logs.
Nothing here is secret, and nobody needs a token: what counts is the log's signature.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.core.witnessing import Refused, Submission, authentic, read_submission
from hub.errors import Unavailable
from hub.http.limits import Rate, network_of
from hub.telemetry import process_metrics
from hub.witness.config import WitnessConfig
from hub.witness.identity import Identity
from hub.witness.store import WitnessStore
from schemas.notes import Note

__all__ = ["build_witness"]

_SIZE: Final = "text/x.tlog.size"
_log = structlog.get_logger("witness")


def build_witness(
    config: WitnessConfig,
    identity: Identity,
    store: WitnessStore,
    *,
    clock: Callable[[], float] = time.time,
    holds: Callable[[Submission], Refused | None] = lambda _: None,
) -> Starlette:
    """Return the app of one witness; *holds* may refuse what an authentic checkpoint says.

    It is called in a thread, and may raise `Unavailable`.
    """
    witness = _Witness(config, identity, store, clock, holds)
    return Starlette(
        routes=[
            Route("/add-checkpoint", witness.add_checkpoint, methods=["POST"]),
            Route("/", witness.about),
            Route("/evidence", witness.evidence),
            Route("/{origin:str}/checkpoint", witness.checkpoint),
        ],
        exception_handlers={Unavailable: _unavailable},
    )


def _unavailable(_request: Request, error: Exception) -> Response:
    again = str(getattr(error, "retry_after_s", 1))
    return PlainTextResponse(f"{error}\n", 503, headers={"Retry-After": again})


class _Witness:
    """What the routes share."""

    def __init__(
        self,
        config: WitnessConfig,
        identity: Identity,
        store: WitnessStore,
        clock: Callable[[], float],
        holds: Callable[[Submission], Refused | None],
    ) -> None:
        self._config = config
        self._identity = identity
        self._store = store
        self._clock = clock
        self._holds = holds
        self._rate = Rate(config.rate)
        self._answers = process_metrics().witness_answers

    async def add_checkpoint(self, request: Request) -> Response:
        """Cosign a checkpoint that follows from what was cosigned before."""
        try:
            answer = await self._added(request)
        except Unavailable:
            self._answers.labels(self._identity.key.name, "503").inc()
            raise
        self._answers.labels(self._identity.key.name, str(answer.status_code)).inc()
        return answer

    async def _added(self, request: Request) -> Response:
        who = request.client.host if request.client else ""
        if wait := self._rate.take(network_of(who)):
            return PlainTextResponse(
                "too many requests\n", 429, headers={"Retry-After": str(int(wait) + 1)}
            )
        try:
            async with asyncio.timeout(self._config.patience_s):
                body = await self._body(request)
        except TimeoutError:
            return PlainTextResponse("the body took too long\n", 408, headers=_CLOSE)
        except ClientDisconnect:
            return PlainTextResponse("gone\n", 400)
        if body is None:
            return PlainTextResponse("the body is too long\n", 413, headers=_CLOSE)
        answer = await asyncio.to_thread(self._judged, body)
        if isinstance(answer, Note):
            return PlainTextResponse(str(answer).partition("\n\n")[2])
        if answer.status == 409:
            return Response(
                f"{answer.why}\n", 409, media_type=None, headers={"Content-Type": _SIZE}
            )
        return PlainTextResponse(f"{answer.why}\n", answer.status)

    async def _body(self, request: Request) -> bytes | None:
        parts = bytearray()
        async for part in request.stream():
            parts += part
            if len(parts) > self._config.body_bytes:
                return None
        return bytes(parts)

    def _judged(self, body: bytes) -> Note | Refused:
        one = read_submission(body)
        if isinstance(one, Refused):
            return one
        keys = self._config.trusted.get(one.checkpoint.origin, ())
        refused = authentic(one, keys) or self._holds(one)
        if refused is not None:
            return refused
        answer = self._store.add(one, keys=keys, now_s=int(self._clock()))
        facts = {"origin": one.checkpoint.origin, "old": one.old, "size": one.checkpoint.size}
        if isinstance(answer, Refused):
            if answer.suspect:
                _log.error("checkpoint.contradicts", **facts, why=answer.why)
                forks = sum(e.kind == "fork" for e in self._store.evidence())
                process_metrics().witness_evidence.labels(self._identity.key.name).set(forks)
            return answer
        _log.info("checkpoint.cosigned", **facts)
        return answer

    async def about(self, _request: Request) -> Response:
        """Say who this is, and where it stands with each log that it trusts."""
        latest = {one.origin: one for one in await asyncio.to_thread(self._store.latest)}
        held = await asyncio.to_thread(self._store.evidence)
        logs = []
        for origin, keys in sorted(self._config.trusted.items()):
            one = latest.get(origin)
            logs.append(
                {
                    "origin": origin,
                    "keys": [str(key) for key in keys],
                    "size": 0 if one is None else one.size,
                    "root": None if one is None else one.root.hex(),
                    "checkpoint": None if one is None else f"/{_name(origin)}/checkpoint",
                }
            )
        return JSONResponse(
            {
                "witness": self._identity.key.name,
                "key": str(self._identity.key),
                "protocol": "https://c2sp.org/tlog-witness",
                "logs": logs,
                "forks": sum(e.kind == "fork" for e in held),
                "suspicions": sum(e.kind == "suspicion" for e in held),
            }
        )

    async def checkpoint(self, request: Request) -> Response:
        """Return the latest checkpoint of a log, with the log's signature and the witness's."""
        wanted = request.path_params["origin"]
        for one in await asyncio.to_thread(self._store.latest):
            if _name(one.origin) == wanted and one.origin in self._config.trusted:
                return PlainTextResponse(one.note, headers={"Cache-Control": "no-cache"})
        return PlainTextResponse("never cosigned\n", 404)

    async def evidence(self, _request: Request) -> Response:
        """Return what is held against logs, forks first, the latest first of each kind."""
        found = await asyncio.to_thread(self._store.evidence, limit=100)
        return JSONResponse({"evidence": [one.record() for one in found]})


_CLOSE: Final = {"Connection": "close"}


def _name(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
