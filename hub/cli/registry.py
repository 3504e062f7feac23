"""``caspian registry``: who belongs, and the signed statements by which that changes."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.files import read_record
from hub.cli.options import AsJson
from hub.cli.statements import Sign, propose, read_file, sign, write_file
from hub.cli.terminal import emit, say, styled, table
from hub.cli.words import t
from hub.core.changes import ChangeKind

__all__ = ["app"]

app: Final = App(name="registry", help="Change the registry by signed statements.")


@app.command
def show(
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Show the states, their authorities, and how many agencies and keys each has."""
    with connection.client() as client:
        found = client.registry()
    if json:
        emit(found)
        return
    say(styled(found["origin"], "bold"))
    for key, life in found["log_keys"].items():
        if life["until"] is None:
            said = t("signs its checkpoints since #{since}: {key}", since=life["since"], key=key)
        else:
            said = t(
                "signs its checkpoints since #{since}, retired at #{until}: {key}",
                since=life["since"],
                until=life["until"],
                key=key,
            )
        say(styled(said))
    if not found["signed"]:
        say(styled(t("its first entry names no roots: the operator alone changes the registry")))
    agencies: dict[str, Any] = found["agencies"]
    codes = {*found["states"], *(a["state"] for a in agencies.values())}
    table(
        (t("STATE"), t("NAME"), t("AGENCIES"), t("KEYS"), t("AUTHORITY")),
        (
            (
                code,
                found["states"].get(code, {}).get("name", "-"),
                str(sum(a["state"] == code for a in agencies.values())),
                str(
                    sum(
                        agencies[k["agency"]]["state"] == code and k["until"] is None
                        for k in found["keys"].values()
                    )
                ),
                found["states"].get(code, {}).get("authority", "-"),
            )
            for code in sorted(codes)
        ),
    )


@app.command(name="propose")
def propose_(
    kind: ChangeKind,
    record: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="Write it to this file.")
    ] = None,
    sign_: Sign = (),
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Write the statement of a change, for those to sign who must.

    Parameters
    ----------
    kind: str
        What changes: state, member, key, subscription, redaction or log-key.
    record: str
        A JSON file with the record as it shall be; - is standard input.

    """
    whole = read_record(record)
    with connection.client() as client:
        statement = propose(client, kind, whole)
    write_file(output, sign(statement, sign_))


@app.command(name="sign")
def sign_(file: Path, keys: Annotated[tuple[Path, ...], Parameter(name="--key")], /) -> None:
    """Show what a statement says, and sign it with these key files.

    Parameters
    ----------
    file: Path
        The statement; the signatures are added to it.
    keys: Path
        Key files.

    """
    if not keys:
        raise usage(
            t("there is no key to sign with"), remedy=t("Name a key file after the statement.")
        )
    statement = read_file(str(file))
    say(styled(json_.dumps(json_.loads(statement["statement"]), ensure_ascii=False, indent=1)))
    write_file(file, sign(statement, keys))


@app.command
def submit(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Submit a signed statement; it holds from the next entry of the log on.

    Parameters
    ----------
    file: str
        The statement; - is standard input.

    """
    statement = read_file(file)
    with connection.client() as client:
        logged = client.submit(statement)
    if json:
        emit(logged)
    else:
        say(styled(t("the change is in the log:")), styled(f"#{logged['index']}", "green"))
