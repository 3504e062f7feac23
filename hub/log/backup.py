"""The whole store as one file, made while the hub goes on; and whether such a file is whole.

A backup is a SQLite database with the same tables whichever store it was made of, and
one more, ``backup``, that says of what and when: written last, so a file without it is none.
It holds what lets people in (hashes of tokens and passwords, secrets of second factors):
only its owner may read it.

Killed while it is made, it leaves ``FILE.part``, which nobody takes for a backup.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import latest
from hub.log.copying import Progress, check_copy, copy_rows
from hub.log.engine import migrate, open_engine
from hub.log.signer import contradiction
from hub.log.store import Head, Log, head_of
from hub.log.store_files import bare, fresh, opened, sync, url_of
from hub.log.verify import Report, verify_store
from schemas.checkpoint import Checkpoint
from schemas.entry import from_micros, rfc3339

__all__ = ["Backup", "back_up", "read_backup", "verify_backup"]

_PAGES: Final = 2048
_MADE: Final = "CREATE TABLE backup (made TEXT, size INTEGER, root TEXT, store TEXT)"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says it holds."""

    path: Path
    made: str
    """When, as the log writes times."""
    size: int
    root: bytes
    store: str
    """Where it came from: ``sqlite`` or ``postgresql``."""


def back_up(log: Log, path: Path, *, now_us: int, progress: Progress | None = None) -> Backup:
    """Write the store as it is at one moment into a file; in a directory, under a name of its own.

    The hub goes on: readers and the ledger wait for nothing. The file is checked against
    the end of the log, and appears under its name only when it is whole and on the disk.

    Raises:
        Unavailable: ``log-unavailable``, ``log-broken``.
        OSError: the file cannot be written.
    """
    if path.is_dir():
        moment = from_micros(now_us).strftime("%Y%m%dT%H%M%SZ")
        path = path / f"caspian-{moment}.backup"
    partial = path.with_name(f"{path.name}.part")
    fresh(partial)
    try:
        if log.engine.dialect.name == "sqlite":
            head = _copied_pages(log, partial, progress)
        else:
            head = _copied_rows(log, partial, progress)
        made = Backup(path, rfc3339(now_us), head.size, head.root, log.engine.dialect.name)
        _finish(partial, made, head, progress)
        partial.replace(path)
        sync(path.parent)
    except (sqlite3.Error, SQLAlchemyError) as e:
        raise Unavailable("log-unavailable", f"the backup cannot be made: {e}") from e
    finally:
        for name in (partial.name, f"{partial.name}-wal", f"{partial.name}-shm"):
            partial.with_name(name).unlink(missing_ok=True)
    return made


def _copied_pages(log: Log, partial: Path, progress: Progress | None) -> Head:
    """Copy a SQLite store page by page, out of one read transaction that sees one moment."""
    with log.reading() as c, closing(bare(partial)) as to:
        head = head_of(c)  # from here on this connection sees nothing newer
        source: Any = c.connection.driver_connection

        def told(_status: int, remaining: int, total: int) -> None:
            if progress is not None:
                progress(total - remaining, total)

        source.backup(to, pages=_PAGES, progress=told)
    return head


def _copied_rows(log: Log, partial: Path, progress: Progress | None) -> Head:
    """Copy a PostgreSQL store row by row, out of one snapshot."""
    target = open_engine(url_of(partial))
    try:
        migrate(target)
        with (
            log.engine.connect().execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            ) as source,
            target.connect().execution_options(write=True) as to,
            to.begin(),
        ):
            head = head_of(source)
            copy_rows(source, to, progress)
    finally:
        target.dispose()
    return head


def _finish(partial: Path, made: Backup, head: Head, progress: Progress | None) -> None:
    """Make it one file, hold it against the log's end, write what it is, bring it to the disk."""
    with closing(bare(partial)) as to:
        to.execute("PRAGMA journal_mode=DELETE")
    with opened(partial) as engine, engine.connect() as c:
        check_copy(c, head, progress)
    with closing(bare(partial)) as to:
        to.execute(_MADE)
        to.execute(
            "INSERT INTO backup VALUES (?, ?, ?, ?)",
            (made.made, made.size, made.root.hex(), made.store),
        )
    sync(partial)


def read_backup(path: Path) -> Backup:
    """Return what a backup says of itself.

    Raises:
        Rejected: ``backup-broken``; it is no backup, or only the beginning of one.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.read(1)
    try:
        with opened(path) as engine, engine.connect() as c:
            made, size, root, store = c.execute(
                text("SELECT made, size, root, store FROM backup")
            ).one()
            found = Backup(path, str(made), int(size), bytes.fromhex(root), str(store))
    except (SQLAlchemyError, ValueError, TypeError) as e:
        raise _broken(path, "it is not a backup made by `caspian backup`") from e
    return found


def verify_backup(backup: Backup, progress: Progress | None = None) -> Report:
    """Verify a backup as `caspian verify` verifies a store; return the report.

    Raises:
        Rejected: ``backup-broken``; a page of it is damaged, or it is not the log that it says.
    """

    def told(done: int) -> None:
        if progress is not None:
            progress(done, backup.size)

    try:
        with opened(backup.path) as engine:
            with engine.connect() as c:
                fault = c.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
                head = head_of(c) if fault == "ok" else None
                last = latest(c) if "checkpoints" in inspect(c).get_table_names() else None
            if head is None or (head.size, head.root) != (backup.size, backup.root):
                raise _broken(backup.path, "it is damaged, or was changed after it was made")
            report = verify_store(log := Log(engine), progress=told)
            if last is not None and report.ok:
                wrong = contradiction(log, head, [Checkpoint("", last.size, last.root)])
                if wrong:
                    raise _broken(backup.path, wrong)
    except (SQLAlchemyError, Unavailable) as e:
        raise _broken(backup.path, f"it cannot be read: {e}") from e
    if report.fault is not None:
        where = "the log" if report.fault.index is None else f"entry {report.fault.index}"
        raise _broken(backup.path, f"{where}: {report.fault.code}: {report.fault.detail}")
    return report


def _broken(path: Path, what: str) -> Rejected:
    return Rejected(
        "backup-broken",
        f"{path.name}: {what}",
        remedy="Take another backup; a bundle or a mirror has the log too, without the accounts.",
    )
