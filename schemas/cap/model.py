"""What a CAP message says: the elements of CAP 1.2 as immutable values.

Fields carry the standard's names in the way of Python (``msgType`` is
``msg_type``); in JSON and in XML they are the standard's own. What the standard
writes as a list inside one text (addresses, references, incidents) or as
coordinates is a tuple here and the standard's text in JSON and XML. Every value
that a model accepts can be written as valid CAP 1.2.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic.alias_generators import to_camel

from schemas.cap.values import (
    Circle,
    Ring,
    is_absolute_uri,
    is_uri_reference,
    read_circle,
    read_list,
    read_references,
    read_ring,
    read_time,
    write_circle,
    write_height,
    write_list,
    write_references,
    write_ring,
    write_time,
)
from schemas.facts import Reference
from schemas.scales import Certainty, Severity, Urgency

__all__ = [
    "LANGUAGE",
    "Alert",
    "Area",
    "EventCode",
    "Geocode",
    "Info",
    "Parameter",
    "Resource",
]

LANGUAGE: Final = r"^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$"
"""RFC 3066, as XML Schema's ``language`` has it."""


def _whole_seconds(at: datetime) -> datetime:
    """Refuse what CAP's date form cannot write (CAP 1.2, 3.3.2)."""
    offset = at.utcoffset()
    if at.microsecond or offset is None or offset % timedelta(minutes=1):
        raise ValueError("CAP writes whole seconds, and an offset of whole minutes")
    if abs(offset) > timedelta(hours=14):
        raise ValueError("an offset from UTC is at most 14 hours")
    read_time(write_time(at))
    return at


def _textual(read: Any) -> BeforeValidator:
    """Let a field be given as the standard's text as well."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _finite_ring(ring: Ring) -> Ring:
    if not all(math.isfinite(lat) and math.isfinite(lon) for lat, lon in ring):
        raise ValueError("a coordinate is a finite number")
    return ring


def _finite_circle(circle: Circle) -> Circle:
    if not all(map(math.isfinite, circle)):
        raise ValueError("a circle is of finite numbers")
    return circle


def _listable(items: tuple[str, ...]) -> tuple[str, ...]:
    for item in items:
        if not item.strip() or item != item.strip() or '"' in item:
            raise ValueError("an item is not blank, has no quotes, no white space around it")
    return items


def _referable(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    for reference in references:
        for part in (reference.sender, reference.identifier):
            if not re.fullmatch(r"[^\s,\x00-\x1f\ud800-\udfff\ufffe\uffff]+", part):
                raise ValueError("a reference's parts have no white space and no comma")
        _whole_seconds(reference.sent)
    return references


def _absolute(uri: str) -> str:
    if not is_absolute_uri(uri):
        raise ValueError("not an absolute URI")
    return uri


def _uri_reference(uri: str) -> str:
    if not is_uri_reference(uri):
        raise ValueError("not a URI")
    return uri


Text = Annotated[
    str,
    StringConstraints(pattern=r"\A[\t\n\r\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]*\z"),
]
"""Any text that XML can hold."""

Time = Annotated[
    AwareDatetime,
    AfterValidator(_whole_seconds),
    PlainSerializer(write_time, return_type=str, when_used="json"),
]
TextList = Annotated[
    tuple[Text, ...],
    _textual(read_list),
    AfterValidator(_listable),
    PlainSerializer(write_list, return_type=str, when_used="json"),
]
References = Annotated[
    tuple[Reference, ...],
    _textual(read_references),
    AfterValidator(_referable),
    PlainSerializer(write_references, return_type=str, when_used="json"),
]
Polygon = Annotated[
    Ring,
    _textual(read_ring),
    AfterValidator(_finite_ring),
    PlainSerializer(write_ring, return_type=str, when_used="json"),
]
CircleText = Annotated[
    Circle,
    _textual(read_circle),
    AfterValidator(_finite_circle),
    PlainSerializer(write_circle, return_type=str, when_used="json"),
]
Uri = Annotated[Text, AfterValidator(_absolute)]
UriReference = Annotated[Text, AfterValidator(_uri_reference)]
Height = Annotated[
    Decimal,
    Field(max_digits=18, allow_inf_nan=False),
    PlainSerializer(write_height, return_type=str, when_used="json"),
]


class _Element(BaseModel):
    """Base of all elements: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class EventCode(_Element):
    """A code of the event in some system of codes (CAP 1.2, 3.2.2 ``eventCode``)."""

    value_name: Text
    value: Text


class Parameter(_Element):
    """A value that the standard has no element for (CAP 1.2, 3.2.2 ``parameter``)."""

    value_name: Text
    value: Text


class Geocode(_Element):
    """A place in some system of codes (CAP 1.2, 3.2.4 ``geocode``)."""

    value_name: Text
    value: Text


class Resource(_Element):
    """A file that goes with the alert (CAP 1.2, 3.2.3)."""

    resource_desc: Text
    mime_type: Text
    size: int | None = Field(default=None, ge=0, lt=1 << 63)
    """In bytes."""
    uri: UriReference | None = None
    deref_uri: Text | None = None
    """The bytes themselves in base64."""
    digest: Text | None = None
    """SHA-1 of the bytes, in hexadecimal."""


class Area(_Element):
    """Where an ``info`` holds: the union of its shapes and codes (CAP 1.2, 3.2.4)."""

    area_desc: Text
    polygon: tuple[Polygon, ...] = ()
    circle: tuple[CircleText, ...] = ()
    geocode: tuple[Geocode, ...] = ()
    altitude: Height | None = None
    """In feet above mean sea level; the floor of a range when there is a ceiling."""
    ceiling: Height | None = None


class Info(_Element):
    """The alert in one language, or one of its parts (CAP 1.2, 3.2.2)."""

    language: Annotated[str, StringConstraints(pattern=LANGUAGE)] = "en-US"
    category: Annotated[
        tuple[
            Literal[
                "Geo",
                "Met",
                "Safety",
                "Security",
                "Rescue",
                "Fire",
                "Health",
                "Env",
                "Transport",
                "Infra",
                "CBRNE",
                "Other",
            ],
            ...,
        ],
        Field(min_length=1),
    ]
    event: Text
    response_type: tuple[
        Literal[
            "Shelter",
            "Evacuate",
            "Prepare",
            "Execute",
            "Avoid",
            "Monitor",
            "Assess",
            "AllClear",
            "None",
        ],
        ...,
    ] = ()
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    audience: Text | None = None
    event_code: tuple[EventCode, ...] = ()
    effective: Time | None = None
    onset: Time | None = None
    expires: Time | None = None
    sender_name: Text | None = None
    headline: Text | None = None
    description: Text | None = None
    instruction: Text | None = None
    web: Uri | None = None
    contact: Text | None = None
    parameter: tuple[Parameter, ...] = ()
    resource: tuple[Resource, ...] = ()
    area: tuple[Area, ...] = ()


class Alert(_Element):
    """One CAP message (CAP 1.2, 3.2.1)."""

    identifier: Text
    sender: Text
    sent: Time
    status: Literal["Actual", "Exercise", "System", "Test", "Draft"]
    msg_type: Literal["Alert", "Update", "Cancel", "Ack", "Error"]
    source: Text | None = None
    scope: Literal["Public", "Restricted", "Private"]
    restriction: Text | None = None
    addresses: TextList = ()
    code: tuple[Text, ...] = ()
    note: Text | None = None
    references: References = ()
    incidents: TextList = ()
    info: tuple[Info, ...] = ()
