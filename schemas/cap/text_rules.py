"""Whether dates, pairs and texts for people are written as they should be (R04, R44 to R46)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.cap.values import read_time

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Case

__all__ = ["judge_pairs", "judge_texts", "judge_time"]

_ESCAPED: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_HTML: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")


def judge_time(draft: Draft, key: str, path: Path, case: Case) -> datetime | None:
    """Turn a date (3.3.2) into a moment, or note that it is none and return None.

    Elements with dates have names of one word: *key* is the tag.
    """
    text = draft.get(key)
    if text is None:
        return None
    text = text.strip()
    try:
        at = draft[key] = read_time(text, lenient=case.lenient)
    except ValueError as error:
        case.found("R04", (*path, (key, 0)), str(error))
        return None
    if text.endswith("+00:00"):
        case.found("R04u", (*path, (key, 0)), "UTC is written -00:00, not +00:00")
    return at


def judge_pairs(pairs: list[Draft], tag: str, path: Path, case: Case) -> None:
    """Note a valueName or value that is empty (R44)."""
    for i, pair in enumerate(pairs, 1):
        if not pair["value_name"].strip():
            case.found("R44", (*path, (tag, i), ("valueName", 0)), f"{tag} has no valueName")
        if not pair["value"].strip():
            case.found("R44", (*path, (tag, i), ("value", 0)), f"{tag} has no value")


def judge_texts(draft: Draft, texts: tuple[tuple[str, str], ...], path: Path, case: Case) -> None:
    """Note markup in texts for people: (key, tag) names each (R45, R46)."""
    for key, tag in texts:
        text = draft.get(key)
        if not text:
            continue
        if "&" in text and (escaped := _ESCAPED.search(text)):
            case.found("R45", (*path, (tag, 0)), f"it has an escaped entity, {escaped[0]}")
        if "<" in text and (html := _HTML.search(text)):
            case.found("R46", (*path, (tag, 0)), f"it has HTML, {html[0][:40]}")
