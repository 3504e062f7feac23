"""``caspian validate``: what the hub would say of messages, said without a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cryptography.x509 import Certificate
from cyclopts import Parameter
from rich.text import Text

from hub.cap_trust import trusted_certificates
from hub.cli.exits import DONE, REFUSED, USAGE, exit_code, usage, worst
from hub.cli.files import read_input
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, progress, say, styled
from hub.cli.words import Words, found, joined, many, meaning, plain, t, translated
from hub.errors import Rejected
from hub.settings import Settings
from schemas.cap import Alert, Profile, alert_facts
from schemas.cap.signature import XmlSignature, check_xml_signature
from schemas.errors import Finding
from schemas.judgement import Judgement, judge
from schemas.remedies import remedy_of

__all__ = ["validate"]


@dataclass(frozen=True, slots=True)
class _Result:
    """What was found in one file."""

    name: str
    judgements: tuple[Judgement, ...] = ()
    unreadable: Rejected | None = None
    signature: XmlSignature | None = None
    """Of an alert that is the whole file; None where it bears none, or was not asked for."""
    signature_asked: bool = False

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
    signature: Annotated[
        bool,
        Parameter(negative="", help="Also tell what becomes of an XML signature in an alert."),
    ] = False,
    trust: Annotated[
        Path | None,
        Parameter(help="Certificates (*.pem) that count for it; else CASPIAN_CAP_TRUST."),
    ] = None,
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
        raise usage(
            t("there is nothing to check"), remedy=t("Name files, or - for standard input.")
        )
    if unknown := [name for name in files if name.startswith("-") and name != "-"]:
        raise usage(
            t("unknown option {option}", option=unknown[0]),
            remedy=t("See `caspian validate --help`; ./ before a file."),
        )
    if files.count("-") > 1:
        raise usage(t("standard input can be read once"), remedy=t("Name - once."))
    if trust is not None and not signature:
        raise usage(t("--trust is for --signature"), remedy=t("Give both."))
    trusted = _trusted(trust) if signature else None
    results = []
    # All is judged before anything is told: a bar and lines of results would mix on a terminal.
    with progress(t("checking"), len(files)) as told:
        for number, name in enumerate(files, 1):
            results.append(_result(name, profile, trusted))
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


def _trusted(directory: Path | None) -> list[Certificate]:
    return trusted_certificates(directory or Settings.from_environment().cap_trust)


def _result(name: str, profile: Profile, trusted: Sequence[Certificate] | None) -> _Result:
    try:
        data = read_input(name)
    except Rejected as error:
        return _Result(name, unreadable=error)
    judgements = judge(data, profile)
    if trusted is None:
        return _Result(name, judgements)
    judgement, signature = _with_signature(data, judgements[0], trusted)
    return _Result(name, (judgement, *judgements[1:]), signature=signature, signature_asked=True)


def _with_signature(
    data: bytes, judgement: Judgement, trusted: Sequence[Certificate]
) -> tuple[Judgement, XmlSignature | None]:
    """Look at the XML signature of an alert; one that is not valid is a warning, no refusal.

    Within a container it would cover the container, or was of an alert that stood alone.
    """
    if judgement.alert is not None or not isinstance(judgement.message, Alert):
        return judgement, None
    signed = check_xml_signature(data, trusted, sent=alert_facts(judgement.message).sent)
    if signed is None or signed.state == "valid":
        return judgement, signed
    finding = Finding("SIG", "warning", "alert/Signature", f"{signed.state}: {signed.detail}")
    return replace(judgement, findings=(*judgement.findings, finding)), signed


def _tell(result: _Result) -> None:
    name = result.name
    if result.unreadable is not None:
        say(
            styled(f"{name}:", "bold"),
            styled(t("not readable") if result.code == USAGE else t("not valid"), "bold red"),
        )
        _tell_refusal(result.unreadable)
    for judgement in result.judgements:
        place = "" if judgement.alert is None else t(" alert {n}", n=judgement.alert)
        say(
            styled(joined("", (name, place, ":")), "bold"),
            styled(t("valid"), "green") if judgement.valid else styled(t("not valid"), "bold red"),
            styled(judgement.kind),
        )
        if (signed := result.signature) is not None and judgement.alert is None:
            line = Text("  ") + styled(t("XML signature {state}", state=signed.state))
            if signed.subject:
                whose = t("{who}, issued by {issuer}", who=signed.subject, issuer=signed.issuer)
                line += Text("  ") + styled(whose)
            say(line)
        elif result.signature_asked and judgement.alert is None and judgement.valid:
            say(Text("  ") + styled(t("XML signature {state}", state=t("none"))))
        _tell_findings(judgement)


def _tell_findings(judgement: Judgement) -> None:
    """Tell each finding, and once for each rule what to do about it."""
    told = set[str]()
    advised = False
    for finding in judgement.findings:
        _tell_finding(finding)
        if finding.rule not in told and (remedy := remedy_of(finding.rule)):
            _advise(remedy)
            advised = True
        told.add(finding.rule)
    if judgement.refusal is not None and judgement.refusal.remedy and not advised:
        _advise(judgement.refusal.remedy)


def _advise(remedy: str) -> None:
    say(Text("    ") + styled(t("what to do:"), "bold"), styled(translated(remedy)))


def _tell_refusal(error: Rejected) -> None:
    detail = translated(error.detail)
    known = None if isinstance(detail, Words) else meaning(error.code)
    say(styled(f"  {error.code}:", "red"), styled(known[0] if known else detail))
    if known:
        say(Text("    ") + styled(detail))
    _advise(error.remedy)


def _tell_finding(finding: Finding) -> None:
    where = "" if finding.line is None else t("line {number}", number=finding.line)
    grave = t("error") if finding.severity == "error" else t("warning")
    places = [p for p in (where, finding.rule, grave, finding.path) if p]
    colour = "red" if finding.severity == "error" else "yellow"
    place = styled(joined("  ", places), colour) + styled(":", colour)
    say(Text("  ") + place, styled(found(finding.message)))


def _sum_up(results: list[_Result]) -> None:
    codes = [result.code for result in results]
    counts = [codes.count(code) for code in (DONE, REFUSED, USAGE)]
    parts = (
        many("{count} valid", "{count} valid", counts[0]),
        many("{count} not valid", "{count} not valid", counts[1]),
        many("{count} not readable", "{count} not readable", counts[2]),
    )
    said = joined(", ", (part for part, count in zip(parts, counts, strict=True) if count))
    files = many("{count} file: {results}", "{count} files: {results}", len(results), results=said)
    note(styled(files))


def _emit(result: _Result) -> None:
    error = result.unreadable
    if error is not None:
        # What has no bytes, or too many, has broken the first rules; what was not read, none.
        rule = "R01" if error.code == "too-large" else "R00"
        findings = (
            [Finding(rule, "error", "", plain(error.detail))] if result.code == REFUSED else []
        )
        emit(_object(result.name, "unknown", findings, error))
    for judgement in result.judgements:
        told = _object(result.name, judgement.kind, judgement.findings, judgement.refusal)
        if judgement.alert is not None:
            told["alert"] = judgement.alert
        elif result.signature_asked:
            told["signature"] = asdict(result.signature) if result.signature else {"state": "none"}
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
        told["error"] = {
            "code": error.code,
            "detail": plain(error.detail),
            "remedy": plain(error.remedy),
        }
    return told
