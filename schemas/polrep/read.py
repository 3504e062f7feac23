"""Read a pollution report: bytes in, a `Polrep` with its warnings out, or one refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import Finding, Rejected
from schemas.polrep.fields import FIELDS
from schemas.polrep.lines import SERIAL, draft_of
from schemas.polrep.model import Polfac, Polinf, Polrep, Polwarn, Serial
from schemas.polrep.moment import read_moment
from schemas.polrep.rulebook import Case
from schemas.polrep.rules import judge_report

if TYPE_CHECKING:
    from schemas.polrep.lines import Draft, Said

__all__ = ["ReadPolrep", "is_polrep", "read_polrep"]

MAX_BYTES: Final = 64 * 1024
_LINE: Final = 8000
_NAME: Final = 200
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMED: Final = re.compile(rb"\bPOL(?:REP|WARN|INF|FAC)\b", re.IGNORECASE)
_TIMES: Final = frozenset({1, 40, 80})
_ACKNOWLEDGE: Final = frozenset({5, 60, 99})


@dataclass(frozen=True, slots=True)
class ReadPolrep:
    """A report that was taken, and what is not as it should be in it."""

    report: Polrep
    warnings: tuple[Finding, ...]


def is_polrep(data: bytes) -> bool:
    """Tell whether *data* is meant to be a pollution report: no XML, no JSON, and it says so."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"<", b"{", b""} and bool(
        _NAMED.search(data[:4096])
    )


def read_polrep(data: bytes, *, max_bytes: int = MAX_BYTES) -> ReadPolrep:
    """Read a report in its text form (Bonn Agreement, Counter Pollution Manual, chapter 5).

    Raises:
        Rejected: ``too-large``; ``not-polrep``, it is no text or has none of a report's
            fields; ``rule-broken``, with findings.
    """
    case = Case()
    draft = draft_of(_text(data, max_bytes), case)
    if not draft.fields and not draft.header:
        refused = case.findings()
        raise Rejected(
            "not-polrep",
            "there is no numbered field in it",
            remedy="Write fields as lines such as `1. 181100Z` (docs/standards.md has them).",
            findings=refused or (Finding("P04", "error", "polrep", "it has no numbered field", 1),),
        )
    judge_report(draft, case)
    values = _values(draft, case)
    findings = case.findings()
    wrong = [finding for finding in findings if finding.severity == "error"]
    if wrong:
        raise Rejected(
            "rule-broken",
            wrong[0].message if len(wrong) == 1 else f"{len(wrong)} errors",
            remedy="Correct the findings with severity error.",
            findings=findings,
        )
    return ReadPolrep(Polrep(**values), findings)


def _text(data: bytes, max_bytes: int) -> str:
    if len(data) > max_bytes:
        raise Rejected(
            "too-large",
            f"a report has at most {max_bytes} bytes",
            remedy="Send what is long by another way, and name it in the report.",
            findings=(Finding("P01", "error", "polrep", "too large", None),),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _no_text("it is not text in UTF-8", line) from None
    control = _CONTROLS.search(text)
    if control is not None:
        line = len(text[: control.start()].splitlines()) or 1
        raise _no_text("it has a control character", line)
    return text


def _no_text(why: str, line: int) -> Rejected:
    return Rejected(
        "not-polrep",
        why,
        remedy="Save the report as plain text in UTF-8.",
        findings=(Finding("P01", "error", "polrep", why, line),),
    )


def _values(draft: Draft, case: Case) -> dict[str, Any]:
    """Return the values of the model; what is none is noted (P05 to P08)."""
    header = draft.header
    values: dict[str, Any] = {
        "urgent": draft.urgent,
        "exercise": draft.opened is not None or draft.closed is not None,
    }
    if "FROM" in header:
        values["sender"] = _line(header["FROM"], "FROM", case)
    else:
        case.found("P05", "FROM", None, "it does not say who sends it: FROM")
    if "TO" in header:
        values["recipients"] = names = tuple(
            name for part in re.split(r"[,;]", header["TO"].text) if (name := part.strip())
        )
        if any(len(name) > _NAME for name in names):
            case.found("P01", "TO", header["TO"].line, f"a name has at most {_NAME} characters")
    if "DATE TIME GROUP" in header:
        values["sent"] = _moment(header["DATE TIME GROUP"], "P06", "DATE TIME GROUP", case)
    else:
        case.found("P06", "DATE TIME GROUP", None, "there is no date time group")
    if "IDENTIFICATION" in header:
        values["identification"] = _line(header["IDENTIFICATION"], "IDENTIFICATION", case)
    for name, key in (("SERIAL NUMBER", "serial"), ("IN REPLY TO", "answers")):
        if name in header:
            values[key] = _serial(header[name], name, case)
        elif key == "serial":
            case.found("P07", name, None, "there is no serial number")
    _put_fields(draft, values, case)
    return values


def _put_fields(draft: Draft, values: dict[str, Any], case: Case) -> None:
    parts: dict[str, dict[str, Any]] = {}
    for number, said in draft.fields.items():
        field = FIELDS[number]
        if number in _ACKNOWLEDGE and not said.text:
            # The number alone asks for it.
            said.text = field.label
        if not said.text:
            continue
        value: Any = (
            _moment(said, "P08", str(number), case)
            if number in _TIMES
            else _line(said, str(number), case)
        )
        parts.setdefault(field.part, {})[field.key] = value
    if not parts:
        case.found("P04", "", None, "no numbered field has a text")
    for name, model in (("polwarn", Polwarn), ("polinf", Polinf), ("polfac", Polfac)):
        if name in parts and not any(f.severity == "error" for f in case.found_):
            values[name] = model(**parts[name])


def _line(said: Said, place: str, case: Case) -> str:
    if len(said.text) > _LINE:
        case.found("P01", place, said.line, f"a field has at most {_LINE} characters")
    return said.text


def _moment(said: Said, rule: str, place: str, case: Case) -> Any:
    try:
        moment = read_moment(said.text)
    except ValueError as error:
        case.found(rule, place, said.line, str(error))
        return None
    if moment.offset_minutes is None:
        case.found("P13", place, said.line, "the time is not in UTC (Z)")
    return moment


def _serial(said: Said, place: str, case: Case) -> Any:
    match = SERIAL.fullmatch(said.text)
    if match is None or not int(match["number"]):
        case.found("P07", place, said.line, f"{said.text[:40]!r} is not of the form AZ/INCIDENT/1")
        return None
    if len(match["incident"]) > _NAME:
        case.found("P01", place, said.line, f"a name has at most {_NAME} characters")
        return None
    state = match["state"].upper()
    if len(state) != 2:
        case.found("P16", place, said.line, f"{state} is not a state's two letters (ISO 3166)")
    return Serial(
        state=state,
        incident=match["incident"],
        number=int(match["number"]),
        final=match["final"] is not None,
    )
