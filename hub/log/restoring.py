"""A store made of a backup: all of it or none, and what was there is put aside.

Crash table:

=================================  ===================================================
killed                             what is left
=================================  ===================================================
before the backup is copied        SQLite: ``log.db.part``, which nobody takes for a log;
                                   PostgreSQL: empty tables, or the old ones
after                              the whole store; the old one, if any, beside it
=================================  ===================================================
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import Rejected, Unavailable
from hub.log.backup import Backup
from hub.log.copying import Progress, check_copy, copy_rows, tables_with_rows
from hub.log.engine import is_current, migrate, open_engine, upgrade
from hub.log.store import head_of
from hub.log.store_files import bare, fresh, opened, sync, url_of
from hub.log.tables import METADATA
from schemas.entry import from_micros

__all__ = ["restore"]

_PAGES: Final = 2048


def restore(
    backup: Backup,
    url: str,
    *,
    now_us: int,
    replace: bool = False,
    progress: Progress | None = None,
) -> str:
    """Make the store at *url* out of a verified backup; return where the old one was put, if any.

    With *replace* a log that is there is put aside, never deleted: a file
    ``log.db.replaced-<time>``, or a schema ``replaced_<time>`` of the database.

    Raises:
        Rejected: ``log-present``, there is a log and *replace* is not said; ``log-in-use``,
            the hub still works on it.
        Unavailable: ``log-unavailable``, ``log-broken``, ``log-too-new``.
        OSError: a file cannot be written.
    """
    moment = from_micros(now_us).strftime("%Y%m%dt%H%M%Sz")
    engine = open_engine(url)  # says what is wrong with an address
    engine.dispose()
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _into_file(backup, Path(str(parsed.database)), moment, progress, replace=replace)
        return _into_database(backup, url, f"replaced_{moment}", progress, replace=replace)
    except (sqlite3.Error, SQLAlchemyError) as e:
        raise Unavailable("log-unavailable", f"the store cannot be made: {e}") from e


def _into_file(
    backup: Backup, path: Path, moment: str, progress: Progress | None, *, replace: bool
) -> str:
    aside = path.with_name(f"{path.name}.replaced-{moment}")
    if path.exists() and not replace and not _empty_file(path):
        raise _present(str(path))
    partial = path.with_name(f"{path.name}.part")
    try:
        _plain_copy(backup, partial, progress)
        if path.exists():
            _out_of_use(path)
            # At no moment is there no store: a hub that is started would begin a new log.
            if not (aside.exists() and aside.samefile(path)):
                aside.hardlink_to(path)
            partial.replace(path)
        else:
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return str(aside) if aside.exists() else ""


def _plain_copy(backup: Backup, partial: Path, progress: Progress | None) -> None:
    """Copy a backup into a store of today's version that is no backup any more."""
    fresh(partial)

    def told(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with opened(backup.path) as engine, engine.connect() as c, closing(bare(partial)) as to:
        source: Any = c.connection.driver_connection
        source.backup(to, pages=_PAGES, progress=told)
        to.execute("DROP TABLE backup")
    engine = open_engine(url_of(partial))
    try:
        migrate(engine)
        with engine.connect() as c:
            c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()  # the last to close a database in WAL mode takes the -wal away
    sync(partial)


def _into_database(
    backup: Backup, url: str, schema: str, progress: Progress | None, *, replace: bool
) -> str:
    engine = open_engine(url)
    try:
        with engine.connect() as c:
            there = tables_with_rows(c)
            if there and not replace:
                raise _present(f"the database, in {', '.join(there)}")
            _nobody_else(c)
        if not there:
            migrate(engine)
        with _of_today(backup) as source, engine.connect() as c, c.begin():
            if there:
                _put_aside(c, schema)
                upgrade(c)
            elif tables_with_rows(c):
                raise _in_use("somebody has begun a log there meanwhile")
            copy_rows(source, c, progress)
            check_copy(c, head_of(source), progress)
    finally:
        engine.dispose()
    return f"schema {schema}" if there else ""


@contextmanager
def _of_today(backup: Backup) -> Iterator[Connection]:
    """Open a backup with the tables of today; one of an older version is brought up in a copy."""
    with opened(backup.path) as engine, engine.connect() as c:
        if is_current(c):
            yield c
            return
    with TemporaryDirectory(prefix="caspian-restore-") as directory:
        copy = Path(directory) / "log.db"
        _plain_copy(backup, copy, None)
        with opened(copy) as engine, engine.connect() as c:
            yield c


def _put_aside(c: Connection, schema: str) -> None:
    c.execute(text(f"CREATE SCHEMA {schema}"))
    for name in (*METADATA.tables, "alembic_version"):
        c.execute(text(f'ALTER TABLE IF EXISTS "{name}" SET SCHEMA {schema}'))


def _nobody_else(c: Connection) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    if others := c.execute(text(query)).scalar_one():
        raise _in_use(f"{others} others are connected to the database")


def _out_of_use(path: Path) -> None:
    """Put a store into one file; SQLite does so only where nobody else has it open."""
    with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as c:
        try:
            (mode,) = c.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as e:
            raise _in_use(f"another process has {path} open") from e
        except sqlite3.DatabaseError:
            return  # it is damaged, which may be why there is a restore
    if mode != "delete":
        raise _in_use(f"another process has {path} open")


def _empty_file(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as raw:
            return not any(
                raw.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()  # noqa: S608  # our own names
                for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if name in METADATA.tables
            )
    except sqlite3.Error:
        return False


def _present(where: str) -> Rejected:
    return Rejected(
        "log-present",
        f"there is a log already: {where}",
        remedy="Name an empty store, or add --replace: it puts the old log aside.",
    )


def _in_use(who: str) -> Rejected:
    return Rejected(
        "log-in-use",
        f"the store is in use: {who}",
        remedy="Stop the API and all consumers, then try again.",
    )
