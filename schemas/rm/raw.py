"""How XML of other standards is kept: as one canonical text, so that nothing of it is lost."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Final

from lxml import etree

from schemas.cap.encoding import MAX_BYTES, refuse, to_utf8
from schemas.cap.markup import MAX_DEPTH, depth_of, parse
from schemas.cap.names import is_plain
from schemas.errors import Rejected
from schemas.rm.layout import NAMESPACE_RM
from schemas.rm.structure import structure_findings

__all__ = ["bare_copy", "collapsed", "raw_element", "raw_text", "same", "text_of"]

_BLANKS: Final = " \t\r\n"
_SPACE: Final = re.compile(r"[ \t\r\n]+")


def raw_text(element: etree._Element) -> str:
    """Write an element as exclusive canonical XML, its own name in no namespace.

    So the same content gives the same text wherever in a message it stood.
    """
    return etree.tostring(
        bare_copy(element, etree.QName(element).localname),
        method="c14n",
        exclusive=True,
        with_comments=False,
    ).decode()


def bare_copy(element: etree._Element, tag: str) -> etree._Element:
    """Return a copy of *element* and what is in it under the name *tag*, on its own.

    Raises:
        Rejected: ``too-large``, the copy would be far larger than the original.
    """
    _refuse_swelling(element)
    copy = etree.Element(tag, dict(element.attrib))
    copy.text = element.text
    for child in element:
        copy.append(deepcopy(child))
    return copy


def _refuse_swelling(element: etree._Element) -> None:
    """Refuse names of namespaces that would be a multiple of a message.

    On its own, each part of an element declares its namespace again: what is written
    once in a message of a kilobyte could become a gigabyte.
    """
    size = 0
    for part in element.iter():
        size += sum(map(len, (part.tag, *part.attrib)))
        if size > MAX_BYTES:
            refuse(
                "too-large",
                "R01",
                f"the names in {etree.QName(element).localname} are too long",
                "Use shorter names of namespaces.",
                element.sourceline,
            )


def raw_element(text: str, tag: str) -> etree._Element:
    """Parse what `raw_text` wrote, or a sender did, as an element *tag* of EDXL-RM.

    Raises:
        ValueError: it is not XML, not *tag*, or not valid by the standard that it is of.
    """
    try:
        data = to_utf8(text.encode(), max_bytes=MAX_BYTES)
        is_plain(data)
        root = parse(data, foreign=True)
    except (Rejected, UnicodeError) as error:
        raise ValueError(f"not XML: {error}"[:300]) from None
    if root.tag not in {tag, f"{{{NAMESPACE_RM}}}{tag}"}:
        raise ValueError(f"the XML is {str(root.tag)[:100]!r}, not {tag!r}")
    element = bare_copy(root, f"{{{NAMESPACE_RM}}}{tag}")
    findings = structure_findings(element)
    if findings:
        raise ValueError(f"{findings[0].path}: {findings[0].message}")
    if depth_of(element) > MAX_DEPTH:
        raise ValueError(f"elements are nested deeper than {MAX_DEPTH}")
    return element


def text_of(element: etree._Element | None) -> str | None:
    """Return the text of a simple element as CIQ's String has it: white space collapsed."""
    if element is None:
        return None
    return collapsed(element.text or "")


def collapsed(text: str) -> str:
    """Return *text* as XML Schema collapses it; other scripts' spaces stay."""
    return " ".join(_SPACE.split(text.strip(_BLANKS)))


def same(one: etree._Element, other: etree._Element) -> bool:
    """Tell whether two elements say the same; prefixes and white space are no difference."""
    return (
        one.tag == other.tag
        and one.attrib == other.attrib
        and text_of(one) == text_of(other)
        and len(one) == len(other)
        and not any((child.tail or "").strip(_BLANKS) for child in (*one, *other))
        and all(map(same, one, other))
    )
