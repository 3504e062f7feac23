"""Threads over HTTP: a message with what came before and after it, and where each stands."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from hub.core.registry import History
from hub.core.rows import MessageRow
from hub.core.threads import Threads
from hub.http.messages import find
from hub.http.problems import RESPONSES
from hub.http.sight import may_read_message
from hub.http.standings import Seen, brief, published
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal

__all__ = ["router"]

router = APIRouter(tags=["messages"], responses=RESPONSES)


@router.get("/v1/messages/{name}/thread", summary="The thread of a message")
async def thread(name: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return the messages that belong together with one, in the order they were sent.

    Each with where it stands, what it updates or cancels, and what says the same in another
    language; and who else names one of them. Made of the messages that one may read.
    """
    row = await find(hub, asker, name)
    history = await hub.registry()
    return await asyncio.to_thread(_shown, hub, asker, history, row)


def _shown(hub: Hub, asker: Principal, history: History, row: MessageRow) -> dict[str, Any]:
    seen = Seen(hub, asker, history, [row])
    parts = seen.threads.thread(row.index, at=seen.at)
    own = [seen.rows[part.message.index] for part in parts]
    others = {m.index: m for m in hub.log.mentions_of(own) if may_read_message(asker, m, history)}
    mentions = Threads(map(published, [*own, *others.values()])).mentions([m.index for m in own])
    return {
        "index": row.index,
        "messages": [
            {
                **seen.brief(seen.rows[part.message.index]),
                "changes": list(part.changes),
                "siblings": list(part.siblings),
                "elsewhere": [r.model_dump(mode="json") for r in part.elsewhere],
            }
            for part in parts
        ],
        "mentions": [{**brief(others[i]), "of": list(of)} for i, of in mentions.items()],
    }
