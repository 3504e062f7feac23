"""Whether the process lives, whether it can work, and its figures."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from hub.errors import Unavailable
from hub.http.state import HubState
from hub.streams.feeds import reached
from hub.telemetry import process_metrics

__all__ = ["router"]

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="The process lives")
async def healthz() -> dict[str, str]:
    """Answer, and nothing else: a failure here means that the process must be restarted."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="The hub can work",
    responses={503: {"description": "A part is away; `checks` says which"}},
)
async def readyz(hub: HubState) -> Response:
    """Look at the log and at Redis, and at how far the feeds are behind the log."""
    checks: dict[str, Any] = {}
    ready = True
    try:
        size = (await asyncio.to_thread(hub.log.head)).size
        checks["log"] = {"ok": True, "size": size}
        process_metrics().log_size.set(size)
    except Unavailable as e:
        ready, checks["log"] = False, {"ok": False, "code": e.code}
    try:
        async with asyncio.timeout(2):
            await hub.redis.ping()
        checks["redis"] = {"ok": True}
        if ready:
            feeds = list((await hub.registry()).latest.feeds())
            behind = {
                feed: max(0, size - 1 - max(at, 0))
                for feed, at in (await reached(hub.redis, feeds)).items()
            }
            for feed, entries in behind.items():
                process_metrics().feed_lag_entries.labels(feed).set(entries)
            checks["feeds"] = {"ok": True, "most_behind": max(behind.values(), default=0)}
    except (RedisError, OSError, TimeoutError, Unavailable):
        ready, checks["redis"] = False, {"ok": False, "code": "streams-unavailable"}
    return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics() -> Response:
    """Return this process's metrics in the Prometheus text format (docs/metrics.md)."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
