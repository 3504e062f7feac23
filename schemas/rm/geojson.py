"""Where the items of an aid message are or are to be, as GeoJSON (RFC 7946)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.geometry import circle, line, point, polygon
from schemas.rm.sender import sender_of, status_of
from schemas.rm.values import write_time

if TYPE_CHECKING:
    from schemas.geometry import Feature, Geometry
    from schemas.rm.model import AidMessage
    from schemas.rm.parts import Location, ResourceInformation, ScheduleInformation
    from schemas.rm.places import TargetArea

__all__ = ["aid_features"]


def aid_features(message: AidMessage) -> list[Feature]:
    """Return a feature for each place in the schedules of the items, in their order.

    Properties have the names of EDXL-RM; ``sender`` and ``status`` are what the hub reads
    in a message that has no such elements. A place in words, or on a map in a form that the
    hub does not read, has no geometry. ``radius_km`` is that of a circle.
    """
    of_message = {
        "MessageID": message.message_id,
        "MessageContentType": message.message_content_type,
        "SentDateTime": write_time(message.sent_date_time),
        "sender": sender_of(message),
        "status": status_of(message),
    }
    return [
        _feature(part.location, of_message | _properties(item, part))
        for item in message.resource_information
        for part in item.schedule_information
        if part.location is not None
    ]


def _properties(item: ResourceInformation, part: ScheduleInformation) -> dict[str, Any]:
    resource = item.resource
    kinds = None if resource is None else resource.type_structure
    said = {
        "ResourceInfoElementID": item.resource_info_element_id,
        "Name": None if resource is None else resource.name,
        "TypeStructure": None
        if kinds is None
        else {"ValueListURN": kinds.value_list_urn, "Value": list(kinds.value)},
        "ScheduleType": part.schedule_type,
        "DateTime": None if part.date_time is None else write_time(part.date_time),
    }
    return {name: value for name, value in said.items() if value is not None}


def _feature(place: Location, properties: dict[str, Any]) -> Feature:
    if place.location_description is not None:
        properties["LocationDescription"] = place.location_description
    if place.address is not None and place.address.xml is None:
        properties["Address"] = place.address.model_dump(
            mode="json", exclude_none=True, exclude_defaults=True
        )
    shape = place.target_area
    if shape is not None and shape.circle is not None:
        properties["radius_km"] = shape.circle[2] / 1000
    return {
        "type": "Feature",
        "geometry": None if shape is None else _geometry(shape),
        "properties": properties,
    }


def _geometry(shape: TargetArea) -> Geometry | None:
    if shape.point is not None:
        return point(shape.point)
    if shape.line:
        return line(shape.line)
    if shape.polygon:
        return polygon(shape.polygon)
    if shape.circle is not None:
        lat, lon, metres = shape.circle
        return circle((lat, lon), metres / 1000)
    if shape.box is not None:
        (south, west), (north, east) = shape.box
        return polygon(((south, west), (south, east), (north, east), (north, west), (south, west)))
    return None
