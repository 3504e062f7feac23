"""Stores to test with: SQLite, and a real PostgreSQL.

``CASPIAN_TEST_POSTGRES_URL`` names a server to use instead of one of our own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from postgres_server import PostgresMissing, postgres_server
from sqlalchemy import make_url
from stores import Stores, database

from hub.log.store import Log


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a server on which databases may be made."""
    if given := os.environ.get("CASPIAN_TEST_POSTGRES_URL"):
        yield given
        return
    try:
        with postgres_server() as url:
            yield url
    except PostgresMissing as e:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no PostgreSQL to test with: {e}")
        pytest.skip(f"no PostgreSQL to test with: {e}")


@pytest.fixture
def postgres_store_url(postgres_url: str) -> Iterator[str]:
    """Give the URL of an empty database."""
    with database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def postgres_module_url(postgres_url: str) -> Iterator[str]:
    """Give the URL of an empty database that the tests of a module share."""
    with database(postgres_url) as url:
        yield url


@pytest.fixture
def another_postgres_store_url(postgres_url: str) -> Iterator[str]:
    """Give the URL of a second empty database."""
    with database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def made_postgres(postgres_url: str) -> Iterator[str]:
    """Give the name of a database with all tables, to copy: to make them takes far longer."""
    with database(postgres_url) as url:
        Log.open(url).close()
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def postgres_stores(postgres_url: str, made_postgres: str) -> Iterator[Stores]:
    """Give databases with all tables, to use again and again."""
    with ExitStack() as made:
        yield Stores(postgres_url, made_postgres, made)


@pytest.fixture(scope="session")
def made_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with all tables, to copy."""
    path = tmp_path_factory.mktemp("made") / "log.db"
    Log.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty store, of each kind in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("made_sqlite"), tmp_path / "log.db")
        yield f"sqlite:///{tmp_path / 'log.db'}"
        return
    stores: Stores = request.getfixturevalue("postgres_stores")
    with stores.one() as url:
        yield url


@pytest.fixture
def log(store_url: str) -> Iterator[Log]:
    """Open an empty log."""
    log = Log.open(store_url)
    yield log
    log.close()


@pytest.fixture
def sqlite_log(tmp_path: Path) -> Iterator[Log]:
    """Open an empty log in SQLite, for what does not depend on the store."""
    log = Log.open(f"sqlite:///{tmp_path / 'sqlite.db'}")
    yield log
    log.close()
