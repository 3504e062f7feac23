"""``caspian verify``: is this log whole and unchanged? Told with what a person can keep."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.log_remote import End, HubSource, open_source
from hub.cli.log_source import BundleSource, Selection
from hub.cli.options import AsJson, FromBundle
from hub.cli.terminal import emit, note, progress, say, styled
from hub.core.admission import Rules
from hub.log.bundle import verify_bundle
from hub.log.projections import read_logged
from hub.log.verify import Report, verify_store
from hub.log.verify import verify as verify_rows
from hub.settings import Settings

__all__ = ["verify"]


def verify(
    *,
    bundle: FromBundle = None,
    earlier: Annotated[
        str | None,
        Parameter(
            help="An end that you have kept, SIZE:ROOT: the log must have grown from it. Without "
            "one, a log that was forged as a whole, with its end, cannot be told."
        ),
    ] = None,
    decisions: Annotated[
        bool,
        Parameter(
            negative="--no-decisions",
            help="Read every payload and decide its admission again; slower.",
        ),
    ] = True,
    withheld: Annotated[
        bool,
        Parameter(negative="", help="Payloads may be missing: the store is a mirror's."),
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> int:
    """Verify every entry, payload and decision, and the Merkle root over all; exit 5 if broken.

    Prints the size and the root: keep them, and give them as --earlier the next time.
    """
    kept = _read_kept(earlier) if earlier is not None else None
    settings = Settings.from_environment()
    read = read_logged if decisions else None
    rules = Rules(future_tolerance=settings.future_tolerance)
    whole = True
    with open_source(bundle, connection) as source, progress("verifying", source.size) as told:
        if isinstance(source, BundleSource):
            whole = source.bundle.header.whole
            report = verify_bundle(
                source.bundle, against=kept, progress=told, read=read, rules=rules
            )
        elif isinstance(source, HubSource):
            end = source.end()
            report = verify_rows(
                source.bare_rows(Selection(last=end.size - 1)),
                end,
                payloads_required=False,
                earlier=kept,
                progress=told,
                read=read,
                rules=rules,
            )
        else:
            report = verify_store(
                source.log,
                earlier=kept,
                progress=told,
                read=read,
                rules=rules,
                withheld=withheld,
            )
    if json:
        emit(_object(report))
    else:
        _tell(report, bundle, whole=whole)
    return DONE if report.ok else REFUSED


def _read_kept(text: str) -> End:
    found = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text)
    if found is None:
        raise usage(
            f"{text!r} is no end of a log",
            remedy="Write SIZE:ROOT as `caspian verify` prints them, the root in hexadecimal.",
        )
    return End(int(found[1]), bytes.fromhex(found[2]))


def _object(report: Report) -> dict[str, Any]:
    fault = report.fault
    return {
        "ok": report.ok,
        "entries": report.entries,
        "root": report.root.hex() if report.root is not None else None,
        "messages": report.messages,
        "payloads": report.payloads,
        "withheld": report.withheld,
        "decided": report.decided,
        "fault": None
        if fault is None
        else {"index": fault.index, "code": fault.code, "detail": fault.detail},
    }


def _tell(report: Report, bundle: Path | None, *, whole: bool) -> None:
    say(styled(f"size    {report.entries}"))
    if report.root is not None:
        say(styled(f"root    {report.root.hex()}"))
    say(
        styled(
            f"checked {report.messages} messages, {report.payloads} payloads, "
            f"{report.decided} decisions"
            + (f"; {report.withheld} payloads are withheld" if report.withheld else "")
        )
    )
    if report.fault is not None:
        place = "the log" if report.fault.index is None else f"entry {report.fault.index}"
        say(
            styled("BROKEN", "bold white on red"),
            styled(f" {place}: {report.fault.code}: {report.fault.detail}"),
        )
        note(
            styled("what to do:", "bold"),
            styled("Keep this copy as it is; compare it with a mirror or a bundle, and tell all."),
        )
        return
    say(styled("OK", "bold green"), styled("nothing is missing and nothing was changed"))
    if bundle is not None and not whole:
        note(
            styled(
                "this is a part of a log: its entries were checked each for itself, "
                "not against the log's root",
                "yellow",
            )
        )
    elif report.root is not None:
        note(
            styled(f"keep it: caspian verify --earlier {report.entries}:{report.root.hex()}", "dim")
        )
