"""Read the log itself from end to end: entries and payloads, with no projection beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import Unavailable
from hub.log.row import BEFORE_ALL, LogRow
from hub.log.store import Log
from hub.log.tables import ENTRIES, PAYLOADS

__all__ = ["BEFORE_ALL", "page", "scan"]

_ROW: Final = select(
    ENTRIES.c.idx,
    ENTRIES.c.at_us,
    ENTRIES.c.kind,
    ENTRIES.c.agency,
    ENTRIES.c.body,
    PAYLOADS.c.body,
    PAYLOADS.c.type,
    PAYLOADS.c.sha256,
).select_from(ENTRIES.outerjoin(PAYLOADS, PAYLOADS.c.idx == ENTRIES.c.idx))


def scan(
    log: Log,
    *,
    after: int = BEFORE_ALL,
    through: int | None = None,
    kinds: Iterable[str] = (),
    agency: str | None = None,
    batch: int = 1024,
) -> Iterator[LogRow]:
    """Yield the entries above *after*, in order, in constant memory.

    The rows carry no facts and no message id: those are projections, and whoever
    wants to check or to make them must not start from them. The log may grow
    meanwhile; entries never change, so *through* makes a scan repeatable.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    wanted = tuple(sorted(set(kinds)))
    if len(wanted) > 1 and "publish" not in wanted:
        # Of each kind an index has the order; of several it has none, and all would be read.
        ends: dict[str, Any] = {"after": after, "through": through, "agency": agency}
        each = [scan(log, kinds=(kind,), batch=batch, **ends) for kind in wanted]
        yield from merge(*each, key=attrgetter("index"))
        return
    while True:
        try:
            with log.engine.connect() as c:
                rows = page(
                    c, after=after, through=through, kinds=wanted, agency=agency, limit=batch
                )
        except SQLAlchemyError as e:
            raise Unavailable("log-unavailable", f"the log cannot be read: {e}") from e
        yield from rows
        if len(rows) < batch:
            return
        after = rows[-1].index


def page(
    c: Connection,
    *,
    after: int,
    through: int | None = None,
    kinds: tuple[str, ...] = (),
    agency: str | None = None,
    limit: int,
) -> list[LogRow]:
    """Return at most *limit* entries above *after*, within a transaction of the caller's."""
    query = _ROW.where(ENTRIES.c.idx > after).order_by(ENTRIES.c.idx).limit(limit)
    if through is not None:
        query = query.where(ENTRIES.c.idx <= through)
    if kinds:
        query = query.where(ENTRIES.c.kind.in_(kinds))
    if len(kinds) == 1 and kinds != ("publish",):
        query = query.where(ENTRIES.c.kind != "publish")  # lets the partial index serve
    if agency is not None:
        query = query.where(ENTRIES.c.agency == agency)
    return [
        LogRow(
            index,
            at_us,
            kind,
            by,
            body,
            payload,
            payload_type or "",
            payload_sha256=(sha256 or b"").hex(),
        )
        for index, at_us, kind, by, body, payload, payload_type, sha256 in c.execute(query)
    ]
