"""``caspian holds``: what may not be removed from the hub, who says so, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.statements import Sign, propose, sign, write_file
from hub.cli.terminal import emit, say, styled
from hub.cli.words import joined, t
from hub.client import Client, calls

__all__ = ["app"]

app: Final = App(name="holds", help="Legal holds: what may not be removed.")

Reason = Annotated[str, Parameter(help="The case or order, for everybody to read.")]
Output = Annotated[
    Path | None,
    Parameter(
        name=("--output", "-o"),
        help="Write the statement here, for the state's authority to sign; do not submit.",
    ),
]


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List all holds, those that ended too."""
    with connection.client() as client:
        found = client.call(calls.holds())["holds"]
    columns = (t("HOLD"), t("STATE"), t("WHAT"), t("REASON"), t("RELEASED"))
    tabled(found, columns, _row, json=json)


def _row(hold: dict[str, Any]) -> tuple[object, ...]:
    released = "" if hold["until"] is None else f"#{hold['until']}"
    return f"#{hold['index']}", hold["state"], _what(hold), hold["reason"], released


def _what(hold: dict[str, Any]) -> str:
    if hold["message"] is not None:
        return f"#{hold['message']}"
    return t("incident {incident}", incident=hold["incident"])


@app.command
def add(
    state: str,
    /,
    *,
    message: Annotated[int | None, Parameter(help="The log index of a message.")] = None,
    incident: Annotated[str, Parameter(help="All that is about an incident.")] = "",
    reason: Reason,
    sign_: Sign = (),
    output: Output = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Hold a message, or all about an incident: nobody can remove it, and age does not.

    In a log that began with roots the authority of the state signs.

    Parameters
    ----------
    state: str
        The state that holds: AZ.

    """
    if (message is None) == (not incident):
        raise usage(t("name a message or an incident"), remedy=t("Add --message or --incident."))
    record = {"state": state, "message": message, "incident": incident, "reason": reason}
    with connection.client() as client:
        done = _done(client, "hold", record, sign_, output, lambda: client.call(calls.hold(record)))
    if done is not None:
        _told(done, record, json=json)


@app.command
def release(
    hold: int,
    /,
    *,
    reason: Reason,
    sign_: Sign = (),
    output: Output = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """End a hold.

    Parameters
    ----------
    hold: int
        The log index of the hold.

    """
    with connection.client() as client:
        holds = client.call(calls.holds())["holds"]
        state = next((h["state"] for h in holds if h["index"] == hold), "")
        record = {"state": state, "hold": hold, "reason": reason}
        done = _done(
            client,
            "release",
            record,
            sign_,
            output,
            lambda: client.call(calls.release(hold, reason)),
        )
    if done is not None:
        _told(done, record, json=json)


def _done(
    client: Client,
    kind: Any,
    record: dict[str, Any],
    sign_: Sign,
    output: Path | None,
    plain: Any,
) -> dict[str, Any] | None:
    """Propose a change by statement, or as it is; None where it was only written down."""
    if output is None and not sign_:
        found: dict[str, Any] = plain()
        return found
    statement = sign(propose(client, kind, record), sign_)
    if output is not None:
        write_file(output, statement)
        return None
    return client.submit(statement)


def _told(done: dict[str, Any], record: dict[str, Any], *, json: bool) -> None:
    if json:
        emit({"index": done["index"], **record})
        return
    said = joined(": ", (record["state"], record["reason"]))
    say(styled(f"#{done['index']}", "bold"), styled(said))
