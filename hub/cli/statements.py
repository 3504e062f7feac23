"""Signed changes of the registry as files: one writes them, others sign, anybody submits."""

from __future__ import annotations

import base64
import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hub.cli.exits import usage
from hub.cli.files import read_record
from hub.cli.terminal import note, styled
from hub.cli.words import t
from hub.client import Client
from hub.client.signers import Signer, open_signer
from hub.core.changes import ChangeKind, statement_text
from hub.core.registry import Registry
from schemas.dsse import STATEMENT_TYPE, read_signatures

__all__ = ["Sign", "passphrase_of", "propose", "read_file", "sign", "submitted", "write_file"]

Sign = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--sign",
        negative="",
        help="A key file to sign the change with; may be repeated (docs/protocol/signing.md).",
    ),
]


def passphrase_of(path: Path) -> Callable[[], str]:
    """Return what asks for the passphrase of a key file, if it turns out to need one.

    Raises:
        Rejected: ``usage``; there is nobody to ask.
    """

    def ask() -> str:
        if (given := os.environ.get("CASPIAN_PASSPHRASE")) is not None:
            return given
        if not sys.stdin.isatty():
            raise usage(
                t("{path} is sealed, and there is nobody to ask for its passphrase", path=path),
                remedy=t("Call it from a terminal, or set CASPIAN_PASSPHRASE."),
            )
        return getpass.getpass(t("passphrase of {path}:", path=path) + " ")

    return ask


def propose(client: Client, kind: ChangeKind, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an unsigned statement of a change of the registry as the hub has it now."""
    found = client.registry()
    registry = Registry(origin=str(found["origin"]), versions=found["versions"])
    return {"statement": statement_text(registry.origin, kind, record, registry), "signatures": []}


def sign(statement: dict[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    """Return the statement with a signature of each key file added, or renewed."""
    signers: list[Signer] = [open_signer(path, passphrase_of(path)) for path in files]
    keys = {str(signer.key) for signer in signers}
    kept = [one for one in statement["signatures"] if one["key"] not in keys]
    text = str(statement["statement"]).encode()
    made = [
        {
            "key": str(signer.key),
            "sig": base64.b64encode(signer.sign(STATEMENT_TYPE, text)).decode(),
        }
        for signer in signers
    ]
    return {**statement, "signatures": [*kept, *made]}


def submitted(
    client: Client, kind: ChangeKind, record: Mapping[str, Any], files: Sequence[Path]
) -> dict[str, Any]:
    """Propose a change, sign it with these files, and submit it; return where the log has it."""
    return client.submit(sign(propose(client, kind, record), files))


def read_file(name: str) -> dict[str, Any]:
    """Read a statement and its signatures.

    Raises:
        Rejected: ``usage``; it is no such file. ``signature-invalid``, ``key-invalid``.
    """
    found = read_record(name)
    if set(found) != {"statement", "signatures"} or not isinstance(found["statement"], str):
        raise usage(
            t("{name} is no statement", name=name),
            remedy=t("Write one with `caspian registry propose`."),
        )
    read_signatures(json.dumps(found["signatures"]))
    return found


def write_file(path: Path | None, statement: Mapping[str, Any]) -> None:
    """Write a statement to a file, or to standard output."""
    text = json.dumps(statement, ensure_ascii=False, indent=1) + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as e:
        raise usage(
            t("{file} cannot be written: {why}", file=path, why=e.strerror),
            remedy=t("Name another file."),
        ) from e
    signers = ", ".join(k.partition("+")[0] for k in _keys(statement)) or t("nobody yet")
    note(styled(t("{path}: signed by {signers}", path=path, signers=signers), "dim"))


def _keys(statement: Mapping[str, Any]) -> list[str]:
    return [str(one["key"]) for one in statement["signatures"]]
