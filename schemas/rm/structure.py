"""Whether a message has the structure of EDXL-RM: its elements, their order, count and types.

The schema is made from the table in `schemas.rm.tables` and checked by libxml2, in
C. A schema object keeps the errors of its last check, so no two threads use one at
a time.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.errors import Finding
from schemas.rm.layout import (
    NAMESPACE_HUB,
    NAMESPACE_MSG,
    NAMESPACE_RM,
    Element,
    Group,
    namespace_of,
)
from schemas.rm.others import OTHERS, WHERE, XAL, XPIL, XSD
from schemas.rm.tables import MESSAGES, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_FINDINGS",
    "element_path",
    "locate",
    "schema_texts",
    "structure_findings",
]

MAX_FINDINGS: Final = 100
"""A message has at most this many findings; more would only repeat them."""

_TYPES: Final = {
    "text": "xs:string",
    "time": "xs:dateTime",
    "uri": "xs:anyURI",
    "amount": "xs:double",
    "address": "xal:AddressType",
    "party": "xpil:PartyType",
    "area": "where:WhereType",
    "any": "rm:TypeInfoType",
}
_OCCURS: Final = {
    "1": "",
    "?": ' minOccurs="0"',
    "*": ' minOccurs="0" maxOccurs="unbounded"',
    "+": ' maxOccurs="unbounded"',
}


def schema_texts() -> dict[str, str]:
    """Write the W3C schemas (XSD 1.0) of all messages, by their namespaces."""
    roots: dict[str, str] = {NAMESPACE_MSG: "", NAMESPACE_HUB: ""}
    common: dict[str, str] = {}
    for name, group in MESSAGES.items():
        body = f'<xs:element name="{name}">{_complex(group, common)}</xs:element>'
        roots[namespace_of(name)] += body
    imports = _import(WHERE) + _import(XAL) + _import(XPIL)
    shared = "".join(common.values()) + _TYPE_INFO + _CARRIED
    texts = {space: _schema(space, _import(NAMESPACE_RM) + body) for space, body in roots.items()}
    texts[NAMESPACE_MSG] = texts[NAMESPACE_MSG].replace(
        _import(NAMESPACE_RM), _import(NAMESPACE_RM) + _import(NAMESPACE_HUB), 1
    )
    return texts | OTHERS | {NAMESPACE_RM: _schema(NAMESPACE_RM, imports + shared)}


_TYPE_INFO: Final = (
    '<xs:complexType name="TypeInfoType"><xs:sequence>'
    '<xs:any processContents="skip" maxOccurs="unbounded"/></xs:sequence></xs:complexType>'
)
_CARRIED: Final = "".join(
    f'<xs:element name="{tag}" type="{_TYPES[kind]}"/>'
    for tag, kind in (
        ("Address", "address"),
        ("AdditionalContactInformation", "party"),
        ("TargetArea", "area"),
        ("TypeInfo", "any"),
    )
)
"""What other standards rule, on its own as well (`schemas.rm.carried`)."""


def _schema(namespace: str, body: str) -> str:
    return (
        f'<xs:schema xmlns:xs="{XSD}" xmlns:rm="{NAMESPACE_RM}" xmlns:xal="{XAL}"'
        f' xmlns:xpil="{XPIL}" xmlns:where="{WHERE}" targetNamespace="{namespace}"'
        f' elementFormDefault="qualified">{body}</xs:schema>'
    )


def _import(namespace: str) -> str:
    return f'<xs:import namespace="{namespace}" schemaLocation="{namespace}"/>'


def _complex(group: Group, common: dict[str, str], name: str = "") -> str:
    order = "choice" if group.choice else "sequence"
    parts = "".join(_particle(element, common) for element in group.elements)
    named = f' name="{name}"' if name else ""
    return f"<xs:complexType{named}><xs:{order}>{parts}</xs:{order}></xs:complexType>"


def _particle(element: Element, common: dict[str, str]) -> str:
    opening = f'<xs:element name="{element.tag}"{_OCCURS[element.occurs]}'
    group = element.group
    if group is not None and group.common:
        if group.common not in common:
            common[group.common] = ""
            common[group.common] = _complex(group, common, group.common)
        return f'{opening} type="rm:{group.common}"/>'
    if group is not None:
        return f"{opening}>{_complex(group, common)}</xs:element>"
    if element.kind == "enum":
        values = "".join(f'<xs:enumeration value="{v}"/>' for v in element.values)
        return (
            f'{opening}><xs:simpleType><xs:restriction base="xs:string">{values}'
            "</xs:restriction></xs:simpleType></xs:element>"
        )
    return f'{opening} type="{_TYPES[element.kind]}"/>'


class _Memory(etree.Resolver):
    """Gives one schema to another by its namespace; nothing is looked for anywhere else."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        del public_id
        return self.resolve_string(self._texts[system_url or ""], context)


_schemas: Final[deque[etree.XMLSchema]] = deque()
"""Compiled schemas that nobody uses just now; taking and giving back are atomic."""


def _compiled() -> etree.XMLSchema:
    texts = schema_texts()
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Memory(texts))
    return etree.XMLSchema(etree.fromstring(texts[NAMESPACE_MSG], parser))


def structure_findings(root: etree._Element) -> tuple[Finding, ...]:
    """Return what breaks the structure, in document order; nothing when it holds.

    *root* is a message, or on its own what a message carries of other standards.
    """
    try:
        schema = _schemas.pop()
    except IndexError:
        schema = _compiled()
    try:
        if schema.validate(root):
            return ()
        return tuple(_findings(root, schema))
    finally:
        _schemas.append(schema)


_NAMES: Final = re.compile(r"\{urn:[^}]*\}")


def _findings(root: etree._Element, schema: etree.XMLSchema) -> Iterator[Finding]:
    for entry, _ in zip(schema.error_log, range(MAX_FINDINGS), strict=False):
        element = _by_node_path(root, entry.path or "")
        message = _NAMES.sub("", entry.message)
        yield Finding(
            "XSD",
            "error",
            element_path(element),
            message if len(message) <= 300 else message[:299] + "…",
            element.sourceline,
        )


_STEP: Final = re.compile(r"([^\[]+)(?:\[(\d+)\])?")


def _by_node_path(root: etree._Element, node_path: str) -> etree._Element:
    """Return the element that libxml2 names as ``/*/*[9]/p:Radio[2]``.

    ``*`` counts every sibling element, a name only its namesakes. An attribute or
    whatever else is not found stands for its nearest element.
    """
    element = root
    for step in node_path.split("/")[2:]:
        match = _STEP.fullmatch(step)
        if match is None:
            break
        name, position = match[1], int(match[2] or 1)
        same = (
            child
            for child in element.iterchildren(etree.Element)
            if name == "*" or _prefixed(child) == name
        )
        found = next((c for i, c in enumerate(same, 1) if i == position), None)
        if found is None:
            break
        element = found
    return element


def _prefixed(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _repeated() -> frozenset[str]:
    def walk(group: Group) -> Iterator[str]:
        for element in group.elements:
            if element.many:
                yield element.tag
            if element.group is not None:
                yield from walk(element.group)

    return frozenset(tag for group in MESSAGES.values() for tag in walk(group))


_REPEATED: Final = _repeated()


def element_path(element: etree._Element) -> str:
    """Return ``RequestResource/Funding[1]/FundCode``: elements that may repeat are numbered."""
    steps: list[str] = []
    while True:
        tag = element.tag
        name = etree.QName(element).localname
        parent = element.getparent()
        if parent is None:
            return "/".join([name, *reversed(steps)])
        if name in _REPEATED:
            before = sum(1 for e in element.itersiblings(preceding=True) if e.tag == tag)
            name += f"[{before + 1}]"
        steps.append(name)
        element = parent


def locate(root: etree._Element, path: str) -> etree._Element:
    """Return the element that `element_path` names, or the nearest above it."""
    element = root
    for step in path.split("/")[1:]:
        match = _STEP.fullmatch(step)
        if match is None or match[1] not in TAGS.values():
            break
        same = list(element.iterchildren("{*}" + match[1]))
        place = int(match[2] or 1)
        if len(same) < place:
            break
        element = same[place - 1]
    return element
