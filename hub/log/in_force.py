"""Which alerts may be in force: those of the log that have not expired by their own word.

Whether one was updated or cancelled is a matter of who looks (`hub.core.threads`); whether it
has expired is not. So a process keeps these few, and reads of the log only what has come since.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import select

from hub.core.redaction import removed_by
from hub.core.rows import MessageRow
from hub.core.threads import Published, Threads
from hub.log.derived import message_of
from hub.log.feeding import is_public
from hub.log.store import Log
from hub.log.tables import MESSAGES
from schemas.entry import micros

__all__ = ["LOOKED_BACK", "InForce"]

LOOKED_BACK: Final = timedelta(days=30)
"""An alert that was logged longer ago is not looked at, though it may never expire."""

_LOT: Final = 1000
_REMOVING: Final = ("redaction", "retirement")
_REMEMBERED_S: Final = 2.0
_MOST: Final = 20_000
_ALERT: Final = '{"kind":"alert"%'
"""How the facts of an alert begin; of all others not one has to be read."""


class InForce:
    """The alerts that may be in force now. Its methods block; safe to use from several threads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rows: dict[int, MessageRow] = {}
        self._read = -1
        self._lock = Lock()
        self._public = Lock()
        self._public_until = 0.0
        self._for_everybody: list[MessageRow] = []
        self._forgotten = -1

    def seen_by(self, may_read: Callable[[MessageRow], bool], *, at: datetime) -> list[MessageRow]:
        """Return the alerts in force at a moment, as who may read just that sees it, newest first.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        rows = [row for row in self._candidates(at) if may_read(row)]
        around = [row for row in self._log.threads_of(rows) if may_read(row)]
        threads = Threads(Published(row.index, row.agency, row.facts) for row in around)
        active = threads.in_force(at=at)
        return sorted((r for r in rows if r.index in active), key=lambda r: r.index, reverse=True)

    def for_everybody(self, *, at: datetime) -> list[MessageRow]:
        """Return what `seen_by` gives who may read what is public, up to two seconds ago.

        So however many strangers ask, the store is asked now and then.
        """
        with self._public:
            now = time.monotonic()
            if now >= self._public_until:
                self._for_everybody = self.seen_by(lambda row: is_public(row.facts), at=at)
                self._public_until = now + _REMEMBERED_S
            return self._for_everybody

    def _candidates(self, at: datetime) -> Sequence[MessageRow]:
        with self._lock:
            end = self._log.head().size - 1
            if self._read < 0:
                self._forgotten = end  # what was removed before is not read at all
            self._read_on(end, micros(at - LOOKED_BACK))
            # The facts of a message whose payload was removed are kept nowhere.
            for row in self._log.rows(after=self._forgotten, kinds=_REMOVING, limit=_LOT):
                for index, _ in removed_by(row.entry):
                    self._rows.pop(index, None)
                self._forgotten = row.index
            self._rows = {i: row for i, row in self._rows.items() if _may_hold(row, at)}
            for index in sorted(self._rows)[:-_MOST]:
                del self._rows[index]
            return list(self._rows.values())

    def _read_on(self, end: int, since_us: int) -> None:
        while self._read < end:
            query = (
                select(MESSAGES)
                .where(
                    MESSAGES.c.idx > self._read,
                    MESSAGES.c.idx <= end,
                    MESSAGES.c.at_us >= since_us,
                    MESSAGES.c.facts.like(_ALERT),
                )
                .order_by(MESSAGES.c.idx)
                .limit(_LOT)
            )
            with self._log.reading() as c:
                rows = [message_of(r) for r in c.execute(query)]
            self._rows.update((row.index, row) for row in rows)
            self._read = rows[-1].index if len(rows) == _LOT else end


def _may_hold(row: MessageRow, at: datetime) -> bool:
    facts = row.facts
    return (
        facts.msg_type in {"Alert", "Update"}
        and (facts.expires is None or facts.expires > at)
        and row.at_us >= micros(at - LOOKED_BACK)
    )
