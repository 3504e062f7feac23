"""Which line of a report's text is what: the introductory part, the numbered fields, the rest.

Real reports are typed by people, over telex, fax and mail. A field begins with its number
at the beginning of a line, in the style of the first field: ``1.``, ``1)``, ``1:`` or a
bare ``1``. What follows until the next field is its text. In the bare style a line whose
number is not above the last field's is text too (``3 TUGS`` below field 81).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schemas.polrep.fields import FIELDS
from schemas.polrep.moment import read_moment

if TYPE_CHECKING:
    from schemas.polrep.rulebook import Case

__all__ = ["SERIAL", "Draft", "Said", "draft_of"]

SERIAL: Final = re.compile(
    r"(?P<state>[A-Za-z]{2,3}) ?/ ?(?P<incident>[^/]+?) ?/ ?(?P<number>[0-9]{1,4})"
    r"(?: ?[/,]? ?(?P<final>FINAL))?",
    re.IGNORECASE | re.ASCII,
)
_FIELD: Final = re.compile(r"(?P<number>[0-9]{1,3})(?P<mark>[.):]?)(?:\s+(?P<rest>.*)|$)")
_TIGHT: Final = re.compile(r"(?P<number>[0-9]{1,3})(?P<mark>[.):])(?P<rest>[^0-9].*)")
_HEADER: Final = re.compile(
    r"(?P<key>FROM|FM|TO|DATE[ /]*(?:AND )?TIME GROUP|DTG|IDENTIFICATION|SERIAL (?:NUMBER|NO\.?)"
    r"|SERIAL|IN REPLY TO|YOUR POLREP|REFERENCE|REF\.?|PRIORITY)(?:\s*[:=]\s*|\s+)(?P<rest>\S.*)",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"ADDRESS\s*:?\s*FROM\s*:?\s+(?P<sender>\S.*?)\s+TO\s*:?\s+(?P<to>\S.*)", re.IGNORECASE
)
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z][A-Za-z/,() -]{2,80}?)\s*[:=]\s*")
_FILLERS: Final = frozenset(
    ("AND", "OR", "OF", "THE", "ON", "ABOVE", "IN", "TO", "FOR", "SEA", "POLLUTION", "EXTENT")
)
_AND: Final = re.compile(r"\s+AND\s+", re.IGNORECASE)
_HEADING: Final = re.compile(
    r"(?:ADDRESS|INTRODUCTORY PART|(?:PART (?:I{1,3}|[123])\b)?\W*(?:\bPOL(?:WARN|INF|FAC)\b)?)\W*",
    re.IGNORECASE,
)
_HEADING_MOST: Final = 60
_ENDS: Final = frozenset({"BT", "NNNN", "END", "END OF MESSAGE", "END OF REPORT"})
_EXERCISE: Final = re.compile(r"EXERCISE(?:[ ,/-]+EXERCISE)*[.!]?")


@dataclass(slots=True)
class Said:
    """Text with the line in which it begins."""

    text: str
    line: int


@dataclass(slots=True)
class Draft:
    """What stands in a report, unjudged."""

    header: dict[str, Said] = field(default_factory=dict)
    """``FROM``, ``TO``, ``DATE TIME GROUP``, ``IDENTIFICATION``, ``SERIAL NUMBER``,
    ``IN REPLY TO``."""
    fields: dict[int, Said] = field(default_factory=dict)
    urgent: bool = False
    opened: Said | None = None
    """The word EXERCISE before the fields."""
    closed: Said | None = None
    """EXERCISE after the fields."""


_NAMES: Final = {
    "FROM": "FROM",
    "FM": "FROM",
    "TO": "TO",
    "DTG": "DATE TIME GROUP",
    "IDENTIFICATION": "IDENTIFICATION",
    "SERIAL": "SERIAL NUMBER",
    "IN REPLY TO": "IN REPLY TO",
    "YOUR POLREP": "IN REPLY TO",
    "REFERENCE": "IN REPLY TO",
    "REF": "IN REPLY TO",
    "PRIORITY": "PRIORITY",
}


def draft_of(text: str, case: Case) -> Draft:
    """Sort the lines of *text*, and note what is none of a report's (P02, P03, P15)."""
    draft = Draft()
    marked: bool | None = None
    last = 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = " ".join(line.split())
        if not bare:
            continue
        begins = _begins(bare, marked, last)
        if begins is not None:
            which, marked, rest = begins
            if which not in FIELDS:
                case.found("P02", str(which), number, f"POLREP has no field {which}")
            elif which <= last:
                after = f"field {which} stands after field {last}" if which < last else "twice"
                case.found("P03", str(which), number, f"{after}: each field once, in order")
            else:
                last = which
                draft.fields[which] = Said(_unlabelled(which, rest), number)
        elif not _aside(bare, number, draft):
            if draft.fields:
                said = draft.fields[last]
                said.text = f"{said.text} {bare}".strip()
            else:
                _introduce(bare, number, draft, case)
    return draft


def _begins(bare: str, marked: bool | None, last: int) -> tuple[int, bool, str] | None:  # noqa: FBT001 - three states of what is known
    """Return number, style and text of the field that begins here; None if none does."""
    match = _FIELD.fullmatch(bare) or _TIGHT.fullmatch(bare)
    if match is None:
        return None
    number, mark = int(match["number"]), bool(match["mark"])
    if not mark and (marked or number <= last or number not in FIELDS):
        return None
    if marked is None and not mark and _is_moment(bare):
        # A date time group, 18 1100Z JUN.
        return None
    if mark and marked is False and number <= last:
        return None
    return number, mark, match["rest"] or ""


def _is_moment(text: str) -> bool:
    try:
        read_moment(text)
    except ValueError:
        return False
    return True


def _unlabelled(number: int, text: str) -> str:
    """Take the field's own name off the beginning, once, as forms have it printed.

    Forms differ in it (``WIND:``, ``POSITION AND/OR EXTENT:``): words of the name before
    a colon are the name.
    """
    label = FIELDS[number].label
    words = r"\s+".join(map(re.escape, label.split()))
    match = re.match(rf"{words}(?:\s*[:=]\s*|\s+[-–]\s+|\s+(?=[0-9])|$)", text, re.IGNORECASE)
    if match is None:
        match = _NAMED.match(text)
        said = set(re.findall("[A-Z]+", match["name"].upper())) if match else set()
        own = set(label.split())
        if not said & own or said - own - _FILLERS:
            return text
    return text if match is None else text[match.end() :]


def _aside(bare: str, number: int, draft: Draft) -> bool:
    """Tell whether a line is none of the text: a heading, an end, the mark of an exercise."""
    upper = bare.upper()
    if _EXERCISE.fullmatch(upper):
        said = Said(upper, number)
        if draft.fields:
            draft.closed = said
        elif draft.opened is None:
            draft.opened = said
        return True
    if upper == "URGENT" and not draft.fields:
        draft.urgent = True
        return True
    if upper in _ENDS or not any(c.isalnum() for c in bare):
        return True
    # A heading is short; on a long line of signs the pattern would take for ever.
    return len(bare) <= _HEADING_MOST and _HEADING.fullmatch(bare) is not None


def _introduce(bare: str, number: int, draft: Draft, case: Case) -> None:
    """Take a line of the introductory part, with or without its name."""
    address = _ADDRESS.fullmatch(bare)
    if address is not None:
        _put("FROM", address["sender"], number, draft, case)
        _put(
            "TO",
            re.sub(r"\s+AND\s+", ", ", address["to"], flags=re.IGNORECASE),
            number,
            draft,
            case,
        )
        return
    match = _HEADER.fullmatch(bare)
    if match is not None:
        key = match["key"].upper().rstrip(".")
        name = _NAMES.get(key) or (
            "SERIAL NUMBER" if key.startswith("SERIAL") else "DATE TIME GROUP"
        )
        _put(name, match["rest"], number, draft, case)
    elif SERIAL.fullmatch(bare):
        _put("SERIAL NUMBER", bare, number, draft, case)
    elif _is_moment(bare):
        _put("DATE TIME GROUP", bare, number, draft, case)
    elif re.match(r"(?:[A-Z]+ )?POLREP\b", bare, re.IGNORECASE):
        _put("IDENTIFICATION", bare, number, draft, case)
    else:
        case.found("P15", "", number, f"{bare[:60]!r} belongs to no field")


def _put(name: str, text: str, number: int, draft: Draft, case: Case) -> None:
    if name == "PRIORITY":
        draft.urgent = draft.urgent or text.strip().upper() == "URGENT"
    elif name in draft.header:
        case.found("P03", name, number, f"{name} stands twice")
    else:
        draft.header[name] = Said(text.strip(), number)
