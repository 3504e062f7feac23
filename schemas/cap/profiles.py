"""What a publisher's profile asks beyond CAP 1.2, and which warnings it makes errors.

PLAIN   the standard alone
WMO     meteorological services: identifiers from the WMO's tree of OIDs
IPAWS   CAP v1.2 USA Integrated Public Alert and Warning System Profile 1.0
CAP_CP  Canadian Profile of CAP, Introduction and Rule Set 0.4A; the ids are its rule numbers
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.cap.rulebook import RULES, Case, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from schemas.cap.draft import Draft, Path

__all__ = ["Profile", "judge_profile", "severity_in"]


class Profile(StrEnum):
    """A set of rules that a publisher holds itself to."""

    PLAIN = "plain"
    WMO = "wmo"
    IPAWS = "ipaws"
    CAP_CP = "cap-cp"


_RAISED: Final[dict[Profile, frozenset[str]]] = {
    Profile.PLAIN: frozenset(),
    Profile.WMO: frozenset(),
    Profile.IPAWS: frozenset(["R18", "R20", "R31"]),
    Profile.CAP_CP: frozenset(["R31"]),
}


def severity_in(profile: Profile, rule: str) -> Severity:
    """Return what breaking *rule* does to a message under *profile*."""
    return "error" if rule in _RAISED[profile] else RULES[rule]


def judge_profile(draft: Draft, profile: Profile, case: Case) -> None:
    """Report what the profile asks and a draft that was judged does not give."""
    judge = _JUDGES.get(profile)
    if judge is not None:
        judge(draft, case)


def _values(pairs: list[Draft] | None, name: str) -> list[str]:
    """Return the values of the pairs whose valueName starts with *name*."""
    return [pair["value"] for pair in pairs or () if pair["value_name"].startswith(name)]


_WMO_OID: Final = re.compile(r"(?:urn:oid:)?2\.49\.0\.1\.[0-9]{1,3}\.[A-Za-z0-9._\-]+")


def _judge_wmo(draft: Draft, case: Case) -> None:
    """Only warn: services of several members still write ``2.49.0.0``."""
    if not _WMO_OID.fullmatch(draft["identifier"]):
        case.found("WMO1", (("identifier", 0),), "the identifier is not under 2.49.0.1.<country>")


_IPAWS_CODE: Final = "IPAWSv1.0"
_CMAM_TEXT: Final = 90


def _judge_ipaws(draft: Draft, case: Case) -> None:
    if _IPAWS_CODE not in draft.get("code", ()):
        case.found("IPAWS1", (("code", 1),), f"there is no code {_IPAWS_CODE}")
    for i, info in enumerate(draft.get("info", ()), 1):
        path = (("info", i),)
        _judge_ipaws_words(info, path, case)
        codes = [c["value"] for c in info.get("event_code", ()) if c["value_name"] == "SAME"]
        if len(codes) != 1 or not re.fullmatch(r"[A-Z]{3}", codes[0]):
            case.found("IPAWS2", path, "there is one eventCode SAME, of three letters")
        for n, area in enumerate(info.get("area", ()), 1):
            places = _values(area.get("geocode"), "SAME")
            if not any(re.fullmatch(r"[0-9]{6}", place) for place in places):
                inside = (*path, ("area", n))
                case.found("IPAWS3", inside, "there is no geocode SAME of six digits")


def _judge_ipaws_words(info: Draft, path: Path, case: Case) -> None:
    for key in ("effective", "onset"):
        if key in info:
            case.found("IPAWS4", (*path, (key, 0)), f"{key} is ignored: it holds at once")
    if not (info.get("instruction") or "").strip():
        # A description is asked of everybody (R52).
        case.found("IPAWS5", path, "there is no instruction")
    parameters = info.get("parameter")
    if not _values(parameters, "EAS-ORG"):
        case.found("IPAWS6", path, "without a parameter EAS-ORG it does not go out by EAS")
    for n, pair in enumerate(parameters or (), 1):
        if pair["value_name"] == "CMAMtext" and len(pair["value"]) > _CMAM_TEXT:
            inside = (*path, ("parameter", n))
            case.found("IPAWS7", inside, f"CMAMtext has at most {_CMAM_TEXT} characters")


_CP: Final = "profile:CAP-CP:"
_MINOR: Final = frozenset(["none", "text", "correction", "resource", "layer", "other"])


def _judge_cap_cp(draft: Draft, case: Case) -> None:
    if not any(code.startswith(_CP) for code in draft.get("code", ())):
        case.found("CP03", (("code", 1),), f"there is no code {_CP}0.4")
    infos = draft.get("info", ())
    if not infos and draft["scope"] == "Public" and draft["msg_type"] == "Cancel":
        case.found("CP05", (("info", 1),), "a public Cancel has an info")
    subject = ""
    for i, info in enumerate(infos, 1):
        path = (("info", i),)
        events = {value.casefold() for value in _values(info.get("event_code"), f"{_CP}Event:")}
        subject = subject or min(events, default="")
        if events - {subject}:
            case.found("CP02", path, "an alert is about one subject event")
        if not events:
            case.found("CP08", path, f"there is no eventCode {_CP}Event:0.4")
        if "language" not in info:
            case.found("CP06", path, "each info names its language")
        if "response_type" not in info or not (info.get("instruction") or "").strip():
            case.found("CP15", path, "responseType and instruction are recommended")
        _judge_cap_cp_parameters(info.get("parameter", ()), draft["msg_type"], path, case)
        _judge_cap_cp_areas(info.get("area", ()), path, case)


def _judge_cap_cp_areas(areas: Iterable[Draft], path: Path, case: Case) -> None:
    for n, area in enumerate(areas, 1):
        inside = (*path, ("area", n))
        if not _values(area.get("geocode"), f"{_CP}Location:"):
            case.found("CP09", inside, f"there is no geocode {_CP}Location:0.3")
        if "polygon" not in area and "circle" not in area:
            case.found("CP18", inside, "a polygon or circle is encouraged")


def _judge_cap_cp_parameters(
    parameters: Iterable[Draft], msg_type: str, path: Path, case: Case
) -> None:
    translated = 0
    for n, pair in enumerate(parameters, 1):
        inside = (*path, ("parameter", n))
        name, value = pair["value_name"], pair["value"].strip().casefold()
        if name == f"{_CP}0.4:MinorChange" and (msg_type != "Update" or value not in _MINOR):
            case.found("CP16", inside, f"MinorChange is one of {sorted(_MINOR)}, in an Update")
        elif name == f"{_CP}0.4:AutoTranslated":
            translated += 1
            if translated > 1 or value not in {"yes", "no"}:
                case.found("CP17", inside, "AutoTranslated is yes or no, once in an info")


_JUDGES: Final[dict[Profile, Callable[[Draft, Case], None]]] = {
    Profile.WMO: _judge_wmo,
    Profile.IPAWS: _judge_ipaws,
    Profile.CAP_CP: _judge_cap_cp,
}
