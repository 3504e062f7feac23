"""``caspian proof`` and ``receipt``: evidence to keep, and to check without any hub."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.text import Text

from hub.cli.connection import Connection
from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.options import AsJson
from hub.cli.terminal import emit, fields, note, say, styled
from hub.cli.terms import term
from hub.cli.times import both
from hub.cli.words import joined, many, t
from hub.core.levels import Proven, prove
from schemas.dsse import HEADER_TYPE, signed_by
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.entry import decode
from schemas.errors import Rejected
from schemas.log_receipt import LogReceipt, read_log_receipt
from schemas.policy import LEVELS, Level, Policy, read_policy

__all__ = ["app", "proof"]

app: Final = App(name="receipt", help="Keep receipts of the log, and check them without a hub.")

_Output = Annotated[
    Path | None,
    Parameter(name=("--output", "-o"), help="Write it to this file, not to standard output."),
]
_STYLE: Final[Mapping[Level, str]] = {
    "durable": "yellow",
    "signed": "cyan",
    "witnessed": "green",
    "sealed": "bold green",
}


def proof(
    name: str,
    /,
    *,
    output: _Output = None,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Write the proof that a message is in the log, as other people's tools read it (tlog-proof).

    Parameters
    ----------
    name: str
        The message's id or log index.

    """
    with connection.client() as client:
        _write(output, client.proof(name))


@app.command
def get(
    name: str,
    /,
    *,
    output: _Output = None,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Write the receipt of a message: its entry, the proof, and how far it has come by now.

    Parameters
    ----------
    name: str
        The message's id or log index.

    """
    with connection.client() as client:
        found = client.log_receipt(name)
    _write(output, json_.dumps(found, indent=1).encode() + b"\n")
    if output is not None:
        note(styled(f"{output}: {found['level']}", "dim"))


def _write(path: Path | None, data: bytes) -> None:
    if path is None:
        print(data.decode(), end="")
        return
    try:
        path.write_bytes(data)
    except OSError as e:
        raise usage(
            t("{file} cannot be written: {why}", file=path, why=e.strerror),
            remedy=t("Name another file."),
        ) from e


@app.command
def verify(
    file: Path,
    /,
    *,
    policy: Annotated[
        Path, Parameter(help="Whose word counts for you: docs/protocol/log.md, Policies.")
    ],
    least: Annotated[
        Level | None, Parameter(help="Exit 5 if it has not come as far as this.")
    ] = None,
    payload: Annotated[
        Path | None, Parameter(help="The message itself: see that the receipt is of it.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Check a receipt with a policy of your own; no hub is asked. Exit 5 if it does not hold.

    Parameters
    ----------
    file: Path
        The receipt, as `caspian receipt get` wrote it.

    """
    receipt = read_log_receipt(_read(file))
    rules = read_policy(_read(policy))
    entry = _entry(receipt)
    given = receipt.read_proof()
    proven = None if given is None else prove(receipt.body(), given, rules)
    if proven is not None and proven.checkpoint.origin != receipt.origin:
        other = t(
            "it is of the log {other}, not {origin}",
            other=proven.checkpoint.origin,
            origin=receipt.origin,
        )
        raise _wrong(other)
    signer = _signer(entry)
    if payload is not None:
        _same(entry, _read(payload))
    reached: Level = "durable" if proven is None else proven.level
    wanted: Level = least or ("signed" if receipt.level == "durable" else receipt.level)
    enough = LEVELS.index(reached) >= LEVELS.index(wanted)
    if json:
        emit(_object(receipt, reached, proven, rules, signer))
    else:
        _tell(receipt, entry, proven, rules, signer)
        if not enough:
            note(
                styled(
                    t("it has not reached {level}, by this policy", level=term(wanted)), "bold red"
                )
            )
    return DONE if enough else REFUSED


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise usage(f"{path}: {e.strerror}", remedy=t("Name a file that is there.")) from e


def _entry(receipt: LogReceipt) -> dict[str, Any]:
    try:
        return decode(receipt.body())
    except ValueError as e:
        raise _wrong(t("its entry is none of a log")) from e


def _signer(entry: Mapping[str, Any]) -> str:
    """Return which key signed the message's header, once the signature holds; empty if none."""
    if "key" not in entry or entry["kind"] != "publish":
        return ""
    key = VerifierKey.read(str(entry["key"]))
    signature = decode_base64(str(entry["signature"])) or b""
    if not signed_by(HEADER_TYPE, str(entry["header"]).encode(), key, signature):
        who = key.name
        raise _wrong(t("the signature of {who} over the message's header does not hold", who=who))
    return str(key)


def _same(entry: Mapping[str, Any], payload: bytes) -> None:
    header = json_.loads(str(entry.get("header", "{}")))
    if header.get("payload_sha256") != sha256(payload).hexdigest():
        raise _wrong(t("it is the receipt of another message"))


def _wrong(why: str) -> Rejected:
    return Rejected(
        "receipt-wrong",
        t("the receipt does not hold: {why}", why=why),
        remedy=t("Keep it and tell everybody: it may be evidence of another history."),
    )


def _object(
    receipt: LogReceipt, reached: Level, proven: Proven | None, policy: Policy, signer: str
) -> dict[str, Any]:
    by = proven.existed_by(policy) if proven else None
    return {
        "origin": receipt.origin,
        "index": receipt.index,
        "level": reached,
        "said": receipt.level,
        "size": proven.checkpoint.size if proven else None,
        "root": proven.checkpoint.root.hex() if proven else None,
        "cosigned": dict(proven.cosigned) if proven else {},
        "existed_by": by,
        "signer": signer,
    }


def _tell(
    receipt: LogReceipt,
    entry: Mapping[str, Any],
    proven: Proven | None,
    policy: Policy,
    signer: str,
) -> None:
    say(styled(t("entry {index} of {origin}", index=receipt.index, origin=receipt.origin), "bold"))
    whose = entry["agency"] or t("the hub")
    about = t("{kind} of {agency}, {at}", kind=entry["kind"], agency=whose, at=entry["at"])
    rows: list[tuple[str, str | Text]] = [(t("logged"), about)]
    if entry["kind"] == "publish":
        name = signer.partition("+")[0]
        rows.append(
            (
                t("message"),
                t("signed by {name}", name=name) if signer else t("the hub vouches for its header"),
            )
        )
    if proven is None:
        rows.insert(0, (t("level"), styled(term("durable"), _STYLE["durable"])))
        none = t("none: nothing that covers it was signed yet, it is the hub's word")
        rows.append((t("proof"), none))
    else:
        rows.insert(0, (t("level"), styled(term(proven.level), _STYLE[proven.level])))
        size, root = proven.checkpoint.size, proven.checkpoint.root.hex()
        end = many("{count} entry, root {root}", "{count} entries, root {root}", size, root=root)
        rows.append((t("signed"), end))
        by = proven.cosigned.items()
        rows += [(t("cosigned"), joined(" ", (who, _moment(at)))) for who, at in by]
        if (existed := proven.existed_by(policy)) is not None:
            clocks = t("{at}, by the clocks of a quorum", at=_moment(existed))
            rows.append((t("existed by"), clocks))
    fields(rows, width=11)


def _moment(at: int) -> str:
    try:
        return both(datetime.fromtimestamp(at, UTC))
    except (ValueError, OverflowError, OSError):
        return t("{seconds} s after 1970", seconds=at)
