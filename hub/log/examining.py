"""Examine the entries of a log on every core, and tell of them in their order.

A store is read by each process for itself, a range of entries at a time: neither rows nor
payloads travel between processes, only what is told of them. Rows that come from elsewhere,
a hub or a bundle, are sent. What all need to know, the registry, goes with each lot.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from os import urandom
from typing import Any, Final, NamedTuple

from hub.log.examine import Examiner, Told
from hub.log.place import Place, cursor_at
from hub.log.row import BEFORE_ALL, LogRow
from hub.log.workers import Workers
from schemas.entry import decode

__all__ = ["SHAPES", "Stretch", "told_of"]

_LOT: Final = 256
_LOT_BYTES: Final = 1 << 20
_AT_ONCE: Final = 32
_ROWS: Final = (
    "SELECT e.idx, e.at_us, e.kind, e.agency, e.body, p.body, p.type, p.sha256 FROM entries e "
    "LEFT JOIN payloads p ON p.idx = e.idx WHERE e.idx >= {} AND e.idx < {} ORDER BY e.idx"
)
SHAPES: Final = frozenset({"genesis", "state", "member", "key", "subscription"})
"""What changes whose word counts, and where messages go."""

Change = tuple[int, bytes]
"""An entry that changes the registry: its index and its bytes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of a store, from one index to before another, and all that changed the registry."""

    place: Place
    first: int
    end: int
    changes: tuple[Change, ...]


class _Range(NamedTuple):
    """Entries that a process is to read by itself."""

    place: Place
    first: int
    end: int


class _Lot(NamedTuple):
    """What one process is given to examine."""

    source: Sequence[LogRow] | _Range
    changes: tuple[Change, ...]
    """All since the history that the run began with."""


def told_of(
    rows: Iterable[LogRow] | Stretch, examiner: Examiner, *, crew: Workers
) -> Iterator[Told]:
    """Yield what is told of each entry, in order; reads only a little ahead.

    The *examiner*'s history is that before the first entry; where it is governed, it
    learns of the changes in the rows as they come.

    Raises:
        Unavailable: ``workers-lost``, ``log-unavailable``; whatever *rows* raise.
    """
    lots = _ranges(rows) if isinstance(rows, Stretch) else _sent(rows, governed=examiner.governed)
    given = urandom(16), pickle.dumps(examiner)
    for _, told in crew.map(partial(_examine, *given), ((None, lot) for lot in lots)):
        yield from told


def _ranges(stretch: Stretch) -> Iterator[_Lot]:
    # No log has an index below 0; a damaged store may.
    first = BEFORE_ALL if stretch.first == 0 else stretch.first
    for end in range(stretch.first + _LOT, stretch.end + _LOT, _LOT):
        yield _Lot(_Range(stretch.place, first, min(end, stretch.end)), stretch.changes)
        first = end


def _sent(rows: Iterable[LogRow], *, governed: bool) -> Iterator[_Lot]:
    lot: list[LogRow] = []
    changes: tuple[Change, ...] = ()
    held, iterator = 0, iter(rows)
    while True:
        try:
            row = next(iterator)
        except StopIteration:
            break
        except Exception:
            # What was read before the fault has its turn first: it may be wrong itself.
            yield _Lot(tuple(lot), changes)
            raise
        lot.append(row)
        if governed and row.kind in SHAPES:
            changes = (*changes, (row.index, row.body))
        held += len(row.payload or b"")
        if len(lot) == _LOT or held >= _LOT_BYTES:
            yield _Lot(tuple(lot), changes)
            lot, held = [], 0
    yield _Lot(tuple(lot), changes)


_known: dict[bytes, tuple[Examiner, int]] = {}
"""In each process: the examiner of the run that it works for, and how many changes it knows."""


def _examine(run: bytes, given: bytes, lot: _Lot) -> list[Told]:
    """Examine a lot, up to the first entry that is wrong."""
    # Of this process's own making, or of the one that began it.
    examiner, count = _known.get(run) or (pickle.loads(given), 0)  # noqa: S301
    for index, body in lot.changes[count:]:
        try:
            examiner.history.apply(index, decode(body))
        except Exception:  # noqa: BLE001, S112 - in its turn the entry itself is found wrong
            continue
    _known.clear()
    _known[run] = examiner, max(count, len(lot.changes))
    told: list[Told] = []
    for row in _rows(lot.source) if isinstance(lot.source, _Range) else lot.source:
        told.append(examiner.examine(row))
        if told[-1].fault is not None:
            break
    return told


def _rows(source: _Range) -> Iterator[LogRow]:
    """Read rows by the driver's own cursor.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    with cursor_at(source.place) as cursor:
        cursor.execute(_ROWS.format(int(source.first), int(source.end)))
        while found := cursor.fetchmany(_AT_ONCE):
            yield from map(_row, found)


def _row(columns: tuple[Any, ...]) -> LogRow:
    index, at_us, kind, by, body, payload, payload_type, sha256 = columns
    # SQLite keeps whatever type it was given: what is no digest is told as none.
    digest = sha256.hex() if isinstance(sha256, bytes) else "" if sha256 is None else "?"
    return LogRow(index, at_us, kind, by, body, payload, payload_type or "", payload_sha256=digest)
