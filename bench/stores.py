"""Stores to measure: SQLite in a directory, and a PostgreSQL server of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url, text

from hub.log.store import Log
from tests.log.postgres_server import postgres_server

__all__ = ["Store", "stores"]


class Store(NamedTuple):
    """A kind of store: what makes the URL of an empty one, and its server's process."""

    url: Callable[[str], str]
    server: int | None = None


@contextmanager
def stores(kinds: Sequence[str], directory: Path) -> Iterator[dict[str, Store]]:
    """Give the stores of these kinds."""
    found = {}
    if "sqlite" in kinds:
        found["sqlite"] = Store(lambda name: f"sqlite:///{directory / name}.db")
    if "postgresql" not in kinds:
        yield found
        return
    with postgres_server() as url:
        admin = Log.open(url)

        def database(name: str) -> str:
            with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
                c.execute(text(f"CREATE DATABASE {name}"))
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        home = Path(str(make_url(url).query["host"]))
        server = int((home / "data" / "postmaster.pid").read_text().split()[0])
        yield {**found, "postgresql": Store(database, server)}
        admin.close()
