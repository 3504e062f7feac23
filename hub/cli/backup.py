"""``caspian backup`` and ``caspian restore``: the whole store as one file, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hub.cli.exits import DONE, REFUSED, usage
from hub.cli.options import AsJson
from hub.cli.store import open_log
from hub.cli.terminal import emit, note, progress, say, styled
from hub.cli.words import many, t
from hub.core.registry import History
from hub.errors import Unavailable
from hub.log.backup import back_up, read_backup, verify_backup
from hub.log.restoring import restore as restore_store
from hub.log.signer import contradiction, memory_of, remembered
from hub.log.store import Log
from hub.settings import Settings
from schemas.ed25519 import VerifierKey

__all__ = ["backup", "restore"]


def backup(
    file: Path,
    /,
    *,
    force: Annotated[bool, Parameter(negative="", help="Overwrite the file.")] = False,
    json: AsJson = False,
) -> None:
    """Write the whole store into one file, as it is at one moment; the hub goes on.

    The log, who may use the hub, checkpoints, and what is derived from them. The file is
    checked before it appears under its name. Keep it as you keep the store: it holds hashes of
    passwords and the secrets of second factors. It does not hold the log's key.

    Parameters
    ----------
    file: Path
        Where to write; in a directory, a file with a name of its own.

    """
    if file.is_file() and not force:
        raise usage(
            t("{file} is there already", file=file),
            remedy=t("Choose another name, or add --force."),
        )
    with open_log(Settings.from_environment()) as log, progress(t("backing up"), None) as told:
        try:
            made = back_up(log, file, now_us=time.time_ns() // 1000, progress=told)
        except OSError as e:
            raise usage(
                t("{file} cannot be written: {why}", file=file, why=e.strerror or e),
                remedy=t("Make room, or name a file that you may write."),
            ) from e
    if json:
        emit({"file": str(made.path), "size": made.size, "root": made.root.hex(), "at": made.made})
        return
    say(
        styled(
            many(
                "{file}: {count} entry, at {at}",
                "{file}: {count} entries, at {at}",
                made.size,
                file=made.path,
                at=made.made,
            )
        )
    )
    say(styled(t("root {root}", root=made.root.hex())))


def restore(
    file: Path,
    /,
    *,
    replace: Annotated[
        bool,
        Parameter(negative="", help="Put a log that is there aside, and this in its place."),
    ] = False,
    json: AsJson = False,
) -> int:
    """Verify a backup, and make the store that CASPIAN_LOG_URL names out of it.

    Stop the API and all consumers before. Says what is lost where the hub has signed more than
    the backup holds: nothing more is signed then until a copy is restored that has it.

    Parameters
    ----------
    file: Path
        Made by `caspian backup`, of whichever store.

    """
    settings = Settings.from_environment()
    try:
        found = read_backup(file)
        with progress(t("verifying"), found.size) as told:
            report = verify_backup(found, told)
        with progress(t("restoring"), None) as told:
            aside = restore_store(
                found,
                settings.log_url,
                now_us=time.time_ns() // 1000,
                replace=replace,
                progress=told,
            )
    except OSError as e:
        raise usage(
            f"{e.filename or file}: {e.strerror or e}",
            remedy=t("Name a file that you may read, and a store that you may write."),
        ) from e
    with open_log(settings) as log:
        missing = _missing(log, settings)
    if json:
        emit(
            {
                "file": str(file),
                "made": found.made,
                "size": found.size,
                "root": found.root.hex(),
                "verified": report.ok,
                "aside": aside,
                "missing": missing,
            }
        )
    else:
        say(
            styled(
                many(
                    "restored {count} entry, as of {at}; verified",
                    "restored {count} entries, as of {at}; verified",
                    found.size,
                    at=found.made,
                )
            )
        )
        say(styled(t("root {root}", root=found.root.hex())))
        if aside:
            note(styled(t("the log that was there is kept: {place}", place=aside)))
        _tell(missing)
    return REFUSED if missing else DONE


def _missing(log: Log, settings: Settings) -> str:
    """Return how the store contradicts what the hub has signed, by the signer's own memory."""
    if not settings.log_keys:
        return ""
    names = History(log.registry_entries()).latest.log_keys
    try:
        own = remembered(
            memory_of(settings.log_keys[0]),
            settings.origin,
            [VerifierKey.read(key) for key in names],
        )
    except Unavailable as e:
        return e.detail
    return contradiction(log, log.head(), [own]) if own is not None else ""


def _tell(missing: str) -> None:
    if missing:
        note(styled(t("NOT ALL OF IT:"), "bold white on red"), styled(missing))
        note(
            styled(t("what to do:"), "bold"),
            styled(
                t(
                    "Do not start the ledger on it. Look for a newer backup, a bundle or a mirror; "
                    'see docs/operations.md, "Checkpoints are refused".'
                )
            ),
        )
        return
    note(
        styled(
            t(
                "what was logged after it is not in it: see docs/operations.md, "
                '"The log is lost or damaged", before you start the hub'
            ),
            "yellow",
        )
    )
