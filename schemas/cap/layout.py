"""Which elements a CAP message has: the standard's tables (CAP 1.2, 3.2) as data.

One table drives everything that must agree: the schema that messages are
checked against, reading, writing, and the JSON form. CAP 1.1 is the same table
with the differences that its own data dictionary has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "ALERT",
    "ALERT_11",
    "NAMESPACE_10",
    "NAMESPACE_11",
    "NAMESPACE_12",
    "NAMESPACE_DSIG",
    "Element",
    "Group",
]

NAMESPACE_12: Final = "urn:oasis:names:tc:emergency:cap:1.2"
NAMESPACE_11: Final = "urn:oasis:names:tc:emergency:cap:1.1"
NAMESPACE_10: Final = "http://www.incident.com/cap/1.0"
NAMESPACE_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"

Occurs = Literal["1", "?", "*", "+"]

Kind = Literal["text", "time", "any-time", "language", "uri", "integer", "decimal", "enum", "group"]
"""``time`` is the standard's date form (3.3.2); ``any-time`` is what CAP 1.1 lets through."""


@dataclass(frozen=True, slots=True)
class Group:
    """A complex element: its parts in the order in which the standard puts them."""

    elements: tuple[Element, ...]
    signed: bool = False
    """Whether an XML signature may follow the parts (CAP 1.2, 3.3.4.1)."""


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


def _key(tag: str) -> str:
    """Return the Python name of an element: ``msgType`` becomes ``msg_type``."""
    return "".join("_" + c.lower() if c.isupper() else c for c in tag)


def _one(tag: str, occurs: Occurs = "1", kind: Kind = "text") -> Element:
    return Element(tag, _key(tag), occurs, kind)


def _enum(tag: str, values: str, occurs: Occurs = "1") -> Element:
    return Element(tag, _key(tag), occurs, "enum", tuple(values.split()))


def _group(tag: str, group: Group, occurs: Occurs = "*") -> Element:
    return Element(tag, _key(tag), occurs, "group", group=group)


_PAIR: Final = Group((_one("valueName"), _one("value")))


def _area(height: Kind) -> Group:
    """CAP 1.2, 3.2.4."""
    return Group((
        _one("areaDesc"),
        _one("polygon", "*"),
        _one("circle", "*"),
        _group("geocode", _PAIR),
        _one("altitude", "?", height),
        _one("ceiling", "?", height),
    ))  # fmt: skip


def _resource(mime_type: Occurs) -> Group:
    """CAP 1.2, 3.2.3."""
    return Group((
        _one("resourceDesc"),
        _one("mimeType", mime_type),
        _one("size", "?", "integer"),
        _one("uri", "?", "uri"),
        _one("derefUri", "?"),
        _one("digest", "?"),
    ))  # fmt: skip


def _info(time: Kind, responses: str, resource: Group, area: Group) -> Group:
    """CAP 1.2, 3.2.2."""
    return Group((
        _one("language", "?", "language"),
        _enum(
            "category",
            "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
            "+",
        ),
        _one("event"),
        _enum("responseType", responses, "*"),
        _enum("urgency", "Immediate Expected Future Past Unknown"),
        _enum("severity", "Extreme Severe Moderate Minor Unknown"),
        _enum("certainty", "Observed Likely Possible Unlikely Unknown"),
        _one("audience", "?"),
        _group("eventCode", _PAIR),
        _one("effective", "?", time),
        _one("onset", "?", time),
        _one("expires", "?", time),
        _one("senderName", "?"),
        _one("headline", "?"),
        _one("description", "?"),
        _one("instruction", "?"),
        _one("web", "?", "uri"),
        _one("contact", "?"),
        _group("parameter", _PAIR),
        _group("resource", resource),
        _group("area", area),
    ))  # fmt: skip


def _alert(time: Kind, info: Group, *, signed: bool) -> Group:
    """CAP 1.2, 3.2.1."""
    return Group(
        (
            _one("identifier"),
            _one("sender"),
            _one("sent", "1", time),
            _enum("status", "Actual Exercise System Test Draft"),
            _enum("msgType", "Alert Update Cancel Ack Error"),
            _one("source", "?"),
            _enum("scope", "Public Restricted Private"),
            _one("restriction", "?"),
            _one("addresses", "?"),
            _one("code", "*"),
            _one("note", "?"),
            _one("references", "?"),
            _one("incidents", "?"),
            _group("info", info),
        ),
        signed=signed,
    )


ALERT: Final = _alert(
    "time",
    _info(
        "time",
        "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
        _resource("1"),
        _area("decimal"),
    ),
    signed=True,
)

ALERT_11: Final = _alert(
    "any-time",
    _info(
        "any-time",
        "Shelter Evacuate Prepare Execute Monitor Assess None",
        _resource("?"),
        _area("text"),
    ),
    signed=False,
)
