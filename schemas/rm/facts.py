"""What routing needs to know of an aid message (`schemas.facts`), derived from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.facts import Area, MessageFacts
from schemas.rm.exchange import exchange_of
from schemas.rm.sender import sender_of, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from schemas.rm.model import AidMessage
    from schemas.rm.parts import Location, ResourceInformation
    from schemas.rm.places import TargetArea

__all__ = ["aid_facts"]

_HEADLINE: Final = 160


def aid_facts(message: AidMessage) -> MessageFacts:
    """Return the facts of *message*. The same message gives the same facts (guarantee G5).

    Aid messages have no scope and no addresses: all members read them. The status
    is Exercise or Test where every incident's id or description begins with that
    word in capitals, else Actual. Events are the names of the items and their types
    as ``ValueListURN=Value``; areas are the places where items are to be.
    """
    items = message.resource_information
    return MessageFacts(
        kind="aid",
        sender=sender_of(message),
        identifier=message.message_id,
        sent=message.sent_date_time,
        status=status_of(message),
        msg_type=message.message_content_type,
        events=_unique(event for item in items for event in _events(item)),
        headline=_headline(message),
        expires=_expires(items),
        incidents=_unique(
            (i.incident_id or "").strip() or (i.incident_description or "").strip()
            for i in message.incident_information
        ),
        areas=tuple(dict.fromkeys(_areas(items))),
        aid=exchange_of(message),
    )


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _events(item: ResourceInformation) -> Iterator[str]:
    resource = item.resource
    if resource is None:
        return
    yield (resource.name or "").strip()
    if resource.type_structure is not None:
        for value in resource.type_structure.value:
            yield f"{resource.type_structure.value_list_urn}={value.strip()}"


def _headline(message: AidMessage) -> str:
    text = (message.message_description or "").strip()
    if not text:
        names = _unique(
            (item.resource.name or "").strip()
            for item in message.resource_information
            if item.resource
        )
        text = ": ".join([message.message_content_type, *([", ".join(names)] if names else [])])
    return text[:_HEADLINE]


def _expires(items: tuple[ResourceInformation, ...]) -> datetime | None:
    """Return when the last item is no longer to be had; None when any of them has no end."""
    ends = [
        max(
            (
                part.date_time
                for part in item.schedule_information
                if part.schedule_type == "EndAvailable" and part.date_time is not None
            ),
            default=None,
        )
        for item in items
    ]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _areas(items: tuple[ResourceInformation, ...]) -> Iterator[Area]:
    for item in items:
        for part in item.schedule_information:
            if part.location is not None:
                yield _area(part.location)


def _area(location: Location) -> Area:
    address, shape = location.address, location.target_area
    words = (location.location_description or "").strip()
    if not words and address is not None:
        words = ", ".join(address.lines or filter(None, (address.locality, address.country)))
    polygons, circles = ((), ()) if shape is None else _shapes(shape)
    return Area(description=words, polygons=polygons, circles=circles)


Polygons = tuple[tuple[tuple[float, float], ...], ...]
Circles = tuple[tuple[float, float, float], ...]


def _shapes(shape: TargetArea) -> tuple[Polygons, Circles]:
    """Return a shape as rings and circles.

    A point is a circle of radius 0, a line the way along it and back.
    """
    if shape.point is not None:
        return (), ((*shape.point, 0.0),)
    if shape.circle is not None:
        lat, lon, metres = shape.circle
        return (), ((lat, lon, metres / 1000),)
    if shape.box is not None:
        (south, west), (north, east) = shape.box
        return (((south, west), (south, east), (north, east), (north, west), (south, west)),), ()
    ring = shape.polygon or (*shape.line, *reversed(shape.line[:-1]))
    return ((ring,) if ring else ()), ()
