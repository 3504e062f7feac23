"""Which places an alert is about, as GeoJSON (RFC 7946).

Every polygon and every circle is a feature of its own; an area that has only codes is a
feature without geometry. What the features say is all a map needs to show: also whether
it is an exercise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.cap.values import write_time
from schemas.geometry import circle, polygon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from schemas.cap.model import Alert, Area, Info
    from schemas.geometry import Feature, Geometry

__all__ = ["alert_features"]


def alert_features(alert: Alert) -> list[Feature]:
    """Return the features of *alert*, in the order of its infos, areas and shapes.

    Properties have the names of CAP. ``info`` and ``area`` are the places of these blocks
    among their namesakes, from 1: features that share both are one area. ``radius_km``
    is that of a circle; ``altitude`` and ``ceiling`` are in feet.
    """
    of_alert = {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": write_time(alert.sent),
        "status": alert.status,
        "msgType": alert.msg_type,
        "scope": alert.scope,
    }
    return [
        {"type": "Feature", "geometry": geometry, "properties": of_alert | properties | more}
        for i, info in enumerate(alert.info, 1)
        for j, area in enumerate(info.area, 1)
        for properties in [_properties(info, i, area, j)]
        for geometry, more in _shapes(area)
    ]


def _properties(info: Info, i: int, area: Area, j: int) -> dict[str, Any]:
    said = {
        "info": i,
        "language": info.language,
        "category": list(info.category),
        "event": info.event,
        "headline": info.headline,
        "urgency": info.urgency,
        "severity": info.severity,
        "certainty": info.certainty,
        "effective": _time(info.effective),
        "onset": _time(info.onset),
        "expires": _time(info.expires),
        "senderName": info.sender_name,
        "area": j,
        "areaDesc": area.area_desc,
        "geocodes": [{"valueName": g.value_name, "value": g.value} for g in area.geocode],
        "altitude": None if area.altitude is None else float(area.altitude),
        "ceiling": None if area.ceiling is None else float(area.ceiling),
    }
    return {name: value for name, value in said.items() if value is not None}


def _time(at: datetime | None) -> str | None:
    return None if at is None else write_time(at)


def _shapes(area: Area) -> Iterator[tuple[Geometry | None, dict[str, Any]]]:
    for ring in area.polygon:
        yield polygon(ring), {}
    for lat, lon, radius_km in area.circle:
        yield circle((lat, lon), radius_km), {"radius_km": radius_km}
    if not area.polygon and not area.circle:
        yield None, {}
