"""One message: what it says, who got it, who has acknowledged it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response

from hub.core.lifecycle import Acknowledgement, life
from hub.core.redaction import REDACTED_TYPE
from hub.core.registry import channel_of, main_feeds
from hub.core.routing import recipients
from hub.core.rows import MessageRow
from hub.errors import Rejected
from hub.http.contents import content as read_content
from hub.http.problems import RESPONSES
from hub.http.sight import may_read_message
from hub.http.standings import Seen, aid_standing, shown_standing
from hub.http.state import Asker, Hub, HubState
from hub.log.escalation_log import taken
from hub.log.retention_log import retired_by
from hub.members.roles import Principal, require
from schemas.entry import from_micros

__all__ = ["router"]

router = APIRouter(tags=["messages"], responses=RESPONSES)


@router.get("/v1/messages/{name}", summary="The life of a message")
async def message(name: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return a message's facts, its receipt, where it stands, and its life with every recipient.

    *name* is the message's id, its log index, or the identifier its sender gave it.
    A message that one may not read does not exist: ``unknown-message``.
    """
    row = await find(hub, asker, name)
    history = await hub.registry()
    registry = history.at(row.index)
    expected = recipients(row.facts, row.agency, registry)
    channel = channel_of(row.facts.status)
    feeds = {main_feeds(agency)[channel]: agency for agency in expected}
    delivered = await asyncio.to_thread(hub.log.delivered_at, list(feeds), row.index)
    acks = await asyncio.to_thread(hub.log.acknowledgements, row)
    seen = await asyncio.to_thread(Seen, hub, asker, history, [row])
    aid = await asyncio.to_thread(aid_standing, hub, asker, history, [row])
    steps = await asyncio.to_thread(_steps, hub, row)
    lives = life(
        row.facts,
        logged_at=from_micros(row.at_us),
        recipients=expected,
        delivered={feeds[f]: from_micros(at) for f, at in delivered.items()},
        acknowledgements=[
            Acknowledgement(a.agency, a.officer, from_micros(a.at_us), a.index, a.note)
            for a in acks
        ],
        at=seen.at,
    )
    return {
        "index": row.index,
        "id": row.id,
        "agency": row.agency,
        "sha256": row.sha256,
        "accepted_at": from_micros(row.at_us),
        "level": await asyncio.to_thread(hub.levels.of, row.index),
        **await asyncio.to_thread(_vouched, hub, row),
        "standing": shown_standing(seen.standing(row.index) or aid.get(row.index)),
        "facts": row.facts.model_dump(mode="json", exclude_defaults=True),
        "recipients": [
            {
                "agency": one.agency,
                "state": one.state,
                "queued_at": one.queued_at,
                "deadline": one.deadline,
                "overdue": one.overdue,
                "delivered_at": one.delivered_at,
                "escalations": steps.get(one.agency, []),
                "acknowledgements": [
                    {"officer": a.officer, "at": a.at, "index": a.index, "note": a.note}
                    for a in one.acknowledgements
                ],
            }
            for one in lives
        ],
    }


def _steps(hub: Hub, row: MessageRow) -> dict[str, list[dict[str, Any]]]:
    """Return for each recipient who was told that it had not acknowledged, and when."""
    found: dict[str, list[dict[str, Any]]] = {}
    with hub.log.reading() as c:
        for one in taken(c, [row.index]):
            step = {"step": one.step, "at": from_micros(one.at_us), "index": one.index}
            found.setdefault(one.recipient, []).append(step)
    return found


def _vouched(hub: Hub, row: MessageRow) -> dict[str, Any]:
    """Tell who vouches for the header, and whether that is doubted by now."""
    found = hub.log.row(row.index)
    entry = found.entry if found is not None else {}
    told: dict[str, Any] = {"attested": entry.get("attested", "hub")}
    if found is not None and found.payload_type == REDACTED_TYPE:
        retired = _retired(hub, row.index)
        told |= {"redacted": True} if retired is None else {"retired": retired}
    if "by" in entry:
        told["by"] = entry["by"]
    if "approved_by" in entry:
        told["approved_by"] = entry["approved_by"]
    if "xml_signature" in entry:
        told["xml_signature"] = entry["xml_signature"]
    if "key" in entry:
        life = hub.history.latest.keys.get(entry["key"])
        told["key"] = entry["key"]
        told["suspect"] = life is not None and life.suspect_at(row.index)
    return told


@router.get(
    "/v1/messages/{name}/payload",
    summary="The message as it was sent",
    response_class=Response,
    responses={200: {"content": {"application/cap+xml": {}, "application/edxl-rm+xml": {}}}},
)
async def payload(name: str, hub: HubState, asker: Asker) -> Response:
    """Return the bytes of a message exactly as they came."""
    row = await find(hub, asker, name)
    found_type, body = await _kept(hub, row)
    return Response(
        body,
        media_type=found_type,
        headers={
            "ETag": f'"{row.sha256}"',
            "Content-Disposition": f'attachment; filename="message-{row.index}"',
        },
    )


@router.get("/v1/messages/{name}/content", summary="What a message says, in JSON")
async def content(name: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return a message in its JSON form, whichever form it came in: for showing it to people.

    What is signed and kept are the bytes of the payload.
    """
    row = await find(hub, asker, name)
    found_type, body = await _kept(hub, row)
    return {
        "index": row.index,
        "payload_type": found_type,
        **await asyncio.to_thread(read_content, found_type, body),
    }


async def _kept(hub: Hub, row: MessageRow) -> tuple[str, bytes]:
    """Return type and bytes of a payload.

    Raises:
        Rejected: ``payload-gone``, ``payload-redacted``.
    """
    found = await asyncio.to_thread(hub.log.row, row.index)
    if found is None or found.payload is None:
        raise Rejected("payload-gone", f"the payload of {row.index} is not kept any more")
    if found.payload_type == REDACTED_TYPE:
        retired = await asyncio.to_thread(_retired, hub, row.index)
        if retired is not None:
            raise Rejected(
                "payload-gone",
                f"the payload of {row.index} is not kept any more: it went by age, at {retired}",
                remedy="Ask the agency that sent it.",
            )
        raise Rejected(
            "payload-redacted",
            f"the payload of {row.index} was removed by law; the log has the entry that says so",
            remedy="Ask the agency that sent it.",
        )
    return found.payload_type, found.payload


def _retired(hub: Hub, index: int) -> int | None:
    """Return the log index of the entry by which a payload went by age."""
    with hub.log.reading() as c:
        return retired_by(c, index)


async def find(hub: Hub, asker: Principal, name: str) -> MessageRow:
    """Return the one message of that name that the asker may read.

    Raises:
        Rejected: ``unknown-message``, ``ambiguous-message``, ``scope-missing``.
    """
    require(asker, "read")
    found = await asyncio.to_thread(hub.log.find_messages, name)
    history = await hub.registry()
    readable = [row for row in found if may_read_message(asker, row, history)]
    if len(readable) == 1:
        return readable[0]
    if readable:
        listed = ", ".join(f"{row.index} of {row.agency}" for row in readable)
        raise Rejected(
            "ambiguous-message", f"{name} may be {listed}", remedy="Name it by its log index."
        )
    raise Rejected("unknown-message", f"there is no message {name[:200]}")
