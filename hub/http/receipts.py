"""What proves a message's place in the log to whoever does not trust the hub."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response

from hub.errors import Rejected
from hub.http.messages import find
from hub.http.problems import RESPONSES
from hub.http.state import Asker, HubState

__all__ = ["router"]

router = APIRouter(tags=["messages"], responses=RESPONSES)


@router.get(
    "/v1/messages/{name}/proof",
    summary="The proof that a message is in the log",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def proof(name: str, hub: HubState, asker: Asker) -> Response:
    """Return a proof (C2SP tlog-proof) under the checkpoint that shows the highest level."""
    row = await find(hub, asker, name)
    found = await asyncio.to_thread(hub.levels.proof, row.index)
    if found is None:
        raise Rejected(
            "checkpoint-none",
            f"no checkpoint covers {row.index} yet",
            remedy="Ask again in a second; if it stays so, tell the operator.",
        )
    return Response(
        str(found),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="message-{row.index}.tlog-proof"'},
    )


@router.get("/v1/messages/{name}/receipt", summary="The receipt of a message, to keep")
async def receipt(name: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return a message's entry, its proof, and the level that it has reached by now."""
    row = await find(hub, asker, name)
    entry = await asyncio.to_thread(hub.log.row, row.index)
    if entry is None:
        raise Rejected("entry-unknown", f"the log has no entry {row.index}")
    made = await asyncio.to_thread(hub.levels.receipt, hub.settings.origin, row.index, entry.body)
    return made.to_json()
