"""``caspian keys``: the keys with which agencies sign, from the first to the revoked."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.statements import Sign, propose, sign, write_file
from hub.cli.terminal import column, emit, note, say, styled, verbatim
from hub.cli.words import many, t
from hub.client.outbox import Outbox
from hub.client.signers import make_command_file, make_key_file, read_key
from hub.core.signing import Chain
from hub.errors import Rejected
from schemas.ed25519 import KEY_NAME, VerifierKey

__all__ = ["app"]

app: Final = App(name="keys", help="Make, show, rotate and revoke signing keys.")

_Output = Annotated[
    Path | None,
    Parameter(
        name=("--output", "-o"), help="Write the statement here, for others to sign; do not submit."
    ),
]


@app.command
def new(
    file: Path,
    /,
    *,
    name: Annotated[str | None, Parameter(help="What the key is called; the file's name.")] = None,
    sealed: Annotated[
        bool, Parameter(negative="", help="Seal it with a passphrase, which is asked for.")
    ] = False,
    command: Annotated[
        str | None,
        Parameter(help="A program that holds the key and signs what it reads (a card, an agent)."),
    ] = None,
    public: Annotated[str | None, Parameter(help="The verifier key of that program.")] = None,
    json: AsJson = False,
) -> None:
    """Make a key, in a file that only you can read; print the part that others need.

    Parameters
    ----------
    file: Path
        The file to make; keep a copy of it in a safe.

    """
    if (command is None) != (public is None):
        raise usage(t("--command and --public go together"), remedy=t("Give both, or neither."))
    if command is not None and public is not None:
        key = VerifierKey.read(public)
        make_command_file(file, key, shlex.split(command))
    else:
        called = name or file.stem
        if not re.fullmatch(KEY_NAME, called):
            raise usage(
                t("{called} is no name for a key", called=repr(called)),
                remedy=t("Use letters, digits and ._/- only."),
            )
        key = make_key_file(file, called, _new_passphrase() if sealed else "")
    _print(key, json=json)


def _new_passphrase() -> str:
    if (given := os.environ.get("CASPIAN_PASSPHRASE")) is not None:
        return given
    if not sys.stdin.isatty():
        raise usage(
            t("there is nobody to ask for a passphrase"),
            remedy=t("Call it from a terminal, or set CASPIAN_PASSPHRASE."),
        )
    first, again = (getpass.getpass(f"{p} ") for p in (t("passphrase:"), t("the same again:")))
    if first != again or not first:
        raise usage(t("the two are not the same, or empty"), remedy=t("Try again."))
    return first


@app.command
def show(file: Path, /, *, json: AsJson = False) -> None:
    """Print the verifier key of a key file; this part is no secret.

    Parameters
    ----------
    file: Path
        The file.

    """
    _print(read_key(file), json=json)


def _print(key: VerifierKey, *, json: bool) -> None:
    if json:
        emit({"name": key.name, "id": key.id, "key": str(key)})
    else:
        say(verbatim(str(key)))


@app.command
def ls(
    *,
    agency: Annotated[str | None, Parameter(help="Only those of this agency.")] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """List the keys that the log knows, and from which entry to which each counts."""
    with connection.client() as client:
        found: dict[str, Any] = client.registry()["keys"]
    shown = ({"key": k, **v} for k, v in found.items() if agency in {None, v["agency"]})
    columns = (t("AGENCY"), t("SINCE"), t("UNTIL"), t("EXPIRES"), t("DOUBTED FROM"), t("KEY"))
    tabled(shown, columns, _row, json=json)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["agency"],
        f"#{one['since']}",
        _index(one["until"]),
        one["expires"] or t("never"),
        _index(one["compromised_since"]),
        styled(one["key"], "dim" if one["until"] is not None else ""),
    )


def _index(value: int | None) -> str:
    return "-" if value is None else f"#{value}"


@app.command
def rotate(
    agency: str,
    /,
    *,
    key: Annotated[Path, Parameter(help="The new key's file; it is made if it is not there.")],
    expires: Annotated[datetime | None, Parameter(help="Its last moment (UTC).")] = None,
    sign_: Sign = (),
    output: _Output = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Have a new key count for an agency; its older ones go on counting until they are revoked.

    The new key signs by itself; the agency's root and the state's authority must too.

    Parameters
    ----------
    agency: str
        Whose key.

    """
    if not key.exists():
        make_key_file(key, key.stem)
    record = {"agency": agency, "key": str(read_key(key)), "action": "add"}
    if expires is not None:
        record["expires"] = expires.isoformat() + ("" if expires.tzinfo else "Z")
    _change(record, (key, *sign_), output, connection, json=json)


@app.command
def revoke(
    key: str,
    /,
    *,
    compromised_since: Annotated[
        int | None, Parameter(help="The log index from which on its messages are doubted.")
    ] = None,
    reason: Annotated[str, Parameter(help="Why, for everybody to read.")] = "",
    sign_: Sign = (),
    output: _Output = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Revoke a key: it signs nothing from the next entry on. It never comes back.

    The agency's root or the state's authority signs; one of them is enough.

    Parameters
    ----------
    key: str
        The verifier key, or its name or id where only one key has it.

    """
    with connection.client() as client:
        found: dict[str, Any] = client.registry()["keys"]
    matching = [k for k in found if k == key or key in k.split("+")[:2]]
    if len(matching) != 1:
        raise Rejected(
            "key-unknown",
            many(
                "{count} key is called {key}",
                "{count} keys are called {key}",
                len(matching),
                key=key,
            ),
            remedy=t("Give the whole verifier key: `caspian keys ls`."),
        )
    record: dict[str, Any] = {
        "agency": found[matching[0]]["agency"],
        "key": matching[0],
        "action": "revoke",
        "reason": reason,
    }
    if compromised_since is not None:
        record["compromised_since"] = compromised_since
    _change(record, sign_, output, connection, json=json)


def _change(
    record: dict[str, Any],
    files: tuple[Path, ...],
    output: Path | None,
    connection: Connection,
    *,
    json: bool,
) -> None:
    with connection.client() as client:
        statement = sign(propose(client, "key", record), files)
        if output is not None:
            write_file(output, statement)
            return
        logged = client.submit(statement)
    if json:
        emit(logged)
    else:
        say(styled(t("the change is in the log:")), styled(f"#{logged['index']}", "green"))


@app.command
def chain(
    agency: str,
    outbox: Path,
    /,
    *,
    adopt: Annotated[
        bool, Parameter(negative="", help="Go on from the log's count, where yours was lost.")
    ] = False,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> int:
    """Compare your own count of what you signed with the log's; 5 if they differ.

    Parameters
    ----------
    agency: str
        Whose count.
    outbox: Path
        Your own record of it: the file that `caspian publish --outbox` keeps.

    """
    with connection.client() as client:
        told = client.chain(agency)
    log = Chain(told["seq"], told["head"])
    record = Outbox(outbox, agency)
    try:
        if adopt:
            record.adopt(log)
        own, waiting, agree = record.chain, record.waiting(), record.agrees(log)
    finally:
        record.close()
    if json:
        emit({"own": own.seq, "log": log.seq, "waiting": len(waiting), "agree": agree})
    else:
        say(column(t("own"), 3), styled(f"{own.seq} {own.head[:16] or '-'}"))
        say(column(t("log"), 3), styled(f"{log.seq} {log.head[:16] or '-'}"))
        if waiting:
            note(
                styled(
                    many(
                        "{count} waits for its answer",
                        "{count} wait for their answer",
                        len(waiting),
                    ),
                    "yellow",
                )
            )
        if not agree:
            note(
                styled(
                    t(
                        "they differ: if what the log has is not yours, revoke the key; if your "
                        "own record was lost, --adopt the log's"
                    ),
                    "red",
                )
            )
    return 0 if agree else 5
