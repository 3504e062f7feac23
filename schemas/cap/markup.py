"""Which tree a document in UTF-8 has, parsed so that nothing in it acts (R00, R01).

No network, no entities, no comments, no processing instructions; libxml2's own
limits hold.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NoReturn

from lxml import etree

from schemas.cap.encoding import refuse

__all__ = ["MAX_BREADTH", "MAX_DEPTH", "depth_of", "parse", "refuse_breadth", "refuse_depth"]

MAX_DEPTH: Final = 64
"""Elements may be nested this deep; CAP needs 5, an XML signature about 10."""

MAX_BREADTH: Final = 5000
"""An element may have this many others in it."""

_parsers: Final[deque[etree.XMLParser]] = deque()
"""Parsers that nobody uses just now; taking and giving back are atomic."""


def parse(data: bytes, *, foreign: bool = False) -> etree._Element:
    """Parse a document in UTF-8 that `schemas.cap.names.is_plain` has looked over.

    *foreign* says that it holds names outside the vocabulary: then a parser is made
    for it alone, because a parser lends its memory of names to every thread it is
    used in.

    Raises:
        Rejected: ``not-xml``, ``too-deep`` or ``too-large``.
    """
    if foreign:
        return _parse(data, _new_parser())
    try:
        parser = _parsers.pop()
    except IndexError:
        parser = _new_parser()
    try:
        return _parse(data, parser)
    finally:
        _parsers.append(parser)


def _new_parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="UTF-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )


def _parse(data: bytes, parser: etree.XMLParser) -> etree._Element:
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error)
    # The shortest element is <x/>.
    if len(data) > 4 * MAX_BREADTH:
        refuse_breadth(root)
    return root


_RESOURCE_LIMIT: Final = 114
"""libxml2's code for all its limits."""


def _refuse_syntax(error: etree.XMLSyntaxError) -> NoReturn:
    message = (error.msg or "not well-formed")[:300]
    if error.code == _RESOURCE_LIMIT:
        if "depth" in message:
            refuse_depth(error.lineno)
        refuse(
            "too-large",
            "R01",
            f"a text or attribute is too long: {message}",
            "Send a smaller message; refer to large files by URI.",
            error.lineno,
        )
    refuse(
        "not-xml",
        "R00",
        f"not well-formed XML: {message}",
        "Send one well-formed XML document in UTF-8.",
        error.lineno,
    )


def refuse_depth(line: int | None = None) -> NoReturn:
    """Refuse a document whose elements are nested too deep (R01)."""
    refuse(
        "too-deep",
        "R01",
        f"elements are nested deeper than {MAX_DEPTH}",
        "Send a CAP alert; it needs five levels.",
        line,
    )


def refuse_breadth(root: etree._Element) -> None:
    """Refuse a document in which an element has more others in it than `MAX_BREADTH` (R01).

    libxml2 counts siblings for each fault that it reports: 30,000 faulty siblings
    would take seconds.
    """
    for element in root.iter():
        if len(element) > MAX_BREADTH:
            refuse_many(element.sourceline)


def refuse_many(line: int | None = None) -> NoReturn:
    """Refuse what has more in it than `MAX_BREADTH` (R01)."""
    refuse(
        "too-large",
        "R01",
        f"an element has more than {MAX_BREADTH} others in it",
        "Send a smaller message.",
        line,
    )


def depth_of(root: etree._Element) -> int:
    """Return how deep elements are nested; the root alone is 1."""
    depth, level = 0, [root]
    while level:
        depth += 1
        level = [child for element in level for child in element]
    return depth
