"""Whether each ``info`` makes sense, and whether they go together (R15 to R24, R31, R47)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.cap.area_rules import judge_area
from schemas.cap.resource_rules import judge_resource
from schemas.cap.text_rules import judge_pairs, judge_texts, judge_time
from schemas.cap.values import is_absolute_uri

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Found

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


def judge_info(
    info: Draft,
    path: Path,
    sent: datetime | None,
    found: Found,
    *,
    public: bool,
    lenient: bool,
) -> None:
    """CAP 1.2, 3.2.2."""
    language = info.get("language")
    if language is not None:
        info["language"] = language.strip() or "en-US"
    _judge_times(info, path, sent, found, lenient=lenient)
    if not info.get("sender_name", "").strip():
        found("R19", path, "there is no senderName for people to read")
    _judge_words(info, path, found, public=public)
    for key, tag in (("event_code", "eventCode"), ("parameter", "parameter")):
        if key in info:
            judge_pairs(info[key], path, tag, found)
    for i, resource in enumerate(info.get("resource", ()), 1):
        judge_resource(resource, (*path, ("resource", i)), found)
        judge_texts(resource, (("resource_desc", "resourceDesc"),), (*path, ("resource", i)), found)
    _judge_areas(info, path, found)


def _judge_times(
    info: Draft, path: Path, sent: datetime | None, found: Found, *, lenient: bool
) -> None:
    """CAP 1.2, 3.2.2 ``effective``, ``onset`` and ``expires``."""
    effective = judge_time(info, "effective", "effective", path, found, lenient=lenient)
    onset = judge_time(info, "onset", "onset", path, found, lenient=lenient)
    expires = judge_time(info, "expires", "expires", path, found, lenient=lenient)
    if expires is None:
        if "expires" not in info:
            found("R18", path, "there is no expires: nobody knows when the alert ends")
    else:
        start = effective or sent
        if start is not None and expires <= start:
            since = "sent" if effective is None else "effective"
            found("R16", (*path, ("expires", 0)), f"expires is not after {since}")
        if onset is not None and onset > expires:
            found("R17", (*path, ("onset", 0)), "onset is after expires")


def _judge_areas(info: Draft, path: Path, found: Found) -> None:
    areas = info.get("area")
    if areas is None:
        found("R31", path, "there is no area: nobody knows where the alert holds")
        return
    for i, area in enumerate(areas, 1):
        inside = (*path, ("area", i))
        judge_area(area, inside, found)
        if "geocode" in area:
            judge_pairs(area["geocode"], inside, "geocode", found)
        judge_texts(area, (("area_desc", "areaDesc"),), inside, found)


def _judge_words(info: Draft, path: Path, found: Found, *, public: bool) -> None:
    """CAP 1.2, 3.2.2: headline, web, and what people are asked to do."""
    headline = info.get("headline")
    if headline is not None and len(headline) > _HEADLINE:
        found("R21", (*path, ("headline", 0)), f"a headline has at most {_HEADLINE} characters")
    web = info.get("web")
    if web is not None:
        info["web"] = web = web.strip()
        if not is_absolute_uri(web):
            found("R22", (*path, ("web", 0)), f"{web[:80]!r} is not an absolute URI")
    responses = info.get("response_type")
    if responses is not None:
        if not (info.get("instruction") or "").strip() and not _ACTIONS.isdisjoint(responses):
            found("R23", path, f"responseType {responses[0]} needs an instruction")
        if public and "Assess" in responses:
            at = responses.index("Assess") + 1
            found("R24", (*path, ("responseType", at)), "Assess is not for the public")
    judge_texts(info, _TEXTS, path, found)


def judge_together(infos: list[Draft], found: Found) -> None:
    """Report infos about different things, and one text under two languages (R20, R47)."""
    first: Any = None
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for i, info in enumerate(infos, 1):
        path = (("info", i),)
        what = (
            frozenset(info["category"]),
            frozenset((c["value_name"], c["value"]) for c in info.get("event_code", ())),
        )
        if first is None:
            first = what
        elif what != first:
            found("R20", path, "categories or event codes are not those of the first info")
        tongue = _tongue(info.get("language") or "en-US")
        for key in ("headline", "description", "instruction"):
            text = (info.get(key) or "").strip()
            other, place = seen.setdefault((key, text), (tongue, i))
            if text and other != tongue:
                found(
                    "R47",
                    (*path, (key, 0)),
                    f"{key} is the same as in info {place}, under another language",
                )


def _tongue(language: str) -> str:
    """Return language and script; the same text in en-US and en-GB is no fault."""
    primary, *rest = language.lower().split("-")
    return "-".join([primary, *(part for part in rest[:1] if len(part) == 4)])
