"""Open the store with the durability that a receipt promises, and bring its tables up to date."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from hub.errors import Unavailable

__all__ = ["is_current", "migrate", "open_engine", "open_to_read", "upgrade"]

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK: Final = 0x6361737069616E  # "caspian": PostgreSQL's advisory lock for upgrades


def open_engine(url: str) -> Engine:
    """Return an engine for ``sqlite:///file`` or ``postgresql://…``.

    SQLite runs in WAL mode with ``synchronous=FULL``: a commit returns after its
    fsync, so what was committed survives a power cut. PostgreSQL is left at its
    own ``synchronous_commit=on``, which `caspian doctor` verifies.

    Raises:
        Unavailable: ``log-unavailable``; the address is not one of these two.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as e:
        raise Unavailable("log-unavailable", f"not the address of a log: {e}") from e
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=8,
            connect_args={"check_same_thread": False, "timeout": 30.0},
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=4,
            max_overflow=8,
            pool_pre_ping=True,
        )
    raise Unavailable(
        "log-unavailable", f"a log is kept in sqlite or postgresql, not {parsed.drivername}"
    )


def open_to_read(url: str) -> Engine:
    """Return an engine for a store that is evidence: nothing of it is written, made or upgraded.

    A mirror, a backup, another's store. One of an earlier version is read as it is.

    Raises:
        Unavailable: ``log-unavailable``; the address is not one of a store.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as e:
        raise Unavailable("log-unavailable", f"not the address of a log: {e}") from e
    if parsed.get_backend_name() != "sqlite":
        engine = open_engine(url)
        event.listen(engine, "connect", _reads_only)
        return engine
    if not (parsed.database or "").startswith("file:"):
        file = Path(parsed.database or "")
        if not file.is_file():
            raise Unavailable(
                "log-missing", f"there is no log at {file}", remedy="Name the file of a store."
            )
        options = {"mode": "ro", "uri": "true"}
        beside = file.with_name(file.name + "-wal")
        if not os.access(file.parent, os.W_OK) and not beside.exists():
            # On a medium that takes no writes SQLite could not even make its lock file.
            options["immutable"] = "1"
        parsed = parsed.set(database=f"file:{quote(str(file.resolve()))}", query=options)
    return create_engine(
        parsed, poolclass=QueuePool, connect_args={"check_same_thread": False, "timeout": 30.0}
    )


def _reads_only(connection: Any, _record: Any) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own BEGIN would start transactions late and as readers; `_begin_sqlite` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "page_size=8192",  # of a new file: of smaller pages alerts leave too much empty
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "secure_delete=ON",  # a redacted payload is overwritten, not only let go
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: one that read first and wrote later would fail on a race.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; at once where they are, safe to run from many processes.

    Raises:
        Unavailable: ``log-unavailable``; or ``log-too-new``, the store was written by
            a newer version of the hub.
    """
    try:
        with engine.connect() as connection:
            if is_current(connection):
                return
        with engine.connect().execution_options(write=True) as connection, connection.begin():
            upgrade(connection)
    except (DBAPIError, SQLAlchemyError) as e:
        raise Unavailable("log-unavailable", f"the log cannot be opened: {e}") from e


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date within a transaction of the caller's.

    Raises:
        Unavailable: ``log-too-new``.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {s.revision for s in script.walk_revisions()}:
        raise Unavailable(
            "log-too-new",
            f"the store is of version {current}, which this hub does not know",
            remedy="Run the version of the hub that wrote it, or a newer one.",
        )
    if current != script.get_current_head():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Tell whether a store's tables are those of this version of the hub."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
