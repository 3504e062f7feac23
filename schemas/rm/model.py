"""What an EDXL-RM message says: the elements of EDXL-RM 1.0 as immutable values.

Fields carry the standard's names in the way of Python (``MessageID`` is
``message_id``); in JSON and in XML they are the standard's own. All messages have the
same fields, those of the standard's reference model; which of them a message type may
and must have is `schemas.rm.layout`, and a model refuses what its type does not have.
Every value that a model accepts can be written as valid EDXL-RM 1.0; what stands in
addresses and parties that came as XML is not looked into.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

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
from schemas.rm.carried import Address, Carried, Party, TargetArea, TypeInfo
from schemas.rm.layout import MESSAGES, TAGS, Group
from schemas.rm.values import MAX_AMOUNT, read_amount, read_time, write_amount, write_time

__all__ = [
    "MESSAGE_TYPES",
    "AidMessage",
    "AidOfferResponse",
    "AssignmentInformation",
    "AssignmentInstructions",
    "CommitResource",
    "ContactInformation",
    "Funding",
    "IncidentInformation",
    "Location",
    "MeasuredQuantity",
    "MessageRecall",
    "OfferUnsolicitedResource",
    "OwnershipInformation",
    "Quantity",
    "Radio",
    "ReleaseResource",
    "ReportResourceDeploymentStatus",
    "RequestExtendedDeploymentDuration",
    "RequestInformation",
    "RequestQuote",
    "RequestResource",
    "RequestResourceDeploymentStatus",
    "RequestReturn",
    "RequisitionResource",
    "Resource",
    "ResourceInformation",
    "ResourceStatus",
    "ResponseInformation",
    "ResponseToRequestExtendedDeploymentDuration",
    "ResponseToRequestInformation",
    "ResponseToRequestQuote",
    "ResponseToRequestResource",
    "ResponseToRequestReturn",
    "ScheduleInformation",
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


class _Element(BaseModel):
    """Base of all elements: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=TAGS.__getitem__,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class ValueList(_Element):
    """Values from a list that its URN names (EDXL-RM 1.0, 3.4 ``ValueListType``)."""

    value_list_urn: Uri
    value: Annotated[tuple[Text, ...], Field(min_length=1)]


class IncidentInformation(_Element):
    """The incident a message is about (EDXL-RM 1.0, 3.2)."""

    incident_id: Text | None = None
    incident_description: Text | None = None


class MessageRecall(_Element):
    """The earlier message that this one replaces or takes back (EDXL-RM 1.0, 3.2)."""

    recall_message_id: Text
    recall_type: Literal["Update", "Cancel"]


class Funding(_Element):
    """Who pays (EDXL-RM 1.0, 3.2)."""

    fund_code: Text | None = None
    funding_info: Text | None = None


class Location(_Element):
    """A place, in words, as an address or on the map (EDXL-RM 1.0, 3.4)."""

    location_description: Text | None = None
    address: Address | None = None
    target_area: TargetArea | None = None


class Radio(_Element):
    """A radio channel on which a contact listens (EDXL-RM 1.0, 3.4)."""

    radio_type: ValueList
    radio_channel: Text


class ContactInformation(_Element):
    """Somebody to talk to (EDXL-RM 1.0, 3.4)."""

    contact_description: Text | None = None
    contact_role: (
        Literal["Sender", "Requester", "SubjectMatterExpert", "Approver", "RespondingOrg", "Owner"]
        | None
    ) = None
    radio: tuple[Radio, ...] = ()
    contact_location: Location | None = None
    additional_contact_information: Party | None = None


class ResponseInformation(_Element):
    """An answer to one item of an earlier message (EDXL-RM 1.0, 3.2)."""

    preceding_resource_info_element_id: Text
    response_type: Literal["Accept", "Decline", "Provisional"]
    reason_code: ValueList | None = None
    response_reason: Text | None = None


class OwnershipInformation(_Element):
    """Whose the resource is (EDXL-RM 1.0, 3.2)."""

    owner: Text | None = None
    owning_jurisdiction: Text | None = None
    home_dispatch: Text | None = None
    home_unit: Text | None = None


class ResourceStatus(_Element):
    """Where the resource is and whether it is free (EDXL-RM 1.0, 3.2)."""

    inventory_refresh_date_time: Time | None = None
    deployment_status: ValueList | None = None
    availability: Text | None = None


class Resource(_Element):
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


class MeasuredQuantity(_Element):
    """A number and the unit in which it counts (EDXL-RM 1.0, 3.4)."""

    amount: Amount
    unit_of_measure: ValueList | None = None


class Quantity(_Element):
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


class AssignmentInstructions(_Element):
    """How the resource travels and where it reports (EDXL-RM 1.0, 3.2)."""

    mode_of_transportation: Text | None = None
    navigation_instructions: Text | None = None
    reporting_instructions: Text | None = None


class AssignmentInformation(_Element):
    """How much of the resource, for what, at what price (EDXL-RM 1.0, 3.2)."""

    quantity: Quantity | None = None
    restrictions: Text | None = None
    anticipated_function: Text | None = None
    price_quote: Quantity | None = None
    order_id: Text | None = None
    assignment_instructions: AssignmentInstructions | None = None


class ScheduleInformation(_Element):
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


class ResourceInformation(_Element):
    """One item of a message (EDXL-RM 1.0, 3.2)."""

    resource_info_element_id: Text
    response_information: ResponseInformation | None = None
    resource: Resource | None = None
    assignment_information: AssignmentInformation | None = None
    schedule_information: tuple[ScheduleInformation, ...] = ()


class AidMessage(_Element):
    """One EDXL-RM message (EDXL-RM 1.0, 3.2); its type is its class."""

    message_id: Text
    sent_date_time: Time
    message_content_type: str
    message_description: Text | None = None
    originating_message_id: Text
    preceding_message_id: Text | None = None
    incident_information: tuple[IncidentInformation, ...] = ()
    message_recall: MessageRecall | None = None
    funding: tuple[Funding, ...] = ()
    contact_information: tuple[ContactInformation, ...]
    resource_information: tuple[ResourceInformation, ...] = ()

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        group = MESSAGES.get(self.message_content_type)
        if group is None:
            raise ValueError(f"{self.message_content_type[:100]!r} is no type of message")
        _hold(self, group, self.message_content_type)
        return self


def _hold(value: _Element, group: Group, path: str) -> None:
    """Refuse what the type of message does not have, and the lack of what it must have.

    Raises:
        ValueError: with the element's path.
    """
    known = {element.key for element in group.elements}
    for key in type(value).model_fields:
        if key not in known and getattr(value, key) not in {None, ()}:
            raise ValueError(f"{path} has no {TAGS[key]}")
    for element in group.elements:
        found = getattr(value, element.key)
        inside = f"{path}/{element.tag}"
        if not element.many:
            found = () if found is None else (found,)
        if element.needed and not found and not group.choice:
            raise ValueError(f"{inside} is missing")
        for item in found:
            if element.kind == "enum" and item not in element.values:
                raise ValueError(f"{inside} is not {item}")
            if element.group is not None and not isinstance(item, Carried):
                _hold(item, element.group, inside)


class RequestResource(AidMessage):
    """Asks for resources (EDXL-RM 1.0, 3.3.1)."""

    message_content_type: Literal["RequestResource"] = "RequestResource"


class ResponseToRequestResource(AidMessage):
    """Answers a request for resources (EDXL-RM 1.0, 3.3.2)."""

    message_content_type: Literal["ResponseToRequestResource"] = "ResponseToRequestResource"


class RequisitionResource(AidMessage):
    """Orders resources (EDXL-RM 1.0, 3.3.3)."""

    message_content_type: Literal["RequisitionResource"] = "RequisitionResource"


class CommitResource(AidMessage):
    """Promises resources that were requested or ordered (EDXL-RM 1.0, 3.3.4)."""

    message_content_type: Literal["CommitResource"] = "CommitResource"


class RequestInformation(AidMessage):
    """Asks a question about resources (EDXL-RM 1.0, 3.3.5)."""

    message_content_type: Literal["RequestInformation"] = "RequestInformation"


class ResponseToRequestInformation(AidMessage):
    """Answers a question about resources (EDXL-RM 1.0, 3.3.6)."""

    message_content_type: Literal["ResponseToRequestInformation"] = "ResponseToRequestInformation"


class OfferUnsolicitedResource(AidMessage):
    """Offers resources that nobody asked for (EDXL-RM 1.0, 3.3.7)."""

    message_content_type: Literal["OfferUnsolicitedResource"] = "OfferUnsolicitedResource"


class ReleaseResource(AidMessage):
    """Lets resources go (EDXL-RM 1.0, 3.3.8)."""

    message_content_type: Literal["ReleaseResource"] = "ReleaseResource"


class RequestReturn(AidMessage):
    """Asks for resources back (EDXL-RM 1.0, 3.3.9)."""

    message_content_type: Literal["RequestReturn"] = "RequestReturn"


class ResponseToRequestReturn(AidMessage):
    """Answers a request for return (EDXL-RM 1.0, 3.3.10)."""

    message_content_type: Literal["ResponseToRequestReturn"] = "ResponseToRequestReturn"


class RequestQuote(AidMessage):
    """Asks what resources cost (EDXL-RM 1.0, 3.3.11)."""

    message_content_type: Literal["RequestQuote"] = "RequestQuote"


class ResponseToRequestQuote(AidMessage):
    """Says what resources cost (EDXL-RM 1.0, 3.3.12)."""

    message_content_type: Literal["ResponseToRequestQuote"] = "ResponseToRequestQuote"


class RequestResourceDeploymentStatus(AidMessage):
    """Asks where resources are (EDXL-RM 1.0, 3.3.13)."""

    message_content_type: Literal["RequestResourceDeploymentStatus"] = (
        "RequestResourceDeploymentStatus"
    )


class ReportResourceDeploymentStatus(AidMessage):
    """Says where resources are (EDXL-RM 1.0, 3.3.14)."""

    message_content_type: Literal["ReportResourceDeploymentStatus"] = (
        "ReportResourceDeploymentStatus"
    )


class RequestExtendedDeploymentDuration(AidMessage):
    """Asks to keep resources longer (EDXL-RM 1.0, 3.3.15)."""

    message_content_type: Literal["RequestExtendedDeploymentDuration"] = (
        "RequestExtendedDeploymentDuration"
    )


class ResponseToRequestExtendedDeploymentDuration(AidMessage):
    """Answers whether resources may stay longer (EDXL-RM 1.0, 3.3.16)."""

    message_content_type: Literal["ResponseToRequestExtendedDeploymentDuration"] = (
        "ResponseToRequestExtendedDeploymentDuration"
    )


class AidOfferResponse(AidMessage):
    """Answers an unsolicited offer, item by item; EDXL-RM has no such message, the hub adds it."""

    message_content_type: Literal["AidOfferResponse"] = "AidOfferResponse"


MESSAGE_TYPES: Final[dict[str, type[AidMessage]]] = {
    model.__name__: model for model in AidMessage.__subclasses__()
}
"""The classes of messages by the names of their root elements."""
