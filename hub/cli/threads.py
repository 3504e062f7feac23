"""``caspian thread`` and ``caspian incidents``: messages that belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text
from rich.tree import Tree

from hub.cli.connection import Connection
from hub.cli.entries import SEVERITY_STYLE, marks
from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.standings import numbers, standing
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.terms import sort_name
from hub.cli.times import both, shown
from hub.cli.words import joined, t

__all__ = ["incidents", "thread"]

_PAGE = 1000
_Channel = Literal["actual", "exercise", "system", "draft"]


def thread(
    name: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show what an agency has said before and after a message, and what of it still holds.

    Each line is a message; those beneath it update or cancel it. Who only mentions one
    of them stands below.

    Parameters
    ----------
    name: str
        The message's id, its log index, or the identifier that its sender gave it.

    """
    if not name.strip():
        raise usage(t("a message has a name"), remedy=t("Give its id or its log index."))
    with connection.client() as client:
        found = client.thread(name)
    if json:
        emit(found)
        return
    for tree in _trees(found):
        say(tree)
    if found["mentions"]:
        say()
        say(styled(t("mentioned by"), "dim"))
        for one in found["mentions"]:
            say(Text("  ") + _line(one))


def incidents(
    incident: str = "",
    /,
    *,
    channel: Annotated[_Channel, Parameter(help="Of which reality.")] = "actual",
    limit: Annotated[int, Parameter(help="At most so many incidents.")] = 50,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show incidents, newest first; or all messages about one, and where each stands.

    Parameters
    ----------
    incident: str
        Only this incident, by its id.

    """
    with connection.client() as client:
        if incident.strip():
            rows = _all_about(client, incident, channel)
        else:
            rows = _latest(client, channel, limit)
    if json:
        for row in rows:
            emit(row)
    elif incident.strip():
        for row in rows:
            say(_line(row))
    elif rows:
        columns = (
            t("INCIDENT"),
            t("LAST"),
            t("MESSAGES"),
            t("ACTIVE"),
            t("AGENCIES"),
            t("HEADLINE"),
        )
        table(columns, map(_incident, rows))
    else:
        note(styled(t("no message is about an incident"), "dim"))


def _all_about(client: Any, incident: str, channel: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after = -1
    while True:
        page = client.incident(incident, channel=channel, after=after, limit=_PAGE)
        rows += page["messages"]
        if len(page["messages"]) < _PAGE:
            return rows
        after = page["next"]


def _latest(client: Any, channel: str, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before = None
    while len(rows) < limit:
        page = client.incidents(channel=channel, before=before, limit=min(limit, 200))
        rows += page["incidents"]
        before = page["next"]
        if before is None:
            break
    return rows[:limit]


def _incident(one: Mapping[str, Any]) -> tuple[str | Text, ...]:
    count = f"{one['messages']}{'+' if one['more'] else ''}"
    active = styled(one["active"], "bold green" if one["active"] else "dim")
    return (
        styled(one["incident"], "bold"),
        joined(" ", (f"#{one['last']}", shown(datetime.fromisoformat(one["last_at"])))),
        count,
        active,
        " ".join(one["agencies"]),
        one["headline"],
    )


def _trees(found: Mapping[str, Any]) -> list[Tree]:
    """Return the messages of a thread as trees, each beneath the latest that it changes.

    Where one is followed by one, as it mostly is, they stand beneath each other at the
    same depth: a warning that was updated fifty times is a list and no staircase.
    """
    order = {one["index"]: place for place, one in enumerate(found["messages"])}
    above = {
        one["index"]: max(
            (i for i in one["changes"] if order[i] < order[one["index"]]), key=order.__getitem__
        )
        for one in found["messages"]
        if any(order[i] < order[one["index"]] for i in one["changes"])
    }
    followers = Counter(above.values())
    trees: list[Tree] = []
    beneath: dict[int, Tree] = {}
    for one in found["messages"]:
        index = one["index"]
        if index in above:
            place = beneath[above[index]]
            node = place.add(_line(one, asked=index == found["index"]))
            beneath[index] = place if followers[above[index]] == 1 else node
        else:
            trees.append(Tree(_line(one, asked=index == found["index"]), guide_style="dim"))
            beneath[index] = trees[-1]
    return trees


def _line(one: Mapping[str, Any], *, asked: bool = False) -> Text:
    """Return a message in one line; what it does and where it stands come before its words."""
    grave = SEVERITY_STYLE.get(one["severity"], "") if one["kind"] == "alert" else ""
    of = one.get("changes") or one.get("of") or []
    same = one.get("siblings") or []
    languages = f" ({' '.join(one['languages'])})" if one["languages"] else ""
    what = [
        marks(one["status"]) + styled(sort_name(one["msg_type"], one.get("recall", "")), grave),
        styled(t("of {messages}", messages=numbers(of))) if of else Text(),
        styled(t("in another language as {messages}", messages=numbers(same))) if same else Text(),
        standing(one.get("standing")),
    ]
    return Text(" ").join(
        [
            styled(f"#{one['index']}", "bold reverse" if asked else "bold"),
            styled(both(datetime.fromisoformat(one["sent"])), "dim"),
            styled(one["agency"]),
            Text(" ").join(word for word in what if word) + Text(":"),
            styled((one["headline"] or one["identifier"]) + languages),
        ]
    )
