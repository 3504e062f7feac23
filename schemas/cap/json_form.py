"""Reading an alert in JSON: the standard's names, and the rules of the XML form.

An element that may repeat is an array, every other a string or object; numbers
may stand for ``size``, ``altitude`` and ``ceiling``. The message is brought to
XML and held against the same schema, so both forms are judged alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from schemas.cap.draft import draft_of
from schemas.cap.encoding import MAX_BYTES, refuse, refuse_size
from schemas.cap.layout import ALERT, NAMESPACE_12, Element, Group
from schemas.cap.markup import MAX_BREADTH, refuse_breadth, refuse_depth, refuse_many
from schemas.cap.profiles import Profile
from schemas.cap.read import Reading, judged
from schemas.cap.structure import MAX_FINDINGS, structure_findings
from schemas.errors import Finding, Rejected
from schemas.one_reading import members_once, no_constant

__all__ = ["NOT_XML", "Number", "numbered", "parsed", "read_alert_json"]

NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""A character that no XML can hold."""
_NUMBERS: Final = frozenset(["integer", "decimal"])


class Number(str):
    """A number as it was written."""

    __slots__ = ()


def read_alert_json(
    data: bytes, *, profile: Profile = Profile.PLAIN, max_bytes: int = MAX_BYTES
) -> Reading:
    """Read an alert in the JSON form of CAP 1.2, in UTF-8.

    Raises:
        Rejected: ``not-json``, ``too-large``, ``too-deep``, ``structure-invalid``
            or ``rule-broken``, with findings (without lines).
    """
    if len(data) > max_bytes:
        refuse_size(len(data), max_bytes)
    value = parsed(data)
    faults: list[Finding] = []
    root = etree.Element(f"{{{NAMESPACE_12}}}alert", nsmap={None: NAMESPACE_12})
    if isinstance(value, dict):
        _build(root, value, ALERT, "alert", faults)
    else:
        _fault(faults, "alert", "an alert is an object")
    refuse_breadth(root)
    if not faults:
        faults = [
            Finding(f.rule, f.severity, f.path, f.message)
            for f in structure_findings(root, NAMESPACE_12)
        ]
    if faults:
        raise Rejected(
            "structure-invalid",
            f"{faults[0].path}: {faults[0].message}",
            remedy="Use the names and the order of values of CAP 1.2.",
            findings=tuple(faults[:MAX_FINDINGS]),
        )
    return judged(draft_of(root, NAMESPACE_12), profile, line=lambda _: None)


def parsed(data: bytes) -> Any:
    """Return the JSON in UTF-8 that *data* is; a number is a `Number`.

    Raises:
        Rejected: ``not-json`` or ``too-deep``.
    """
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=members_once,
            parse_int=Number,
            parse_float=Number,
            parse_constant=no_constant,
        )
    except RecursionError:
        refuse_depth()
    except ValueError as error:
        refuse(
            "not-json",
            "R00",
            f"not JSON in UTF-8: {error}"[:300],
            "Send one JSON object in UTF-8 (RFC 8259).",
        )


def numbered(items: list[Any]) -> Iterator[tuple[int, Any]]:
    """Return the items of an array with their numbers from 1; too many are refused unseen."""
    if len(items) > MAX_BREADTH:
        refuse_many()
    return iter(enumerate(items, 1))


def _fault(faults: list[Finding], path: str, message: str) -> None:
    faults.append(Finding("XSD", "error", path, message))


def _build(
    parent: etree._Element, value: dict[str, Any], group: Group, path: str, faults: list[Finding]
) -> None:
    """Append the members of *value* to *parent* in the order of the standard."""
    known = 0
    for element in group.elements:
        if element.tag not in value:
            continue
        known += 1
        item = value[element.tag]
        inside = f"{path}/{element.tag}"
        if item is None:
            continue
        if not element.many:
            _append(parent, element, item, inside, faults)
        elif isinstance(item, list):
            for i, one in numbered(item):
                _append(parent, element, one, f"{inside}[{i}]", faults)
        else:
            _fault(faults, inside, f"{element.tag} is an array")
    if known != len(value):
        tags = {element.tag for element in group.elements}
        for name in value:
            if name not in tags:
                _fault(faults, path, f"{name[:100]!r} is not in CAP 1.2")


def _append(
    parent: etree._Element, element: Element, item: Any, path: str, faults: list[Finding]
) -> None:
    child = etree.SubElement(parent, f"{{{NAMESPACE_12}}}{element.tag}")
    if element.group is not None:
        if isinstance(item, dict):
            _build(child, item, element.group, path, faults)
        else:
            _fault(faults, path, f"{element.tag} is an object")
    elif not isinstance(item, str) or (isinstance(item, Number) and element.kind not in _NUMBERS):
        _fault(faults, path, f"{element.tag} is a string")
    elif NOT_XML.search(item):
        _fault(faults, path, f"{element.tag} has a character that is not allowed in XML")
    else:
        child.text = item
