"""Drafts: what a message would be, what is wrong with it, and who would get it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

from fastapi import APIRouter, Request

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import Registry
from hub.core.routing import entitled
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import require
from schemas import cap, rm
from schemas.entry import rfc3339
from schemas.payload import ReadPayload, read_payload
from schemas.receipt import findings_json

__all__ = ["judged", "router", "would_be"]

router = APIRouter(tags=["drafts"], responses=RESPONSES)
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cap+json": {"schema": {"type": "object"}},
            "application/edxl-rm+json": {"schema": {"type": "object"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.post("/v1/drafts/check", summary="What a message would be", openapi_extra=_BODY)
async def check(request: Request, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Write a message in its JSON form as the standard's XML, judge it, and log nothing.

    It is decided as the ledger would decide it at this moment: by the rules of the format,
    the registry and what is in the log. What is refused comes as ``refusal``, with 200: that
    is the answer to the question. What is taken has ``xml``, the bytes to publish; where the
    agency ``signs`` its messages, to be signed first.
    """
    require(asker, "publish")
    body = await request.body()
    registry = (await hub.registry(fresh=True)).latest
    member = registry.agencies.get(asker.agency)
    signs = member is not None and member.signs
    if member is not None and signs:
        # A draft is signed last, by the system that has the key; all else is judged before.
        drafting = member.model_copy(update={"signs": False})
        agencies = {**registry.agencies, member.id: drafting}
        registry = registry.model_copy(update={"agencies": agencies})
    told = await asyncio.to_thread(judged, hub, asker.agency, body, registry)
    return {
        **told,
        "approval": asker.by_name and member is not None and member.approval,
        "signs": signs,
        "limit_bytes": hub.settings.max_payload_bytes,
    }


def judged(hub: Hub, agency: str, body: bytes, registry: Registry) -> dict[str, Any]:
    """Return what a draft of *agency* would be. Blocks on the store.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    told: dict[str, Any] = {
        "at": rfc3339(time.time_ns() // 1000),
        "valid": False,
        "findings": [],
        "refusal": None,
        "recipients": [],
    }
    limit = hub.settings.max_payload_bytes
    try:
        xml = _xml(body, limit)
        told["xml"] = xml.decode()
        read = read_payload(xml, max_bytes=limit)
        told |= {
            "payload_type": read.payload_type,
            "facts": read.facts.model_dump(mode="json", exclude_defaults=True),
            "findings": json.loads(findings_json(read.warnings)),
            "recipients": _who(read, agency, registry),
        }
        would_be(hub, agency, xml, read, registry)
    except Rejected as refusal:
        told["refusal"] = {
            "code": refusal.code,
            "detail": refusal.detail,
            "remedy": refusal.remedy,
        }
        told["findings"] += json.loads(findings_json(refusal.findings))
        return told
    return {**told, "valid": True}


def _xml(body: bytes, limit: int) -> bytes:
    """Write a message in its JSON form as the XML of its standard.

    Raises:
        Rejected: what the format's reader says.
    """
    if b'"MessageContentType"' in body:
        return rm.write_aid(rm.read_aid_json(body, max_bytes=limit).message)
    return cap.write_alert(cap.read_alert_json(body, max_bytes=limit).alert)


def would_be(hub: Hub, agency: str, payload: bytes, read: ReadPayload, registry: Registry) -> None:
    """Decide a message as the ledger would at this moment, and append nothing.

    Raises:
        Rejected: what the ledger would refuse it with.
    """
    candidate = Candidate(
        "publish",
        agency,
        via="http",
        payload=payload,
        payload_type=read.payload_type,
        facts=read.facts,
        warnings=findings_json(read.warnings),
    )
    head = hub.log.head()
    [outcome] = decide(
        [candidate],
        size=head.size,
        last_at_us=head.at_us,
        now_us=time.time_ns() // 1000,
        registry=registry,
        known=hub.log.known_for([candidate]),
        rules=Rules(future_tolerance=hub.settings.future_tolerance),
    ).outcomes
    if outcome.refusal is not None:
        raise outcome.refusal


def _who(read: ReadPayload, agency: str, registry: Registry) -> list[dict[str, str]]:
    # An Ack or Error goes to whom it is for, though nobody is asked to acknowledge it.
    expected = entitled(read.facts, agency, registry) - {agency}
    return [
        {"agency": one.id, "state": one.state, "name": one.name}
        for id_ in sorted(expected)
        for one in [registry.agencies[id_]]
    ]
