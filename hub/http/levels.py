"""How far the end of the log has come: signed, cosigned by whom, and when each witness last was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)


@router.get("/v1/log/levels", summary="How far the log's end has come")
async def levels(hub: HubState, _asker: Asker) -> dict[str, Any]:
    """Return the log's size at each level, of each witness what it cosigned last, and the policy.

    It is what the hub says of itself: who has to be sure takes the checkpoints and verifies.
    """
    return await asyncio.to_thread(_levels, hub)


def _levels(hub: Hub) -> dict[str, Any]:
    head, told = hub.log.head(), hub.levels.standing()
    signed = told.sizes["signed"]
    return {
        "at": datetime.now(UTC),
        "durable": {"size": head.size, "at": from_micros(head.at_us) if head.size else None},
        **{
            level: None if one is None else {"size": one.size, "at": from_micros(one.at_us)}
            for level, one in told.sizes.items()
        },
        "quorum": told.quorum,
        "witnesses": [
            {
                "name": one.name,
                "counts": one.counts,
                "size": one.size or None,
                "at": None if one.at_s is None else datetime.fromtimestamp(one.at_s, UTC),
                "newest": signed is not None and one.size >= signed.size,
            }
            for one in told.witnesses
        ],
        "policy": told.policy,
    }
