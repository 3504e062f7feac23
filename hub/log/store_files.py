"""SQLite files of which a store or a backup is being made, or that are finished."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, QueuePool, create_engine, event

__all__ = ["bare", "fresh", "opened", "sync", "url_of"]


def fresh(partial: Path) -> None:
    """Make an empty file that only its owner may read, whatever a broken-off run left there."""
    for name in (partial.name, f"{partial.name}-wal", f"{partial.name}-shm"):
        partial.with_name(name).unlink(missing_ok=True)
    partial.touch(mode=0o600)


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    """Open a finished file that nobody changes, for reading alone; nothing appears beside it."""
    options = {"mode": "ro", "immutable": "1", "uri": "true"}
    url = URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query=options)
    engine = create_engine(
        url, poolclass=QueuePool, connect_args={"check_same_thread": False, "isolation_level": None}
    )
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    try:
        yield engine
    finally:
        engine.dispose()


def url_of(path: Path) -> str:
    """Return the URL of a store in a file, whatever its name holds."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bare(path: Path) -> sqlite3.Connection:
    """Open a file for statements that are each a transaction of their own."""
    return sqlite3.connect(path, isolation_level=None)
