"""Which elements an EDXL-RM message has: the standard's tables (EDXL-RM 1.0, 3.2 to 3.4) as data.

One table drives everything that must agree: the schema that messages are checked
against, reading, writing, the models and the JSON form. The sixteen message types
are one table with the differences that the standard's own matrix has; the hub's
answer to an unsolicited offer is a seventeenth in a namespace of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "MESSAGES",
    "NAMESPACE_HUB",
    "NAMESPACE_MSG",
    "NAMESPACE_RM",
    "SCHEDULE_TYPES",
    "TAGS",
    "Element",
    "Group",
    "Kind",
    "namespace_of",
]

NAMESPACE_MSG: Final = "urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg"
"""The sixteen messages and what differs between them."""

NAMESPACE_RM: Final = "urn:oasis:names:tc:emergency:EDXL:RM:1.0"
"""What all messages share."""

NAMESPACE_HUB: Final = "urn:caspian:edxl-rm:1.0:msg"
"""The hub's own AidOfferResponse; what it shares with the others is in `NAMESPACE_RM`."""

Occurs = Literal["1", "?", "*", "+"]

Kind = Literal[
    "text", "time", "uri", "amount", "enum", "group", "address", "party", "area", "any"
]  # fmt: skip
"""The last four are other standards': xAL, xPIL, GML, and whatever a resource list has."""


@dataclass(frozen=True, slots=True)
class Group:
    """A complex element: its parts in the order in which the standard puts them."""

    elements: tuple[Element, ...]
    common: str = ""
    """The name of the type where all messages share it; then its parts are in `NAMESPACE_RM`."""
    choice: bool = False
    """Whether only one of the parts may stand."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its name in XML and JSON, its name in the model, how often it occurs."""

    tag: str
    key: str
    occurs: Occurs
    kind: Kind
    values: tuple[str, ...] = ()
    group: Group | None = None

    @property
    def many(self) -> bool:
        """Whether the element may stand more than once."""
        return self.occurs in "*+"

    @property
    def needed(self) -> bool:
        """Whether the element must stand at least once."""
        return self.occurs in "1+"


TAGS: Final[dict[str, str]] = {}
"""The standard's name of an element by its name in the model."""


def _key(tag: str) -> str:
    """Return the Python name of an element: ``MessageID`` becomes ``message_id``."""
    key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tag).lower()
    TAGS[key] = tag
    return key


def _one(tag: str, occurs: Occurs = "1", kind: Kind = "text") -> Element:
    return Element(tag, _key(tag), occurs, kind)


def _enum(tag: str, values: str, occurs: Occurs = "1") -> Element:
    return Element(tag, _key(tag), occurs, "enum", tuple(values.split()))


def _group(tag: str, group: Group, occurs: Occurs = "1") -> Element:
    return Element(tag, _key(tag), occurs, "group", group=group)


def _common(name: str, *elements: Element, choice: bool = False) -> Group:
    return Group(elements, common=name, choice=choice)


_VALUE_LIST: Final = _common(
    "ValueListType", _one("ValueListURN", "1", "uri"), _one("Value", "+")
)  # fmt: skip
_INCIDENT: Final = _common(
    "IncidentInformationType", _one("IncidentID", "?"), _one("IncidentDescription", "?")
)
_RECALL: Final = _common(
    "MessageRecallType", _one("RecallMessageID"), _enum("RecallType", "Update Cancel")
)
_FUNDING_PARTS: Final = (_one("FundCode", "?"), _one("FundingInfo", "?"))
_LOCATION: Final = _common(
    "LocationType",
    _one("LocationDescription", "?"),
    _one("Address", "?", "address"),
    _one("TargetArea", "?", "area"),
)
_CONTACT: Final = _common(
    "ContactInformationType",
    _one("ContactDescription", "?"),
    _enum("ContactRole", "Sender Requester SubjectMatterExpert Approver RespondingOrg Owner", "?"),
    _group(
        "Radio",
        _common("RadioInformationType", _group("RadioType", _VALUE_LIST), _one("RadioChannel")),
        "*",
    ),
    _group("ContactLocation", _LOCATION, "?"),
    _one("AdditionalContactInformation", "?", "party"),
)
_RESPONSE: Final = _common(
    "ResponseInformationType",
    _one("PrecedingResourceInfoElementID"),
    _enum("ResponseType", "Accept Decline Provisional"),
    _group("ReasonCode", _VALUE_LIST, "?"),
    _one("ResponseReason", "?"),
)
_OWNERSHIP: Final = _common(
    "OwnershipInformationType",
    _one("Owner", "?"),
    _one("OwningJurisdiction", "?"),
    _one("HomeDispatch", "?"),
    _one("HomeUnit", "?"),
)
_QUANTITY: Final = _common(
    "QuantityType",
    _one("QuantityText", "+"),
    _group(
        "MeasuredQuantity",
        _common(
            "MeasuredQuantityType",
            _one("Amount", "1", "amount"),
            _group("UnitOfMeasure", _VALUE_LIST, "?"),
        ),
    ),
    choice=True,
)
_INSTRUCTIONS: Final = _common(
    "AssignmentInstructionsType",
    _one("ModeOfTransportation", "?"),
    _one("NavigationInstructions", "?"),
    _one("ReportingInstructions", "?"),
)

SCHEDULE_TYPES: Final = (
    *("RequestedArrival", "EstimatedArrival", "ActualArrival"),
    *("RequestedDeparture", "EstimatedDeparture", "ActualDeparture"),
    *("EstimatedReturnDeparture", "EstimatedReturnArrival", "ActualReturnArrival"),
    *("RequestedReturnDeparture", "RequestedReturnArrival", "ActualReturnDeparture"),
    *("BeginAvailable", "EndAvailable", "Committed", "Current", "ReportTo", "Route"),
)


def _resource(occurs: Occurs, status: str | None, *, owned: bool = True) -> Element:
    """EDXL-RM 1.0, 3.2 ``Resource``; *status* names the parts of ResourceStatus by a letter."""
    parts = [
        _one("ResourceID", "?"),
        _one("Name", "?"),
        _group("TypeStructure", _VALUE_LIST, "?"),
        _one("TypeInfo", "?", "any"),
        _group("Keyword", _VALUE_LIST, "*"),
        _one("Description", "?"),
        _one("Credentials", "?"),
        _one("Certifications", "?"),
        _one("SpecialRequirements", "?"),
    ]
    if owned:
        parts.append(_group("ResponsibleParty", _CONTACT, "?"))
        parts.append(_group("OwnershipInformation", _OWNERSHIP, "?"))
    if status is not None:
        # A return is answered with where the resource is and whether it is free again.
        must: Occurs = "1" if status == "DA!" else "?"
        known = {
            "I": _one("InventoryRefreshDateTime", "?", "time"),
            "D": _group("DeploymentStatus", _VALUE_LIST, must),
            "A": _one("Availability", must),
        }
        inner = Group(tuple(known[letter] for letter in status if letter in known))
        parts.append(_group("ResourceStatus", inner, must))
    return _group("Resource", Group(tuple(parts)), occurs)


def _assignment(quantity: Occurs, more: str, *, occurs: Occurs = "?") -> Element:
    """EDXL-RM 1.0, 3.2 ``AssignmentInformation``.

    *more* has P for PriceQuote (P! where it is needed), O for OrderID and I for
    AssignmentInstructions.
    """
    parts = [
        _group("Quantity", _QUANTITY, quantity),
        _one("Restrictions", "?"),
        _one("AnticipatedFunction", "?"),
    ]
    if "P" in more:
        parts.append(_group("PriceQuote", _QUANTITY, "1" if "P!" in more else "?"))
    if "O" in more:
        parts.append(_one("OrderID", "?"))
    if "I" in more:
        parts.append(_group("AssignmentInstructions", _INSTRUCTIONS, "?"))
    return _group("AssignmentInformation", Group(tuple(parts)), occurs)


def _message(
    name: str,
    *,
    description: Occurs = "?",
    preceding: Occurs | None = "?",
    funding: Occurs | None = "*",
    items: Occurs = "+",
    response: Occurs | None = None,
    resource: Element,
    assignment: Element,
    schedules: str,
) -> tuple[str, Group]:
    """EDXL-RM 1.0, 3.3: one message type as it differs from the others."""
    schedule = Group((
        _enum("ScheduleType", schedules),
        _one("DateTime", "?", "time"),
        _group("Location", _LOCATION, "?"),
    ))  # fmt: skip
    item = [_one("ResourceInfoElementID")]
    if response:
        item.append(_group("ResponseInformation", _RESPONSE, response))
    item += [resource, assignment, _group("ScheduleInformation", schedule, "*")]
    parts = [
        _one("MessageID"),
        _one("SentDateTime", "1", "time"),
        _enum("MessageContentType", name),
        _one("MessageDescription", description),
        _one("OriginatingMessageID"),
    ]
    if preceding:
        parts.append(_one("PrecedingMessageID", preceding))
    parts.append(_group("IncidentInformation", _INCIDENT, "*"))
    parts.append(_group("MessageRecall", _RECALL, "?"))
    if funding:
        # The official schema of RequestResource has these two in the messages' namespace.
        own = name == "RequestResource"
        group = Group(_FUNDING_PARTS) if own else _common("FundingType", *_FUNDING_PARTS)
        parts.append(_group("Funding", group, funding))
    parts.append(_group("ContactInformation", _CONTACT, "+"))
    parts.append(_group("ResourceInformation", Group(tuple(item)), items))
    return name, Group(tuple(parts))


_REQUESTED: Final = "RequestedArrival RequestedDeparture "
_ESTIMATED: Final = "EstimatedArrival EstimatedDeparture "
_ACTUAL: Final = "ActualArrival ActualDeparture "
_RETURN_REQUESTED: Final = "RequestedReturnDeparture RequestedReturnArrival "
_RETURN_ESTIMATED: Final = "EstimatedReturnDeparture EstimatedReturnArrival "
_AVAILABLE: Final = "BeginAvailable EndAvailable "
_ALL: Final = " ".join(SCHEDULE_TYPES)

MESSAGES: Final[dict[str, Group]] = dict([
    _message(
        "RequestResource",
        preceding=None,
        resource=_resource("1", None, owned=False),
        assignment=_assignment("?", ""),
        schedules=_REQUESTED + _RETURN_ESTIMATED + "ReportTo Route",
    ),
    _message(
        "ResponseToRequestResource",
        preceding="1",
        response="1",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "PI"),
        schedules=_ESTIMATED + _RETURN_REQUESTED + _AVAILABLE + _REQUESTED
        + "EstimatedReturnDeparture ReportTo Route",
    ),
    _message(
        "RequisitionResource",
        funding="+",
        resource=_resource("1", None),
        assignment=_assignment("1", "PI", occurs="1"),
        schedules=_ESTIMATED + _RETURN_ESTIMATED + _REQUESTED + "ReportTo Route",
    ),
    _message(
        "CommitResource",
        preceding="1",
        response="1",
        resource=_resource("?", "ID"),
        assignment=_assignment("1", "POI"),
        schedules=_ESTIMATED + _REQUESTED + _RETURN_ESTIMATED + _RETURN_REQUESTED + _AVAILABLE
        + "ActualDeparture Committed ReportTo Current Route",
    ),
    _message(
        "RequestInformation",
        description="1",
        items="*",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "POI"),
        schedules=_ALL,
    ),
    _message(
        "ResponseToRequestInformation",
        preceding="1",
        items="*",
        response="?",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "POI"),
        schedules=_ALL,
    ),
    _message(
        "OfferUnsolicitedResource",
        preceding=None,
        funding=None,
        resource=_resource("1", "IDA"),
        assignment=_assignment("?", "PI"),
        schedules=_ESTIMATED + _RETURN_REQUESTED + _AVAILABLE + "Route",
    ),
    _message(
        "ReleaseResource",
        response="?",
        resource=_resource("1", "DA"),
        assignment=_assignment("1", "POI"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _RETURN_ESTIMATED
        + _AVAILABLE + "ActualReturnDeparture Current Committed ReportTo Route",
    ),
    _message(
        "RequestReturn",
        resource=_resource("1", "DA"),
        assignment=_assignment("?", "POI"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _AVAILABLE
        + "Committed ReportTo Route",
    ),
    _message(
        "ResponseToRequestReturn",
        preceding="1",
        response="1",
        resource=_resource("?", "DA!"),
        assignment=_assignment("?", "POI"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _RETURN_ESTIMATED
        + _AVAILABLE + "ActualReturnDeparture Committed ReportTo Route Current",
    ),
    _message(
        "RequestQuote",
        response="?",
        resource=_resource("1", None),
        assignment=_assignment("?", "I"),
        schedules=_REQUESTED + _RETURN_ESTIMATED + "ReportTo Route",
    ),
    _message(
        "ResponseToRequestQuote",
        preceding="1",
        response="1",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "P!I"),
        schedules=_ESTIMATED + _RETURN_REQUESTED + _AVAILABLE + _REQUESTED + _RETURN_ESTIMATED
        + "ReportTo Route",
    ),
    _message(
        "RequestResourceDeploymentStatus",
        resource=_resource("1", None),
        assignment=_assignment("?", "POI"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _RETURN_ESTIMATED
        + _AVAILABLE + "ActualReturnDeparture ActualReturnArrival Committed ReportTo Route",
    ),
    _message(
        "ReportResourceDeploymentStatus",
        response="?",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "POI"),
        schedules=_ALL,
    ),
    _message(
        "RequestExtendedDeploymentDuration",
        resource=_resource("1", "DA"),
        assignment=_assignment("?", "PO"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _RETURN_ESTIMATED
        + "Committed ReportTo Route",
    ),
    _message(
        "ResponseToRequestExtendedDeploymentDuration",
        preceding="1",
        response="1",
        resource=_resource("?", "DA"),
        assignment=_assignment("?", "PO"),
        schedules=_REQUESTED + _ESTIMATED + _ACTUAL + _RETURN_REQUESTED + _RETURN_ESTIMATED
        + "EndAvailable Committed ReportTo Route",
    ),
    _message(
        "AidOfferResponse",
        preceding="1",
        response="1",
        resource=_resource("?", "IDA"),
        assignment=_assignment("?", "PI"),
        schedules=_ESTIMATED + _RETURN_REQUESTED + _AVAILABLE + _REQUESTED + _RETURN_ESTIMATED
        + "ReportTo Route",
    ),
])  # fmt: skip
"""The message types by the names of their root elements."""


def namespace_of(name: str) -> str:
    """Return the namespace of a message type's root element."""
    return NAMESPACE_HUB if name == "AidOfferResponse" else NAMESPACE_MSG
