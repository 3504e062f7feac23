"""The statements of the hot path, each composed once.

Composing a statement costs several times what SQLite needs to run it, and a batch of
one message runs ten of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from hub.log.tables import ACKNOWLEDGEMENTS, CHAINS, ENTRIES, HEAD, MESSAGES, PAYLOADS, TILES

__all__ = [
    "ADVANCE",
    "ROW",
    "TILE",
    "add_acknowledgements",
    "add_chains",
    "add_rows",
    "add_tiles",
    "among",
    "begin",
    "rows",
]

_MAKE: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": pg_insert}
_DIALECTS: Final[dict[str, Any]] = {
    "sqlite": SQLiteDialect_pysqlite,
    "postgresql": PGDialect_psycopg,
}

ADVANCE: Final = (
    update(HEAD)
    .where(HEAD.c.id == 1, HEAD.c.size == bindparam("expected"))
    .values(
        size=bindparam("new_size"),
        at_us=bindparam("new_at_us"),
        root=bindparam("new_root"),
        frontier=bindparam("new_frontier"),
    )
    # What comes back says whether it was done: the count of rows is not reliable.
    .returning(HEAD.c.id)
)
"""Move the log's end on if it is where one believes: compare and swap."""


@cache
def begin(dialect: str) -> Any:
    """Return the statement that makes the end of an empty log, if nobody has."""
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


TILE: Final = select(TILES.c.hashes).where(
    TILES.c.level == bindparam("at"), TILES.c.number == bindparam("of")
)
"""One tile of the tree."""


@cache
def add_tiles(dialect: str) -> Any:
    """Return the statement that writes tiles, over those that were there."""
    statement = _MAKE[dialect](TILES)
    return statement.on_conflict_do_update(
        index_elements=["level", "number"], set_={"hashes": statement.excluded.hashes}
    )


def add_rows(c: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows that have a value for every column, as the driver takes them.

    Nothing between here and the driver looks at each value: with hundreds of rows that
    would cost more than writing them.
    """
    text, ordered = _insert_of(table, c.dialect.name)
    if ordered is None:
        c.exec_driver_sql(text, list(rows))
    else:
        c.exec_driver_sql(text, [ordered(row) for row in rows])


@cache
def _insert_of(table: Table, dialect: str) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the text of an insert, and what orders its values where they have no names."""
    compiled: Any = insert(table).compile(dialect=_DIALECTS[dialect]())
    order = compiled.positiontup if compiled.positional else None
    return str(compiled), None if order is None else itemgetter(*order)


@cache
def add_acknowledgements(dialect: str) -> Any:
    """Return the statement that adds them; the first by an officer stays."""
    return _MAKE[dialect](ACKNOWLEDGEMENTS).on_conflict_do_nothing()


@cache
def add_chains(dialect: str) -> Any:
    """Return the statement that says where agencies' own counts stand now."""
    statement = _MAKE[dialect](CHAINS)
    return statement.on_conflict_do_update(
        index_elements=["agency"],
        set_={"seq": statement.excluded.seq, "head": statement.excluded.head},
    )


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
