"""Make an aid message of POLFAC: a request of field 81, else an offer of field 89.

The whole report is the message's description, so that nothing is lost on the way back.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import Rejected
from schemas.polrep.converted import Converted, id_of, sent_of
from schemas.polrep.equipment import items_of
from schemas.polrep.moment import read_moment
from schemas.polrep.position import points_of
from schemas.polrep.write import said_fields, write_polrep
from schemas.rm import (
    AidMessage,
    AssignmentInformation,
    ContactInformation,
    IncidentInformation,
    Location,
    OfferUnsolicitedResource,
    OwnershipInformation,
    Quantity,
    RequestResource,
    Resource,
    ResourceInformation,
    ResponseInformation,
    ResponseToRequestResource,
    ScheduleInformation,
    TargetArea,
)

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.values import Point
    from schemas.polrep.equipment import Item
    from schemas.polrep.model import Polrep

__all__ = ["to_aid"]

_AVAILABLE: Final = timedelta(days=14)
_TIME: Final = re.compile(
    r"(?<!\d)\d{6} ?Z(?: (?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*(?: \d{4})?)?"
    r"(?![A-Z0-9])",
    re.ASCII,
)


def to_aid(
    report: Polrep, *, sender: str, at: datetime, request: AidMessage | None = None
) -> Converted[AidMessage]:
    """Return part III of *report* as an aid message; docs/standards.md has the mapping.

    *sender* is the sender as it is registered, *at* about when the report was sent.
    With *request*, the RequestResource that is answered, an offer becomes a
    ResponseToRequestResource: each thing answers the first free item of its type.

    Raises:
        Rejected: ``not-convertible``: it asks for nothing and offers nothing, is in local
            time, or offers what the request does not ask for.
    """
    part = report.polfac
    sent = sent_of(report, at)
    if part is None or (part.request is None and part.equipment is None):
        raise Rejected(
            "not-convertible",
            "it asks for nothing (81) and offers nothing (89)",
            remedy="Convert it to an alert.",
        )
    losses: list[str] = []
    head: dict[str, Any] = {
        "message_id": id_of(report.serial, "POLFAC"),
        "sent_date_time": sent,
        "message_description": write_polrep(report).decode(),
        "originating_message_id": id_of(report.serial, "POLFAC"),
        "incident_information": (_incident(report),),
        "contact_information": (
            ContactInformation(contact_description=sender, contact_role="Sender"),
        ),
    }
    if report.polwarn is not None or report.polinf is not None:
        losses.append("POLWARN and POLINF are in the description only: convert them to an alert")
    if part.request is not None:
        if part.equipment is not None:
            losses.append("what 89 describes is in the description only: 81 was taken")
        return Converted(
            RequestResource(**head, resource_information=_requested(report, losses)),
            tuple(losses),
        )
    offered = _offered(report, sent, losses)
    if request is None:
        if report.answers is not None:
            losses.append(f"that it answers {report.answers}: the request itself was not given")
        return Converted(
            OfferUnsolicitedResource(**head, resource_information=offered), tuple(losses)
        )
    head["originating_message_id"] = request.originating_message_id
    return Converted(
        ResponseToRequestResource(
            **head,
            preceding_message_id=request.message_id,
            resource_information=_answering(offered, request),
        ),
        tuple(losses),
    )


def _incident(report: Polrep) -> IncidentInformation:
    mark = "EXERCISE " if report.exercise else ""
    said = report.polwarn.incident if report.polwarn else None
    return IncidentInformation(
        incident_id=f"{mark}{report.serial.incident}",
        incident_description=None if said is None else f"{mark}{said}",
    )


def _place(report: Polrep, *numbers: int) -> Location | None:
    said = said_fields(report)
    text = next((said[number] for number in numbers if number in said), None)
    if text is None:
        return None
    points: tuple[Point, ...] = ()
    with suppress(ValueError):
        points = points_of(text)
    return Location(
        location_description=text, target_area=TargetArea(point=points[0]) if points else None
    )


def _resource(item: Item, owned: OwnershipInformation | None = None) -> Resource:
    return Resource(name=item.name, type_structure=item.kind, ownership_information=owned)


def _requested(report: Polrep, losses: list[str]) -> tuple[ResourceInformation, ...]:
    assert report.polfac is not None  # noqa: S101 - the caller looked
    where = _place(report, 84, 41, 2)
    if where is None:
        losses.append("it does not say where to")
    items = items_of(report.polfac.request or "")
    _note_words(items, losses)
    return tuple(
        ResourceInformation(
            resource_info_element_id=str(i),
            resource=_resource(item),
            assignment_information=AssignmentInformation(quantity=item.quantity),
            schedule_information=()
            if where is None
            else (ScheduleInformation(schedule_type="RequestedArrival", location=where),),
        )
        for i, item in enumerate(items, 1)
    )


def _offered(report: Polrep, sent: datetime, losses: list[str]) -> tuple[ResourceInformation, ...]:
    part = report.polfac
    assert part is not None  # noqa: S101 - the caller looked
    begins = part.date_time.near(sent) if part.date_time is not None else sent
    losses.append("until when it is available: 14 days were assumed")
    if part.cost is None:
        losses.append("what it costs: to be agreed")
    schedule = [
        ScheduleInformation(
            schedule_type="BeginAvailable", date_time=begins, location=_place(report, 91)
        ),
        ScheduleInformation(schedule_type="EndAvailable", date_time=begins + _AVAILABLE),
    ]
    arrives, where = _arrival(part.arrival, sent), _place(report, 92, 90)
    if arrives is not None or where is not None:
        schedule.append(
            ScheduleInformation(schedule_type="EstimatedArrival", date_time=arrives, location=where)
        )
    items = items_of(part.equipment or "")
    _note_words(items, losses)
    price = Quantity(quantity_text=(part.cost or "to be agreed",))
    owned = OwnershipInformation(owner=report.sender, owning_jurisdiction=report.serial.state)
    return tuple(
        ResourceInformation(
            resource_info_element_id=str(i),
            resource=_resource(item, owned),
            assignment_information=AssignmentInformation(quantity=item.quantity, price_quote=price),
            schedule_information=tuple(schedule),
        )
        for i, item in enumerate(items, 1)
    )


def _arrival(text: str | None, sent: datetime) -> datetime | None:
    match = _TIME.search((text or "").upper())
    if match is not None:
        with suppress(ValueError):
            return read_moment(match[0]).near(sent)
    return None


def _note_words(items: tuple[Item, ...], losses: list[str]) -> None:
    if unlisted := [i.name for i in items if not i.kind.value_list_urn.endswith(":oil-spill")]:
        losses.append(f"on no list of resources: {', '.join(unlisted)[:200]}")


def _answering(
    offered: tuple[ResourceInformation, ...], request: AidMessage
) -> tuple[ResourceInformation, ...]:
    free = [
        (item.resource_info_element_id, item.resource.type_structure)
        for item in request.resource_information
        if item.resource is not None
    ]
    answers = []
    for item in offered:
        assert item.resource is not None  # noqa: S101 - an offered item has one
        wanted = next((one for one in free if one[1] == item.resource.type_structure), None)
        if wanted is None:
            raise Rejected(
                "not-convertible",
                f"nobody asked for {(item.resource.name or '')[:60]!r}",
                remedy="Convert it without the request: as an offer of its own.",
            )
        free.remove(wanted)
        answer = ResponseInformation(
            preceding_resource_info_element_id=wanted[0], response_type="Accept"
        )
        answers.append(item.model_copy(update={"response_information": answer}))
    return tuple(answers)
