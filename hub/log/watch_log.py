"""What a watch reads from the log: the latest messages, and who has acknowledged each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from hub.core.rows import AcknowledgementRow, MessageRow
from hub.log.derived import acknowledgement_of, message_of
from hub.log.tables import ACKNOWLEDGEMENTS, MESSAGES, PAYLOADS

__all__ = ["acknowledgements_of", "latest", "payloads_of"]

_IN: Final = 200
"""How many values one IN list holds."""


def latest(c: Connection, *, before: int, since_us: int, limit: int) -> list[MessageRow]:
    """Return messages below the index *before*, not logged before a time, newest first."""
    query = (
        select(MESSAGES)
        .where(MESSAGES.c.idx < before, MESSAGES.c.at_us >= since_us)
        .order_by(MESSAGES.c.idx.desc())
        .limit(limit)
    )
    return [message_of(r) for r in c.execute(query)]


def acknowledgements_of(
    c: Connection, messages: Sequence[MessageRow]
) -> dict[int, list[AcknowledgementRow]]:
    """Return who has acknowledged each of these messages, by its index, in log order.

    Of each officer the first: as `Log.acknowledgements` has it for one message.
    """
    named = defaultdict(list)
    for m in messages:
        named[m.facts.sender, m.facts.identifier].append(m)
    found: dict[int, dict[tuple[str, str], AcknowledgementRow]] = {m.index: {} for m in messages}
    identifiers = sorted({identifier for _, identifier in named})
    senders = sorted({sender for sender, _ in named})
    for start in range(0, len(identifiers), _IN):
        query = select(ACKNOWLEDGEMENTS).where(
            ACKNOWLEDGEMENTS.c.sender.in_(senders),
            ACKNOWLEDGEMENTS.c.identifier.in_(identifiers[start : start + _IN]),
        )
        for ack in map(acknowledgement_of, c.execute(query.order_by(ACKNOWLEDGEMENTS.c.idx))):
            for m in named.get((ack.sender, ack.identifier), ()):
                if ack.is_of(m):
                    found[m.index].setdefault((ack.agency, ack.officer), ack)
    return {index: list(acks.values()) for index, acks in found.items()}


def payloads_of(c: Connection, indexes: Sequence[int]) -> dict[int, tuple[str, bytes]]:
    """Return type and bytes of the payloads at these indexes, of those that are kept."""
    found = {}
    for start in range(0, len(indexes), _IN):
        query = select(PAYLOADS).where(PAYLOADS.c.idx.in_(indexes[start : start + _IN]))
        found.update({r.idx: (r.type, r.body) for r in c.execute(query)})
    return found
