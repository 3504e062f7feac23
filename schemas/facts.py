"""What routing, deadlines and feeds need to know of a message, whatever its format."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer

from schemas.scales import Certainty, Severity, Urgency

__all__ = [
    "AidFacts",
    "AidItem",
    "Area",
    "Kind",
    "MessageFacts",
    "Moment",
    "Reference",
    "Status",
]

Kind = Literal["alert", "aid", "ack", "error"]
"""What a message is for: an alert; an aid message (EDXL-RM); a CAP Ack; a CAP Error."""

Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]
"""CAP 1.2, 3.2.1 ``status``. EDXL-RM messages carry theirs in IncidentInformation or are Actual."""


class Frozen(BaseModel):
    """Base of all values here: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(Frozen):
    """An earlier message, named as CAP 1.2 (3.2.1 ``references``) names it."""

    sender: str
    identifier: str
    sent: AwareDatetime


class Area(Frozen):
    """Where a message applies.

    *polygons* are closed rings and *circles* are (latitude, longitude, radius in
    kilometres); points are (latitude, longitude) in degrees, WGS 84, as CAP
    writes them. *geocodes* are (valueName, value).
    """

    description: str = ""
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()


class Moment(Frozen):
    """When something of an item happened (EDXL-RM 1.0, 3.2 ``ScheduleInformation``)."""

    what: Literal[
        "ActualDeparture", "ActualArrival", "ActualReturnDeparture", "ActualReturnArrival"
    ]
    at: AwareDatetime | None = None


class AidItem(Frozen):
    """One item of an aid message: what, how much, and which earlier item it answers."""

    id: str
    """``ResourceInfoElementID``: stands once in a message."""
    answers: str = ""
    """``PrecedingResourceInfoElementID``; empty where the item has no ResponseInformation."""
    response: Literal["", "Accept", "Decline", "Provisional"] = ""
    type: str = ""
    """The type of resource as ``ValueListURN=Value``."""
    name: str = ""
    amount: (
        Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", when_used="json")] | None
    ) = None
    unit: str = ""
    """A code of UN/ECE Recommendation 20, of any other list ``ValueListURN=Value``."""
    words: str = ""
    """A quantity in words, where there is no amount."""
    moments: tuple[Moment, ...] = ()


class AidFacts(Frozen):
    """What an aid message asks for, offers and promises, and of which exchange it is a part."""

    thread: str
    """``OriginatingMessageID``."""
    answers: str = ""
    """The message that it answers or goes on from; empty where it begins an exchange."""
    recalls: str = ""
    """The earlier message of the same agency that it replaces or takes back."""
    recall: Literal["", "Update", "Cancel"] = ""
    incidents: tuple[str, ...] = ()
    """The IncidentIDs, as written."""
    items: tuple[AidItem, ...] = ()


class MessageFacts(Frozen):
    """The facts of one message, derived from its payload alone.

    Deriving them again from the same bytes gives the same value: an auditor
    re-derives every routing decision from them (guarantee G5).
    """

    kind: Kind
    sender: str
    """CAP ``sender``; EDXL-RM: the e-mail or name of the Sender contact, as written."""
    identifier: str
    """CAP ``identifier``; EDXL-RM ``MessageID``. Unique per sender."""
    sent: AwareDatetime
    status: Status = "Actual"
    msg_type: str
    """CAP ``msgType``; EDXL-RM ``MessageContentType`` or the hub's ``AidOfferResponse``."""
    scope: Literal["Public", "Restricted", "Private"] = "Public"
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    """``event`` texts as written, and event codes as ``valueName=value``."""
    severity: Severity = "Unknown"
    """The gravest of all ``info`` blocks; so are urgency and certainty."""
    urgency: Urgency = "Unknown"
    certainty: Certainty = "Unknown"
    headline: str = ""
    """The first headline (else event) in the message, for lists; at most 160 characters."""
    expires: AwareDatetime | None = None
    """When the last ``info`` expires; None when any of them never does."""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    areas: tuple[Area, ...] = ()
    aid: AidFacts | None = None
    """Of an aid message what the aid board is made of."""
