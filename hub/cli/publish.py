"""``caspian publish``: a receipt for every file, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.exits import DONE, exit_code, usage, worst
from hub.cli.files import read_input
from hub.cli.options import AsJson
from hub.cli.statements import passphrase_of
from hub.cli.terminal import emit, note, report, say, styled
from hub.cli.times import shown
from hub.cli.words import found, joined, plain, t, told
from hub.client import Client, Outbox, open_signer
from hub.errors import HubError, Rejected, Unavailable
from schemas.receipt import Receipt

__all__ = ["publish"]


def publish(
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    id_: Annotated[
        str | None,
        Parameter(name="--id", help="Your own id for the message; the hub gives one without it."),
    ] = None,
    key: Annotated[
        Path | None, Parameter(help="Sign with this key file (docs/protocol/signing.md).")
    ] = None,
    outbox: Annotated[
        Path | None,
        Parameter(help="Your own record of what you signed; <agency>.outbox beside the key."),
    ] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> int:
    """Publish CAP or EDXL-RM messages, one a file; each receipt means: durable in the log.

    A file that is refused does not hold up the others. Where the hub is away the rest
    is not tried. Publishing the same file again is safe, and brings the same receipt.
    The exit code tells of the gravest failure.

    Parameters
    ----------
    files: str
        Files in XML or JSON; - reads standard input.

    """
    if not files:
        raise usage(
            t("there is nothing to publish"), remedy=t("Name files, or - for standard input.")
        )
    if unknown := [name for name in files if name.startswith("-") and name != "-"]:
        raise usage(
            t("unknown option {option}", option=unknown[0]),
            remedy=t("See `caspian publish --help`; ./ before a file."),
        )
    if id_ is not None and len(files) > 1:
        raise usage(t("--id names one message"), remedy=t("Publish the files one at a time."))
    if files.count("-") > 1:
        raise usage(t("standard input can be read once"), remedy=t("Name - once."))
    if outbox is not None and key is None:
        raise usage(t("--outbox records what is signed"), remedy=t("Give --key, too."))
    code = DONE
    with connection.client() as client, _sender(client, key, outbox) as send:
        for number, name in enumerate(files):
            error = _one(send, name, id_, json=json)
            if error is None:
                continue
            code = worst(code, exit_code(error))
            if isinstance(error, Unavailable) and (rest := files[number + 1 :]):
                note(styled(t("not tried: {files}", files=", ".join(rest)), "yellow"))
                break
    return code


_LOGGED: Final = told("{id} logged {at}")
_LOGGED_BEFORE: Final = told("{id} logged {at} (it was there before)")
_Send = Callable[[bytes, str | None], Receipt]


@contextmanager
def _sender(client: Client, key: Path | None, outbox: Path | None) -> Iterator[_Send]:
    """Return what publishes: with a key what it signs, else what the hub attests."""
    if key is None:
        yield lambda payload, id_: client.publish(payload, message_id=id_)
        return
    signer = open_signer(key, passphrase_of(key))
    life = client.registry()["keys"].get(str(signer.key))
    if life is None:
        raise Rejected(
            "key-unknown",
            t("the log does not know the key {name}", name=signer.key.name),
            remedy=t("Have it taken in: `caspian keys rotate`."),
        )
    agency = str(life["agency"])
    record = Outbox(outbox or key.with_name(f"{agency}.outbox"), agency)
    try:
        yield lambda payload, id_: client.publish_signed(
            payload, outbox=record, signer=signer, message_id=id_ or ""
        )
    finally:
        record.close()


def _one(send: _Send, name: str, id_: str | None, *, json: bool) -> HubError | None:
    try:
        receipt = send(read_input(name), id_)
    except HubError as error:
        if json:
            emit({"file": name, "error": _object(error)})
        else:
            note(styled(f"{name}:", "bold"))
            report(error)
        return error
    if json:
        emit({"file": name, "receipt": receipt.model_dump(mode="json")})
    else:
        _tell(name, receipt)
    return None


def _tell(name: str, receipt: Receipt) -> None:
    said = _LOGGED_BEFORE if receipt.duplicate else _LOGGED
    say(
        styled(f"{name}:", "bold"),
        styled(f"#{receipt.index}", "green"),
        styled(t(said, id=receipt.id, at=shown(receipt.at))),
    )
    for warning in receipt.warnings:
        line = warning.get("line")
        where = [t("line {number}", number=line)] if line is not None else []
        about = joined(" ", (t("warning"), warning.get("rule"), *where, warning.get("path")))
        place = Text("  ") + styled(joined("", (about, ":")), "yellow")
        note(place, styled(found(str(warning.get("message")))))


def _object(error: HubError) -> dict[str, Any]:
    return {
        "code": error.code,
        "detail": plain(error.detail),
        "remedy": plain(error.remedy),
        "findings": [
            {
                "rule": f.rule,
                "severity": f.severity,
                "path": f.path,
                "line": f.line,
                "message": f.message,
            }
            for f in (error.findings if isinstance(error, Rejected) else ())
        ],
    }
