"""What the store knows of payloads that went by age: which may go next, and which have gone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select

from hub.core.known import retired_key_of
from hub.core.redaction import REDACTED_TYPE
from hub.log.tables import INPUTS, MESSAGES, PAYLOADS

__all__ = ["aged", "removed", "retired_by"]

_IN: Final = 500


def aged(c: Connection, *, after: int, before_us: int, limit: int) -> list[int]:
    """Return the first messages above a log index that are old enough and have their payload."""
    query = (
        select(MESSAGES.c.idx)
        .join(PAYLOADS, PAYLOADS.c.idx == MESSAGES.c.idx)
        .where(
            MESSAGES.c.idx > after,
            MESSAGES.c.at_us < before_us,
            PAYLOADS.c.type != REDACTED_TYPE,
        )
        .order_by(MESSAGES.c.idx)
        .limit(limit)
    )
    return list(c.execute(query).scalars())


def removed(c: Connection, messages: Collection[int]) -> set[int]:
    """Return those of the messages whose payload has gone, by law or by age."""
    wanted, found = sorted(messages), set[int]()
    for start in range(0, len(wanted), _IN):
        query = select(PAYLOADS.c.idx).where(
            PAYLOADS.c.idx.in_(wanted[start : start + _IN]), PAYLOADS.c.type == REDACTED_TYPE
        )
        found |= set(c.execute(query).scalars())
    return found


def retired_by(c: Connection, message: int) -> int | None:
    """Return the log index of the entry by which a payload went by age; None where none did."""
    found: int | None = c.execute(
        select(INPUTS.c.idx).where(INPUTS.c.key == retired_key_of(message))
    ).scalar_one_or_none()
    return found
