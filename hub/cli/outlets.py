"""``caspian outlets``: have a feed brought to another system, and look after that."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.options import AsJson
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.times import utc
from hub.client import calls

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
        Literal["Extreme", "Severe", "Moderate", "Minor"],
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
        raise usage(f"{to!r} is no address", remedy="Write https://…, mailto:… or mqtts://….")
    if secret:
        record["secret"] = sys.stdin.readline().strip()
    with connection.client() as client:
        made = client.call(calls.add_outlet(record))
    if json:
        emit(made)
        return
    say(styled(made["id"], "bold"), styled(f"brings {made['feed']} to {_where(made['target'])}"))
    if "secret" in made:
        say(styled(made["secret"]))
        note(styled("keep it: it is shown this once. The receiver verifies with it.", "dim"))


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List the outlets that one looks after, and where each stands."""
    with connection.client() as client:
        found = client.call(calls.outlets())["outlets"]
    if json:
        for one in found:
            emit(one)
        return
    table(
        ("OUTLET", "IS", "FEED", "TO", "THROUGH", "LAST TAKEN", "WHY"),
        (
            (
                one["id"],
                styled(one["state"], _STYLES.get(one["state"], "")),
                one["feed"],
                _where(one["target"]),
                str(one["through"]),
                utc(datetime.fromisoformat(one["delivered_at"])) if one["delivered_at"] else "-",
                one["reason"] or (f"failed {one['failures']} times" if one["failures"] else ""),
            )
            for one in found
        ),
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
    for one in reversed(made):
        if json:
            emit(one)
        else:
            _show(one)
    if not made and not json:
        note(styled("there were none", "dim"))


def _show(attempt: dict[str, Any]) -> None:
    what = "test" if attempt["test"] else f"#{attempt['index']}"
    said = f"{attempt['status'] or ''} {attempt['detail']}".strip()
    say(
        styled(utc(datetime.fromisoformat(attempt["at"])), "dim"),
        styled(f"{what:>8}", "bold"),
        styled("taken " if attempt["ok"] else "failed", "green" if attempt["ok"] else "red"),
        styled(f"{attempt['took_ms']:>6} ms"),
        styled(said),
    )


@app.command(name="test")
def try_out(
    outlet: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Have a test sent, also where the outlet is paused; `outlets log` tells what came of it.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    _act(connection, outlet, "test", f"a test goes out: `caspian outlets log {outlet}`", json=json)


@app.command
def pause(
    outlet: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Send nothing until it is resumed; what comes meanwhile is sent then.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    _act(connection, outlet, "pause", "it is paused", json=json)


@app.command
def resume(
    outlet: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Go on where it stands, at once: after a pause, or once what failed works again.

    Parameters
    ----------
    outlet: str
        Its id, as listed.

    """
    _act(connection, outlet, "resume", "it goes on", json=json)


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
    done = f"it goes on with {index}"
    _act(connection, outlet, "redeliver", done, after=index - 1, json=json)


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
    with connection.client() as client:
        made = client.call(calls.act_on_outlet(outlet, "rotate"))
    if json:
        emit(made)
    else:
        say(styled(made["secret"]))
        note(styled(f"the one before signs too, until {made['rotating_until']}", "dim"))


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
    say(styled(f"{outlet} is removed"))


def _act(
    connection: Connection,
    outlet: str,
    action: str,
    done: str,
    *,
    json: bool,
    after: int | None = None,
) -> None:
    with connection.client() as client:
        made = client.call(calls.act_on_outlet(outlet, action, after=after))
    if json:
        emit(made)
    else:
        say(styled(outlet, "bold"), styled(done))
