"""Which elements an EDXL-RM message has: the standard's tables (EDXL-RM 1.0, 3.2 to 3.4) as data.

The sixteen message types are one table with the differences that the standard's own
matrix has; the hub's answer to an unsolicited offer is a seventeenth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.rm.layout import Element, Group, Occurs, common, complex_, enum, simple

__all__ = ["MESSAGES", "TAGS"]

_VALUE_LIST: Final = common(
    "ValueListType", simple("ValueListURN", "1", "uri"), simple("Value", "+")
)  # fmt: skip
_INCIDENT: Final = common(
    "IncidentInformationType", simple("IncidentID", "?"), simple("IncidentDescription", "?")
)
_RECALL: Final = common(
    "MessageRecallType", simple("RecallMessageID"), enum("RecallType", "Update Cancel")
)
_FUNDING_PARTS: Final = (simple("FundCode", "?"), simple("FundingInfo", "?"))
_LOCATION: Final = common(
    "LocationType",
    simple("LocationDescription", "?"),
    simple("Address", "?", "address"),
    simple("TargetArea", "?", "area"),
)
_CONTACT: Final = common(
    "ContactInformationType",
    simple("ContactDescription", "?"),
    enum("ContactRole", "Sender Requester SubjectMatterExpert Approver RespondingOrg Owner", "?"),
    complex_(
        "Radio",
        common("RadioInformationType", complex_("RadioType", _VALUE_LIST), simple("RadioChannel")),
        "*",
    ),
    complex_("ContactLocation", _LOCATION, "?"),
    simple("AdditionalContactInformation", "?", "party"),
)
_RESPONSE: Final = common(
    "ResponseInformationType",
    simple("PrecedingResourceInfoElementID"),
    enum("ResponseType", "Accept Decline Provisional"),
    complex_("ReasonCode", _VALUE_LIST, "?"),
    simple("ResponseReason", "?"),
)
_OWNERSHIP: Final = common(
    "OwnershipInformationType",
    simple("Owner", "?"),
    simple("OwningJurisdiction", "?"),
    simple("HomeDispatch", "?"),
    simple("HomeUnit", "?"),
)
_QUANTITY: Final = common(
    "QuantityType",
    simple("QuantityText", "+"),
    complex_(
        "MeasuredQuantity",
        common(
            "MeasuredQuantityType",
            simple("Amount", "1", "amount"),
            complex_("UnitOfMeasure", _VALUE_LIST, "?"),
        ),
    ),
    choice=True,
)
_INSTRUCTIONS: Final = common(
    "AssignmentInstructionsType",
    simple("ModeOfTransportation", "?"),
    simple("NavigationInstructions", "?"),
    simple("ReportingInstructions", "?"),
)

_SCHEDULE_TYPES: Final = (
    *("RequestedArrival", "EstimatedArrival", "ActualArrival"),
    *("RequestedDeparture", "EstimatedDeparture", "ActualDeparture"),
    *("EstimatedReturnDeparture", "EstimatedReturnArrival", "ActualReturnArrival"),
    *("RequestedReturnDeparture", "RequestedReturnArrival", "ActualReturnDeparture"),
    *("BeginAvailable", "EndAvailable", "Committed", "Current", "ReportTo", "Route"),
)


def _resource(occurs: Occurs, status: str | None, *, owned: bool = True) -> Element:
    """EDXL-RM 1.0, 3.2 ``Resource``; *status* names the parts of ResourceStatus by a letter."""
    parts = [
        simple("ResourceID", "?"),
        simple("Name", "?"),
        complex_("TypeStructure", _VALUE_LIST, "?"),
        simple("TypeInfo", "?", "any"),
        complex_("Keyword", _VALUE_LIST, "*"),
        simple("Description", "?"),
        simple("Credentials", "?"),
        simple("Certifications", "?"),
        simple("SpecialRequirements", "?"),
    ]
    if owned:
        parts.append(complex_("ResponsibleParty", _CONTACT, "?"))
        parts.append(complex_("OwnershipInformation", _OWNERSHIP, "?"))
    if status is not None:
        # A return is answered with where the resource is and whether it is free again.
        must: Occurs = "1" if status == "DA!" else "?"
        known = {
            "I": simple("InventoryRefreshDateTime", "?", "time"),
            "D": complex_("DeploymentStatus", _VALUE_LIST, must),
            "A": simple("Availability", must),
        }
        inner = Group(tuple(known[letter] for letter in status if letter in known))
        parts.append(complex_("ResourceStatus", inner, must))
    return complex_("Resource", Group(tuple(parts)), occurs)


def _assignment(quantity: Occurs, more: str, *, occurs: Occurs = "?") -> Element:
    """EDXL-RM 1.0, 3.2 ``AssignmentInformation``.

    *more* has P for PriceQuote (P! where it is needed), O for OrderID and I for
    AssignmentInstructions.
    """
    parts = [
        complex_("Quantity", _QUANTITY, quantity),
        simple("Restrictions", "?"),
        simple("AnticipatedFunction", "?"),
    ]
    if "P" in more:
        parts.append(complex_("PriceQuote", _QUANTITY, "1" if "P!" in more else "?"))
    if "O" in more:
        parts.append(simple("OrderID", "?"))
    if "I" in more:
        parts.append(complex_("AssignmentInstructions", _INSTRUCTIONS, "?"))
    return complex_("AssignmentInformation", Group(tuple(parts)), occurs)


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
        enum("ScheduleType", schedules),
        simple("DateTime", "?", "time"),
        complex_("Location", _LOCATION, "?"),
    ))  # fmt: skip
    item = [simple("ResourceInfoElementID")]
    if response:
        item.append(complex_("ResponseInformation", _RESPONSE, response))
    item += [resource, assignment, complex_("ScheduleInformation", schedule, "*")]
    parts = [
        simple("MessageID"),
        simple("SentDateTime", "1", "time"),
        enum("MessageContentType", name),
        simple("MessageDescription", description),
        simple("OriginatingMessageID"),
    ]
    if preceding:
        parts.append(simple("PrecedingMessageID", preceding))
    parts.append(complex_("IncidentInformation", _INCIDENT, "*"))
    parts.append(complex_("MessageRecall", _RECALL, "?"))
    if funding:
        # The official schema of RequestResource has these two in the messages' namespace.
        own = name == "RequestResource"
        group = Group(_FUNDING_PARTS) if own else common("FundingType", *_FUNDING_PARTS)
        parts.append(complex_("Funding", group, funding))
    parts.append(complex_("ContactInformation", _CONTACT, "+"))
    parts.append(complex_("ResourceInformation", Group(tuple(item)), items))
    return name, Group(tuple(parts))


_REQUESTED: Final = "RequestedArrival RequestedDeparture "
_ESTIMATED: Final = "EstimatedArrival EstimatedDeparture "
_ACTUAL: Final = "ActualArrival ActualDeparture "
_RETURN_REQUESTED: Final = "RequestedReturnDeparture RequestedReturnArrival "
_RETURN_ESTIMATED: Final = "EstimatedReturnDeparture EstimatedReturnArrival "
_AVAILABLE: Final = "BeginAvailable EndAvailable "
_ALL: Final = " ".join(_SCHEDULE_TYPES)

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


def _tags(group: Group) -> Iterator[tuple[str, str]]:
    for element in group.elements:
        yield element.key, element.tag
        if element.group is not None:
            yield from _tags(element.group)


TAGS: Final = dict(pair for group in MESSAGES.values() for pair in _tags(group))
"""The standard's name of an element by its name in the model."""
