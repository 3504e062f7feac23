"""What routing needs to know of an aid message (`schemas.facts`), derived from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.facts import Area, MessageFacts, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.rm.carried import TargetArea
    from schemas.rm.model import AidMessage, Location

__all__ = ["aid_facts"]

_HEADLINE: Final = 160
_STATUSES: Final[dict[str, Status]] = {"EXERCISE": "Exercise", "TEST": "Test"}


def aid_facts(message: AidMessage) -> MessageFacts:
    """Return the facts of *message*. The same message gives the same facts (guarantee G5).

    EDXL-RM has no status: where IncidentID or IncidentDescription begins with
    ``EXERCISE`` or ``TEST``, in capitals and as a word, that is the status of the message.
    """
    incidents = [i.incident_id.strip() for i in message.incident_information if i.incident_id]
    return MessageFacts(
        kind="aid",
        sender=_sender(message),
        identifier=message.message_id,
        sent=message.sent_date_time,
        status=_status(message),
        msg_type=message.message_content_type,
        events=tuple(dict.fromkeys(_types(message))),
        headline=_headline(message),
        incidents=tuple(dict.fromkeys(incidents)),
        areas=tuple(dict.fromkeys(_areas(message))),
    )


def _sender(message: AidMessage) -> str:
    """Return how the Sender contact is named: its description, else its e-mail, else its name."""
    contacts = message.contact_information
    sender = next((c for c in contacts if c.contact_role == "Sender"), contacts[0])
    if sender.contact_description:
        return sender.contact_description.strip()
    party = sender.additional_contact_information
    if party is None:
        return ""
    named = (*party.emails, party.organisation, party.person, *party.lines)
    return next((name for name in named if name), "").strip()


def _status(message: AidMessage) -> Status:
    for incident in message.incident_information:
        for text in (incident.incident_id, incident.incident_description):
            word = (text or "").replace("-", " ").replace(":", " ").split(maxsplit=1)
            if word and word[0] in _STATUSES:
                return _STATUSES[word[0]]
    return "Actual"


def _types(message: AidMessage) -> Iterator[str]:
    for item in message.resource_information:
        kind = item.resource.type_structure if item.resource else None
        if kind is not None:
            yield from (f"{kind.value_list_urn}={value}" for value in kind.value)


def _headline(message: AidMessage) -> str:
    names = [i.resource.name for i in message.resource_information if i.resource]
    texts = (message.message_description, *names, message.message_content_type)
    return next(text.strip() for text in texts if text and text.strip())[:_HEADLINE]


def _areas(message: AidMessage) -> Iterator[Area]:
    for item in message.resource_information:
        for schedule in item.schedule_information:
            if schedule.location is not None:
                yield _area(schedule.location)


def _area(location: Location) -> Area:
    """Return a place as an area; a point is a circle without extent."""
    place = location.target_area
    return Area(
        description=location.location_description or "",
        polygons=_rings(place) if place else (),
        circles=_circles(place) if place else (),
    )


def _rings(place: TargetArea) -> tuple[tuple[tuple[float, float], ...], ...]:
    if place.polygon:
        return (place.polygon,)
    if place.box is not None:
        (south, west), (north, east) = place.box
        return (
            ((south, west), (south, east), (north, east), (north, west), (south, west)),
        )  # fmt: skip
    return ()


def _circles(place: TargetArea) -> tuple[tuple[float, float, float], ...]:
    if place.circle is not None:
        latitude, longitude, metres = place.circle
        return ((latitude, longitude, metres / 1000),)
    points = (place.point,) if place.point is not None else place.line
    return tuple((*point, 0.0) for point in points)
