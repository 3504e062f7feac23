"""The aid messages of the log: all of them for the board, and those that hang together."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Connection, select

from hub.core.candidate import Candidate
from hub.core.rows import MessageRow
from hub.log.derived import message_of
from hub.log.statements import among
from hub.log.tables import AID, MESSAGES

__all__ = ["aid_around", "aid_messages", "aid_versions"]

_IN = 500
"""How many values one IN list holds; SQLite has a limit on variables."""


def aid_messages(c: Connection) -> list[MessageRow]:
    """Return all aid messages, in the order of the log."""
    query = select(MESSAGES).join(AID, AID.c.idx == MESSAGES.c.idx).order_by(AID.c.idx)
    return [message_of(r) for r in c.execute(query)]


def aid_around(c: Connection, batch: Iterable[Candidate]) -> list[MessageRow]:
    """Return the aid messages that hang together with those of a batch, over any steps.

    A batch without aid messages asks nothing.
    """
    waiting: set[str] = set()
    for one in batch:
        if one.kind == "publish" and one.facts is not None and one.facts.aid is not None:
            waiting |= {one.facts.identifier, one.facts.aid.answers, one.facts.aid.recalls}
    return _joined(c, waiting, (AID.c.identifier, AID.c.answers, AID.c.recalls))


def aid_versions(c: Connection, rows: Iterable[MessageRow]) -> list[MessageRow]:
    """Return aid messages with what updates and takes back, or is updated and taken back by, them.

    Rows of another kind ask nothing.
    """
    waiting: set[str] = set()
    for row in rows:
        if row.facts.aid is not None:
            waiting |= {row.facts.identifier, row.facts.aid.recalls}
    return _joined(c, waiting, (AID.c.identifier, AID.c.recalls))


def _joined(c: Connection, waiting: set[str], columns: tuple[Column[str], ...]) -> list[MessageRow]:
    """Return all messages that have one of these ids in one of the columns, over any steps."""
    seen, found = {""}, set[int]()
    while waiting := waiting - seen:
        seen |= waiting
        names: set[str] = set()
        for start in range(0, len(waiting), _IN):
            values = {"values": sorted(waiting)[start : start + _IN]}
            for column in columns:
                for r in c.execute(among(column), values):
                    found.add(r.idx)
                    names |= {getattr(r, one.name) for one in columns}
        waiting = names
    ordered = sorted(found)
    return [
        message_of(r)
        for start in range(0, len(ordered), _IN)
        for r in c.execute(among(MESSAGES.c.idx), {"values": ordered[start : start + _IN]})
    ]
