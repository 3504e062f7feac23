"""What the standard and the hub ask of an aid message beyond its structure.

EDXL-RM's own business rules (EDXL-RM 1.0, 3.2) and what the hub needs so that offers
from five states can be compared: the rules are listed in docs/standards.md.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal

from schemas.rm.carried import TargetArea
from schemas.rm.model import ScheduleInformation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.rm.model import AidMessage, ResourceInformation

__all__ = ["RULES", "Broken", "judge"]

Severity = Literal["error", "warning"]
Broken = tuple[str, Severity, str, str]
"""The rule's id, its severity, the element's path, a sentence for people."""

RULES: Final[dict[str, Severity]] = {
    "A01": "error",
    "A02": "error",
    "A03": "error",
    "A04": "error",
    "A05": "error",
    "A06": "error",
    "A07": "error",
    "A08": "error",
    "A09": "error",
    "A10": "error",
    "A11": "error",
    "A12": "error",
    "A13": "error",
    "A14": "error",
    "A15": "error",
    "A16": "warning",
    "A17": "error",
    "A18": "warning",
    "A19": "warning",
}
"""Each rule's severity. A01, a value that cannot be read, is found while reading."""

_OPENING: Final = frozenset(["RequestResource", "OfferUnsolicitedResource"])
"""The messages that begin a thread, and on which everything after them rests."""


def judge(message: AidMessage) -> Iterator[Broken]:
    """Say of a message whose structure holds which rules it breaks, in document order."""
    name = message.message_content_type
    for rule, path, said in _broken(message, name):
        yield rule, RULES[rule], path, said


def _broken(message: AidMessage, name: str) -> Iterator[tuple[str, str, str]]:
    yield from _thread(message, name)
    if name in _OPENING and not any(
        (i.incident_id or "").strip() or (i.incident_description or "").strip()
        for i in message.incident_information
    ):
        yield "A04", name, "no IncidentInformation says which incident it is for"
    yield from _contacts(message, name)
    numbers = Counter(item.resource_info_element_id for item in message.resource_information)
    for i, item in enumerate(message.resource_information, 1):
        path = f"{name}/ResourceInformation[{i}]"
        if numbers[item.resource_info_element_id] > 1:
            yield "A07", f"{path}/ResourceInfoElementID", "another item has the same number"
        yield from _answer(item, path)
        yield from _resource(item, name, path)
        yield from _quantity(item, name, path)
        yield from _schedule(item, name, path)


def _thread(message: AidMessage, name: str) -> Iterator[tuple[str, str, str]]:
    own, recall = message.message_id, message.message_recall
    if message.preceding_message_id == own:
        yield "A02", f"{name}/PrecedingMessageID", "a message cannot answer itself"
    if recall is not None and recall.recall_message_id == own:
        yield "A03", f"{name}/MessageRecall", "a message cannot recall itself"
    if name in _OPENING and recall is None and message.originating_message_id != own:
        yield (
            "A18",
            f"{name}/OriginatingMessageID",
            "the first message of a thread originates itself: its own MessageID stands here",
        )


def _contacts(message: AidMessage, name: str) -> Iterator[tuple[str, str, str]]:
    for i, contact in enumerate(message.contact_information, 1):
        if not (contact.contact_description or "").strip() and contact.contact_role is None:
            yield (
                "A05",
                f"{name}/ContactInformation[{i}]",
                "a contact has a ContactDescription or a ContactRole",
            )
    if not any(contact.contact_role == "Sender" for contact in message.contact_information):
        yield "A19", f"{name}/ContactInformation[1]", "no contact has the role Sender"


def _answer(item: ResourceInformation, path: str) -> Iterator[tuple[str, str, str]]:
    answer = item.response_information
    if answer is None or answer.response_type == "Accept":
        return
    if not (answer.response_reason or "").strip() and answer.reason_code is None:
        yield (
            "A08",
            f"{path}/ResponseInformation",
            f"{answer.response_type} needs a ReasonCode or a ResponseReason",
        )


def _resource(item: ResourceInformation, name: str, path: str) -> Iterator[tuple[str, str, str]]:
    resource = item.resource
    if resource is None:
        return
    path = f"{path}/Resource"
    if not (
        (resource.name or "").strip()
        or (resource.resource_id or "").strip()
        or resource.type_structure is not None
    ):
        yield "A06", path, "a resource has a Name, a ResourceID or a TypeStructure"
    if name in _OPENING and resource.type_structure is None:
        yield "A09", path, "the hub needs the TypeStructure: a list and a code from it"
    owned = resource.ownership_information
    if name == "OfferUnsolicitedResource" and not (
        owned and (owned.owner or "").strip() and (owned.owning_jurisdiction or "").strip()
    ):
        yield "A10", path, "an offer says Owner and OwningJurisdiction"


def _quantity(item: ResourceInformation, name: str, path: str) -> Iterator[tuple[str, str, str]]:
    given = item.assignment_information
    path = f"{path}/AssignmentInformation"
    quantity = given.quantity if given else None
    if name in _OPENING and quantity is None:
        yield "A11", path if given else path.rpartition("/")[0], "the hub needs the Quantity"
    measured = quantity.measured_quantity if quantity else None
    if measured is not None and measured.amount <= 0:
        yield "A13", f"{path}/Quantity", "a quantity is greater than 0"
    if measured is not None and measured.unit_of_measure is None:
        yield "A16", f"{path}/Quantity", "without UnitOfMeasure an amount is a number of pieces"
    price = given.price_quote if given else None
    if name == "OfferUnsolicitedResource" and price is None:
        yield (
            "A12",
            path if given else path.rpartition("/")[0],
            "an offer says its cost in PriceQuote: free of charge, reimbursed, or a price",
        )


def _schedule(item: ResourceInformation, name: str, path: str) -> Iterator[tuple[str, str, str]]:
    times = {s.schedule_type: s.date_time for s in item.schedule_information if s.date_time}
    begin, end = times.get("BeginAvailable"), times.get("EndAvailable")
    if name == "OfferUnsolicitedResource" and (begin is None or end is None):
        yield "A14", path, "an offer says from when (BeginAvailable) to when (EndAvailable)"
    if begin is not None and end is not None and end < begin:
        yield "A15", path, "EndAvailable is before BeginAvailable"
    for i, schedule in enumerate(item.schedule_information, 1):
        where = f"{path}/ScheduleInformation[{i}]"
        if _outside(schedule):
            yield "A17", f"{where}/Location", "a place is outside latitude ±90 or longitude ±180"


def _outside(schedule: ScheduleInformation) -> bool:
    place = schedule.location.target_area if schedule.location else None
    return place is not None and any(abs(y) > 90 or abs(x) > 180 for y, x in _points(place))


def _points(place: TargetArea) -> Iterator[tuple[float, float]]:
    groups: tuple[Any, ...] = (place.line, place.polygon, place.box or ())
    for group in groups:
        yield from group
    if place.point is not None:
        yield place.point
    if place.circle is not None:
        yield place.circle[:2]
