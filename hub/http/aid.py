"""The aid board over HTTP: what is asked for, promised and missing, as the asker may know it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.core.aid import AidEntry, Figure, Line, board
from hub.core.incidents import incident_name, incidents_of
from hub.core.registry import History
from hub.core.rows import MessageRow
from hub.http.problems import RESPONSES
from hub.http.sight import may_read_message
from hub.http.state import Asker, HubState
from hub.members.roles import Principal, require

__all__ = ["router"]

router = APIRouter(tags=["aid"], responses=RESPONSES)


@router.get("/v1/aid/board", summary="The aid board")
async def aid_board(
    hub: HubState,
    asker: Asker,
    incident: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(pattern="^([A-Z]{2})?$")] = "",
) -> dict[str, Any]:
    """Return the board of all incidents, or of one; with a state, only what it gives.

    A member's board is made of the messages that it is entitled to, an auditor's of
    all. Every figure names the log indexes of the messages behind it. ``talks`` names all
    incidents that aid messages are about, with the last of them: a question has no figure,
    nor has what was taken back.
    """
    require(asker, "read")
    rows = await asyncio.to_thread(hub.log.aid_messages)
    history = await hub.registry()
    return await asyncio.to_thread(_shown, rows, history, asker, incident, state)


def _shown(
    rows: Iterable[MessageRow], history: History, asker: Principal, incident: str, state: str
) -> dict[str, Any]:
    readable = [row for row in rows if may_read_message(asker, row, history)]
    found = board(AidEntry(row.index, row.agency, row.facts) for row in readable)
    return {
        "incidents": [
            {
                "incident": one.id,
                "status": one.status,
                "lines": [_line(line) for line in one.lines],
            }
            for one in found.only(incident, state).incidents
        ],
        "talks": _talks(readable, incident),
    }


def _talks(rows: Iterable[MessageRow], incident: str) -> list[dict[str, Any]]:
    """Return where aid is spoken of, also where no figure says so, and the last word there."""
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        last |= {(row.facts.status, name): row.index for name in incidents_of(row.facts)}
    return [
        {"incident": name, "status": status, "last": index}
        for (status, name), index in sorted(last.items())
        if not incident or incident_name(incident) == name
    ]


def _line(line: Line) -> dict[str, Any]:
    return {
        "type": line.type,
        "name": line.name,
        "unit": line.unit,
        **{stage: _figure(figure) for stage, figure in line.figures.items()},
        "gap": _figure(line.gap),
        "states": {
            state: {stage: _figure(figure) for stage, figure in figures.items()}
            for state, figures in line.states.items()
        },
    }


def _figure(figure: Figure) -> dict[str, Any]:
    """Return a figure; its amount is text, for JSON has no exact numbers."""
    amount = f"{figure.amount:f}"
    shown: dict[str, Any] = {"amount": amount, "messages": list(figure.messages)}
    return {**shown, "words": list(figure.words)} if figure.words else shown
