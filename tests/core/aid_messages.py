"""Aid messages for tests, made as short as they can be and read as the hub reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.core.aid import AidEntry
from schemas.rm import (
    MESSAGE_TYPES,
    AidMessage,
    AssignmentInformation,
    ContactInformation,
    Funding,
    IncidentInformation,
    MeasuredQuantity,
    MessageRecall,
    OwnershipInformation,
    Quantity,
    Resource,
    ResourceInformation,
    ResourceStatus,
    ResponseInformation,
    ScheduleInformation,
    ValueList,
    aid_facts,
)

__all__ = ["BEGAN", "BOOM", "INCIDENT", "Exchange", "aid_message", "item"]

BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
INCIDENT = "AC-2026-000001-AZE"
BOOM = "boom-offshore"
OIL = "urn:caspian:resource:oil-spill"
REC20 = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20"
_NAMES = {
    *("RequestResource", "RequisitionResource", "OfferUnsolicitedResource"),
    *("ReleaseResource", "RequestReturn"),
}
_FREE = Quantity(quantity_text=("free of charge",))


def item(
    number: str = "1",
    amount: int | None = None,
    *,
    answers: str = "",
    response: str = "Accept",
    code: str = "",
    unit: str = "MTR",
    words: str = "",
    **moments: datetime,
) -> ResourceInformation:
    """Return an item; *moments* are the standard's ``ScheduleType`` and when."""
    coded = ValueList(value_list_urn=REC20, value=(unit,))
    quantity = (
        Quantity(measured_quantity=MeasuredQuantity(amount=Decimal(amount), unit_of_measure=coded))
        if amount is not None
        else Quantity(quantity_text=(words,))
        if words
        else None
    )
    return ResourceInformation(
        resource_info_element_id=number,
        response_information=ResponseInformation(
            preceding_resource_info_element_id=answers,
            response_type=response,
            response_reason=None if response == "Accept" else "not now",
        )
        if answers
        else None,
        resource=Resource(
            name=code.replace("-", " "), type_structure=ValueList(value_list_urn=OIL, value=(code,))
        )
        if code
        else None,
        assignment_information=AssignmentInformation(quantity=quantity) if quantity else None,
        schedule_information=tuple(
            ScheduleInformation(schedule_type=kind, date_time=at) for kind, at in moments.items()
        ),
    )


def aid_message(
    kind: str,
    message_id: str,
    items: Sequence[ResourceInformation],
    *,
    agency: str,
    answers: str = "",
    thread: str = "",
    recalls: str = "",
    recall: str = "Update",
    incident: str = INCIDENT,
    sent: datetime = BEGAN,
) -> AidMessage:
    """Return a message that keeps the rules of its type."""
    whole = tuple(_whole(kind, one) for one in items)
    given: dict[str, Any] = {"funding": (Funding(fund_code="1"),)} if "Requisition" in kind else {}
    if kind == "RequestInformation":
        given["message_description"] = "How heavy is it?"
    return MESSAGE_TYPES[kind](
        message_id=message_id,
        sent_date_time=sent,
        originating_message_id=thread or answers or message_id,
        preceding_message_id=answers or None,
        incident_information=(IncidentInformation(incident_id=incident),)
        if incident
        else (IncidentInformation(incident_description="Oil on the water"),),
        message_recall=MessageRecall(recall_message_id=recalls, recall_type=recall)
        if recalls
        else None,
        contact_information=(
            ContactInformation(contact_description=f"duty@{agency}.example", contact_role="Sender"),
        ),
        resource_information=whole,
        **given,
    )


def _whole(kind: str, one: ResourceInformation) -> ResourceInformation:
    """Add what the type must have of owner, price, status and dates."""
    resource = one.resource
    if resource is None and kind in _NAMES:
        resource = Resource(name="the same")
    assignment = one.assignment_information
    schedules = one.schedule_information
    if kind in {"OfferUnsolicitedResource", "ResponseToRequestResource"}:
        owner = OwnershipInformation(owner="Ministry", owning_jurisdiction="KZ")
        if resource is not None:
            resource = resource.model_copy(update={"ownership_information": owner})
        if assignment is not None:
            assignment = assignment.model_copy(update={"price_quote": _FREE})
        schedules += (
            ScheduleInformation(schedule_type="BeginAvailable", date_time=BEGAN),
            ScheduleInformation(schedule_type="EndAvailable", date_time=BEGAN + timedelta(days=30)),
        )
    if kind == "ResponseToRequestReturn":
        status = ResourceStatus(
            deployment_status=ValueList(value_list_urn=OIL, value=("free",)), availability="now"
        )
        resource = Resource(name="the same", resource_status=status)
    if kind in {"CommitResource", "ReleaseResource", "RequisitionResource"} and not assignment:
        assignment = AssignmentInformation(quantity=Quantity(quantity_text=("all",)))
    return one.model_copy(
        update={
            "resource": resource,
            "assignment_information": assignment,
            "schedule_information": schedules,
        }
    )


@dataclass
class Exchange:
    """Messages in the order of the log; each a minute after the one before."""

    entries: list[AidEntry] = field(default_factory=list)

    def say(
        self, agency: str, kind: str, message_id: str, *items: ResourceInformation, **given: Any
    ) -> int:
        """Add a message; return its index."""
        index = len(self.entries)
        given.setdefault("sent", BEGAN + timedelta(minutes=index))
        facts = aid_facts(aid_message(kind, message_id, items, agency=agency, **given))
        self.entries.append(AidEntry(index, agency, facts))
        return index
