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
from hub.cli.terms import term
from hub.cli.times import both, read_moment, shown, utc
from hub.cli.words import joined, many, t

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
        say(styled(t("{feed}: everything is acknowledged", feed=name), "green"))
        return
    table(
        ("", t("SEVERITY"), t("DUE"), t("FROM"), t("WHAT"), t("WHERE")),
        (
            (
                styled(f"#{one['index']}", "bold"),
                styled(term(one["severity"]), SEVERITY_STYLE.get(one["severity"], "")),
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
        raise usage(
            t("a shift ends after it begins"), remedy=t("Give --since a time before --until.")
        )
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
    say(styled(t("Handover of {feed}", feed=report["feed"]), "bold"))
    say(styled(t("{begin} to {end}", begin=both(begin), end=both(end))))
    came, left = report["came"], report["open"]
    mine = str(report["feed"]).partition(".")[0]
    acknowledged = [one for one in came if _own(one, mine)]
    say()
    say(
        styled(
            joined(
                "; ",
                (
                    many(
                        "{count} message came, {done} of them acknowledged by {agency}",
                        "{count} messages came, {done} of them are acknowledged by {agency}",
                        len(came),
                        done=len(acknowledged),
                        agency=mine,
                    ),
                    many("{count} is open", "{count} are open", len(left)),
                    many(
                        "{count} call because of lateness",
                        "{count} calls because of lateness",
                        len(report["escalated"]),
                    ),
                ),
            )
        )
    )
    _section(t("OPEN"), left, mine)
    _section(t("CAME"), came, mine)
    if report["escalated"]:
        say()
        say(styled(t("LATE"), "bold"))
        for one in report["escalated"]:
            of = " ".join(f"#{index}" for index in one["messages"])
            at = both(datetime.fromisoformat(one["at"]))
            step = t("step {n}: {messages}", n=one["step"], messages=of)
            say(
                Text("  ")
                + styled(at)
                + Text("  ")
                + styled(one["recipient"])
                + Text(", ")
                + styled(step)
            )


def _section(title: str, messages: Sequence[Mapping[str, Any]], mine: str) -> None:
    if not messages:
        return
    say()
    say(styled(title, "bold"))
    table(
        ("", t("LOGGED"), t("SEVERITY"), t("FROM"), t("WHAT"), t("ACKNOWLEDGED BY")),
        (
            (
                styled(f"#{one['index']}", "bold"),
                both(datetime.fromisoformat(one["accepted_at"])),
                styled(term(one["severity"]), SEVERITY_STYLE.get(one["severity"], "")),
                one["agency"],
                marks(one["status"]) + styled(one["headline"] or one["identifier"]),
                joined("; ", map(_who, _own(one, mine))) or (t("open") if one["open"] else "-"),
            )
            for one in messages
        ),
    )


def _who(ack: Mapping[str, Any]) -> str:
    said = f" ({ack['note']})" if ack["note"] else ""
    return joined("", (ack["officer"], " ", shown(datetime.fromisoformat(ack["at"])), said))


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
        note(styled(_so_far(len(found), before), "dim"))


def _so_far(count: int, before: int) -> str:
    return many(
        "{count} message so far, back to #{index}",
        "{count} messages so far, back to #{index}",
        count,
        index=before,
    )


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
    far = t("{m} min", m=minutes) if minutes < 120 else t("{h} h", h=minutes // 60)
    if due <= now:
        return styled(t("{at}, {span} ago", at=shown(due), span=far), "bold red")
    return styled(t("{at}, in {span}", at=shown(due), span=far))


def _where(one: Mapping[str, Any]) -> str:
    return "; ".join(a["description"] for a in one["areas"] if a.get("description"))
