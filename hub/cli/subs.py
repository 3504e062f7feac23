"""``caspian subs``: further feeds of an agency, each a part of what it is entitled to."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.files import read_record
from hub.cli.filters import Wanted
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.statements import Sign, submitted
from hub.cli.terminal import emit, say, styled
from hub.cli.words import joined, t

__all__ = ["app"]

app: Final = App(name="subs", help="Show and register subscriptions.")


@app.command
def ls(
    *,
    agency: Annotated[str | None, Parameter(help="Only those of this agency.")] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List subscriptions: all for an operator or auditor, else those of one's own agency."""
    with connection.client() as client:
        found = client.members()["subscriptions"]
    found = [s for s in found if agency in {None, s["agency"]}]
    columns = (t("FEED"), t("CHANNEL"), t("ACTIVE"), t("WANTS"))
    tabled(sorted(found, key=itemgetter("feed")), columns, _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        styled(one["feed"], "" if one["active"] else "dim"),
        one["channel"],
        t("yes") if one["active"] else t("no"),
        _wants(one["filter"]),
    )


def _wants(filter_: dict[str, Any]) -> str:
    parts = []
    for name, value in filter_.items():
        # Which version of the outlines it is held to is for auditors: `log show` has it.
        if value and name != "outlines":
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            parts.append(f"{name}={text}")
    return " ".join(parts) or t("everything")


@app.command
def add(
    feed: str | None = None,
    /,
    *,
    channel: Annotated[
        Literal["actual", "exercise", "system", "draft"],
        Parameter(help="Messages of different reality never share a feed."),
    ] = "actual",
    wanted: Wanted = Wanted(),  # noqa: B008 - frozen, and made of the options
    active: Annotated[
        bool, Parameter(negative="--inactive", help="Whether it is written to.")
    ] = True,
    sign: Sign = (),
    record: Annotated[
        str | None,
        Parameter(
            help="Take the whole record from this JSON file; - is stdin.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Register a subscription, or change one; it holds what is logged from then on.

    Parameters
    ----------
    feed: str
        The agency's id, a dot, a name: az-fhn.oil.

    """
    if (feed is None) == (record is None):
        raise usage(
            t("a subscription is given by its feed, or by --record"),
            remedy=t("Give one of the two."),
        )
    if record is not None:
        if wanted != Wanted():
            raise usage(t("--record is the whole record"), remedy=t("Put all of it into the file."))
        whole = read_record(record)
    else:
        assert feed is not None  # noqa: S101 - checked above
        agency, dot, name = feed.partition(".")
        if not dot:
            raise usage(
                t("{feed} is no feed", feed=repr(feed)), remedy=t("Write AGENCY.NAME: az-fhn.oil.")
            )
        whole = {
            "agency": agency,
            "name": name,
            "channel": channel,
            "filter": wanted.as_filter(),
            "active": active,
        }
    with connection.client() as client:
        if sign:
            submitted(client, "subscription", whole, sign)
            subscriptions = client.members()["subscriptions"]
            logged = next(s for s in subscriptions if _same(s, whole))
        else:
            logged = client.add_subscription(whole)
    if json:
        emit(logged)
    else:
        say(
            styled(logged["feed"], "bold"),
            styled(joined(" ", (t("is in the log:"), _wants(logged["filter"])))),
        )


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other.get(name) for name in ("agency", "name"))
