"""What routing, deadlines and feeds need to know of a message, whatever its format."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

__all__ = ["Area", "Kind", "MessageFacts", "Reference", "Status"]

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
    severity: Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"] = "Unknown"
    """The gravest of all ``info`` blocks; so are urgency and certainty."""
    urgency: Literal["Immediate", "Expected", "Future", "Past", "Unknown"] = "Unknown"
    certainty: Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"] = "Unknown"
    headline: str = ""
    """The first headline (else event) in the message, for lists; at most 160 characters."""
    expires: AwareDatetime | None = None
    """When the last ``info`` expires; None when any of them never does."""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    areas: tuple[Area, ...] = ()
