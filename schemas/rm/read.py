"""Reading: from the bytes of a message to an aid message, or to what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

from lxml import etree
from pydantic import ValidationError

from schemas.cap.encoding import MAX_BYTES, to_utf8
from schemas.cap.markup import MAX_DEPTH, depth_of, parse, refuse_depth
from schemas.cap.names import in_own_thread, is_plain
from schemas.errors import Finding, Rejected
from schemas.rm.draft import CARRIED, draft_of
from schemas.rm.layout import NAMESPACE_MSG, Group, Kind, namespace_of
from schemas.rm.model import MESSAGE_TYPES, AidMessage
from schemas.rm.paths import path_of_location
from schemas.rm.rulebook import Case
from schemas.rm.rules import check_aid
from schemas.rm.structure import locate, structure_findings
from schemas.rm.tables import MESSAGES

if TYPE_CHECKING:
    from schemas.rm.paths import Path

__all__ = ["ReadAid", "read_aid", "read_tree"]

_ROOTS: Final = {f"{{{namespace_of(name)}}}{name}": name for name in MESSAGES}
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}*"


@dataclass(frozen=True, slots=True)
class ReadAid:
    """An aid message that was accepted, and what is carried along with it."""

    message: AidMessage
    warnings: tuple[Finding, ...]


def read_aid(payload: bytes, *, max_bytes: int = MAX_BYTES) -> ReadAid:
    """Read an EDXL-RM 1.0 message, or the hub's AidOfferResponse.

    The same bytes give the same reading. Nothing is fetched, nothing outside the
    message is looked at, the bytes stay the caller's.

    Raises:
        Rejected: the sender must change the message: ``not-xml``,
            ``xml-forbidden``, ``too-large``, ``too-deep``, ``wrong-namespace``,
            ``structure-invalid`` or ``rule-broken``, with findings.
    """
    text = to_utf8(payload, max_bytes=max_bytes)
    is_plain(text)  # refuses a document type before a parser could act on it
    return in_own_thread(lambda: _read(text))


def _read(text: bytes) -> ReadAid:
    root = parse(text, foreign=True)
    included = next(root.iter(_XINCLUDE), None)
    if included is not None:
        finding = Finding("R00", "error", "", "XInclude is not taken", included.sourceline)
        raise Rejected(
            "xml-forbidden",
            "the document has XInclude elements",
            remedy="Send the message whole, without XInclude.",
            findings=(finding,),
        )
    if root.tag not in _ROOTS:
        detail = f"the root is {str(root.tag)[:200]}, not a message of EDXL-RM 1.0"
        path = etree.QName(root).localname[:100]
        raise Rejected(
            "wrong-namespace",
            detail,
            remedy=f'Send a message of a type of EDXL-RM in xmlns="{NAMESPACE_MSG}".',
            findings=(Finding("XSD", "error", path, detail, root.sourceline),),
        )
    if depth_of(root) > MAX_DEPTH:
        refuse_depth()
    return read_tree(root)


def read_tree(root: etree._Element, *, lines: bool = True) -> ReadAid:
    """Read a message from its tree, whose root is one of EDXL-RM.

    *lines* says whether the tree was read from lines that the sender knows.

    Raises:
        Rejected: ``structure-invalid`` or ``rule-broken``.
    """
    broken = structure_findings(root)
    if broken:
        _refuse_structure(broken if lines else tuple(replace(f, line=None) for f in broken))
    name = etree.QName(root).localname
    try:
        message = MESSAGE_TYPES[name].model_validate(draft_of(root))
    except ValidationError as error:
        _refuse_rules(_with_lines(_value_findings(name, error), root, lines=lines))
    findings = _with_lines(check_aid(message), root, lines=lines)
    if any(finding.severity == "error" for finding in findings):
        _refuse_rules(findings)
    return ReadAid(message, findings)


def _refuse_structure(findings: tuple[Finding, ...]) -> NoReturn:
    first = findings[0]
    raise Rejected(
        "structure-invalid",
        f"{first.path}: {first.message}",
        remedy="Make the message valid by the schema of EDXL-RM 1.0 for its type.",
        findings=findings,
    )


def _refuse_rules(findings: tuple[Finding, ...]) -> NoReturn:
    error = next(finding for finding in findings if finding.severity == "error")
    raise Rejected(
        "rule-broken",
        f"{error.path}: {error.message} ({error.rule})",
        remedy="Change what the findings of severity error name.",
        findings=findings,
    )


def _with_lines(
    findings: tuple[Finding, ...], root: etree._Element, *, lines: bool
) -> tuple[Finding, ...]:
    if not lines:
        return findings
    return tuple(replace(f, line=locate(root, f.path).sourceline) for f in findings)


_RULES: Final[dict[Kind, str]] = {"time": "A01", "amount": "A02", "uri": "A03"}


def _value_findings(name: str, error: ValidationError) -> tuple[Finding, ...]:
    """Return which values the schema lets through although they say nothing certain."""
    case = Case(name)
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path, kind = _known(MESSAGES[name], path_of_location(fault["loc"]))
        message = fault["msg"].removeprefix("Value error, ")[:300]
        case.found(_RULES.get(kind, "A04"), path, message)
    return case.findings()


def _known(group: Group, path: Path) -> tuple[Path, Kind]:
    """Return the part of *path* that is of EDXL-RM itself, and the kind of its last element."""
    elements = {element.tag: element for element in group.elements}
    kind: Kind = "group"
    for i, (tag, _) in enumerate(path):
        element = elements.get(tag)
        if element is None or kind in CARRIED:
            return path[:i], kind
        kind = element.kind
        elements = {e.tag: e for e in element.group.elements} if element.group else {}
    return path, kind
