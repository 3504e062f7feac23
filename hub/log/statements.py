"""The statements of the hot path, each composed once.

Composing a statement costs several times what SQLite needs to run it, and a batch of
one message runs ten of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hub.log.tables import ACKNOWLEDGEMENTS, CHAINS, ENTRIES, HEAD, MESSAGES, PAYLOADS

__all__ = ["ADVANCE", "add_acknowledgements", "add_chains", "add_to", "among", "begin", "rows"]

_MAKE: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": pg_insert}

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


@cache
def add_to(table: Any) -> Any:
    """Return the statement that adds rows."""
    return insert(table)


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


_ROW: Final = (
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


@cache
def rows(*, through: bool, kinds: bool, publish: bool, agency: bool) -> Any:
    """Return the query for entries above ``after``, at most ``limit``, with what belongs to them.

    The names say which of the parameters ``through``, ``kinds`` and ``agency`` it has;
    *publish* whether messages are among the kinds.
    """
    query = _ROW.where(ENTRIES.c.idx > bindparam("after")).limit(bindparam("limit"))
    if through:
        query = query.where(ENTRIES.c.idx <= bindparam("through"))
    if kinds:
        query = query.where(ENTRIES.c.kind.in_(bindparam("kinds", expanding=True)))
    if kinds and not publish:
        query = query.where(ENTRIES.c.kind != "publish")  # lets the partial index serve
    if agency:
        query = query.where(ENTRIES.c.agency == bindparam("agency"))
    return query
