"""What the log knows of escalations, and of when the hub was down."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hub.core.escalation import Escalation, Outage, outages_of
from hub.log.tables import ALIVE, ENTRIES, ESCALATIONS
from schemas.entry import decode

__all__ = ["Taken", "escalations_of", "last_alive", "outages", "sign_of_life", "taken"]

_IN: Final = 500
_MAKE: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": pg_insert}


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken for one message and recipient."""

    message: int
    recipient: str
    step: int
    index: int
    at_us: int


def escalations_of(c: Connection, messages: Collection[int]) -> list[Escalation]:
    """Return all steps that were taken for some messages."""
    return [Escalation(t.message, t.recipient, t.step) for t in taken(c, messages)]


def taken(c: Connection, messages: Iterable[int]) -> list[Taken]:
    """Return all steps that were taken for some messages, with when, in the order of the log."""
    wanted = sorted(messages)
    found = []
    for start in range(0, len(wanted), _IN):
        query = select(ESCALATIONS).where(ESCALATIONS.c.message.in_(wanted[start : start + _IN]))
        found += [Taken(r.message, r.recipient, r.step, r.idx, r.at_us) for r in c.execute(query)]
    return sorted(found, key=lambda t: (t.index, t.message, t.recipient))


def outages(c: Connection) -> tuple[Outage, ...]:
    """Return when the hub was down, in order."""
    query = (
        select(ENTRIES.c.at_us, ENTRIES.c.body)
        .where(ENTRIES.c.kind != "publish", ENTRIES.c.kind == "restart")
        .order_by(ENTRIES.c.idx)
    )
    return outages_of((r.at_us, decode(r.body)) for r in c.execute(query))


def last_alive(c: Connection) -> int | None:
    """Return when a ledger was last at work, in microseconds since 1970; None if never."""
    return c.execute(select(ALIVE.c.seen_us).where(ALIVE.c.id == 1)).scalar_one_or_none()


def sign_of_life(c: Connection, at_us: int) -> None:
    """Write down that a ledger is at work; the latest holds."""
    insert = _MAKE[c.dialect.name](ALIVE).values(id=1, seen_us=at_us)
    c.execute(insert.on_conflict_do_nothing())
    c.execute(update(ALIVE).where(ALIVE.c.id == 1, ALIVE.c.seen_us < at_us).values(seen_us=at_us))
