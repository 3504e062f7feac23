"""What the parts of aid messages say: incidents, contacts, items, quantities, schedules.

All messages share these, with the fields of the standard's reference model (EDXL-RM
1.0, 3.2 and 3.4); what a type of message has of them is in `schemas.rm.tables`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from schemas.cap.model import Text
from schemas.cap.values import is_uri_reference
from schemas.rm.carried import TypeInfo
from schemas.rm.ciq import Address, Party
from schemas.rm.places import TargetArea
from schemas.rm.tables import TAGS
from schemas.rm.values import MAX_AMOUNT, read_amount, read_time, write_amount, write_time

__all__ = [
    "AssignmentInformation",
    "AssignmentInstructions",
    "ContactInformation",
    "Funding",
    "IncidentInformation",
    "Location",
    "MeasuredQuantity",
    "MessageRecall",
    "OwnershipInformation",
    "Part",
    "Quantity",
    "Radio",
    "Resource",
    "ResourceInformation",
    "ResourceStatus",
    "ResponseInformation",
    "ScheduleInformation",
    "Time",
    "ValueList",
]


def _textual(read: Any) -> BeforeValidator:
    """Let a field be given as the standard's text as well."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _uri(text: str) -> str:
    if not is_uri_reference(text):
        raise ValueError("not a URI")
    return text


def _amount(amount: Decimal) -> Decimal:
    if amount.is_nan() or abs(amount) >= MAX_AMOUNT or amount != round(amount, 9):
        raise ValueError("an amount is below 10^15 and has at most nine decimal places")
    return amount.normalize() + 0 if amount else Decimal(0)


Time = Annotated[
    AwareDatetime,
    _textual(read_time),
    AfterValidator(lambda at: read_time(write_time(at))),
    PlainSerializer(write_time, return_type=str, when_used="json"),
]
Uri = Annotated[Text, BeforeValidator(lambda v: v.strip() if isinstance(v, str) else v),
                AfterValidator(_uri)]  # fmt: skip
Amount = Annotated[
    Decimal,
    _textual(read_amount),
    Field(allow_inf_nan=False),
    AfterValidator(_amount),
    PlainSerializer(write_amount, return_type=str, when_used="json"),
]


class Part(BaseModel):
    """Base of all elements: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=TAGS.__getitem__,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class ValueList(Part):
    """Values from a list that its URN names (EDXL-RM 1.0, 3.4 ``ValueListType``)."""

    value_list_urn: Uri
    value: Annotated[tuple[Text, ...], Field(min_length=1)]


class IncidentInformation(Part):
    """The incident a message is about (EDXL-RM 1.0, 3.2)."""

    incident_id: Text | None = None
    incident_description: Text | None = None


class MessageRecall(Part):
    """The earlier message that this one replaces or takes back (EDXL-RM 1.0, 3.2)."""

    recall_message_id: Text
    recall_type: Literal["Update", "Cancel"]


class Funding(Part):
    """Who pays (EDXL-RM 1.0, 3.2)."""

    fund_code: Text | None = None
    funding_info: Text | None = None


class Location(Part):
    """A place, in words, as an address or on the map (EDXL-RM 1.0, 3.4)."""

    location_description: Text | None = None
    address: Address | None = None
    target_area: TargetArea | None = None


class Radio(Part):
    """A radio channel on which a contact listens (EDXL-RM 1.0, 3.4)."""

    radio_type: ValueList
    radio_channel: Text


class ContactInformation(Part):
    """Somebody to talk to (EDXL-RM 1.0, 3.4)."""

    contact_description: Text | None = None
    contact_role: (
        Literal["Sender", "Requester", "SubjectMatterExpert", "Approver", "RespondingOrg", "Owner"]
        | None
    ) = None
    radio: tuple[Radio, ...] = ()
    contact_location: Location | None = None
    additional_contact_information: Party | None = None


class ResponseInformation(Part):
    """An answer to one item of an earlier message (EDXL-RM 1.0, 3.2)."""

    preceding_resource_info_element_id: Text
    response_type: Literal["Accept", "Decline", "Provisional"]
    reason_code: ValueList | None = None
    response_reason: Text | None = None


class OwnershipInformation(Part):
    """Whose the resource is (EDXL-RM 1.0, 3.2)."""

    owner: Text | None = None
    owning_jurisdiction: Text | None = None
    home_dispatch: Text | None = None
    home_unit: Text | None = None


class ResourceStatus(Part):
    """Where the resource is and whether it is free (EDXL-RM 1.0, 3.2)."""

    inventory_refresh_date_time: Time | None = None
    deployment_status: ValueList | None = None
    availability: Text | None = None


class Resource(Part):
    """What is asked for or offered (EDXL-RM 1.0, 3.2)."""

    resource_id: Text | None = None
    name: Text | None = None
    type_structure: ValueList | None = None
    type_info: TypeInfo | None = None
    keyword: tuple[ValueList, ...] = ()
    description: Text | None = None
    credentials: Text | None = None
    certifications: Text | None = None
    special_requirements: Text | None = None
    responsible_party: ContactInformation | None = None
    ownership_information: OwnershipInformation | None = None
    resource_status: ResourceStatus | None = None


class MeasuredQuantity(Part):
    """A number and the unit in which it counts (EDXL-RM 1.0, 3.4)."""

    amount: Amount
    unit_of_measure: ValueList | None = None


class Quantity(Part):
    """How much: either in words or as a number (EDXL-RM 1.0, 3.4 ``QuantityType``).

    The type of ``PriceQuote`` too; there the unit is the currency.
    """

    quantity_text: tuple[Text, ...] = ()
    measured_quantity: MeasuredQuantity | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.quantity_text) == (self.measured_quantity is not None):
            raise ValueError("a quantity is either QuantityText or MeasuredQuantity")
        return self


class AssignmentInstructions(Part):
    """How the resource travels and where it reports (EDXL-RM 1.0, 3.2)."""

    mode_of_transportation: Text | None = None
    navigation_instructions: Text | None = None
    reporting_instructions: Text | None = None


class AssignmentInformation(Part):
    """How much of the resource, for what, at what price (EDXL-RM 1.0, 3.2)."""

    quantity: Quantity | None = None
    restrictions: Text | None = None
    anticipated_function: Text | None = None
    price_quote: Quantity | None = None
    order_id: Text | None = None
    assignment_instructions: AssignmentInstructions | None = None


class ScheduleInformation(Part):
    """When and where (EDXL-RM 1.0, 3.2)."""

    schedule_type: Literal[
        "RequestedArrival",
        "EstimatedArrival",
        "ActualArrival",
        "RequestedDeparture",
        "EstimatedDeparture",
        "ActualDeparture",
        "EstimatedReturnDeparture",
        "EstimatedReturnArrival",
        "ActualReturnArrival",
        "RequestedReturnDeparture",
        "RequestedReturnArrival",
        "ActualReturnDeparture",
        "BeginAvailable",
        "EndAvailable",
        "Committed",
        "Current",
        "ReportTo",
        "Route",
    ]
    date_time: Time | None = None
    location: Location | None = None


class ResourceInformation(Part):
    """One item of a message (EDXL-RM 1.0, 3.2)."""

    resource_info_element_id: Text
    response_information: ResponseInformation | None = None
    resource: Resource | None = None
    assignment_information: AssignmentInformation | None = None
    schedule_information: tuple[ScheduleInformation, ...] = ()
