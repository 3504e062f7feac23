"""Whether each ``info`` makes sense, and whether they go together (R16-R24, R31, R47-R52, R54)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.cap.area_rules import judge_area
from schemas.cap.resource_rules import judge_resource
from schemas.cap.structure import MAX_FINDINGS
from schemas.cap.text_rules import judge_pairs, judge_texts, judge_time
from schemas.cap.values import is_absolute_uri
from schemas.vocab import vocabulary_of

if TYPE_CHECKING:
    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Case

__all__ = ["judge_info", "judge_together"]

_ACTIONS: Final = frozenset(["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor"])
_HEADLINE: Final = 160
_TEXTS: Final = (
    ("event", "event"),
    ("audience", "audience"),
    ("sender_name", "senderName"),
    ("headline", "headline"),
    ("description", "description"),
    ("instruction", "instruction"),
    ("contact", "contact"),
)
_RESOURCE_TEXTS: Final = (("resource_desc", "resourceDesc"),)
_AREA_TEXTS: Final = (("area_desc", "areaDesc"),)


def judge_info(info: Draft, path: Path, case: Case) -> None:
    """Judge one ``info`` (CAP 1.2, 3.2.2), its resources and areas."""
    language = info.get("language")
    if language is not None:
        info["language"] = language = language.strip()
        if not language:
            del info["language"]
    _judge_times(info, path, case)
    name = info.get("sender_name")
    if not (name and name.strip()):
        case.found("R19", path, "there is no senderName for people to read")
    _judge_words(info, path, case)
    _judge_parts(info, path, case)


def _judge_parts(info: Draft, path: Path, case: Case) -> None:
    if "event_code" in info:
        judge_pairs(info["event_code"], "eventCode", path, case)
        _judge_codes(info["event_code"], path, case)
    if "parameter" in info:
        judge_pairs(info["parameter"], "parameter", path, case)
    for i, resource in enumerate(info.get("resource", ()), 1):
        inside = (*path, ("resource", i))
        judge_resource(resource, inside, case)
        judge_texts(resource, _RESOURCE_TEXTS, inside, case)
    if "area" not in info:
        case.found("R31", path, "there is no area: nobody knows where the alert holds")
        return
    for i, area in enumerate(info["area"], 1):
        inside = (*path, ("area", i))
        judge_area(area, inside, case)
        if "geocode" in area:
            judge_pairs(area["geocode"], "geocode", inside, case)
        judge_texts(area, _AREA_TEXTS, inside, case)


def _judge_times(info: Draft, path: Path, case: Case) -> None:
    """Judge when it begins and ends (3.2.2 ``effective``, ``onset``, ``expires``)."""
    effective = judge_time(info, "effective", path, case)
    onset = judge_time(info, "onset", path, case)
    expires = judge_time(info, "expires", path, case)
    if expires is None:
        if "expires" not in info:
            case.found("R18", path, "there is no expires: nobody knows when the alert ends")
        return
    start = effective or case.sent
    if start is not None and expires <= start:
        since = "sent" if effective is None else "effective"
        case.found("R16", (*path, ("expires", 0)), f"expires is not after {since}")
    if onset is not None and onset > expires:
        case.found("R17", (*path, ("onset", 0)), "onset is after expires")


def _judge_words(info: Draft, path: Path, case: Case) -> None:
    """Judge what people read and what they are asked to do (3.2.2)."""
    if not info["event"].strip():
        case.found("R54", (*path, ("event", 0)), "event says nothing")
    headline = info.get("headline")
    if headline is not None and len(headline) > _HEADLINE:
        case.found("R21", (*path, ("headline", 0)), f"it is longer than {_HEADLINE} characters")
    web = info.get("web")
    if web is not None:
        info["web"] = web = web.strip()
        if not is_absolute_uri(web):
            case.found("R22", (*path, ("web", 0)), f"{web[:80]!r} is not an absolute URI")
    responses = info.get("response_type")
    if responses is not None:
        instruction = info.get("instruction")
        if not (instruction and instruction.strip()):
            for i, response in enumerate(responses, 1):
                if response in _ACTIONS:
                    place = (*path, ("responseType", i))
                    case.found("R23", place, f"{response} needs an instruction")
        if case.public and "Assess" in responses:
            place = (*path, ("responseType", responses.index("Assess") + 1))
            case.found("R24", place, "Assess is not for the public")
    judge_texts(info, _TEXTS, path, case)
    _judge_choices(info, path, case)
    _judge_sayings(info, path, case)


def _judge_choices(info: Draft, path: Path, case: Case) -> None:
    """Note what nobody can act on: it decides how soon people must answer (R49)."""
    for key in ("urgency", "severity", "certainty"):
        if info[key] == "Unknown":
            case.found("R49", (*path, (key, 0)), f"{key} Unknown tells nobody how to act")


def _judge_sayings(info: Draft, path: Path, case: Case) -> None:
    """Note a description that is missing, or texts that say one thing twice (R48, R52)."""
    description = (info.get("description") or "").strip()
    if not description:
        case.found("R52", path, "there is no description of what happens")
        return
    for key in ("headline", "instruction"):
        if (info.get(key) or "").strip() == description:
            case.found("R48", (*path, (key, 0)), f"{key} and description are the same text")


def _judge_codes(codes: list[Draft], path: Path, case: Case) -> None:
    """Note event codes that are not of the list that they name, where it is known (R51)."""
    for i, code in enumerate(codes, 1):
        listed = vocabulary_of(code["value_name"].strip())
        if listed is None:
            continue
        # Findings are told in document order, so one more would not be told.
        if case.unlisted >= MAX_FINDINGS:
            return
        wrong = listed.objection(code["value"].strip())
        if wrong is not None:
            case.unlisted += 1
            case.found("R51", (*path, ("eventCode", i), ("value", 0)), wrong)


def judge_together(infos: list[Draft], case: Case) -> None:
    """Note infos about different things, and one text under two languages (R20, R47, R50)."""
    first: Any = None
    events: dict[str, tuple[str, int]] = {}
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for i, info in enumerate(infos, 1):
        path = (("info", i),)
        about = (
            frozenset(info["category"]),
            frozenset((code["value_name"], code["value"]) for code in info.get("event_code", ())),
        )
        if first is None:
            first = about
        elif about != first:
            case.found("R20", path, "categories or event codes are not those of the first info")
        tongue = _tongue(info.get("language") or "en-US")
        event = info["event"].strip()
        named, where = events.setdefault(tongue, (event, i))
        if named != event:
            message = f"it is not that of info {where}, in the same language"
            case.found("R50", (*path, ("event", 0)), message)
        for key in ("headline", "description", "instruction"):
            text = (info.get(key) or "").strip()
            if not text:
                continue
            other, place = seen.setdefault((key, text), (tongue, i))
            if other != tongue:
                message = f"it is the same as in info {place}, under another language"
                case.found("R47", (*path, (key, 0)), message)


def _tongue(language: str) -> str:
    """Return language and script: one text for en-US and en-GB is no fault."""
    primary, *rest = language.lower().split("-")
    return "-".join([primary, *(part for part in rest[:1] if len(part) == 4)])
