"""Whether a report says what its receiver needs (P09 to P17; the reader has the others)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.polrep.position import Misplaced, points_of

if TYPE_CHECKING:
    from schemas.polrep.lines import Draft
    from schemas.polrep.rulebook import Case

__all__ = ["judge_report"]

_WARNING: Final = range(1, 6)
_NEEDED: Final = {1: "when", 2: "where", 3: "what"}


def judge_report(draft: Draft, case: Case) -> None:
    """Note what breaks a rule in a report whose lines are sorted."""
    said = {number: field for number, field in draft.fields.items() if field.text}
    if "TO" not in draft.header:
        case.found("P10", "TO", None, "it does not say to whom it goes: TO")
    if any(number in draft.fields for number in _WARNING):
        for number, what in _NEEDED.items():
            if number not in said:
                case.found("P11", str(number), None, f"a warning says {what}: field {number}")
    for number in (2, 41):
        if number in said:
            _judge_position(said[number].text, number, said[number].line, case)
    _judge_exercise(draft, case)
    if 81 in said and 84 not in said:
        case.found("P17", "84", said[81].line, "a request says where to: field 84")


def _judge_exercise(draft: Draft, case: Case) -> None:
    marks = [mark for mark in (draft.opened, draft.closed) if mark is not None]
    if not marks or (len(marks) == 2 and marks[1].text.count("EXERCISE") == 3):
        return
    case.found(
        "P14",
        "EXERCISE",
        marks[-1].line,
        "an exercise begins with EXERCISE and ends with EXERCISE EXERCISE EXERCISE",
    )


def _judge_position(text: str, number: int, line: int, case: Case) -> None:
    try:
        points = points_of(text)
    except Misplaced as error:
        case.found("P09", str(number), line, str(error))
        return
    if not points:
        case.found("P12", str(number), line, "without latitude and longitude no map can show it")
