"""What can be told of an entry from itself alone: digest, signature, facts. Needs no order.

This is most of the work of verifying a log, and it is done in several processes; what
depends on the entries before (`hub.log.checks`) is done in one, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic_core import from_json

from hub.core.redaction import REDACTED_TYPE
from hub.log.look import Look, Task, look_at
from hub.log.projections import Reader
from hub.log.store import LogRow
from hub.log.workers import Workers
from schemas.entry import ENTRY_KINDS

__all__ = ["Opened", "looked"]

_LOT: Final = 128
_LOT_BYTES: Final = 1 << 20
_KINDS: Final = frozenset(ENTRY_KINDS)


@dataclass(frozen=True, slots=True)
class Opened:
    """A row, and its entry; or why it is none."""

    row: LogRow
    entry: dict[str, Any] | None
    error: str = ""


def looked(
    rows: Iterable[LogRow], *, crew: Workers, read: Reader | None
) -> Iterator[tuple[Opened, Look]]:
    """Yield each row with what it says of itself, in order; reads only a little ahead.

    Raises:
        Unavailable: ``workers-lost``; whatever *rows* raise.
    """
    for lot, looks in crew.map(partial(look_at, read), _lots(rows, read=read is not None)):
        yield from zip(lot, looks, strict=True)


def _lots(rows: Iterable[LogRow], *, read: bool) -> Iterator[tuple[list[Opened], list[Task]]]:
    lot: list[Opened] = []
    tasks: list[Task] = []
    held, iterator = 0, iter(rows)
    while True:
        try:
            row = next(iterator)
        except StopIteration:
            break
        except Exception:
            # What was read before the fault has its turn first: it may be wrong itself.
            yield lot, tasks
            raise
        opened = _open(row)
        lot.append(opened)
        tasks.append(_task(opened, read=read))
        held += len(row.payload or b"")
        if len(lot) == _LOT or held >= _LOT_BYTES:
            yield lot, tasks
            lot, tasks, held = [], [], 0
    yield lot, tasks


def _open(row: LogRow) -> Opened:
    """Do as schemas.entry.decode does, in a quarter of the time: half of it all would go there."""
    try:
        entry: dict[str, Any] = from_json(row.body)
        if not isinstance(row.body, bytes) or entry["v"] != 1 or entry["kind"] not in _KINDS:
            return Opened(row, None, "not an entry of version 1")
    except (ValueError, KeyError, TypeError) as e:
        return Opened(row, None, str(e))
    return Opened(row, entry)


def _task(opened: Opened, *, read: bool) -> Task:
    row, entry = opened.row, opened.entry
    if entry is None or not (row.payload or "signature" in entry):
        return Task()
    payload = row.payload if isinstance(row.payload, bytes) else None
    header, key, signature = entry.get("header"), entry.get("key"), entry.get("signature")
    told = all(isinstance(one, str) for one in (header, key, signature))
    return Task(
        payload,
        row.payload_type,
        str(header) if told else "",
        str(key) if told else "",
        str(signature) if told else "",
        read and entry["kind"] == "publish" and row.payload_type != REDACTED_TYPE,
    )
