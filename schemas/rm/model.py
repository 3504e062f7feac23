"""What an EDXL-RM message says: the elements of EDXL-RM 1.0 as immutable values.

Fields carry the standard's names in the way of Python (``MessageID`` is
``message_id``); in JSON and in XML they are the standard's own. All messages have the
same fields, those of the standard's reference model; which of them a message type may
and must have is `schemas.rm.tables`, and a model refuses what its type does not have.
Every value that a model accepts can be written as valid EDXL-RM 1.0; what stands in
addresses and parties that came as XML is not looked into.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import model_validator

from schemas.cap.model import Text
from schemas.rm.carried import Carried
from schemas.rm.layout import Group
from schemas.rm.parts import (
    ContactInformation,
    Funding,
    IncidentInformation,
    MessageRecall,
    Part,
    ResourceInformation,
    Time,
)
from schemas.rm.tables import MESSAGES, TAGS

__all__ = [
    "MESSAGE_TYPES",
    "AidMessage",
    "AidOfferResponse",
    "CommitResource",
    "OfferUnsolicitedResource",
    "ReleaseResource",
    "ReportResourceDeploymentStatus",
    "RequestExtendedDeploymentDuration",
    "RequestInformation",
    "RequestQuote",
    "RequestResource",
    "RequestResourceDeploymentStatus",
    "RequestReturn",
    "RequisitionResource",
    "ResponseToRequestExtendedDeploymentDuration",
    "ResponseToRequestInformation",
    "ResponseToRequestQuote",
    "ResponseToRequestResource",
    "ResponseToRequestReturn",
]


class AidMessage(Part):
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


def _hold(value: Part, group: Group, path: str) -> None:
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
