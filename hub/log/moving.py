"""The log from one store into another, whichever databases they are: entries byte for byte."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import LogMoved, Rejected, Unavailable
from hub.log.copying import Progress, check_copy, copy_rows, tables_with_rows
from hub.log.store import Head, Log, head_of

__all__ = ["move"]


def move(source: Log, target_url: str, *, progress: Progress | None = None) -> Head:
    """Copy all that a store holds into an empty one; return the end of the log, which both have.

    Entries, payloads, checkpoints with their cosignatures, who may use the hub, and
    projections. Nothing can be appended to the source meanwhile. The target has all of it in one
    commit, after its tree and payloads were held against the source's end: killed before,
    it is empty, and the same command begins again. The source stays as it was.

    Raises:
        Rejected: ``log-present``; the target is not empty.
        Unavailable: ``log-unavailable``, ``log-broken``.
    """
    target = Log.open(target_url)
    try:
        with source.writing() as c, target.writing() as to:
            if c.dialect.name == "postgresql":
                c.execute(text("LOCK TABLE head IN SHARE ROW EXCLUSIVE MODE"))
            if found := tables_with_rows(to):
                raise Rejected(
                    "log-present",
                    f"the store is not empty: {', '.join(found)}",
                    remedy="Name an empty database, or a file that is not there.",
                )
            head = head_of(c)
            copy_rows(c, to, progress)
            check_copy(to, head, progress)
        if target.head() != head:
            raise LogMoved(head.size, target.head().size)
    except SQLAlchemyError as e:
        raise Unavailable("log-unavailable", f"the log cannot be moved: {e}") from e
    finally:
        target.close()
    return head
