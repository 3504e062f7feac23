"""Reading: from the bytes of a message, in XML or JSON, to an aid message or to what is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from lxml import etree
from pydantic import ValidationError

from schemas.cap.encoding import MAX_BYTES, refuse, refuse_size, to_utf8
from schemas.cap.markup import MAX_DEPTH, depth_of, parse, refuse_depth
from schemas.cap.names import in_own_thread, is_plain
from schemas.errors import Finding, Rejected
from schemas.rm.layout import MESSAGES, Element, Group, namespace_of
from schemas.rm.model import MESSAGE_TYPES, AidMessage
from schemas.rm.raw import raw_text
from schemas.rm.rules import judge
from schemas.rm.structure import MAX_FINDINGS, locate, structure_findings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reading", "check_aid", "read_aid", "read_aid_json"]

_ROOTS: Final = {f"{{{namespace_of(name)}}}{name}": name for name in MESSAGES}
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}*"


@dataclass(frozen=True, slots=True)
class Reading:
    """An aid message that was accepted, and what is carried along with it."""

    message: AidMessage
    warnings: tuple[Finding, ...]


def read_aid(data: bytes, *, max_bytes: int = MAX_BYTES) -> Reading:
    """Read an EDXL-RM 1.0 message, or the hub's AidOfferResponse; the same bytes, the same reading.

    Nothing is fetched, nothing outside the message is looked at, the bytes stay
    the caller's.

    Raises:
        Rejected: the sender must change the message: ``not-xml``,
            ``xml-forbidden``, ``too-large``, ``too-deep``, ``wrong-namespace``,
            ``structure-invalid`` or ``rule-broken``, with findings.
    """
    text = to_utf8(data, max_bytes=max_bytes)
    is_plain(text)
    # The names of a resource list are anybody's: the thread takes them with it when it ends.
    return in_own_thread(lambda: _read(text))


def check_aid(data: bytes) -> tuple[Finding, ...]:
    """Return everything that `read_aid` has to say of a message, in document order."""
    try:
        return read_aid(data).warnings
    except Rejected as refusal:
        return refusal.findings


def _read(text: bytes) -> Reading:
    root = parse(text, foreign=True)
    if next(root.iter(_XINCLUDE), None) is not None:
        refuse(
            "xml-forbidden",
            "R00",
            "the document has XInclude elements",
            "Send the message whole, without XInclude.",
        )
    name = _ROOTS.get(str(root.tag))
    if name is None:
        _refuse_root(root)
    if depth_of(root) > MAX_DEPTH:
        refuse_depth()
    broken = structure_findings(root)
    if broken:
        raise Rejected(
            "structure-invalid",
            f"{broken[0].path}: {broken[0].message}",
            remedy="Make the message valid by the schema of EDXL-RM 1.0.",
            findings=broken,
        )
    return _judged(
        name, _values(root, MESSAGES[name]), line=lambda path: locate(root, path).sourceline
    )


def _refuse_root(root: etree._Element) -> NoReturn:
    detail = f"the root is {str(root.tag)[:200]}, not a message of EDXL-RM 1.0"
    path = etree.QName(root).localname[:100]
    raise Rejected(
        "wrong-namespace",
        detail,
        remedy="Send one of the sixteen messages of EDXL-RM 1.0, in its namespace.",
        findings=(Finding("XSD", "error", path, detail, root.sourceline),),
    )


def _values(parent: etree._Element, group: Group) -> dict[str, Any]:
    """Return the parts of an element whose structure holds, by the names of the standard."""
    found: dict[str, list[Any]] = {}
    known = {element.tag: element for element in group.elements}
    for child in parent.iterchildren(etree.Element):
        element = known[etree.QName(child).localname]
        found.setdefault(element.tag, []).append(_value(child, element))
    return {tag: items if known[tag].many else items[0] for tag, items in found.items()}


def _value(child: etree._Element, element: Element) -> Any:
    if element.group is not None:
        return _values(child, element.group)
    if element.kind in _CARRIED:
        return {"xml": raw_text(child)}
    return "".join(child.itertext())


_CARRIED: Final = frozenset(["address", "party", "area", "any"])


def read_aid_json(data: bytes, *, max_bytes: int = MAX_BYTES) -> Reading:
    """Read an aid message in JSON, in UTF-8: the standard's names, and the rules of the XML form.

    ``MessageContentType`` says which message it is. What may stand more than once is
    an array; numbers may be numbers or texts.

    Raises:
        Rejected: ``not-json``, ``too-large``, ``too-deep``, ``wrong-namespace``,
            ``structure-invalid`` or ``rule-broken``, with findings (without lines).
    """
    if len(data) > max_bytes:
        refuse_size(len(data), max_bytes)
    value = _parsed(data)
    name = value.get("MessageContentType") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in MESSAGES:
        refuse(
            "wrong-namespace",
            "XSD",
            "there is no MessageContentType of EDXL-RM 1.0",
            "Name one of its sixteen messages, or AidOfferResponse.",
        )
    return _judged(name, value, line=lambda _: None)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=str,
            parse_float=str,
            parse_constant=_constant,
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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: two readers could read two messages."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same name twice")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _judged(name: str, values: Any, *, line: Callable[[str], int | None]) -> Reading:
    """Make the model of values by the standard's names, and judge it by the hub's rules."""
    try:
        message = MESSAGE_TYPES[name].model_validate(values, by_name=False, by_alias=True)
    except ValidationError as error:
        findings = tuple(_finding(name, fault, line) for fault in error.errors()[:MAX_FINDINGS])
        raise Rejected(
            "structure-invalid",
            f"{findings[0].path}: {findings[0].message}",
            remedy="Make the message valid by EDXL-RM 1.0 (docs/standards.md).",
            findings=findings,
        ) from None
    found = [
        Finding(rule, severity, path, said, line(path))
        for rule, severity, path, said in judge(message)
    ]
    broken = next((finding for finding in found if finding.severity == "error"), None)
    if broken is None:
        return Reading(message, tuple(found[:MAX_FINDINGS]))
    found.sort(key=lambda finding: finding.severity != "error")
    raise Rejected(
        "rule-broken",
        f"{broken.path}: {broken.message} ({broken.rule})",
        remedy="Change what the findings of severity error name.",
        findings=tuple(found[:MAX_FINDINGS]),
    )


def _finding(name: str, fault: Any, line: Callable[[str], int | None]) -> Finding:
    steps = [name]
    for step in fault["loc"]:
        if isinstance(step, int):
            steps[-1] += f"[{step + 1}]"
        elif step[:1].isupper():
            steps.append(step[:100])
    path = "/".join(steps)
    message = fault["msg"].removeprefix("Value error, ")
    return Finding("A01", "error", path, message[:300], line(path))
