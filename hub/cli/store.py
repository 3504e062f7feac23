"""The log's own store, for commands that run where the hub runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from hub.cli.words import t
from hub.core.registry import History
from hub.errors import Rejected, Unavailable
from hub.log.store import Log
from hub.settings import Settings

__all__ = ["check_member", "open_log", "sqlite_file"]


@contextmanager
def open_log(settings: Settings, *, make: bool = False) -> Iterator[Log]:
    """Open the log that the settings name, for as long as the context is open.

    With *make*, an empty store is made where there is none.

    Raises:
        Unavailable: ``log-missing``: a command that reads makes no empty log by mistake;
            or any code of `Log.open`.
    """
    file = sqlite_file(settings.log_url)
    if not make and file is not None and not file.exists():
        raise Unavailable(
            "log-missing",
            t("there is no log at {file}", file=file),
            remedy=t(
                "Start the hub once, go to its directory, or name the log with CASPIAN_LOG_URL."
            ),
        )
    log = Log.open(settings.log_url)
    try:
        yield log
    finally:
        log.close()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a log in SQLite; None for another store or one in memory."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # opening it says what is wrong with it
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def check_member(log: Log, agency: str) -> None:
    """Let only members through: nobody else has anything to do with the hub.

    Raises:
        Rejected: ``unknown-agency``.
    """
    members = History(log.registry_entries()).latest.agencies
    if agency not in members:
        raise Rejected(
            "unknown-agency",
            t("{agency} is not a member", agency=agency),
            remedy=t(
                "Members are {members}; `caspian members add` registers one.",
                members=", ".join(sorted(members)) or t("none"),
            ),
        )
