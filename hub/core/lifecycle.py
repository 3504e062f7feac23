"""The life of a message for each of its recipients: queued, delivered, acknowledged (G7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.facts import MessageFacts

__all__ = ["Acknowledgement", "RecipientLife", "State", "deadline", "life"]


class State(StrEnum):
    """Where a message stands with one recipient.

    An acknowledgement is final: whoever has acknowledged needs no delivery. Until
    then a message past its own expiry is `EXPIRED` and one past its deadline
    `OVERDUE`, whether or not it was delivered.
    """

    QUEUED = "queued"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    OVERDUE = "overdue"
    EXPIRED = "expired"


_BY_SEVERITY: Final[Mapping[str, timedelta]] = {
    "Extreme": timedelta(minutes=5),
    "Severe": timedelta(minutes=15),
    "Moderate": timedelta(hours=1),
    "Minor": timedelta(hours=4),
    "Unknown": timedelta(minutes=30),
}
_BY_URGENCY: Final[Mapping[str, float]] = {
    "Immediate": 1.0,
    "Expected": 2.0,
    "Future": 4.0,
    "Past": 8.0,
    "Unknown": 1.0,
}
_BY_CERTAINTY: Final[Mapping[str, float]] = {
    "Observed": 1.0,
    "Likely": 1.0,
    "Possible": 2.0,
    "Unlikely": 4.0,
    "Unknown": 1.0,
}


def deadline(facts: MessageFacts, logged_at: datetime) -> datetime:
    """Return when a recipient should have acknowledged at the latest.

    Counted from the moment the hub logged the message, not from what the sender
    wrote: 5 minutes for Extreme to 4 hours for Minor (Unknown: 30 minutes), times 1
    for Immediate, 2 Expected, 4 Future, 8 Past (Unknown counts as Immediate), times 2
    where it is only Possible, 4 where it is Unlikely.
    """
    longer = _BY_URGENCY[facts.urgency] * _BY_CERTAINTY[facts.certainty]
    return logged_at + _BY_SEVERITY[facts.severity] * longer


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody took notice, by name, for an agency."""

    agency: str
    officer: str
    at: datetime
    index: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecipientLife:
    """What became of one message with one recipient, as of some moment."""

    agency: str
    state: State
    queued_at: datetime
    deadline: datetime
    delivered_at: datetime | None
    acknowledgements: tuple[Acknowledgement, ...]

    @property
    def overdue(self) -> bool:
        """Whether it was acknowledged late or is now overdue."""
        if self.acknowledgements:
            return self.acknowledgements[0].at > self.deadline
        return self.state is State.OVERDUE


def life(
    facts: MessageFacts,
    *,
    logged_at: datetime,
    recipients: Iterable[str],
    delivered: Mapping[str, datetime],
    acknowledgements: Iterable[Acknowledgement],
    at: datetime,
) -> tuple[RecipientLife, ...]:
    """Return the life of a message with each recipient at the moment *at*, sorted by agency.

    The order in which deliveries and acknowledgements became known does not
    matter; those of agencies that are not recipients are ignored, and so is
    whatever happened after *at*.
    """
    due = deadline(facts, logged_at)
    acks = sorted(
        (a for a in acknowledgements if a.at <= at), key=lambda a: (a.at, a.index, a.officer)
    )
    lives = []
    for agency in sorted(set(recipients)):
        own = tuple(a for a in acks if a.agency == agency)
        delivered_at = delivered.get(agency)
        if delivered_at is not None and delivered_at > at:
            delivered_at = None
        if own:
            state = State.ACKNOWLEDGED
        elif facts.expires is not None and facts.expires <= at:
            state = State.EXPIRED
        elif due <= at:
            state = State.OVERDUE
        elif delivered_at is not None:
            state = State.DELIVERED
        else:
            state = State.QUEUED
        lives.append(RecipientLife(agency, state, logged_at, due, delivered_at, own))
    return tuple(lives)
