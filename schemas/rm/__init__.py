"""EDXL-RM 1.0: reading, judging and writing aid messages.

`read_aid` is the door: bytes in, an `AidMessage` with its warnings out, or one
`schemas.errors.Rejected` that says what to change. docs/standards.md lists the
rules, `schemas.rm.tables` the elements of each message type.
"""

from typing import Final

from schemas.rm.carried import TypeInfo
from schemas.rm.ciq import Address, Party
from schemas.rm.facts import aid_facts
from schemas.rm.json_form import read_aid_json
from schemas.rm.layout import NAMESPACE_HUB, NAMESPACE_MSG, NAMESPACE_RM
from schemas.rm.model import (
    MESSAGE_TYPES,
    AidMessage,
    AidOfferResponse,
    CommitResource,
    OfferUnsolicitedResource,
    ReleaseResource,
    ReportResourceDeploymentStatus,
    RequestExtendedDeploymentDuration,
    RequestInformation,
    RequestQuote,
    RequestResource,
    RequestResourceDeploymentStatus,
    RequestReturn,
    RequisitionResource,
    ResponseToRequestExtendedDeploymentDuration,
    ResponseToRequestInformation,
    ResponseToRequestQuote,
    ResponseToRequestResource,
    ResponseToRequestReturn,
)
from schemas.rm.parts import (
    AssignmentInformation,
    AssignmentInstructions,
    ContactInformation,
    Funding,
    IncidentInformation,
    Location,
    MeasuredQuantity,
    MessageRecall,
    OwnershipInformation,
    Quantity,
    Radio,
    Resource,
    ResourceInformation,
    ResourceStatus,
    ResponseInformation,
    ScheduleInformation,
    ValueList,
)
from schemas.rm.places import TargetArea
from schemas.rm.read import ReadAid, read_aid
from schemas.rm.rulebook import RULES
from schemas.rm.rules import check_aid
from schemas.rm.write import write_aid, write_aid_json

__all__ = [
    "MESSAGE_TYPES",
    "RM_NAMESPACES",
    "RULES",
    "Address",
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
    "Party",
    "Quantity",
    "Radio",
    "ReadAid",
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
    "TargetArea",
    "TypeInfo",
    "ValueList",
    "aid_facts",
    "check_aid",
    "read_aid",
    "read_aid_json",
    "write_aid",
    "write_aid_json",
]

RM_NAMESPACES: Final = frozenset({NAMESPACE_MSG, NAMESPACE_RM, NAMESPACE_HUB})
"""The namespaces of aid messages: the two of the standard, and the hub's own."""
