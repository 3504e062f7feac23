"""Whether dates, pairs and texts for people are written as they should be (R04, R44 to R46)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from schemas.cap.values import read_time

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Found

__all__ = ["judge_pairs", "judge_texts", "judge_time"]

_ESCAPED: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_HTML: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")


def judge_time(
    draft: Draft, key: str, tag: str, path: Path, found: Found, *, lenient: bool
) -> datetime | None:
    """Turn a date into a moment, or report it and return None."""
    text = draft.get(key)
    if text is None:
        return None
    text = text.strip()
    try:
        at = draft[key] = read_time(text, lenient=lenient)
    except ValueError as error:
        found("R04", (*path, (tag, 0)), str(error))
        return None
    if text.endswith("+00:00"):
        found("R04u", (*path, (tag, 0)), "UTC is written -00:00, not +00:00")
    return at


def judge_pairs(pairs: list[Draft], path: Path, tag: str, found: Found) -> None:
    """Report a valueName or value that is empty (R44)."""
    for i, pair in enumerate(pairs, 1):
        for key, name in (("value_name", "valueName"), ("value", "value")):
            if not pair[key].strip():
                found("R44", (*path, (tag, i), (name, 0)), f"{tag} has an empty {name}")


def judge_texts(draft: Draft, texts: tuple[tuple[str, str], ...], path: Path, found: Found) -> None:
    """Report markup in text for people (R45, R46)."""
    for key, tag in texts:
        text = draft.get(key)
        if text is None:
            continue
        if "&" in text and (escaped := _ESCAPED.search(text)):
            found("R45", (*path, (tag, 0)), f"the text has an escaped entity, {escaped[0]}")
        if "<" in text and (html := _HTML.search(text)):
            found("R46", (*path, (tag, 0)), f"the text has HTML, {html[0][:40]}")
