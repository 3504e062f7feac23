"""The statements of the hot path, each composed once.

Composing a statement costs several times what SQLite needs to run it, and a batch of
one message runs ten of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError

from hub.log.tables import ACKNOWLEDGEMENTS, CHAINS, ENTRIES, HEAD, MESSAGES, PAYLOADS, TILES

__all__ = ["ROW", "add", "advance", "among", "at_us", "begin", "rows", "tiles"]

_MAKE: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": pg_insert}
_DIALECTS: Final[dict[str, Any]] = {
    "sqlite": SQLiteDialect_pysqlite(),
    "postgresql": PGDialect_psycopg(paramstyle="format"),  # type: ignore[no-untyped-call]
}
"""With parameters by place, not by name."""

_MEETING: Final = frozenset({ACKNOWLEDGEMENTS, CHAINS, TILES})
"""Whose new rows may meet old ones of the same key."""

_ADVANCE: Final = (
    update(HEAD)
    .where(HEAD.c.id == bindparam("of"), HEAD.c.size == bindparam("expected"))
    .values(
        size=bindparam("new_size"),
        at_us=bindparam("new_at_us"),
        root=bindparam("new_root"),
        frontier=bindparam("new_frontier"),
    )
    # What comes back says whether it was done: the count of rows is not reliable.
    .returning(HEAD.c.id)
)

_AT: Final = select(ENTRIES.c.at_us).where(ENTRIES.c.idx == bindparam("idx"))

_PLACE: Final = {"sqlite": "(?, ?)", "postgresql": "(%s::integer, %s::bigint)"}


def advance(c: Connection, expected: int, end: Mapping[str, Any]) -> bool:
    """Move the log's end on if it is where one believes; return whether it was: compare and swap.

    *end*: ``new_size``, ``new_at_us``, ``new_root``, ``new_frontier``.
    """
    return _one(c, _ADVANCE, {"of": 1, "expected": expected, **end}).first() is not None


def begin(c: Connection, end: Mapping[str, Any]) -> bool:
    """Make the end of an empty log; return whether nobody had."""
    return c.execute(_begin(c.dialect.name), end).one_or_none() is not None


@cache
def _begin(dialect: str) -> Any:
    return (
        _MAKE[dialect](HEAD)
        .values(
            id=1,
            size=bindparam("new_size"),
            at_us=bindparam("new_at_us"),
            root=bindparam("new_root"),
            frontier=bindparam("new_frontier"),
        )
        .on_conflict_do_nothing()
        .returning(HEAD.c.id)
    )


def at_us(c: Connection, index: int) -> int:
    """Return when the entry at *index*, which there is, was logged."""
    found: int = _one(c, _AT, {"idx": index}).scalar_one()
    return found


def tiles(c: Connection, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return those of the tiles (level, number) that there are."""
    if not wanted:
        return {}
    given = [number for tile in wanted for number in tile]
    found = c.exec_driver_sql(_tiles(len(wanted), c.dialect.name), tuple(given))
    return {(level, number): hashes for level, number, hashes in found}


@cache
def _tiles(count: int, dialect: str) -> str:
    # Each is looked up by the table's key: of an OR SQLite would make a look at all of the table.
    wanted = ", ".join([_PLACE[dialect]] * count)
    return (
        f"SELECT level, number, hashes FROM (VALUES {wanted}) AS wanted "  # noqa: S608 - places
        "CROSS JOIN tiles WHERE level = column1 AND number = column2"
    )


def add(c: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows, if there are any, each with a value for every column in the table's order.

    Of a tile, and of an agency's count, the new one takes the place of the old; of the
    acknowledgements by an officer the first stays. Nothing between here and the driver
    looks at each value: with hundreds of rows that would cost more than writing them.
    """
    if c.dialect.name == "postgresql" and len(rows) > 1 and table not in _MEETING:
        _copy(c, table, rows)
    elif rows:
        c.exec_driver_sql(_insert_of(table, c.dialect.name), list(rows))


def _copy(c: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows by COPY: less than half the work of as many inserts, for both sides."""
    import psycopg  # noqa: PLC0415 - only where it is needed: it takes its time

    written, types = _copy_of(table)
    cursor: psycopg.Cursor[Any] = c.connection.cursor()  # type: ignore[assignment]
    try:
        with cursor, cursor.copy(written) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as e:
        raise DBAPIError(written.decode(), None, e) from e


@cache
def _copy_of(table: Table) -> tuple[bytes, list[str]]:
    names = ", ".join(f'"{name}"' for name in table.c.keys())  # noqa: SIM118 - of columns, not texts
    types = [c.type.compile(_DIALECTS["postgresql"]).partition("(")[0].lower() for c in table.c]
    return f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)".encode(), types


@cache
def _insert_of(table: Table, dialect: str) -> str:
    statement = _MAKE[dialect](table)
    if table is ACKNOWLEDGEMENTS:
        statement = statement.on_conflict_do_nothing()
    elif table in _MEETING:
        key = table.primary_key.columns.keys()
        others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    written, names = _composed(statement, dialect)
    if names != tuple(table.c.keys()):
        raise AssertionError(f"{table.name}: its columns are written in another order")
    return written


def _one(c: Connection, statement: Any, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run a statement as the driver takes it."""
    written, names = _composed(statement, c.dialect.name)
    return c.exec_driver_sql(written, tuple(values[name] for name in names))


@cache
def _composed(statement: Any, dialect: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a statement, and the names of its parameters in their order."""
    compiled: Any = statement.compile(dialect=_DIALECTS[dialect])
    return str(compiled), tuple(compiled.positiontup)


@cache
def among(column: Any) -> Any:
    """Return the query for the rows of a table whose column is among the parameter ``values``."""
    return select(column.table).where(column.in_(bindparam("values", expanding=True)))


ROW: Final = (
    select(
        ENTRIES.c.idx,
        ENTRIES.c.at_us,
        ENTRIES.c.kind,
        ENTRIES.c.agency,
        ENTRIES.c.body,
        PAYLOADS.c.body,
        PAYLOADS.c.type,
        MESSAGES.c.facts,
        MESSAGES.c.id,
    )
    .select_from(ENTRIES)
    .outerjoin(PAYLOADS, PAYLOADS.c.idx == ENTRIES.c.idx)
    .outerjoin(MESSAGES, MESSAGES.c.idx == ENTRIES.c.idx)
    .order_by(ENTRIES.c.idx)
)
"""Entries with what belongs to them, as `hub.log.store.row_of` reads it."""


@cache
def rows(*, through: bool, kinds: bool, publish: bool, agency: bool) -> Any:
    """Return the query for entries above ``after``, at most ``limit``, with what belongs to them.

    The names say which of the parameters ``through``, ``kinds`` and ``agency`` it has;
    *publish* whether messages are among the kinds.
    """
    query = ROW.where(ENTRIES.c.idx > bindparam("after")).limit(bindparam("limit"))
    if through:
        query = query.where(ENTRIES.c.idx <= bindparam("through"))
    if kinds:
        query = query.where(ENTRIES.c.kind.in_(bindparam("kinds", expanding=True)))
    if kinds and not publish:
        query = query.where(ENTRIES.c.kind != "publish")  # lets the partial index serve
    if agency:
        query = query.where(ENTRIES.c.agency == bindparam("agency"))
    return query
