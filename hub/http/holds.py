"""What may not be removed: legal holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from hub.core.candidate import Candidate
from hub.core.changes import change_of
from hub.core.holds import Hold
from hub.core.registry import Registry
from hub.errors import Rejected
from hub.http.actions import wait_logged
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal, require
from hub.streams.submit import propose

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)


class Ending(BaseModel):
    """Why a hold ends."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/v1/holds", summary="The legal holds")
async def holds(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return all holds, those that ended too: who holds what, and why."""
    require(asker, "read", "register", "audit")
    found = (await hub.registry(fresh=True)).latest.holds
    return {
        "holds": [
            {"index": index, **life.hold.model_dump(mode="json"), "until": life.until}
            for index, life in sorted(found.items())
        ]
    }


@router.post("/v1/holds", status_code=201, summary="Hold a message or an incident")
async def hold(record: Hold, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log that a message, or all about an incident, may not be removed.

    Only where the log began without roots; else the state's authority signs a statement.
    """
    _own(asker, record.state)

    def there(registry: Registry) -> int | None:
        return next(
            (i for i, o in registry.holds.items() if o.hold == record and o.until is None), None
        )

    index = await _log(hub, asker, "hold", record.model_dump(mode="json"), there)
    return {"index": index, **record.model_dump(mode="json")}


@router.post("/v1/holds/{index}/release", status_code=201, summary="End a hold")
async def release(index: int, given: Ending, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log that a hold ended; what it covered may be removed from then on."""
    require(asker, "register")
    life = (await hub.registry(fresh=True)).latest.holds.get(index)
    if life is None or life.until is not None:
        raise Rejected("hold-unknown", f"nothing is held under {index}")
    _own(asker, life.hold.state)
    record = {"state": life.hold.state, "hold": index, "reason": given.reason}

    def there(registry: Registry) -> int | None:
        return registry.holds[index].until

    return {"index": await _log(hub, asker, "release", record, there), **record}


def _own(asker: Principal, state: str) -> None:
    require(asker, "register")
    if asker.state not in {"", state}:
        raise Rejected(
            "not-allowed",
            f"a registrar of {asker.state} holds for {asker.state}, not for {state}",
            remedy="Leave it to a registrar of that state, or of the hub.",
        )


async def _log(
    hub: Hub,
    asker: Principal,
    kind: Any,
    record: dict[str, Any],
    there: Callable[[Registry], int | None],
) -> int:
    registry = (await hub.registry(fresh=True)).latest
    if (found := there(registry)) is not None:
        return found
    change_of(kind, record, registry)
    message = record.get("message")
    if message is not None and message >= (await asyncio.to_thread(hub.log.head)).size:
        raise Rejected("unknown-message", f"the log has nothing at {message}")
    person = asker.account or asker.person
    await propose(hub.redis, [Candidate(kind, "", via="http", body=record, person=person)])

    async def logged() -> int | None:
        return there((await hub.registry(fresh=True)).latest)

    return await wait_logged(hub, logged)
