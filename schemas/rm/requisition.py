"""An order made of an accepted offer, for systems that know EDXL-RM alone.

The standard has no answer to an unsolicited offer, so the hub's AidOfferResponse means
nothing to them; a RequisitionResource (EDXL-RM 1.0, 3.3.3) does, and CommitResource answers it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from schemas.errors import Rejected
from schemas.rm.model import AidMessage, RequisitionResource
from schemas.rm.parts import AssignmentInformation, Funding, ResourceInformation

__all__ = ["requisition_of"]

_OFFERS: Final = frozenset({"OfferUnsolicitedResource", "ResponseToRequestResource"})
_SCHEDULED: Final = frozenset({
    *("EstimatedArrival", "EstimatedDeparture", "RequestedArrival", "RequestedDeparture"),
    *("EstimatedReturnDeparture", "EstimatedReturnArrival", "ReportTo", "Route"),
})  # fmt: skip
"""What a requisition's schedule may say; when the offer ends is not part of an order."""


def requisition_of(
    accept: AidMessage, offer: AidMessage, *, funding: Funding, at: datetime
) -> RequisitionResource:
    """Return the order of what *accept* accepts of *offer*, sent at *at*.

    Its items have the numbers that they have in the offer, with what the acceptance says
    of them before what the offer says; what it declines or leaves open is not ordered. The
    same acceptance makes an order of the same id: on the board it counts once beside it.

    Raises:
        Rejected: ``not-convertible``: it accepts nothing, or another offer.
    """
    if accept.message_content_type != "AidOfferResponse":
        raise _not(f"it is a {accept.message_content_type}, not an AidOfferResponse")
    if offer.message_content_type not in _OFFERS or offer.message_id != accept.preceding_message_id:
        raise _not(f"it accepts {(accept.preceding_message_id or '')[:100]}, not what was given")
    offered = {item.resource_info_element_id: item for item in offer.resource_information}
    items = []
    for item in accept.resource_information:
        answer = item.response_information
        if answer is None or answer.response_type != "Accept":
            continue
        number = answer.preceding_resource_info_element_id
        if number not in offered:
            raise _not(f"the offer has no item {(number or '')[:100]}")
        items.append(_item(item, offered[number]))
    if not items:
        raise _not("it accepts nothing")
    return RequisitionResource(
        message_id=f"{accept.message_id}-ORDER",
        sent_date_time=at,
        message_description=accept.message_description,
        originating_message_id=accept.originating_message_id,
        preceding_message_id=offer.message_id,
        incident_information=accept.incident_information or offer.incident_information,
        funding=(funding,),
        contact_information=accept.contact_information,
        resource_information=tuple(items),
    )


def _item(accepted: ResourceInformation, offered: ResourceInformation) -> ResourceInformation:
    resource = accepted.resource or offered.resource
    said = _assigned(accepted.assignment_information)
    assigned = {**_assigned(offered.assignment_information), **said}
    if resource is None or "quantity" not in assigned:
        raise _not(f"neither says how much of item {offered.resource_info_element_id[:100]}")
    schedules = {
        one.schedule_type: one
        for item in (offered, accepted)
        for one in item.schedule_information
        if one.schedule_type in _SCHEDULED
    }
    return ResourceInformation(
        resource_info_element_id=offered.resource_info_element_id,
        resource=resource.model_copy(update={"resource_status": None}),
        assignment_information=AssignmentInformation(**assigned),
        schedule_information=tuple(schedules.values()),
    )


def _assigned(information: AssignmentInformation | None) -> dict[str, Any]:
    if information is None:
        return {}
    fields = AssignmentInformation.model_fields
    return {
        name: value
        for name in fields
        if name != "order_id" and (value := getattr(information, name)) is not None
    }


def _not(why: str) -> Rejected:
    return Rejected(
        "not-convertible",
        why,
        remedy="Give an AidOfferResponse that accepts, and the offer that it names.",
    )
