"""What `caspian verify` found, for people and for programs: the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from hub.cli.terminal import column, emit, fields, note, say, styled, verbatim
from hub.cli.terms import term
from hub.cli.words import joined, many, t, translated
from hub.log.faults import HUB, STORAGE, Fault, agency, witness
from hub.log.verify import Report

__all__ = ["show_fault", "show_report"]


def show_report(report: Report, *, json: bool, whole: bool, reached: Mapping[str, int]) -> None:
    """Write a report: one JSON object, or words."""
    if json:
        emit(_object(report, reached))
    else:
        _tell(report, whole=whole, reached=reached)


def _object(report: Report, reached: Mapping[str, int]) -> dict[str, Any]:
    fault = report.fault
    return {
        "ok": report.ok,
        "entries": report.entries,
        "since": report.since,
        "root": report.root.hex() if report.root is not None else None,
        "messages": report.messages,
        "payloads": report.payloads,
        "withheld": report.withheld,
        "decided": report.decided,
        "signatures": report.signatures,
        "acknowledged": report.acknowledged,
        "feeds": {
            feed: {"routed": s.routed, "through": s.through, "waiting": s.waiting}
            for feed, s in report.feeds.items()
        },
        "live": dict(reached),
        "unread": report.unread,
        "proven": report.proven,
        "level": report.level,
        "witnesses": list(report.witnesses),
        "fault": None if fault is None else _fault(fault),
    }


def _fault(fault: Fault) -> dict[str, Any]:
    """Return a fault for programs."""
    return {
        "index": fault.index,
        "code": fault.code,
        "detail": fault.detail,
        "culprit": fault.culprit,
    }


def _tell(report: Report, *, whole: bool, reached: Mapping[str, int]) -> None:
    end = report.since + report.entries + report.unread
    size = t("{size} (from {since})", size=end, since=report.since) if report.since else str(end)
    rows: list[tuple[str, str]] = [(t("size"), size)]
    if report.root is not None:
        rows.append((t("root"), report.root.hex()))
    rows.append((t("checked"), _checked(report)))
    if report.feeds:
        routed = sum(f.routed for f in report.feeds.values())
        waiting = sum(f.waiting for f in report.feeds.values())
        entries = many("{count} entry", "{count} entries", routed)
        told = t(
            "{feeds}: {entries}, {waiting} not yet confirmed",
            feeds=len(report.feeds),
            entries=entries,
            waiting=waiting,
        )
        rows.append((t("feeds"), told))
    if reached:
        behind = [f for f, at in reached.items() if at < end - 1]
        held = many(
            "{count} feed holds what the log says",
            "{count} feeds hold what the log says",
            len(reached),
        )
        late = t("behind the log: {feeds}", feeds=", ".join(behind))
        rows.append((t("live"), joined("; ", (held, late)) if behind else held))
    if report.level:
        by = ", ".join(report.witnesses) or t("nobody")
        told = t("{level}; cosigned by {witnesses}", level=term(report.level), witnesses=by)
        rows.append((t("level"), told))
    fields(rows, width=7)
    if report.fault is not None:
        show_fault(report.fault)
        return
    say(styled(t("OK"), "bold green"), styled(t("nothing is missing and nothing was changed")))
    _limits(report, whole=whole)
    if report.root is not None:
        again = f"caspian verify --earlier {end}:{report.root.hex()}"
        note(styled(t("keep it:"), "dim"), verbatim(again))


def _limits(report: Report, *, whole: bool) -> None:
    """Say what was not verified."""
    if report.unread:
        unread = many(
            "{count} entry is not yours to read: it was proven by its hash, without being read, "
            "and nothing was decided again",
            "{count} entries are not yours to read: they were proven by their hash, without being "
            "read, and nothing was decided again",
            report.unread,
        )
        note(styled(unread, "yellow"))
    if not whole and report.proven:
        proven = many(
            "this is a part of a log: {count} entry was proven to be in it",
            "this is a part of a log: {count} entries were proven to be in it",
            report.proven,
        )
        note(styled(proven))
        other = t("that no other was to be there is not shown: see `caspian log search`")
        note(styled(other, "dim"))
    elif not whole:
        note(
            styled(
                t(
                    "this is a part of a log: its entries were checked each for itself, "
                    "not against the log's root"
                ),
                "yellow",
            )
        )
    elif report.since:
        note(
            styled(
                t("what came before {since} was trusted, not verified", since=report.since),
                "yellow",
            )
        )


def _checked(report: Report) -> str:
    parts = [
        many("{count} message", "{count} messages", report.messages),
        many("{count} payload", "{count} payloads", report.payloads),
        many("{count} signature", "{count} signatures", report.signatures),
        many("{count} decision", "{count} decisions", report.decided),
        many("{count} acknowledgement", "{count} acknowledgements", report.acknowledged),
    ]
    said = joined(", ", parts)
    if not report.withheld:
        return said
    gone = many("{count} payload is withheld", "{count} payloads are withheld", report.withheld)
    return joined("; ", (said, gone))


def _culprit(culprit: str) -> str:
    name = culprit.partition(" ")[2]
    return {
        HUB: t("whoever runs the hub: it wrote or signed this"),
        STORAGE: t("whoever keeps this copy: it was changed after the hub wrote it"),
        agency(name): t("the agency {name}", name=name),
        witness(name): t("the witness {name}", name=name),
    }.get(culprit, culprit)


def show_fault(fault: Fault, *, json: bool = False) -> None:
    """Say what is wrong, whose doing it is, and what to do; for programs as one object."""
    if json:
        emit({"ok": False, "fault": _fault(fault)})
        return
    place = t("the log") if fault.index is None else t("entry {index}", index=fault.index)
    say(
        styled(t("BROKEN"), "bold white on red"),
        Text(" ") + styled(joined(": ", (place, fault.code, translated(fault.detail)))),
    )
    say(column(t("blame"), 7, "bold"), styled(_culprit(fault.culprit)))
    note(
        styled(t("what to do:"), "bold"),
        styled(t("Keep this copy as it is; compare it with a mirror or a bundle, and tell all.")),
    )
