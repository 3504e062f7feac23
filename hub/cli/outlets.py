"""``caspian outlets``: have a feed brought to another system, and look after that."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.frames import asked, listed, tabled
from hub.cli.options import AsJson
from hub.cli.terminal import column, note, say, styled, verbatim
from hub.cli.terms import term
from hub.cli.times import shown
from hub.cli.words import many, t, told
from hub.client import calls
from schemas.scales import KnownSeverity

__all__ = ["app"]

app: Final = App(name="outlets", help="Bring feeds to other systems: webhooks, mail, brokers.")

_STYLES: Final = {"active": "green", "paused": "yellow", "failing": "red", "disabled": "red"}


@app.command
def add(
    feed: str,
    to: str,
    /,
    *,
    confirms: Annotated[
        bool,
        Parameter(negative="", help="What this webhook has taken counts as delivered."),
    ] = False,
    after: Annotated[
        int | None, Parameter(help="Begin after this log index; else with what comes now.")
    ] = None,
    language: Annotated[
        Literal["en", "ru", "az", "kk", "tk", "fa"], Parameter(help="Mail: the language.")
    ] = "en",
    immediate: Annotated[
        KnownSeverity,
        Parameter(help="Mail: from this severity on each alert is sent at once."),
    ] = "Severe",
    every: Annotated[int, Parameter(help="Mail: minutes between digests of the rest.")] = 60,
    prefix: Annotated[str, Parameter(help="Broker: what topics begin with.")] = "caspian/a/hub",
    secret: Annotated[
        bool,
        Parameter(
            negative="",
            help="Read the broker's password, or a webhook's own secret, from standard input.",
        ),
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Bring a feed to a webhook, a mailbox or a broker; a webhook's secret is shown this once.

    Parameters
    ----------
    feed: str
        az-fhn, or az-fhn.oil of a subscription; public: all alerts that are for everybody.
    to: str
        https://receiver.example/hook, mailto:duty@fhn.example, or mqtts://user@broker.example.

    """
    record: dict[str, Any] = {"feed": feed, "confirms": confirms, "after": after}
    scheme = urlsplit(to).scheme
    if scheme in {"http", "https"}:
        record["target"] = {"kind": "webhook", "url": to}
    elif scheme == "mailto":
        record["target"] = {
            "kind": "mail",
            "address": to.partition(":")[2],
            "language": language,
            "immediate": immediate,
            "digest_minutes": every,
        }
    elif scheme in {"mqtt", "mqtts"}:
        record["target"] = {"kind": "mqtt", "url": to, "prefix": prefix}
    else:
        raise usage(
            t("{text} is no address", text=repr(to)),
            remedy=t("Write https://…, mailto:… or mqtts://…."),
        )
    if secret:
        record["secret"] = sys.stdin.readline().strip()
    asked(connection, lambda client: client.call(calls.add_outlet(record)), _added, json=json)


def _added(made: dict[str, Any]) -> None:
    to = _where(made["target"])
    say(
        styled(made["id"], "bold"),
        styled(t("brings {feed} to {place}", feed=made["feed"], place=to)),
    )
    if "secret" in made:
        say(verbatim(made["secret"]))
        note(styled(t("keep it: it is shown this once. The receiver verifies with it."), "dim"))


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List the outlets that one looks after, and where each stands."""
    with connection.client() as client:
        found = client.call(calls.outlets())["outlets"]
    columns = (
        t("OUTLET"),
        t("IS"),
        t("FEED"),
        t("TO"),
        t("THROUGH"),
        t("LAST TAKEN"),
        t("WHY"),
    )
    tabled(found, columns, _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    failed = many("failed {count} time", "failed {count} times", one["failures"])
    return (
        one["id"],
        styled(term(one["state"]), _STYLES.get(one["state"], "")),
        one["feed"],
        _where(one["target"]),
        str(one["through"]),
        shown(datetime.fromisoformat(one["delivered_at"])) if one["delivered_at"] else "-",
        one["reason"] or (failed if one["failures"] else ""),
    )


def _where(target: dict[str, Any]) -> str:
    return str(target.get("url") or target.get("address"))


@app.command
def log(
    outlet: str,
    /,
    *,
    limit: Annotated[int, Parameter(help="So many of the latest attempts; 500 are kept.")] = 20,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show the latest attempts of an outlet, oldest first.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    with connection.client() as client:
        made = client.call(calls.outlet(outlet, limit=limit))["attempts"]
    listed(reversed(made), _show, json=json)


def _show(attempt: dict[str, Any]) -> None:
    what = styled(t("test") if attempt["test"] else f"#{attempt['index']}", "bold")
    what.pad_left(max(0, 8 - what.cell_len))
    said = f"{attempt['status'] or ''} {attempt['detail']}".strip()
    say(
        styled(shown(datetime.fromisoformat(attempt["at"])), "dim"),
        what,
        column(t("taken"), 6, "green") if attempt["ok"] else column(t("failed"), 6, "red"),
        styled(f"{attempt['took_ms']:>6} ms"),
        styled(said),
    )


def _simple(action: str, said: str, help_: str) -> None:
    """Make a command that does one thing to an outlet."""

    def act(
        outlet: str,
        /,
        *,
        json: AsJson = False,
        connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
    ) -> None:
        _act(connection, outlet, action, said, json=json)

    act.__doc__ = f"""{help_}

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    app.command(act, name=action)


_simple(
    "test",
    told("a test goes out: `caspian outlets log {outlet}`"),
    "Have a test sent, also where the outlet is paused; `outlets log` tells what came of it.",
)
_simple(
    "pause",
    told("it is paused"),
    "Send nothing until it is resumed; what comes meanwhile is sent then.",
)
_simple(
    "resume",
    told("it goes on"),
    "Go on where it stands, at once: after a pause, or once what failed works again.",
)


@app.command
def redeliver(
    outlet: str,
    index: int,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Send everything again from a log index on; or pass over what stands in the way.

    Parameters
    ----------
    outlet: str
        Its id, as listed.
    index: int
        The first log index to send.

    """
    said = told("it goes on with {index}")
    _act(connection, outlet, "redeliver", said, after=index - 1, json=json)


@app.command
def rotate(
    outlet: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Give a webhook another secret, shown this once; for a day both sign.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """

    def tell(made: dict[str, Any]) -> None:
        say(verbatim(made["secret"]))
        until = t("the one before signs too, until {at}", at=made["rotating_until"])
        note(styled(until, "dim"))

    call = calls.act_on_outlet(outlet, "rotate")
    asked(connection, lambda client: client.call(call), tell, json=json)


@app.command
def rm(
    outlet: str,
    /,
    *,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Remove an outlet, its secret, and what is known of its attempts.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    with connection.client() as client:
        client.call(calls.remove_outlet(outlet))
    say(styled(t("{outlet} is removed", outlet=outlet)))


def _act(
    connection: Connection,
    outlet: str,
    action: str,
    said: str,
    *,
    json: bool,
    after: int | None = None,
) -> None:
    def tell(_: dict[str, Any]) -> None:
        begins = 0 if after is None else after + 1
        say(styled(outlet, "bold"), styled(t(said, outlet=outlet, index=begins)))

    call = calls.act_on_outlet(outlet, action, after=after)
    asked(connection, lambda client: client.call(call), tell, json=json)
