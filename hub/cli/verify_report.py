"""What `caspian verify` found, for people and for programs: the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.cli.terminal import emit, note, say, styled
from hub.log.faults import HUB, STORAGE, Fault
from hub.log.verify import Report

__all__ = ["fault_object", "show_fault", "show_report"]


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
        "fault": None if fault is None else fault_object(fault),
    }


def fault_object(fault: Fault) -> dict[str, Any]:
    """Return a fault for programs."""
    return {
        "index": fault.index,
        "code": fault.code,
        "detail": fault.detail,
        "culprit": fault.culprit,
    }


def _tell(report: Report, *, whole: bool, reached: Mapping[str, int]) -> None:
    end = report.since + report.entries + report.unread
    say(styled(f"size    {end}" + (f" (from {report.since})" if report.since else "")))
    if report.root is not None:
        say(styled(f"root    {report.root.hex()}"))
    say(
        styled(
            f"checked {report.messages} messages, {report.payloads} payloads, "
            f"{report.signatures} signatures, {report.decided} decisions, "
            f"{report.acknowledged} acknowledgements"
            + (f"; {report.withheld} payloads are withheld" if report.withheld else "")
        )
    )
    if report.feeds:
        routed = sum(f.routed for f in report.feeds.values())
        waiting = sum(f.waiting for f in report.feeds.values())
        say(styled(f"feeds   {len(report.feeds)}: {routed} entries, {waiting} not yet confirmed"))
    if reached:
        behind = [f for f, at in reached.items() if at < end - 1]
        say(
            styled(
                f"live    {len(reached)} feeds hold what the log says"
                + (f"; behind the log: {', '.join(behind)}" if behind else "")
            )
        )
    if report.level:
        by = ", ".join(report.witnesses) or "nobody"
        say(styled(f"level   {report.level}; cosigned by {by}"))
    if report.fault is not None:
        show_fault(report.fault)
        return
    say(styled("OK", "bold green"), styled("nothing is missing and nothing was changed"))
    _limits(report, whole=whole)
    if report.root is not None:
        note(styled(f"keep it: caspian verify --earlier {end}:{report.root.hex()}", "dim"))


def _limits(report: Report, *, whole: bool) -> None:
    """Say what was not verified."""
    if report.unread:
        note(
            styled(
                f"{report.unread} entries are not yours to read: they were proven by their hash, "
                "without being read, and nothing was decided again",
                "yellow",
            )
        )
    if not whole and report.proven:
        note(styled(f"this is a part of a log: {report.proven} entries were proven to be in it"))
        note(styled("that no other was to be there is not shown: see `caspian log search`", "dim"))
    elif not whole:
        note(
            styled(
                "this is a part of a log: its entries were checked each for itself, "
                "not against the log's root",
                "yellow",
            )
        )
    elif report.since:
        note(styled(f"what came before {report.since} was trusted, not verified", "yellow"))


def show_fault(fault: Fault) -> None:
    """Say what is wrong, whose doing it is, and what to do."""
    place = "the log" if fault.index is None else f"entry {fault.index}"
    say(
        styled("BROKEN", "bold white on red"),
        styled(f" {place}: {fault.code}: {fault.detail}"),
    )
    who = {
        HUB: "whoever runs the hub: it wrote or signed this",
        STORAGE: "whoever keeps this copy: it was changed after the hub wrote it",
    }.get(fault.culprit, fault.culprit)
    say(styled("blame  ", "bold"), styled(who))
    note(
        styled("what to do:", "bold"),
        styled("Keep this copy as it is; compare it with a mirror or a bundle, and tell all."),
    )
