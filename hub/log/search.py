"""Search the log: every entry of a range is looked at, and what may not be read is not searched.

There is no index of words. A search says which range it looked at and goes through it, so its
time tells nothing of what others wrote in private, what was redacted is in no index, an
append costs no more for it, and an auditor can do the same again. For whoever
reads everything, kinds and incidents are found by the indexes that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from hub.core.redaction import REDACTED_TYPE
from hub.core.search import Query
from hub.log.statements import ROW
from hub.log.store import Log, LogRow, head_of, row_of
from hub.log.tables import ENTRIES, INCIDENTS
from schemas.texts import may_hold

__all__ = ["Found", "Range", "judged", "search"]

_LOT: Final = 256
_FAR: Final = 500_000
"""So many indexes a page may pass over where an index says that nothing is there."""

_CHANNELS: Final = ("actual", "exercise", "system", "draft")


@dataclass(frozen=True, slots=True)
class Range:
    """Which entries are looked at; what is not given bounds nothing."""

    after: int = -1
    before: int | None = None
    since_us: int | None = None
    until_us: int | None = None
    """The last moment itself belongs to it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking at the entries from *first* to before *end*."""

    size: int
    """Of the log as it was looked at, with this *root*."""
    root: bytes
    first: int
    end: int
    rows: tuple[LogRow, ...]
    """What was found, in the order that was asked for."""
    withheld: int
    """Entries in the range that are not theirs to read: nothing of them was searched."""
    removed: int
    """Messages that could be it, but whose payload is not there any more to tell."""
    next: int | None
    """Where to go on (`Range.after`; newest first, `Range.before`); None: the range is done."""


def judged(row: LogRow, query: Query) -> bool | None:
    """Tell whether an entry is what is searched for; None where its payload is not there to tell.

    A message's facts are those of the row.
    """
    if not query.may_be(row.kind, row.agency):
        return False
    if not query.of_messages:
        return True
    if row.facts is None:
        return None
    if not query.of_facts(row.facts):
        return False
    return query.of_text(row.facts, row.payload_type, row.payload)


def search(
    log: Log,
    query: Query,
    wanted: Range,
    *,
    may_read: Callable[[LogRow], bool] | None = None,
    newest: bool = False,
    limit: int,
    span: int | None = None,
) -> Found:
    """Look at a range for what is searched for, until *limit* is found or *span* looked at.

    Where a page ends hangs on nothing but what its reader may read. Without *may_read* all
    of the log is theirs.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    low = max(wanted.after + 1, 0)
    if wanted.since_us is not None:
        low = max(low, log.first_index_at(wanted.since_us))
    with log.reading() as c:
        head = head_of(c)
    high = head.size if wanted.before is None else min(wanted.before, head.size)
    if wanted.until_us is not None:
        high = min(high, log.first_index_at(wanted.until_us + 1))
    low = min(low, high)
    look = _Look(log, query, may_read, newest=newest, limit=limit, span=span)
    at = look.through(low, high)
    first, end = (at, high) if newest else (low, at)
    done = first == low if newest else end == high
    following = None if done else first if newest else end - 1
    return Found(
        head.size,
        head.root,
        first,
        end,
        tuple(look.rows),
        look.withheld,
        look.removed,
        following,
    )


class _Look:
    """One look through a range, from its beginning or from its end."""

    def __init__(
        self,
        log: Log,
        query: Query,
        may_read: Callable[[LogRow], bool] | None,
        *,
        newest: bool,
        limit: int,
        span: int | None,
    ) -> None:
        self.log, self.query, self.may_read = log, query, may_read
        self.newest, self.limit, self.span = newest, limit, span
        self.rows: list[LogRow] = []
        self.withheld = self.removed = 0
        # What is hidden is counted, so who does not read all is shown the range as it is.
        self.sparse = may_read is None and bool(
            query.incident or (query.kinds and "publish" not in query.kinds)
        )

    def through(self, low: int, high: int) -> int:
        """Look from one end of a range towards the other; return how far it came."""
        if self.span is not None:
            far = max(_FAR, self.span) if self.sparse else self.span
            low, high = (max(low, high - far), high) if self.newest else (low, min(high, low + far))
        looked = 0
        while low < high:
            lot = _LOT if self.span is None else min(_LOT, self.span - looked)
            with self.log.reading() as c:
                raws = list(self._lot(c, low, high, lot))
            for raw in raws:
                self._take(raw)
                low, high = (low, raw[0]) if self.newest else (raw[0] + 1, high)
                if len(self.rows) == self.limit:
                    return high if self.newest else low
            if len(raws) < lot:
                return low if self.newest else high
            looked += len(raws)
            if self.span is not None and looked >= self.span:
                break
        return high if self.newest else low

    def _take(self, raw: Any) -> None:
        _, _, kind, agency, _, payload, payload_type, _, _ = raw
        possible = self.query.may_be(kind, agency)
        if self.may_read is None:
            words = self.query.words
            if not possible or (
                words and payload and payload_type != REDACTED_TYPE and not may_hold(payload, words)
            ):
                return
            row = row_of(raw)
        else:
            row = row_of(raw)
            if not self.may_read(row):
                self.withheld += 1
                return
        found = judged(row, self.query)
        if found:
            self.rows.append(row)
        elif found is None:
            self.removed += 1

    def _lot(self, c: Connection, low: int, high: int, count: int) -> Iterator[Any]:
        """Yield the next entries that can be it, in order; of whom not all may read, all."""
        query = ROW.where(ENTRIES.c.idx >= low, ENTRIES.c.idx < high)
        if self.may_read is None:
            if self.query.incident:
                indexes = self._about(c, low, high, count)
                query = ROW.where(ENTRIES.c.idx.in_(indexes))
            elif self.query.kinds:
                query = query.where(ENTRIES.c.kind.in_(self.query.kinds))
                if "publish" not in self.query.kinds:
                    query = query.where(ENTRIES.c.kind != "publish")
        yield from c.execute(self._ordered(query, ENTRIES.c.idx).limit(count))

    def _about(self, c: Connection, low: int, high: int, count: int) -> list[int]:
        at = INCIDENTS.c.idx
        query = select(at).where(
            INCIDENTS.c.channel.in_(_CHANNELS),
            INCIDENTS.c.incident == self.query.incident,
            at >= low,
            at < high,
        )
        return list(c.execute(self._ordered(query, at).limit(count)).scalars())

    def _ordered(self, query: Select[Any], by: Any) -> Select[Any]:
        return query.order_by(None).order_by(by.desc() if self.newest else by)
