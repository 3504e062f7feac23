"""``caspian unacked`` and ``caspian handover``: what is open, and what a shift leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.entries import SEVERITY_STYLE, marks
from hub.cli.exits import usage
from hub.cli.feeds import main_feed
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.times import both, read_moment, utc

__all__ = ["handover", "unacked"]

_GRAVITY: Final = ("Extreme", "Severe", "Unknown", "Moderate", "Minor")
"""The most severe first; Unknown may be anything, so it stands with the grave ones."""
_LATEST: Final = timedelta(days=14)
_SHOWN: Final = 500


def unacked(
    feed: str | None = None,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show what your agency has still to acknowledge, the most severe first.

    Acknowledge with `caspian ack NUMBER`.

    Parameters
    ----------
    feed: str
        The feed; the actual feed of your own agency where it is left out.

    """
    now = datetime.now(UTC)
    with connection.client() as client:
        name = feed or main_feed(client.feeds())
        found = _all(client, name, open="true", since=(now - _LATEST).isoformat())
    found.sort(key=_urgency)
    if json:
        for one in found:
            emit(one)
        return
    if not found:
        say(styled(f"{name}: everything is acknowledged", "green"))
        return
    table(
        ("", "SEVERITY", "DUE", "FROM", "WHAT", "WHERE"),
        (
            (
                styled(f"#{one['index']}", "bold"),
                styled(one["severity"], SEVERITY_STYLE.get(one["severity"], "")),
                _due(one, now),
                one["agency"],
                marks(one["status"]) + styled(one["headline"] or one["identifier"], "bold"),
                _where(one),
            )
            for one in found
        ),
    )


def handover(
    feed: str | None = None,
    /,
    *,
    since: Annotated[
        str, Parameter(help="The beginning of the shift: a time (UTC), or how long ago: 12h.")
    ] = "12h",
    until: Annotated[
        str | None, Parameter(help="Its end, written likewise; now where it is left out.")
    ] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Report on a shift: what came, who acknowledged it, what is open and was called late.

    Parameters
    ----------
    feed: str
        The feed; the actual feed of your own agency where it is left out.

    """
    now = datetime.now(UTC)
    begin, end = read_moment(since, now=now), read_moment(until, now=now) if until else now
    if begin >= end:
        raise usage("a shift ends after it begins", remedy="Give --since a time before --until.")
    at = end.isoformat()
    with connection.client() as client:
        name = feed or main_feed(client.feeds())
        came = _all(client, name, since=begin.isoformat(), until=at)
        left = _all(client, name, since=(begin - _LATEST).isoformat(), until=at, open="true")
        # A call about a message comes after it, so no earlier one is of this shift.
        first = min((one["index"] for one in came + left), default=None)
        late = [] if first is None else _escalated(client, name, first, begin, end)
    report = {
        "feed": name,
        "since": utc(begin),
        "until": utc(end),
        "came": came,
        "open": sorted(left, key=_urgency),
        "escalated": late,
    }
    if json:
        emit(report)
        return
    _tell(report, begin, end)


def _tell(report: Mapping[str, Any], begin: datetime, end: datetime) -> None:
    say(styled(f"Handover of {report['feed']}", "bold"))
    say(styled(f"{both(begin)} to {both(end)}"))
    came, left = report["came"], report["open"]
    mine = str(report["feed"]).partition(".")[0]
    acknowledged = [one for one in came if _own(one, mine)]
    say()
    say(
        styled(
            f"{len(came)} messages came, {len(acknowledged)} of them are acknowledged by {mine}; "
            f"{len(left)} are open; {len(report['escalated'])} calls because of lateness"
        )
    )
    _section("OPEN", left, mine)
    _section("CAME", came, mine)
    if report["escalated"]:
        say()
        say(styled("LATE", "bold"))
        for one in report["escalated"]:
            of = " ".join(f"#{index}" for index in one["messages"])
            at = both(datetime.fromisoformat(one["at"]))
            say(styled(f"  {at}  {one['recipient']}, step {one['step']}: {of}"))


def _section(title: str, messages: Sequence[Mapping[str, Any]], mine: str) -> None:
    if not messages:
        return
    say()
    say(styled(title, "bold"))
    table(
        ("", "LOGGED", "SEVERITY", "FROM", "WHAT", "ACKNOWLEDGED BY"),
        (
            (
                styled(f"#{one['index']}", "bold"),
                both(datetime.fromisoformat(one["accepted_at"])),
                styled(one["severity"], SEVERITY_STYLE.get(one["severity"], "")),
                one["agency"],
                marks(one["status"]) + styled(one["headline"] or one["identifier"]),
                "; ".join(_who(ack) for ack in _own(one, mine)) or ("open" if one["open"] else "-"),
            )
            for one in messages
        ),
    )


def _who(ack: Mapping[str, Any]) -> str:
    said = f" ({ack['note']})" if ack["note"] else ""
    return f"{ack['officer']} {utc(datetime.fromisoformat(ack['at']))}{said}"


def _own(one: Mapping[str, Any], mine: str) -> list[Mapping[str, Any]]:
    return [ack for ack in one["acknowledgements"] if ack["agency"] == mine]


def _all(client: Any, feed: str, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        more = {} if before is None else {"before": before}
        page = client.watch(feed, limit=_SHOWN, **wanted, **more)
        found += page["messages"]
        before = page["next"]
        if before is None:
            return found
        note(styled(f"{len(found)} messages so far, back to #{before}", "dim"))


def _escalated(
    client: Any, feed: str, first: int, begin: datetime, end: datetime
) -> list[dict[str, Any]]:
    mine, after = feed.partition(".")[0], first - 1
    found: list[dict[str, Any]] = []
    while True:
        page = client.escalations(after=after, limit=1000)
        found += [
            one
            for one in page["escalations"]
            if one["recipient"] == mine and begin <= datetime.fromisoformat(one["at"]) <= end
        ]
        if len(page["escalations"]) < 1000:
            return found
        after = page["next"]


def _urgency(one: Mapping[str, Any]) -> tuple[int, str]:
    return _GRAVITY.index(one["severity"]), one["deadline"]


def _due(one: Mapping[str, Any], now: datetime) -> Text:
    due = datetime.fromisoformat(one["deadline"])
    minutes = int(abs((due - now).total_seconds()) // 60)
    far = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    if due <= now:
        return styled(f"{utc(due)}, {far} ago", "bold red")
    return styled(f"{utc(due)}, in {far}")


def _where(one: Mapping[str, Any]) -> str:
    return "; ".join(a["description"] for a in one["areas"] if a.get("description"))
