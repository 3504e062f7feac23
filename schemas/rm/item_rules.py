"""Whether the items of a message say what they must: what, whose, how much, when, at what price."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.rm.code_rules import judge_codes
from schemas.rm.location_rules import judge_location

if TYPE_CHECKING:
    from schemas.rm.model import AidMessage
    from schemas.rm.parts import (
        AssignmentInformation,
        Quantity,
        Resource,
        ResourceInformation,
        ResponseInformation,
        ValueList,
    )
    from schemas.rm.paths import Path
    from schemas.rm.rulebook import Case

__all__ = ["judge_items"]

_OFFERS: Final = frozenset({"OfferUnsolicitedResource", "ResponseToRequestResource"})
_COUNTED: Final = _OFFERS | {"RequestResource", "RequisitionResource", "CommitResource"}
"""What the sums of needs and commitments are made of."""
_NAMED: Final = _OFFERS | {"RequestResource"}
_STATE: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?|[A-Z]{3}")


def _said(text: str | None) -> bool:
    return bool(text and text.strip())


def judge_items(message: AidMessage, case: Case) -> None:
    """Judge every item; an offer's items are held to more than another message's.

    What a message declines, or one that takes an earlier message back, needs no
    offer's details.
    """
    recall = message.message_recall
    cancels = recall is not None and recall.recall_type == "Cancel"
    seen: set[str] = set()
    for i, item in enumerate(message.resource_information, 1):
        path: Path = (("ResourceInformation", i),)
        name = item.resource_info_element_id.strip()
        if not name or name in seen:
            case.found(
                "A18",
                (*path, ("ResourceInfoElementID", 0)),
                "an item's id is not blank and stands once in a message",
            )
        seen.add(name)
        response = item.response_information
        if response is not None:
            _judge_response(response, (*path, ("ResponseInformation", 0)), case)
        _judge_resource(item.resource, (*path, ("Resource", 0)), case)
        assignment = item.assignment_information
        if assignment is not None:
            _judge_amounts(assignment, (*path, ("AssignmentInformation", 0)), case)
        _judge_schedule(item, path, case)
        declined = response is not None and response.response_type == "Decline"
        if not cancels and not declined:
            _judge_needs(item, path, case)


def _judge_response(response: ResponseInformation, path: Path, case: Case) -> None:
    if not _said(response.preceding_resource_info_element_id):
        case.found(
            "A20",
            (*path, ("PrecedingResourceInfoElementID", 0)),
            "an answer names the item that it answers",
        )
    if response.response_type != "Accept" and not _said(response.response_reason):
        case.found("A21", path, f"{response.response_type} has a ResponseReason")


def _judge_resource(resource: Resource | None, path: Path, case: Case) -> None:
    if resource is None:
        return
    names = (resource.name, resource.resource_id)
    if not any(map(_said, names)) and resource.type_structure is None:
        case.found("A19", path, "a resource has Name, ResourceID or TypeStructure")
    judge_codes(resource.type_structure, (*path, ("TypeStructure", 0)), case)
    party = resource.responsible_party
    if party is not None:
        where = (*path, ("ResponsibleParty", 0))
        if not _said(party.contact_description) and party.contact_role is None:
            case.found("A16", where, "a contact has ContactDescription or ContactRole")
        if party.contact_location is not None:
            judge_location(party.contact_location, (*where, ("ContactLocation", 0)), case)
    owned = resource.ownership_information
    if owned is None:
        return
    where = (*path, ("OwnershipInformation", 0))
    if not _said(owned.owner) and not _said(owned.owning_jurisdiction):
        case.found("A23", where, "it has Owner or OwningJurisdiction")
    if _said(owned.owning_jurisdiction) and not _STATE.fullmatch(owned.owning_jurisdiction or ""):
        case.found(
            "A25",
            (*where, ("OwningJurisdiction", 0)),
            "the jurisdiction is not an ISO 3166 code such as KZ, KAZ or RU-AST",
        )


def _judge_amounts(assignment: AssignmentInformation, path: Path, case: Case) -> None:
    for tag, quantity in (
        ("Quantity", assignment.quantity),
        ("PriceQuote", assignment.price_quote),
    ):
        least = "above 0" if tag == "Quantity" else "not below 0"
        where: Path = (*path, (tag, 0))
        measured = quantity.measured_quantity if quantity else None
        if measured is not None and (
            measured.amount < 0 or (tag == "Quantity" and not measured.amount)
        ):
            case.found(
                "A28", (*where, ("MeasuredQuantity", 0), ("Amount", 0)), f"an amount is {least}"
            )
        if measured is not None:
            unit: Path = (*where, ("MeasuredQuantity", 0), ("UnitOfMeasure", 0))
            judge_codes(measured.unit_of_measure, unit, case)
        if tag == "PriceQuote" and measured is not None and not _coded(measured.unit_of_measure):
            case.found("A30", where, "a price in figures has its currency as UnitOfMeasure")


def _coded(code: ValueList | None) -> bool:
    return code is not None and _said(code.value_list_urn) and all(map(_said, code.value))


def _filled(quantity: Quantity | None) -> bool:
    return quantity is not None and (
        quantity.measured_quantity is not None or any(map(_said, quantity.quantity_text))
    )


def _judge_schedule(item: ResourceInformation, path: Path, case: Case) -> None:
    for i, part in enumerate(item.schedule_information, 1):
        where: Path = (*path, ("ScheduleInformation", i))
        if part.date_time is None and part.location is None:
            case.found("A33", where, "it has a DateTime or a Location")
        if part.location is not None:
            judge_location(part.location, (*where, ("Location", 0)), case)
    begins, ends = _moments(item, "BeginAvailable"), _moments(item, "EndAvailable")
    if begins and ends and max(ends)[0] <= min(begins)[0]:
        case.found(
            "A32",
            (*path, ("ScheduleInformation", max(ends)[1]), ("DateTime", 0)),
            "EndAvailable is after BeginAvailable",
        )


def _moments(item: ResourceInformation, kind: str) -> list[tuple[float, int]]:
    return [
        (part.date_time.timestamp(), i)
        for i, part in enumerate(item.schedule_information, 1)
        if part.schedule_type == kind and part.date_time is not None
    ]


def _judge_needs(item: ResourceInformation, path: Path, case: Case) -> None:
    """Judge what the hub asks of requests and offers, more than the standard does."""
    resource, assignment = item.resource, item.assignment_information
    quantity = assignment.quantity if assignment else None
    if case.name in _NAMED:
        if resource is None or not _coded(resource.type_structure):
            case.found("A22", path, "TypeStructure names a list of resource types and a code of it")
        if not _filled(quantity):
            case.found("A26", path, "a Quantity says how much")
    measured = quantity.measured_quantity if quantity else None
    if case.name in _COUNTED and measured is not None and not _coded(measured.unit_of_measure):
        case.found(
            "A27",
            (
                *path,
                ("AssignmentInformation", 0),
                ("Quantity", 0),
                ("MeasuredQuantity", 0),
            ),
            "an amount has its UnitOfMeasure (UN/ECE Recommendation 20)",
        )
    if case.name in _OFFERS:
        _judge_offer(item, path, case)


def _judge_offer(item: ResourceInformation, path: Path, case: Case) -> None:
    owned = item.resource.ownership_information if item.resource else None
    if owned is None or not (_said(owned.owner) and _said(owned.owning_jurisdiction)):
        case.found("A24", path, "an offer has its Owner and OwningJurisdiction")
    assignment = item.assignment_information
    if assignment is None or not _filled(assignment.price_quote):
        case.found("A29", path, "an offer has a PriceQuote, be it 'free of charge'")
    if not _moments(item, "BeginAvailable") or not _moments(item, "EndAvailable"):
        case.found("A31", path, "an offer has BeginAvailable and EndAvailable, with dates")
