"""``caspian members``: who belongs. Each change is an entry in the log, seen by all."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli import statements
from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.files import read_record
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.statements import Sign, propose, submitted, write_file
from hub.cli.terminal import emit, say, styled
from hub.cli.words import t
from hub.errors import Rejected
from schemas.places.outlines import LATEST

__all__ = ["app"]

app: Final = App(name="members", help="Show and register member agencies.")


@app.command
def ls(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List the members."""
    with connection.client() as client:
        members = client.members()["members"]
    columns = (t("ID"), t("STATE"), t("NAME"), t("ACTIVE"), t("SENDERS"))
    tabled(sorted(members, key=itemgetter("id")), columns, _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        styled(one["id"], "" if one["active"] else "dim"),
        one["state"],
        one["name"],
        t("yes") if one["active"] else t("no"),
        ", ".join(one["senders"]) or t("any"),
    )


@app.command
def show(
    agency: str,
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show one member, and its subscriptions where you may see them.

    Parameters
    ----------
    agency: str
        Its id: az-fhn.

    """
    with connection.client() as client:
        found = client.members()
    record = _of(found, agency)
    if record is None:
        raise Rejected(
            "unknown-agency",
            t("{agency} is not a member", agency=agency),
            remedy=t(
                "Members are {members}.",
                members=", ".join(sorted(m["id"] for m in found["members"])),
            ),
        )
    subscriptions = [s for s in found["subscriptions"] if s["agency"] == agency]
    if json:
        emit({**record, "subscriptions": subscriptions})
        return
    for name, value in record.items():
        text = value if isinstance(value, str) else _words(value)
        say(styled(f"{name:<11}", "dim"), styled(text))
    for one in subscriptions:
        say(styled(f"{'feed':<11}", "dim"), styled(one["feed"]))


def _of(found: Mapping[str, Any], agency: str) -> dict[str, Any] | None:
    return next((dict(m) for m in found["members"] if m["id"] == agency), None)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {v}" for k, v in value.items()) or "-"
    return ", ".join(map(str, value)) or "-" if isinstance(value, list) else str(value)


@app.command
def add(
    agency: str | None = None,
    /,
    *,
    name: Annotated[str | None, Parameter(help="What it is called, in English.")] = None,
    name_in: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="Its name in a language, as az=Fövqəladə Hallar Nazirliyi."),
    ] = (),
    sender: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="A CAP sender that is its own; * at the end is any rest."),
    ] = (),
    address: Annotated[
        tuple[str, ...], Parameter(negative="", help="A name by which CAP addresses call it.")
    ] = (),
    language: Annotated[
        tuple[str, ...], Parameter(negative="", help="A language that it reads.")
    ] = (),
    area: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="A place it may alert for: AZ, AZ-BA or AZ-coast."),
    ] = (),
    active: Annotated[
        bool | None, Parameter(negative="--inactive", help="Whether it takes part.")
    ] = None,
    root: Annotated[
        str | None, Parameter(help="The verifier key of its root, kept off line.")
    ] = None,
    signs: Annotated[
        bool | None,
        Parameter(negative="--no-signs", help="Whether every message of it must be signed."),
    ] = None,
    coordinates: Annotated[
        bool | None,
        Parameter(
            negative="--no-coordinates",
            help="Whether it is told when another agency of its state acknowledges too late.",
        ),
    ] = None,
    approval: Annotated[
        bool | None,
        Parameter(
            negative="--no-approval",
            help="Whether what an officer of it sends needs a second officer's approval.",
        ),
    ] = None,
    sign: Sign = (),
    output: Annotated[
        Path | None,
        Parameter(name=("--output", "-o"), help="Write the change here, for others to sign."),
    ] = None,
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
    """Register an agency, or change what is given of one that is registered.

    A list that is given replaces the list there was. Registering the same again
    changes nothing.

    Parameters
    ----------
    agency: str
        Its id: the code of its state, a hyphen, its own: az-fhn.

    """
    given = {
        "name": name,
        "names": _names(name_in) or None,
        "senders": list(sender) or None,
        "addresses": list(address) or None,
        "languages": list(language) or None,
        "outlines": LATEST if area else None,
        "areas": list(area) or None,
        "root": root,
        "signs": signs,
        "coordinates": coordinates,
        "approval": approval,
        "active": active,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if (agency is None) == (record is None):
        raise usage(
            t("an agency is given by its id, or by --record"), remedy=t("Give one of the two.")
        )
    if record is not None and given:
        raise usage(t("--record is the whole record"), remedy=t("Put all of it into the file."))
    whole = read_record(record) if record is not None else None
    with connection.client() as client:
        if whole is None:
            assert agency is not None  # noqa: S101 - checked above
            there = _of(client.members(), agency)
            whole = {"id": agency, "state": agency[:2].upper(), **(there or {}), **given}
            if there is None and name is None:
                raise usage(
                    t("{agency} is new: it needs a name", agency=agency), remedy=t("Give --name.")
                )
        if output is not None:
            write_file(output, statements.sign(propose(client, "member", whole), sign))
            return
        if sign:
            submitted(client, "member", whole, sign)
            logged = whole
        else:
            logged = client.add_member(whole)
    if json:
        emit(logged)
    else:
        say(styled(logged["id"], "bold"), styled(t("is in the log:")), styled(logged["name"]))


def _names(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        language, equals, name = pair.partition("=")
        if not equals or not language or not name:
            raise usage(
                t("{pair} is no name in a language", pair=repr(pair)), remedy=t("Write az=Name.")
            )
        found[language] = name
    return found
