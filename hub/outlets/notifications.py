"""What stands at a broker: a WIS2 notification that a message is there, and under which topic.

https://wmo-im.github.io/wis2-notification-message: a GeoJSON Feature with a link to the
message and its digest; the message itself is fetched over HTTP.
"""

from __future__ import annotations

import base64
import json
import math
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.core.registry import channel_of
from hub.log.feeding import Entry
from hub.outlets.records import PUBLIC, MqttTarget, Outlet
from schemas.facts import MessageFacts

__all__ = ["Notification", "notification_of", "notification_of_test"]

_CORE: Final = "http://wis.wmo.int/spec/wnm/1/conf/core"
_MOST_POINTS: Final = 60
"""Of a polygon; of a longer one the box around it is told: a notification is small."""
_KM_PER_DEGREE: Final = 111.19


@dataclass(frozen=True, slots=True)
class Notification:
    """What is published."""

    topic: str
    body: bytes
    expires: datetime | None = None
    """When nobody has to hear of it any more."""


def notification_of(
    outlet: Outlet, entry: Entry, *, origin: str, base: str, public: bool
) -> Notification | None:
    """Return the notification of an entry; None of one that tells of no message.

    *base* is where the hub is reached; with *public* the link needs no token.
    """
    index, fields = entry
    kind = fields[b"kind"].decode()
    logged = json.loads(fields[b"entry"])
    at, agency = fields[b"at"].decode(), fields[b"agency"].decode()
    of = index
    if kind == "publish":
        facts = MessageFacts.model_validate_json(fields[b"facts"])
        media_type, rel = fields[b"payload_type"].decode(), "canonical"
        digest = json.loads(logged["header"])["payload_sha256"]
    elif kind == "redaction":
        facts = MessageFacts.model_validate_json(logged["residue"])
        media_type, rel = "application/octet-stream", "deletion"
        digest = logged["payload_sha256"]
        of, agency = int(logged["redaction"]["message"]), logged["redaction"]["agency"]
    else:
        return None
    for_all = public and outlet.feed == PUBLIC
    path = f"/public/messages/{of}" if for_all else f"/v1/messages/{of}/payload"
    link: dict[str, Any] = {"href": base + path, "rel": rel, "type": media_type}
    if kind == "publish":
        link["length"] = len(fields[b"payload"])
    properties: dict[str, Any] = {
        "pubtime": at,
        "data_id": f"{origin}/{of}",
        "metadata_id": f"urn:caspian-hub:{agency}:{facts.kind}",
        "datetime": facts.sent.isoformat().replace("+00:00", "Z"),
        "integrity": {
            "method": "sha256",
            "value": base64.b64encode(bytes.fromhex(digest)).decode(),
        },
        "cache": False,
        "index": of,
        "agency": agency,
        "channel": channel_of(facts.status),
        "status": facts.status,
        "msgType": facts.msg_type,
        "severity": facts.severity,
        "headline": facts.headline,
    }
    if facts.expires is not None:
        properties["expires"] = facts.expires.isoformat().replace("+00:00", "Z")
    feature = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{origin}/{index}")),
        "conformsTo": [_CORE],
        "type": "Feature",
        "geometry": _geometry(facts) if kind == "publish" else None,
        "properties": properties,
        "links": [link],
    }
    return Notification(_topic(outlet, agency, facts), _written(feature), facts.expires)


def notification_of_test(outlet: Outlet, at: str, *, base: str) -> Notification:
    """Return a notification that says that it is a test, under a topic of its own."""
    assert isinstance(outlet.target, MqttTarget)  # noqa: S101  # of this kind all are
    feature = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{outlet.id}/{at}")),
        "conformsTo": [_CORE],
        "type": "Feature",
        "geometry": None,
        "properties": {
            "pubtime": at,
            "datetime": at,
            "data_id": f"test/{outlet.id}",
            "metadata_id": "urn:caspian-hub:test",
            "channel": "test",
        },
        "links": [{"href": f"{base}/", "rel": "canonical", "type": "text/html"}],
    }
    return Notification(f"{outlet.target.prefix}/test", _written(feature))


def _topic(outlet: Outlet, agency: str, facts: MessageFacts) -> str:
    assert isinstance(outlet.target, MqttTarget)  # noqa: S101  # of this kind all are
    levels = (agency[:2], agency, facts.kind, channel_of(facts.status), facts.severity.lower())
    return "/".join((outlet.target.prefix, *levels))


def _geometry(facts: MessageFacts) -> dict[str, Any] | None:
    rings = [ring for area in facts.areas for ring in area.polygons]
    if len(rings) == 1 and len(rings[0]) <= _MOST_POINTS and not _circles(facts):
        return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in rings[0]]]}
    corners = [(lat, lon) for ring in rings for lat, lon in ring]
    for lat, lon, radius_km in _circles(facts):
        high = radius_km / _KM_PER_DEGREE
        wide = min(180.0, high / max(0.01, math.cos(math.radians(lat))))
        corners += [
            (max(-90.0, lat - high), max(-180.0, lon - wide)),
            (min(90.0, lat + high), min(180.0, lon + wide)),
        ]
    if not corners:
        return None
    south, north = min(lat for lat, _ in corners), max(lat for lat, _ in corners)
    west, east = min(lon for _, lon in corners), max(lon for _, lon in corners)
    box = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [box]}


def _circles(facts: MessageFacts) -> list[tuple[float, float, float]]:
    return [circle for area in facts.areas for circle in area.circles]


def _written(feature: dict[str, Any]) -> bytes:
    return json.dumps(feature, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
