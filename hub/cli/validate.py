"""``caspian validate``: what the hub would say of messages, said without a hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from hub.cli.exits import DONE, REFUSED, USAGE, exit_code, usage, worst
from hub.cli.files import read_input
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, progress, say, styled
from hub.errors import Rejected
from schemas.cap import Profile
from schemas.errors import Finding
from schemas.judgement import Judgement, judge

__all__ = ["validate"]


@dataclass(frozen=True, slots=True)
class _Result:
    """What was found in one file."""

    name: str
    judgements: tuple[Judgement, ...] = ()
    unreadable: Rejected | None = None

    @property
    def code(self) -> int:
        if self.unreadable is not None:
            return exit_code(self.unreadable)
        return DONE if all(judgement.valid for judgement in self.judgements) else REFUSED


def validate(
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    profile: Annotated[
        Profile, Parameter(help="Also hold alerts to what a publisher's profile asks.")
    ] = Profile.PLAIN,
    json: AsJson = False,
) -> int:
    """Check CAP, EDXL-RM and POLREP messages by the rules of the standards; no hub is needed.

    Feeds and envelopes (Atom, RSS, EDXL-DE) are opened, and each alert in them is
    checked. What only the hub's log can tell, such as whose sender it is, is not checked.
    Exit code 0: all are valid, perhaps with warnings; 5: one is not; 2: a file cannot be read.

    Parameters
    ----------
    files: str
        Files in XML or JSON, or pollution reports; - reads standard input.

    """
    if not files:
        raise usage("there is nothing to check", remedy="Name files, or - for standard input.")
    if unknown := [name for name in files if name.startswith("-") and name != "-"]:
        raise usage(
            f"unknown option {unknown[0]}",
            remedy="See `caspian validate --help`; ./ before a file.",
        )
    if files.count("-") > 1:
        raise usage("standard input can be read once", remedy="Name - once.")
    results = []
    # All is judged before anything is told: a bar and lines of results would mix on a terminal.
    with progress("checking", len(files)) as told:
        for number, name in enumerate(files, 1):
            results.append(_result(name, profile))
            told(number)
    code = DONE
    for result in results:
        if json:
            _emit(result)
        else:
            _tell(result)
        code = worst(code, result.code)
    if len(files) > 1 and not json:
        _sum_up(results)
    return code


def _result(name: str, profile: Profile) -> _Result:
    try:
        data = read_input(name)
    except Rejected as error:
        return _Result(name, unreadable=error)
    return _Result(name, judge(data, profile))


def _tell(result: _Result) -> None:
    name = result.name
    if result.unreadable is not None:
        say(
            styled(f"{name}:", "bold"),
            styled("not readable" if result.code == USAGE else "not valid", "bold red"),
        )
        _tell_refusal(result.unreadable)
    for judgement in result.judgements:
        place = "" if judgement.alert is None else f" alert {judgement.alert}"
        say(
            styled(f"{name}{place}:", "bold"),
            styled("valid", "green") if judgement.valid else styled("not valid", "bold red"),
            styled(judgement.kind),
        )
        for finding in judgement.findings:
            _tell_finding(finding)
        if judgement.refusal is not None and judgement.refusal.remedy:
            say(styled("  what to do:", "bold"), styled(judgement.refusal.remedy))


def _tell_refusal(error: Rejected) -> None:
    say(styled(f"  {error.code}:", "red"), styled(error.detail))
    say(styled("  what to do:", "bold"), styled(error.remedy))


def _tell_finding(finding: Finding) -> None:
    where = "" if finding.line is None else f"line {finding.line}"
    places = [p for p in (where, finding.rule, finding.severity, finding.path) if p]
    colour = "red" if finding.severity == "error" else "yellow"
    say(styled("  " + "  ".join(places) + ":", colour), styled(finding.message))


def _sum_up(results: list[_Result]) -> None:
    codes = [result.code for result in results]
    parts = [
        f"{count} {what}"
        for what, count in (
            ("valid", codes.count(DONE)),
            ("not valid", codes.count(REFUSED)),
            ("not readable", codes.count(USAGE)),
        )
        if count
    ]
    note(styled(f"{len(results)} files: {', '.join(parts)}"))


def _emit(result: _Result) -> None:
    error = result.unreadable
    if error is not None:
        # What has no bytes, or too many, has broken the first rules; what was not read, none.
        rule = "R01" if error.code == "too-large" else "R00"
        findings = [Finding(rule, "error", "", error.detail)] if result.code == REFUSED else []
        emit(_object(result.name, "unknown", findings, error))
    for judgement in result.judgements:
        told = _object(result.name, judgement.kind, judgement.findings, judgement.refusal)
        if judgement.alert is not None:
            told["alert"] = judgement.alert
        emit(told)


def _object(
    name: str, kind: str, findings: list[Finding] | tuple[Finding, ...], error: Rejected | None
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file": name,
        "kind": kind,
        "valid": error is None,
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "path": finding.path,
                "line": finding.line,
                "message": finding.message,
            }
            for finding in findings
        ],
    }
    if error is not None:
        told["error"] = {"code": error.code, "detail": error.detail, "remedy": error.remedy}
    return told
