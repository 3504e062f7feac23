"""Reading: from the bytes of a message to an alert, or to what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn

from lxml import etree

from schemas.cap.alert_rules import judge
from schemas.cap.build import built
from schemas.cap.draft import (
    Draft,
    Path,
    document_order,
    draft_of,
    lines_of,
    path_text,
)
from schemas.cap.encoding import MAX_BYTES, to_utf8
from schemas.cap.layout import NAMESPACE_10, NAMESPACE_11, NAMESPACE_12, NAMESPACE_DSIG
from schemas.cap.markup import MAX_DEPTH, depth_of, parse, refuse_depth
from schemas.cap.model import (
    Alert,
    Area,
    EventCode,
    Geocode,
    Info,
    Parameter,
    Resource,
)
from schemas.cap.names import in_own_thread, is_plain
from schemas.cap.profiles import Profile, judge_profile, severity_in
from schemas.cap.rulebook import Case
from schemas.cap.structure import MAX_FINDINGS, structure_findings
from schemas.errors import Finding, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reading", "check_alert", "judged", "read_alert"]

_ROOTS: Final = {f"{{{namespace}}}alert": namespace for namespace in (NAMESPACE_12, NAMESPACE_11)}
_VERSIONS: Final = {NAMESPACE_12: "1.2", NAMESPACE_11: "1.1"}
_DSIG: Final = f"{{{NAMESPACE_DSIG}}}"
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}*"


@dataclass(frozen=True, slots=True)
class Reading:
    """An alert that was accepted, and what is carried along with it."""

    alert: Alert
    warnings: tuple[Finding, ...]


def read_alert(
    data: bytes, *, profile: Profile = Profile.PLAIN, max_bytes: int = MAX_BYTES
) -> Reading:
    """Read a CAP 1.2 (or 1.1) message; the same bytes give the same reading.

    Nothing is fetched, nothing outside the message is looked at, the bytes stay
    the caller's. CAP 1.1 is brought to the model of 1.2.

    Raises:
        Rejected: the sender must change the message: ``not-xml``,
            ``xml-forbidden``, ``too-large``, ``too-deep``, ``wrong-namespace``,
            ``cap-1.0``, ``structure-invalid`` or ``rule-broken``, with findings.
    """
    return _read(data, profile, max_bytes)


def check_alert(
    data: bytes, *, profile: Profile = Profile.PLAIN, max_bytes: int = MAX_BYTES
) -> tuple[Finding, ...]:
    """Return everything that `read_alert` has to say of a message, in document order."""
    try:
        return _read(data, profile, max_bytes).warnings
    except Rejected as refusal:
        return refusal.findings


def _read(data: bytes, profile: Profile, max_bytes: int) -> Reading:
    text = to_utf8(data, max_bytes=max_bytes)
    if is_plain(text):
        return _read_tree(parse(text), profile)
    return in_own_thread(lambda: _read_foreign(text, profile))


def _read_foreign(text: bytes, profile: Profile) -> Reading:
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
    return _read_tree(root, profile)


def _read_tree(root: etree._Element, profile: Profile) -> Reading:
    namespace = _cap_namespace(root)
    broken = structure_findings(root, namespace)
    # Only a signature may hold what the schema does not know, and it stands last.
    if (broken or _is_signed(root)) and depth_of(root) > MAX_DEPTH:
        refuse_depth()
    if broken:
        first = broken[0]
        raise Rejected(
            "structure-invalid",
            f"{first.path}: {first.message}",
            remedy=f"Make the message valid by the schema of CAP {_VERSIONS[namespace]}.",
            findings=broken,
        )
    return judged(
        draft_of(root, namespace),
        profile,
        line=lines_of(root, namespace),
        lenient=namespace == NAMESPACE_11,
    )


def _is_signed(root: etree._Element) -> bool:
    return len(root) > 0 and str(root[-1].tag).startswith(_DSIG)


def _cap_namespace(root: etree._Element) -> str:
    """Return the namespace of CAP 1.2 or 1.1 that the document is in, or refuse it."""
    namespace = _ROOTS.get(str(root.tag))
    if namespace is not None:
        return namespace
    if root.tag == f"{{{NAMESPACE_10}}}alert":
        _refuse_root(
            root,
            "cap-1.0",
            "the message is CAP 1.0, which the hub does not read",
            "Send CAP 1.2.",
        )
    return _refuse_root(
        root,
        "wrong-namespace",
        f"the root is {str(root.tag)[:200]}, not a CAP alert",
        f'Send an alert with xmlns="{NAMESPACE_12}".',
    )


def _refuse_root(root: etree._Element, code: str, detail: str, remedy: str) -> NoReturn:
    path = etree.QName(root).localname[:100]
    finding = Finding("XSD", "error", path, detail, root.sourceline)
    raise Rejected(code, detail, remedy=remedy, findings=(finding,))


def judged(
    draft: Draft,
    profile: Profile,
    *,
    line: Callable[[Path], int | None],
    lenient: bool = False,
) -> Reading:
    """Judge a draft whose structure holds by the rules and the profile.

    Raises:
        Rejected: ``rule-broken``, with all findings, warnings too.
    """
    case = Case(lenient=lenient)
    judge(draft, case)
    judge_profile(draft, profile, case)
    found = case.findings
    if not found:
        return Reading(_alert(draft), ())
    findings = _in_order(found, profile, line)
    error = next((finding for finding in findings if finding.severity == "error"), None)
    if error is None:
        return Reading(_alert(draft), findings)
    raise Rejected(
        "rule-broken",
        f"{error.path}: {error.message} ({error.rule})",
        remedy="Change what the findings of severity error name.",
        findings=findings,
    )


def _in_order(
    found: list[tuple[str, Path, str]], profile: Profile, line: Callable[[Path], int | None]
) -> tuple[Finding, ...]:
    """Return at most `MAX_FINDINGS`, in document order; errors have precedence."""
    ranked = [
        (document_order(path), severity_in(profile, rule), rule, path, message)
        for rule, path, message in found
    ]
    if len(ranked) > MAX_FINDINGS:
        ranked.sort(key=itemgetter(1, 0))
        del ranked[MAX_FINDINGS:]
    ranked.sort(key=itemgetter(0))
    return tuple(
        [
            Finding(rule, severity, path_text(path), message, line(path))
            for _, severity, rule, path, message in ranked
        ]
    )


def _alert(draft: Draft) -> Alert:
    if "info" in draft:
        draft["info"] = tuple(map(_info, draft["info"]))
    if "code" in draft:
        draft["code"] = tuple(draft["code"])
    return built(Alert, draft)


def _info(draft: Draft) -> Info:
    draft["category"] = tuple(draft["category"])
    if "response_type" in draft:
        draft["response_type"] = tuple(draft["response_type"])
    for key, model in _INFO_PARTS:
        if key in draft:
            draft[key] = tuple([built(model, part) for part in draft[key]])
    if "area" in draft:
        draft["area"] = tuple(map(_area, draft["area"]))
    return built(Info, draft)


_INFO_PARTS: Final[tuple[tuple[str, Any], ...]] = (
    ("event_code", EventCode),
    ("parameter", Parameter),
    ("resource", Resource),
)


def _area(draft: Draft) -> Area:
    if "geocode" in draft:
        draft["geocode"] = tuple([built(Geocode, part) for part in draft["geocode"]])
    return built(Area, draft)
