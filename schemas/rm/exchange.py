"""What an aid message asks for, offers and promises, and which earlier message it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from schemas.facts import AidFacts, AidItem, Moment

if TYPE_CHECKING:
    from schemas.rm.model import AidMessage
    from schemas.rm.parts import MeasuredQuantity, Resource, ResourceInformation, ValueList

__all__ = ["exchange_of"]

_FIRST: Final = frozenset({"RequestResource", "OfferUnsolicitedResource"})
_MOMENTS: Final = frozenset(get_args(Moment.model_fields["what"].annotation))


def exchange_of(message: AidMessage) -> AidFacts:
    """Return the part of *message* that needs, offers and promises are summed up from.

    A message that names no PrecedingMessageID goes on from the one that began the
    exchange (EDXL-RM 1.0, 3.2 ``OriginatingMessageID``), unless it begins one itself.
    """
    thread = message.originating_message_id
    answers = message.preceding_message_id or ""
    begins = message.message_content_type in _FIRST or thread == message.message_id
    recall = message.message_recall
    return AidFacts(
        thread=thread,
        answers=answers if answers or begins else thread,
        recalls=recall.recall_message_id if recall else "",
        recall=recall.recall_type if recall else "",
        incidents=tuple(
            dict.fromkeys(
                text
                for i in message.incident_information
                if (text := (i.incident_id or "").strip())
            )
        ),
        items=tuple(_item(item) for item in message.resource_information),
    )


def _item(item: ResourceInformation) -> AidItem:
    response, assignment = item.response_information, item.assignment_information
    quantity = assignment.quantity if assignment else None
    measured = quantity.measured_quantity if quantity else None
    words = "; ".join(" ".join(text.split()) for text in quantity.quantity_text) if quantity else ""
    return AidItem(
        id=item.resource_info_element_id.strip(),
        answers=response.preceding_resource_info_element_id.strip() if response else "",
        response=response.response_type if response else "",
        type=_type(item.resource),
        name=" ".join((item.resource.name or "").split()) if item.resource else "",
        amount=measured.amount if measured and measured.amount > 0 else None,
        unit=_unit(measured),
        words=words[:200],
        moments=tuple(
            dict.fromkeys(
                Moment(what=part.schedule_type, at=part.date_time)
                for part in item.schedule_information
                if part.schedule_type in _MOMENTS
            )
        ),
    )


def _type(resource: Resource | None) -> str:
    return _coded(resource.type_structure) if resource and resource.type_structure else ""


def _coded(code: ValueList) -> str:
    values = "+".join(sorted({value.strip() for value in code.value} - {""}))
    return f"{code.value_list_urn.strip()}={values}" if values else ""


def _unit(measured: MeasuredQuantity | None) -> str:
    """Return the unit: of Recommendation 20 the bare code, for its URN is written in many ways."""
    if measured is None or measured.unit_of_measure is None:
        return ""
    coded = _coded(measured.unit_of_measure)
    urn, _, code = coded.rpartition("=")
    name = "".join(c for c in urn.casefold() if c.isalnum())
    return code if name.endswith(("rec20", "recommendation20")) else coded
