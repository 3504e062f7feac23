"""``caspian tail``: a feed on a terminal, line by line, through every break of the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.text import Text

from hub.cli.calls import Calls
from hub.cli.connection import Connection, understood
from hub.cli.entries import SEVERITY_STYLE, marks
from hub.cli.exits import usage
from hub.cli.feeds import main_feed
from hub.cli.filters import Wanted
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled
from hub.cli.terms import sort_name, term
from hub.cli.times import both, read_place, shown
from hub.cli.words import joined, t, translated
from hub.client import AsyncClient
from hub.core.escalation import LAST_STEP
from hub.errors import Unavailable

__all__ = ["tail"]


def tail(
    feed: str | None = None,
    /,
    *,
    since: Annotated[
        str | None,
        Parameter(help="Begin there: a log index, a time (UTC), or how long ago: 2h. Else now."),
    ] = None,
    wanted: Wanted = Wanted(),  # noqa: B008 - frozen, and made of the options
    sandbox: Annotated[
        str, Parameter(help="Follow the feed of a replay; for auditors and operators.")
    ] = "",
    confirm: Annotated[
        bool,
        Parameter(
            negative="--no-confirm",
            help="Say that what is shown has arrived at your agency: it counts as delivered.",
        ),
    ] = False,
    limit: Annotated[int | None, Parameter(help="Leave after so many entries.")] = None,
    bell: Annotated[
        bool,
        Parameter(
            negative="",
            help="Ring the terminal's bell for each alert and for what is not acknowledged.",
        ),
    ] = False,
    exec_: Annotated[
        str | None,
        Parameter(
            name="--exec",
            help="Run this program for each entry, which it gets as JSON on its standard input; "
            "CASPIAN_INDEX and CASPIAN_KIND say which. It is waited for, a minute at most.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Follow a feed as it is written, each entry once and in order; Ctrl-C leaves.

    When the line breaks or the hub is away, it goes on by itself from where it was.

    Parameters
    ----------
    feed: str
        The feed's id; the actual feed of your own agency where it is left out.

    """
    if confirm and (wanted != Wanted() or sandbox):
        raise usage(
            t("--confirm is for a whole feed: it would confirm what a filter does not show"),
            remedy=t("Leave out the filter, or --confirm."),
        )
    if limit is not None and limit < 1:
        raise usage(t("--limit is at least 1"), remedy=t("Leave it out to follow for ever."))
    start = read_place(since, now=datetime.now(UTC)) if since is not None else None
    calls = Calls(bell=bell, program=exec_)
    follower = _Follower(
        wanted.as_query(), sandbox, confirm=confirm, limit=limit, json=json, calls=calls
    )
    address = connection.address
    with understood(address):
        asyncio.run(follower.run(connection.asynchronous(), feed, start, address))


class _Follower:
    """One feed while it is followed."""

    def __init__(
        self,
        query: Mapping[str, Any],
        sandbox: str,
        *,
        confirm: bool,
        limit: int | None,
        json: bool,
        calls: Calls,
    ) -> None:
        self._calls = calls
        self._query = query
        self._sandbox = sandbox
        self._confirm = confirm
        self._left = limit
        self._json = json
        self._after = -1

    async def run(
        self, client: AsyncClient, feed: str | None, start: int | datetime | None, address: str
    ) -> None:
        async with client:
            name = feed or main_feed(await client.feeds())
            self._after = await self._place(client, name, start)
            said = t("following {feed} at {address}; Ctrl-C leaves", feed=name, address=address)
            note(styled(said, "dim"))
            away = False
            while self._left != 0:
                try:
                    await self._follow(client, name)
                except Unavailable as error:
                    if not away:
                        said = joined(" ", (shown(datetime.now(UTC)), translated(error.detail)))
                        note(styled(said, "yellow"))
                        note(styled(t("trying again; nothing will be missed"), "yellow"))
                    away = True
                    await asyncio.sleep(1)
                else:
                    away = False

    async def _place(self, client: AsyncClient, feed: str, start: int | datetime | None) -> int:
        """Return the index after which the feed is to be shown."""
        if isinstance(start, int):
            return start - 1
        size: int = (await client.head())["size"]
        if start is None:
            return size - 1
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            page = await client.read(feed, after=middle - 1, limit=1, sandbox=self._sandbox)
            if page["entries"] and datetime.fromisoformat(page["entries"][0]["at"]) < start:
                low = page["entries"][0]["index"] + 1
            else:
                high = middle
        return low - 1

    async def _follow(self, client: AsyncClient, feed: str) -> None:
        entries = client.follow(feed, after=self._after, wanted=self._query, sandbox=self._sandbox)
        async with aclosing(entries):
            async for entry in entries:
                if self._json:
                    emit(entry)
                else:
                    say(_line(entry))
                await self._calls.of(entry)
                if self._confirm:
                    await client.confirm(feed, entry["index"])
                # Only now: an entry whose confirmation failed comes again.
                self._after = entry["index"]
                if self._left is not None:
                    self._left -= 1
                    if self._left == 0:
                        return


def _line(entry: Mapping[str, Any]) -> Text:
    at = datetime.fromisoformat(entry["at"])
    return Text("  ").join(
        (
            styled(f"#{entry['index']:<6}", "bold"),
            styled(both(at), "dim"),
            styled(f"{entry['agency']:<10}"),
            _SAID.get(entry["kind"], _other)(entry),
        )
    )


def _message(entry: Mapping[str, Any]) -> Text:
    facts = entry["facts"]
    text = marks(facts.get("status", "Actual"), entry.get("replay", ""))
    if facts["kind"] == "alert":
        severity = facts.get("severity", "Unknown")
        words = joined(" ", (term(severity), term(facts["msg_type"])))
        text += styled(words, SEVERITY_STYLE.get(severity, ""))
    else:
        recall = (facts.get("aid") or {}).get("recall", "")
        text += styled(sort_name(facts["msg_type"], recall), "bold")
    text += Text("  ") + styled(facts.get("headline") or facts["identifier"], "bold")
    areas = [a["description"] for a in facts.get("areas", ()) if a.get("description")]
    if areas:
        text += styled(f"  [{'; '.join(areas)}]")
    if facts.get("expires"):
        until = both(datetime.fromisoformat(facts["expires"]))
        text += Text("  ") + styled(t("until {at}", at=until), "dim")
    return text + styled(f"  {entry['id']}", "dim")


def _acknowledgement(entry: Mapping[str, Any]) -> Text:
    return (
        marks(entry["status"], entry.get("replay", ""))
        + styled(t("acknowledged #{message}", message=entry["message"]), "green")
        + Text(" ")
        + styled(t("by {name}", name=entry["officer"]))
        + styled(f": {entry['note']}" if entry["note"] else "")
    )


def _escalation(entry: Mapping[str, Any]) -> Text:
    of = ", ".join(f"#{index}" for index in entry["messages"][:5])
    more = len(entry["messages"]) - 5
    said = t(
        "NOT ACKNOWLEDGED by {agency}: {messages} (step {step} of {last})",
        agency=entry["recipient"],
        messages=t("{messages} and {count} more", messages=of, count=more) if more > 0 else of,
        step=entry["step"],
        last=LAST_STEP,
    )
    return marks(entry["status"], entry.get("replay", "")) + styled(said, "bold white on red")


def _redaction(entry: Mapping[str, Any]) -> Text:
    said = t(
        "payload of #{message} was removed by law: {grounds}",
        message=entry["message"],
        grounds=entry["grounds"],
    )
    return styled(said, "yellow")


def _other(entry: Mapping[str, Any]) -> Text:
    """Tell of what a newer hub may send."""
    return styled(str(entry["kind"]))


_SAID: Final[Mapping[str, Callable[[Mapping[str, Any]], Text]]] = {
    "publish": _message,
    "acknowledgement": _acknowledgement,
    "escalation": _escalation,
    "redaction": _redaction,
}
