"""Approval by a second officer: drafts are handed over, looked at, and published or rejected."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hub.core.routing import entitled
from hub.errors import Rejected
from hub.http.contents import content
from hub.http.drafts import would_be
from hub.http.problems import RESPONSES
from hub.http.publishing import answered, respond
from hub.http.state import Asker, HubState
from hub.members import waiting
from hub.members.roles import Principal, require
from hub.members.waiting import Draft
from schemas.payload import read_payload
from schemas.receipt import Receipt

__all__ = ["router"]

router = APIRouter(tags=["drafts"], responses=RESPONSES)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cap+xml": {"schema": {"type": "string"}},
            "application/edxl-rm+xml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


class Rejecting(BaseModel):
    """Why a draft is not sent."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)


@router.post(
    "/v1/drafts", status_code=201, summary="Hand a message over for approval", openapi_extra=_BODY
)
async def hand_over(request: Request, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Keep a message, in the bytes to be published, until another officer has decided about it.

    It is refused now with whatever the ledger would refuse it with now.
    """
    _officer(asker)
    payload = await request.body()
    read = read_payload(payload, max_bytes=hub.settings.max_payload_bytes)
    registry = (await hub.registry(fresh=True)).latest
    await asyncio.to_thread(would_be, hub, asker.agency, payload, read, registry)
    draft = await asyncio.to_thread(
        waiting.add,
        hub.log,
        asker,
        now=datetime.now(UTC),
        payload=payload,
        payload_type=read.payload_type,
        headline=read.facts.headline,
        msg_type=read.facts.msg_type,
        status=read.facts.status,
    )
    return _shown(draft, asker)


@router.get("/v1/drafts", summary="What waits for approval")
async def listed(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return one's own agency's drafts: those that wait, then what became of others."""
    _officer(asker)
    found = await asyncio.to_thread(waiting.listed, hub.log, asker.agency)
    return {"drafts": [_shown(one, asker) for one in found]}


@router.get("/v1/drafts/{draft}", summary="A draft, whole")
async def one(draft: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return a draft with what it says, in JSON, and who would get it."""
    _officer(asker)
    found = await asyncio.to_thread(waiting.find, hub.log, asker.agency, draft)
    registry = (await hub.registry(fresh=True)).latest
    read = read_payload(found.payload, max_bytes=hub.settings.max_payload_bytes)
    expected = sorted(entitled(read.facts, asker.agency, registry) - {asker.agency})
    return {
        **_shown(found, asker),
        "payload_type": found.payload_type,
        "facts": read.facts.model_dump(mode="json", exclude_defaults=True),
        "recipients": [
            {"agency": a, "state": registry.agencies[a].state, "name": registry.agencies[a].name}
            for a in expected
        ],
        **await asyncio.to_thread(content, found.payload_type, found.payload),
    }


@router.post(
    "/v1/drafts/{draft}/approve",
    status_code=201,
    summary="Approve and publish",
    responses={200: {"model": Receipt, "description": "It was in the log already"}},
)
async def approve(draft: str, hub: HubState, asker: Asker) -> Response:
    """Publish a draft in both persons' names, as its agency's second officer.

    After a 503 or a lost connection, approve it again: the message is never logged twice.
    """
    _officer(asker)
    one = await asyncio.to_thread(waiting.approve, hub.log, asker, draft, now=datetime.now(UTC))
    fields: dict[str, str | bytes] = {
        "type": "message",
        "via": "http",
        "payload": one.payload,
        "payload_type": one.payload_type,
        "person": one.person,
        "approved_by": one.decided_by,
    }
    answer = await answered(hub, one.agency, fields)
    if isinstance(answer, Receipt):
        await asyncio.to_thread(waiting.settle, hub.log, one.id, index=answer.index)
    else:
        why = answer.rejected()
        await asyncio.to_thread(
            waiting.settle, hub.log, one.id, index=None, refused=f"{why.code}: {why.detail}"
        )
    return respond(answer)


@router.post("/v1/drafts/{draft}/reject", summary="Do not send it")
async def reject(
    draft: str, hub: HubState, asker: Asker, given: Rejecting | None = None
) -> dict[str, Any]:
    """Decide that a draft is not sent; its own author may take it back so."""
    _officer(asker)
    note = given.note if given else ""
    one = await asyncio.to_thread(
        waiting.reject, hub.log, asker, draft, note, now=datetime.now(UTC)
    )
    return _shown(one, asker)


def _officer(asker: Principal) -> None:
    """Let only persons of an agency pass: a system has nobody to approve with.

    Raises:
        Rejected: ``not-allowed`` or ``scope-missing``.
    """
    require(asker, "publish")
    if not asker.by_name:
        raise Rejected(
            "not-allowed",
            "drafts are written and approved by persons",
            remedy="Sign in, or use an officer's token; a system publishes with POST /v1/messages.",
        )


def _shown(draft: Draft, asker: Principal) -> dict[str, Any]:
    return {
        "id": draft.id,
        "state": draft.state,
        "headline": draft.headline,
        "msg_type": draft.msg_type,
        "status": draft.status,
        "composed_by": draft.person,
        "own": draft.is_by(asker),
        "created": draft.created,
        "decided_by": draft.decided_by,
        "decided": draft.decided,
        "note": draft.note,
        "index": draft.index,
    }
