"""What an element of EDXL-RM is to the hub: its names, how often it stands, what is in it.

The elements themselves are in `schemas.rm.tables`, and everything that must agree is
driven by them: the schema that messages are checked against, reading, writing, the
models and the JSON form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "NAMESPACE_HUB",
    "NAMESPACE_MSG",
    "NAMESPACE_RM",
    "Element",
    "Group",
    "Kind",
    "Occurs",
    "common",
    "complex_",
    "enum",
    "namespace_of",
    "simple",
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


def _key(tag: str) -> str:
    """Return the Python name of an element: ``MessageID`` becomes ``message_id``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tag).lower()


def simple(tag: str, occurs: Occurs = "1", kind: Kind = "text") -> Element:
    """Return an element of text, or of what another standard rules."""
    return Element(tag, _key(tag), occurs, kind)


def enum(tag: str, values: str, occurs: Occurs = "1") -> Element:
    """Return an element of one of *values*, which spaces separate."""
    return Element(tag, _key(tag), occurs, "enum", tuple(values.split()))


def complex_(tag: str, group: Group, occurs: Occurs = "1") -> Element:
    """Return a complex element with the parts of *group*."""
    return Element(tag, _key(tag), occurs, "group", group=group)


def common(name: str, *elements: Element, choice: bool = False) -> Group:
    """Return a group that all messages share, under the name of its type in the standard."""
    return Group(elements, common=name, choice=choice)


def namespace_of(name: str) -> str:
    """Return the namespace of a message type's root element."""
    return NAMESPACE_HUB if name == "AidOfferResponse" else NAMESPACE_MSG
