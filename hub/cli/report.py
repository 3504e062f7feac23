"""``caspian report``: what is told of a time as a whole; who acknowledged late, or never."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.entries import SEVERITY_STYLE, marks
from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.terms import term
from hub.cli.times import both, read_moment
from hub.cli.words import joined, many, t
from hub.client import calls
from hub.core.lifecycle import State
from hub.core.punctuality import Kept, Punctuality, punctuality
from hub.core.registry import Channel
from hub.log.bundle import writing
from hub.log.columns import harmless

__all__ = ["app"]

app: Final = App(name="report", help="Reports on a time as a whole.")

_PAGE: Final = 500
_COLUMNS: Final = (
    "recipient",
    "index",
    "agency",
    "severity",
    "status",
    "headline",
    "logged_at",
    "deadline",
    "delivered_at",
    "acknowledged_at",
    "officer",
    "late_by",
    "state",
    "step",
)


@app.command
def acks(
    *,
    since: Annotated[str, Parameter(help="Logged at this time or later, or how long ago.")] = "7d",
    until: Annotated[
        str | None, Parameter(help="As it was at this time; now where it is left out.")
    ] = None,
    agency: Annotated[
        str, Parameter(help="Only this recipient; else all that you may read of.")
    ] = "",
    channel: Channel = "actual",
    json: AsJson = False,
    csv_: Annotated[
        Path | None,
        Parameter(name="--csv", help="Write a row for each recipient and message into this file."),
    ] = None,
    force: Annotated[bool, Parameter(negative="", help="Overwrite the file.")] = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Report who acknowledged late, by how much, and who did not at all.

    With --json each line is a recipient and a message, or one recipient's sums.
    """
    now = datetime.now(UTC)
    begin, end = read_moment(since, now=now), read_moment(until, now=now) if until else now
    if begin >= end:
        raise usage(
            t("a time ends after it begins"), remedy=t("Give --since a time before --until.")
        )
    if csv_ is not None and csv_.exists() and not force:
        raise usage(
            t("{file} is there already", file=csv_),
            remedy=t("Choose another name, or add --force."),
        )
    rows = _all(
        connection,
        {
            "since": begin.isoformat(),
            "until": end.isoformat(),
            "agency": agency,
            "channel": channel,
            "limit": _PAGE,
        },
    )
    rows.sort(key=lambda r: (r["recipient"], r["index"]))
    sums = punctuality(map(_kept, rows))
    if csv_ is not None:
        _write(csv_, rows)
        note(
            styled(
                many("{count} row is in {file}", "{count} rows are in {file}", len(rows), file=csv_)
            )
        )
    if json:
        for row in rows:
            emit({"kind": "acknowledgement", **row})
        for one in sums:
            emit(_line(one))
    elif csv_ is None:
        _tell(rows, sums, begin, end)
    else:
        _tell_sums(sums)


def _all(connection: Connection, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with connection.client() as client:
        while True:
            page = client.call(calls.report_of_acknowledgements(wanted=wanted))
            found += page["acknowledgements"]
            if page["next"] is None:
                return found
            wanted |= {"before": page["next"], "until": page["until"]}
            note(
                styled(
                    many(
                        "{count} row so far, back to #{index}",
                        "{count} rows so far, back to #{index}",
                        len(found),
                        index=page["next"],
                    ),
                    "dim",
                )
            )


def _kept(row: Mapping[str, Any]) -> Kept:
    late = row["late_by"]
    return Kept(
        row["recipient"],
        State(row["state"]),
        None if late is None else timedelta(seconds=late),
    )


def _line(one: Punctuality) -> dict[str, Any]:
    return {
        "kind": "sums",
        "recipient": one.of,
        "messages": one.messages,
        "in_time": one.in_time,
        "late": one.late,
        "missing": one.missing,
        "open": one.open,
        "median_late_by": one.median_late and one.median_late.total_seconds(),
        "worst_late_by": one.worst_late and one.worst_late.total_seconds(),
    }


def _tell(
    rows: Sequence[Mapping[str, Any]],
    sums: Sequence[Punctuality],
    begin: datetime,
    end: datetime,
) -> None:
    say(styled(t("Acknowledgements, {begin} to {end}", begin=both(begin), end=both(end)), "bold"))
    bad = [r for r in rows if r["late_by"] is not None or r["state"] in {"overdue", "expired"}]
    if bad:
        say()
        table(
            (
                t("RECIPIENT"),
                "",
                t("LOGGED"),
                t("SEVERITY"),
                t("FROM"),
                t("WHAT"),
                t("LATE BY"),
                t("STATE"),
                t("BY"),
            ),
            (
                (
                    styled(r["recipient"], "bold"),
                    f"#{r['index']}",
                    both(datetime.fromisoformat(r["logged_at"])),
                    styled(term(r["severity"]), SEVERITY_STYLE.get(r["severity"], "")),
                    r["agency"],
                    marks(r["status"]) + styled(r["headline"]),
                    _wait(None if r["late_by"] is None else timedelta(seconds=r["late_by"])),
                    _state(r),
                    styled(r["officer"] or "-"),
                )
                for r in bad
            ),
        )
    _tell_sums(sums)


def _tell_sums(sums: Sequence[Punctuality]) -> None:
    if not sums:
        say(styled(t("there was nothing to acknowledge")))
        return
    say()
    table(
        (
            t("RECIPIENT"),
            t("MESSAGES"),
            t("IN TIME"),
            t("LATE"),
            t("MISSING"),
            t("OPEN"),
            t("MEDIAN LATE"),
            t("WORST"),
        ),
        (
            (
                styled(one.of, "bold"),
                str(one.messages),
                str(one.in_time),
                str(one.late),
                styled(one.missing, "bold red" if one.missing else ""),
                str(one.open),
                _wait(one.median_late),
                _wait(one.worst_late),
            )
            for one in sums
        ),
    )


def _state(row: Mapping[str, Any]) -> str:
    last, said = _step(row), term(row["state"])
    return joined(", ", (said, t("step {n}", n=last))) if last else said


def _step(row: Mapping[str, Any]) -> int:
    return max((one["step"] for one in row["escalations"]), default=0)


def _wait(wait: timedelta | None) -> str:
    if wait is None:
        return "-"
    minutes, seconds = divmod(int(wait.total_seconds()), 60)
    if minutes < 120:
        return t("{m} min {s} s", m=minutes, s=f"{seconds:02}")
    return t("{h} h {m} min", h=minutes // 60, m=f"{minutes % 60:02}")


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    file = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    file.writeheader()
    for row in rows:
        told = {**row, "step": _step(row) or ""}
        file.writerow({name: harmless(told[name]) for name in _COLUMNS})
    try:
        with writing(path, pack=False) as whole:
            whole.write(text.getvalue().encode())
    except OSError as e:
        raise usage(
            t("{file} cannot be written: {why}", file=path, why=e.strerror or e),
            remedy=t("Name a file that you may write."),
        ) from e
