"""Whether a message has the structure of CAP: its elements, their order, count and types.

The schema is made from the table in `schemas.cap.layout` and checked by
libxml2, in C. A schema object keeps the errors of its last check, so no two
threads use one at a time.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from lxml import etree

from schemas.cap.layout import (
    ALERT,
    ALERT_11,
    NAMESPACE_11,
    NAMESPACE_12,
    NAMESPACE_DSIG,
    Element,
    Group,
)
from schemas.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_FINDINGS", "element_path", "line_of", "schema_text", "structure_findings"]

MAX_FINDINGS: Final = 100
"""A message has at most this many findings; more would only repeat them."""

_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_SIMPLE: Final = {
    "text": "xs:string",
    "any-time": "xs:dateTime",
    "language": "xs:language",
    "uri": "xs:anyURI",
    "integer": "xs:integer",
    "decimal": "xs:decimal",
}
_OCCURS: Final = {
    "1": "",
    "?": ' minOccurs="0"',
    "*": ' minOccurs="0" maxOccurs="unbounded"',
    "+": ' maxOccurs="unbounded"',
}
_TIME: Final = (
    '<xs:simpleType><xs:restriction base="xs:dateTime">'
    r'<xs:pattern value="\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[-+]\d{2}:\d{2}"/>'
    "</xs:restriction></xs:simpleType>"
)


def schema_text(namespace: str) -> str:
    """Write the W3C schema (XSD 1.0) of the CAP version that *namespace* names."""
    group = ALERT if namespace == NAMESPACE_12 else ALERT_11
    return (
        f'<xs:schema xmlns:xs="{_XSD}" xmlns:cap="{namespace}" targetNamespace="{namespace}"'
        ' elementFormDefault="qualified">'
        f'<xs:element name="alert">{_complex(group)}</xs:element>'
        '<xs:element name="valueName" type="xs:string"/>'
        '<xs:element name="value" type="xs:string"/>'
        "</xs:schema>"
    )


def _complex(group: Group) -> str:
    parts = "".join(map(_particle, group.elements))
    if group.signed:
        parts += (
            f'<xs:any namespace="{NAMESPACE_DSIG}" processContents="lax"'
            ' minOccurs="0" maxOccurs="unbounded"/>'
        )
    return f"<xs:complexType><xs:sequence>{parts}</xs:sequence></xs:complexType>"


def _particle(element: Element) -> str:
    occurs = _OCCURS[element.occurs]
    if element.tag in {"valueName", "value"}:
        return f'<xs:element ref="cap:{element.tag}"{occurs}/>'
    opening = f'<xs:element name="{element.tag}"{occurs}'
    match element.kind:
        case "group":
            assert element.group is not None  # noqa: S101 - a group kind always has its group
            return f"{opening}>{_complex(element.group)}</xs:element>"
        case "enum":
            values = "".join(f'<xs:enumeration value="{v}"/>' for v in element.values)
            return (
                f'{opening}><xs:simpleType><xs:restriction base="xs:string">{values}'
                "</xs:restriction></xs:simpleType></xs:element>"
            )
        case "time":
            return f"{opening}>{_TIME}</xs:element>"
        case "language":
            # An empty <language/> is valid and means en-US (CAP 1.2, 3.2.2).
            return f'{opening} type="xs:language" default="en-US"/>'
        case _:
            return f'{opening} type="{_SIMPLE[element.kind]}"/>'


_schemas: Final[dict[str, deque[etree.XMLSchema]]] = {
    NAMESPACE_12: deque(),
    NAMESPACE_11: deque(),
}
"""Compiled schemas that nobody uses just now; taking and giving back are atomic."""


def structure_findings(root: etree._Element, namespace: str) -> tuple[Finding, ...]:
    """Return what breaks the structure, in document order; nothing when it holds.

    *namespace* is that of CAP 1.2 or 1.1 and is the root's.
    """
    spare = _schemas[namespace]
    try:
        schema = spare.pop()
    except IndexError:
        schema = etree.XMLSchema(etree.fromstring(schema_text(namespace)))
    try:
        if schema.validate(root):
            return ()
        return tuple(_findings(root, namespace, schema))
    finally:
        spare.append(schema)


def _findings(root: etree._Element, namespace: str, schema: etree.XMLSchema) -> Iterator[Finding]:
    for entry, _ in zip(schema.error_log, range(MAX_FINDINGS), strict=False):
        element = _locate(root, entry.path or "")
        message = entry.message.replace(f"{{{namespace}}}", "")
        path = element_path(element)
        yield Finding(
            "R15" if path.endswith("/language") else "XSD",
            "error",
            path,
            message if len(message) <= 300 else message[:299] + "…",
            line_of(element),
        )


_STEP: Final = re.compile(r"/([^/\[]+)(?:\[(\d+)\])?")


def _locate(root: etree._Element, node_path: str) -> etree._Element:
    """Return the element that libxml2 names as ``/*/*[9]/p:polygon[2]``.

    ``*`` counts every sibling element, a name only its namesakes. What is not
    found stands for the element that it should be in.
    """
    element = root
    for name, position in _STEP.findall(node_path)[1:]:
        same = (
            child
            for child in element.iterchildren(etree.Element)
            if name == "*" or _prefixed(child) == name
        )
        element = next(islice(same, int(position or 1) - 1, None), element)
    return element


def _prefixed(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


_REPEATED: Final = frozenset({
    "code", "info", "category", "responseType", "eventCode", "parameter", "resource", "area",
    "polygon", "circle", "geocode",
})  # fmt: skip


def element_path(element: etree._Element) -> str:
    """Return ``alert/info[1]/area[2]/polygon[1]``: elements that may repeat are numbered."""
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


def line_of(element: etree._Element) -> int | None:
    """Return the line on which an element of a read document starts."""
    return element.sourceline
