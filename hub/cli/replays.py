"""``caspian replays``: steer the replays that a hub plays, for auditors and for training."""

from __future__ import annotations

import base64
import json as json_
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.entries import line, marks
from hub.cli.frames import asked, tabled
from hub.cli.log_source import with_facts
from hub.cli.options import AsJson, ByAgency, From, Kinds, To
from hub.cli.terminal import emit, fields, note, say, styled
from hub.cli.terms import term
from hub.cli.times import read_place, read_speed
from hub.cli.words import joined, t
from hub.client import Client, calls
from hub.log.store import LogRow
from schemas.entry import micros

__all__ = ["app"]

app: Final = App(name="replays", help="Steer replays that a hub plays into a sandbox.")

Speed = Annotated[
    str | None,
    Parameter(help="How many times as fast as it was: 1, 10, 0.5; max: as fast as possible."),
]
Person = Annotated[str, Parameter(help="Only this person of the agency; else all of it.")]
_STYLES: Final = {"running": "green", "paused": "yellow", "ended": "dim", "failed": "bold red"}


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List the replays that you steer, or were admitted to."""
    with connection.client() as client:
        found = client.call(calls.replays())["replays"]
    columns = (
        *(t("REPLAY"), t("IS"), t("SPEED"), t("FROM"), t("AT"), t("TO")),
        *(t("FEED ENTRIES"), t("BY")),
    )
    tabled(found, columns, _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        styled(one["sandbox"], "bold"),
        _state(one),
        _speed(one["speed"]),
        str(one["first"]),
        _reached(one),
        str(one["through"]),
        str(one["routed"]),
        one["by"],
    )


@app.command
def show(
    name: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show one replay: its part of the log, how far it is, its digest, who may read it.

    Parameters
    ----------
    name: str
        Its name, as listed.

    """
    call = calls.replay(name)
    asked(connection, lambda client: client.call(call), _tell, json=json)


@app.command
def add(
    name: str,
    /,
    *,
    from_: From = None,
    to: To = None,
    kinds: Kinds = (),
    agency: ByAgency = None,
    state: Annotated[str, Parameter(help="Only what agencies of this state did: KZ.")] = "",
    incident: Annotated[
        str, Parameter(help="Only messages about this incident, and their acknowledgements.")
    ] = "",
    speed: Speed = None,
    paused: Annotated[
        bool, Parameter(negative="", help="Begin standing still, to go on step by step.")
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Begin a replay: the hub plays a part of the log into a sandbox of this name.

    Read it with `caspian tail FEED --sandbox NAME`.

    Parameters
    ----------
    name: str
        1 to 40 lower-case letters, digits and hyphens.

    """
    record: dict[str, Any] = {
        "sandbox": name,
        "kinds": list(kinds),
        "agency": agency or "",
        "state": state.upper(),
        "incident": incident,
        "speed": read_speed(speed),
        "paused": paused,
    }
    for text, index, moment in ((from_, "first", "since"), (to, "through", "until")):
        if text is not None:
            place = read_place(text, now=datetime.now(UTC))
            record |= {index: place} if isinstance(place, int) else {moment: place.isoformat()}
    call = calls.begin_replay(record)
    asked(connection, lambda client: client.call(call), _tell, json=json)


@app.command
def play(
    name: str,
    /,
    *,
    speed: Speed = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Let a replay go on, at another speed if one is given; also one that is stopped.

    Parameters
    ----------
    name: str
        Its name, as listed.

    """

    def ask(client: Client) -> dict[str, Any]:
        if speed is not None:
            client.call(calls.act_on_replay(name, "speed", {"speed": read_speed(speed)}))
        return client.call(calls.act_on_replay(name, "resume"))

    asked(connection, ask, _tell, json=json)


@app.command
def pause(
    name: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Let a replay stand still.

    Parameters
    ----------
    name: str
        Its name, as listed.

    """
    call = calls.act_on_replay(name, "pause")
    asked(connection, lambda client: client.call(call), _tell, json=json)


@app.command
def step(
    name: str,
    entries: int = 1,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Pause, go on by entries that a feed carries, and show them.

    Parameters
    ----------
    name: str
        Its name, as listed.
    entries: int
        How many.

    """
    with connection.client() as client:
        found = client.call(calls.act_on_replay(name, "step", {"entries": entries}))
    if json:
        emit(found)
        return
    for one in found["entries"]:
        say(marks("Actual", name), _line(one))
        note(
            styled(
                t("into {feeds}", feeds=", ".join(one["feeds"]))
                if one["feeds"]
                else t("into feeds that are not yours"),
                "dim",
            )
        )
    note(
        styled(
            t(
                "{name} is {state} at {index}",
                name=name,
                state=term(found["state_now"]),
                index=_reached(found),
            ),
            "dim",
        )
    )


@app.command
def admit(
    name: str,
    agency: str,
    /,
    *,
    person: Person = "",
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Let an agency, or one person of it, read its own feeds in a replay.

    Parameters
    ----------
    name: str
        Its name, as listed.
    agency: str
        A member, as listed by `caspian members ls`.

    """
    call = calls.admit_to_replay(name, agency, person)
    asked(connection, lambda client: client.call(call), _tell, json=json)


@app.command
def withdraw(
    name: str,
    agency: str,
    /,
    *,
    person: Person = "",
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Take an admission back, as it was given.

    Parameters
    ----------
    name: str
        Its name, as listed.
    agency: str
        Who was admitted.

    """
    call = calls.withdraw_from_replay(name, agency, person)
    asked(connection, lambda client: client.call(call), _tell, json=json)


@app.command
def rm(
    name: str,
    /,
    *,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """End a replay, and remove all feeds of its sandbox.

    Parameters
    ----------
    name: str
        Its name, as listed.

    """
    with connection.client() as client:
        client.call(calls.end_replay(name))
    say(styled(t("{name} has ended, and its feeds are gone", name=name)))


def _tell(one: dict[str, Any]) -> None:
    admitted = ", ".join(f"{a['agency']} {a['person']}".strip() for a in one["admitted"])
    wanted = {name: one[name] for name in ("kinds", "agency", "state", "incident") if one[name]}
    part = t("{first} to {through}", first=one["first"], through=one["through"])
    rows: tuple[tuple[str, object], ...] = (
        (t("replay"), styled(one["sandbox"], "bold")),
        (t("is"), _state(one)),
        (t("part"), joined(" ", (part, *([_written(wanted)] if wanted else ())))),
        (t("speed"), _speed(one["speed"])),
        (t("at"), _reached(one)),
        (t("feed entries"), one["routed"]),
        (t("digest"), one["digest"] or "-"),
        (t("by"), one["by"]),
        (t("may read"), admitted or "-"),
    )
    fields(rows, width=14)
    if one["error"]:
        say(styled(one["error"], "bold red"))


def _written(wanted: dict[str, Any]) -> str:
    return json_.dumps(wanted, ensure_ascii=False) if wanted else ""


def _state(one: dict[str, Any]) -> Text:
    return styled(term(one["state_now"]), _STYLES.get(one["state_now"], "red"))


def _speed(speed: float | None) -> str:
    return "max" if speed is None else f"{speed:g}"


def _reached(one: dict[str, Any]) -> str:
    return "-" if one["reached"] < 0 else str(one["reached"])


def _line(one: dict[str, Any]) -> Text:
    if one["entry"] is None:
        return styled(f"{one['index']:>7}  ", "dim") + styled(t("not yours to read"), "dim")
    payload = one["payload"]
    row = LogRow(
        one["index"],
        micros(datetime.fromisoformat(one["at"])),
        one["kind"],
        one["agency"],
        base64.b64decode(one["entry"]),
        None if payload is None else base64.b64decode(payload),
        one["payload_type"],
    )
    return line(with_facts(row))
