"""Which log indexes are meant, where indexes and times may be given together."""

from __future__ import annotations

from datetime import datetime

from hub.log.store import Log
from schemas.entry import micros

__all__ = ["indexes_between"]


def indexes_between(
    log: Log,
    *,
    first: int | None,
    through: int | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[int, int]:
    """Return the first and the last index of what is meant; what is narrower counts.

    Left out, it is the log's own first or last. Where nothing is meant the last is below the first.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    last = log.head().size - 1
    begin = first or 0
    end = last if through is None else min(through, last)
    if since is not None:
        begin = max(begin, log.first_index_at(micros(since)))
    if until is not None:
        end = min(end, log.first_index_at(micros(until) + 1) - 1)
    return begin, end
