"""Where a driver finds a store, to read from it without anything between: for what must be fast."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hub.errors import Unavailable

if TYPE_CHECKING:  # quick to import, for other processes
    from sqlalchemy import Engine

__all__ = ["Place", "cursor_at", "place_of"]

Place = tuple[str, str]
"""``sqlite`` and a file's URI, or ``postgresql`` and a connection string."""


def place_of(engine: Engine) -> Place:
    """Return where an engine's store is."""
    url = engine.url
    if engine.dialect.name == "postgresql":
        return "postgresql", url.set(drivername="postgresql").render_as_string(hide_password=False)
    database = url.database or ""
    if database.startswith("file:"):
        options = "&".join(f"{k}={v}" for k, v in url.query.items() if k in {"mode", "immutable"})
        return "sqlite", f"{database}?{options}"
    return "sqlite", f"file:{quote(str(Path(database).resolve()))}?mode=ro"


@contextmanager
def cursor_at(place: Place) -> Iterator[Any]:
    """Open a cursor of the driver's own, to read with.

    Raises:
        Unavailable: ``log-unavailable``; the store cannot be opened, or not be read on.
    """
    try:
        with closing(_connect(place)) as connection:
            binary = {"binary": True} if place[0] == "postgresql" else {}
            yield connection.cursor(**binary)
    except Exception as e:  # the drivers' errors have no base class in common
        raise Unavailable("log-unavailable", f"the log cannot be read: {e!r}") from e


def _connect(place: Place) -> Any:
    if place[0] == "sqlite":
        return sqlite3.connect(place[1], uri=True, timeout=30.0, isolation_level=None)
    import psycopg  # noqa: PLC0415 - only where it is needed: it takes its time

    return psycopg.connect(place[1])
