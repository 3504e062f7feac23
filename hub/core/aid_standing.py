"""Which aid messages were taken back or corrected since, and by what."""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.aid_statements import AidEntry, Statements
from hub.core.threads import Standing, State

__all__ = ["aid_standings"]


def aid_standings(entries: Iterable[AidEntry]) -> dict[int, Standing]:
    """Return by log index where messages stand that do not hold any more as they were said.

    A MessageRecall of type Cancel takes a message back with all its updates; of the
    versions of one that was not taken back the latest holds (EDXL-RM 1.0, 3.2
    ``MessageRecall``). What holds is not in the answer. The order does not matter.
    """
    found = list(entries)
    statements = Statements(found)
    cancels: dict[int, list[int]] = {}
    for entry in sorted(found, key=lambda e: e.index):
        if entry.aid.recall == "Cancel":
            one = statements.find(entry.facts.status, entry.aid.recalls)
            if one is not None and one.now.agency == entry.agency:
                cancels.setdefault(one.now.index, []).append(entry.index)
    standings: dict[int, Standing] = {}
    for one in statements.all:
        if one.withdrawn:
            gone = Standing(State.CANCELLED, tuple(cancels.get(one.now.index, ())))
            standings |= dict.fromkeys(one.indexes, gone)
        else:
            latest = Standing(State.UPDATED, (one.now.index,))
            standings |= dict.fromkeys(one.indexes - {one.now.index}, latest)
    return standings
