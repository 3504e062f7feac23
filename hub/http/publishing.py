"""Publish and acknowledge: what is sent goes into the agency's inbox and waits for its receipt."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers

from hub.errors import Rejected, Unavailable
from hub.http.problems import RESPONSES, problem
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import require
from hub.streams.submit import to_inbox
from hub.telemetry import process_metrics
from schemas.ed25519 import decode_base64
from schemas.receipt import Answer, Receipt

__all__ = ["answered", "needs_approval", "respond", "router"]

router = APIRouter(tags=["messages"], responses=RESPONSES)
_DISCARDED: Final = 32 << 20
_PATIENCE_S: Final = 30


@router.post(
    "/v1/messages",
    status_code=201,
    summary="Publish a message",
    responses={
        200: {"model": Receipt, "description": "The same bytes were taken before: their receipt"},
        201: {"model": Receipt, "description": "Taken, durable in the log"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/cap+xml": {"schema": {"type": "string"}},
                "application/edxl-rm+xml": {"schema": {"type": "string"}},
                "application/xml": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
async def publish(
    request: Request,
    hub: HubState,
    asker: Asker,
    caspian_message_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Publish CAP 1.2 or EDXL-RM 1.0, in XML or JSON; the bytes are kept as they come.

    The receipt comes once the message is durable in the log. After a 503 or a lost
    connection, send the same bytes again: a message is never logged twice.
    """
    require(asker, "publish")
    if asker.by_name and await needs_approval(hub, asker.agency):
        raise Rejected(
            "approval-required",
            f"what an officer of {asker.agency} sends needs a second officer's approval",
            remedy="Hand it over: POST /v1/drafts; another officer approves it.",
        )
    try:
        payload = await _body(request, hub.settings.max_payload_bytes)
    except TimeoutError:
        slow = Rejected(
            "body-too-slow",
            f"the body did not arrive within {_PATIENCE_S} s",
            remedy="Send the same again, on a better line or with the resources by reference.",
        )
        hub.refusals.note(asker.agency, slow)
        return problem(slow, headers={"Connection": "close"})
    except Rejected as refusal:
        hub.refusals.note(asker.agency, refusal)
        # The rest of the body is not read: the connection ends with this answer.
        return problem(refusal, headers={"Connection": "close"})
    fields: dict[str, str | bytes] = {"type": "message", "via": "http", "payload": payload}
    if label := request.headers.get("content-type"):
        fields["payload_type"] = label
    if caspian_message_id:
        fields["id"] = caspian_message_id
    fields |= _signed(request.headers)
    if asker.by_name:
        fields["person"] = asker.person
    return respond(await answered(hub, asker.agency, fields))


def _signed(headers: Headers) -> dict[str, str | bytes]:
    """Return what the request says the agency signed, as fields of the inbox entry.

    Raises:
        Rejected: ``header-invalid``.
    """
    found: dict[str, str | bytes] = {}
    for name in ("header", "signature", "key"):
        values = headers.getlist(f"caspian-{name}")
        if len(values) > 1:
            # What stands before the hub may have looked at the other one.
            raise _unreadable(f"there are several fields Caspian-{name.capitalize()}")
        if values:
            found[name] = values[0]
    if "header" in found:
        text = decode_base64(str(found["header"]))
        if text is None:
            raise _unreadable("Caspian-Header is not base64")
        found["header"] = text
    return found


def _unreadable(why: str) -> Rejected:
    return Rejected("header-invalid", why, remedy="See docs/protocol/signing.md.")


class Acknowledging(BaseModel):
    """Who takes notice of a message, and what they have to say."""

    model_config = ConfigDict(extra="forbid")

    officer: str = Field("", max_length=200)
    """The person; an officer's own name where it is left out."""
    note: str = Field("", max_length=2000)


@router.post(
    "/v1/messages/{name}/acknowledgements",
    status_code=201,
    summary="Acknowledge a message",
    responses={
        200: {"model": Receipt, "description": "This officer had acknowledged before"},
        201: {"model": Receipt, "description": "Acknowledged, durable in the log"},
    },
)
async def acknowledge(
    name: str, hub: HubState, asker: Asker, given: Acknowledging | None = None
) -> Response:
    """Acknowledge a message, by its id or log index, in a person's name for their agency."""
    require(asker, "acknowledge")
    given = given or Acknowledging(officer="", note="")
    officer = asker.person if asker.by_name else given.officer or asker.person
    if asker.by_name and given.officer not in {"", asker.person}:
        raise Rejected(
            "not-allowed",
            f"you are {asker.person}, and cannot acknowledge as {given.officer}",
            remedy="Leave the officer out.",
        )
    fields: dict[str, str | bytes] = {
        "type": "acknowledgement",
        "via": "http",
        "message": name,
        "officer": officer,
        "note": given.note,
    }
    return respond(await answered(hub, asker.agency, fields))


async def _body(request: Request, limit: int) -> bytes:
    """Read a body as it comes, and keep no more of it than it may be long.

    What is too long is read on and thrown away for a while: most clients send all of
    it before they look for the answer, and would never see why they were refused.

    Raises:
        Rejected: ``too-large``.
    """
    chunks, size = [], 0
    async with asyncio.timeout(_PATIENCE_S):
        async for chunk in request.stream():
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > limit + _DISCARDED:
                break
    if size > limit:
        raise Rejected(
            "too-large",
            f"the body is longer than {limit} bytes",
            remedy="Send large resources by reference (CAP `uri`), not inside the message.",
        )
    return b"".join(chunks)


async def answered(hub: Hub, agency: str, fields: dict[str, Any]) -> Answer:
    """Put fields into an inbox and wait for the answer; again where Redis lost them.

    Raises:
        Rejected: ``unknown-agency``; logged as a refusal. Nobody reads the inbox of one
            that never was a member, and nobody would hear its answer.
        Unavailable: ``receipt-pending``; it may or may not have been taken.
    """
    await _check_agency(hub, agency)
    began = time.monotonic()
    deadline = began + hub.settings.receipt_timeout.total_seconds()
    # What Redis held may be gone: ask again a few times before giving up. The hub knows a twin.
    patience = max(1.0, hub.settings.receipt_timeout.total_seconds() / 4)
    while (left := deadline - time.monotonic()) > 0:
        try:
            inbox = await to_inbox(hub.redis, agency, fields)
        except Unavailable:
            await asyncio.sleep(min(0.1, left))
            continue
        future = hub.answers.expect(agency, inbox)
        try:
            async with asyncio.timeout(min(patience, left)):
                answer = await future
        except TimeoutError:
            continue
        finally:
            hub.answers.forget(agency, inbox)
        if isinstance(answer, Receipt):
            process_metrics().receipt_seconds.observe(time.monotonic() - began)
        return answer
    raise Unavailable(
        "receipt-pending",
        "the hub has not confirmed it in time",
        remedy="Send the same bytes again: if they were taken, you get their first receipt.",
        retry_after_s=2,
    )


async def needs_approval(hub: Hub, agency: str) -> bool:
    """Return whether an agency's policy asks for a second officer."""
    member = (await hub.registry(fresh=True)).latest.agencies.get(agency)
    return member is not None and member.approval


async def _check_agency(hub: Hub, agency: str) -> None:
    if agency in (await hub.registry()).latest.agencies:
        return
    if agency in (await hub.registry(fresh=True)).latest.agencies:
        return
    raise Rejected(
        "unknown-agency",
        f"{agency} is not a member",
        remedy="Ask the operator to register the agency.",
    )


def respond(answer: Answer) -> Response:
    """Return a receipt or a refusal as the answer to a request."""
    if isinstance(answer, Receipt):
        return JSONResponse(
            answer.model_dump(mode="json"),
            status_code=200 if answer.duplicate else 201,
            headers={"Location": f"/v1/messages/{answer.id}"},
        )
    return problem(answer.rejected(), index=answer.index)
