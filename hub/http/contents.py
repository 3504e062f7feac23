"""What a message says, for people: its JSON form, and its headlines in all its languages."""

from __future__ import annotations

import json
from typing import Any, Final

from hub.core.redaction import REDACTED_TYPE
from schemas import cap, rm
from schemas.cap.geojson import alert_features
from schemas.errors import Rejected

__all__ = ["content", "features", "headlines"]

_ANY_SIZE: Final = 1 << 30
"""What is in the log is read, whatever limit on size held when it came."""


def content(payload_type: str, payload: bytes) -> dict[str, Any]:
    """Return a message in its JSON form (docs/standards.md), whichever form it came in."""
    message = _read(payload_type, payload)
    if isinstance(message, cap.Alert):
        return {"form": "alert", "message": json.loads(cap.write_alert_json(message))}
    return {"form": "aid", "message": json.loads(rm.write_aid_json(message))}


def headlines(payload_type: str, payload: bytes) -> list[dict[str, str]]:
    """Return for each language of a message what stands in lists, in the message's order.

    An aid message does not say its language. What cannot be read any more (its payload was
    removed, or a stricter reader refuses it) has none.
    """
    if payload_type == REDACTED_TYPE:
        return []
    try:
        message = _read(payload_type, payload)
    except Rejected:
        return []
    if isinstance(message, cap.Alert):
        found: dict[str, dict[str, str]] = {}
        for info in message.info:
            areas = "; ".join(area.area_desc for area in info.area)
            one = {
                "language": info.language,
                "headline": info.headline or info.event,
                "event": info.event,
                "areas": areas,
            }
            found.setdefault(info.language, one)
        return list(found.values())
    text = (message.message_description or "").strip()
    names = [i.resource.name or "" for i in message.resource_information if i.resource]
    items = ", ".join(dict.fromkeys(n.strip() for n in names if n.strip()))
    if not text and not items:
        return []
    return [{"language": "", "headline": text or items, "event": items, "areas": ""}]


def features(payload_type: str, payload: bytes) -> list[dict[str, Any]]:
    """Return an alert's areas as features of GeoJSON; none of what cannot be read any more."""
    if payload_type == REDACTED_TYPE:
        return []
    try:
        message = _read(payload_type, payload)
    except Rejected:
        return []
    return list(map(dict, alert_features(message))) if isinstance(message, cap.Alert) else []


def _read(payload_type: str, payload: bytes) -> cap.Alert | rm.AidMessage:
    if payload_type == "application/cap+json":
        return cap.read_alert_json(payload, max_bytes=_ANY_SIZE).alert
    if payload_type == "application/edxl-rm+json":
        return rm.read_aid_json(payload, max_bytes=_ANY_SIZE).message
    if payload_type == "application/edxl-rm+xml":
        return rm.read_aid(payload, max_bytes=_ANY_SIZE).message
    return cap.read_alert(payload, max_bytes=_ANY_SIZE).alert
