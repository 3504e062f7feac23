"""Databases with all tables, used again and again: to make one takes five times as long.

A test gets one that is empty and has the shape of a new one. Afterwards everything that it wrote
is removed, and whoever is still connected; one that has another shape is not used again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import psycopg
from sqlalchemy import make_url

__all__ = ["Stores", "database"]

_SHAPE: Final = """
SELECT string_agg(x, ' ' ORDER BY x) FROM (
  SELECT format('%s.%s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull) AS x
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT tgname FROM pg_trigger
  UNION ALL SELECT setconfig::text FROM pg_db_role_setting
  UNION ALL SELECT version_num FROM alembic_version
) AS parts
"""
_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""
_ALONE: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def database(server: str, like: str = "template1") -> Iterator[str]:
    """Make a database like another; give its URL, and remove it."""
    name = f"caspian_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Stores:
    """Databases like one that has all tables."""

    def __init__(self, server: str, like: str, made: ExitStack) -> None:
        self._server, self._like, self._made = server, like, made
        self._free: list[str] = []
        url = make_url(server).set(database=like).render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as c:
            self._shape = c.execute(_SHAPE).fetchone()
            self._tables = [name for (name,) in c.execute(_TABLES)]

    @contextmanager
    def one(self) -> Iterator[str]:
        """Give the URL of an empty one."""
        if self._free:
            url = self._free.pop()
        else:
            url = self._made.enter_context(database(self._server, self._like))
        yield url
        if self._emptied(url):
            self._free.append(url)

    def _emptied(self, url: str) -> bool:
        """Empty it and return True; False where it is not like the others any more."""
        with psycopg.connect(url, autocommit=True) as c:
            c.execute(_ALONE)
            if c.execute(_SHAPE).fetchone() != self._shape:
                return False
            looked = " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in self._tables
            )
            if written := [name for (name,) in c.execute(looked)]:
                c.execute(f"TRUNCATE {', '.join(written)} CASCADE")
        return True
