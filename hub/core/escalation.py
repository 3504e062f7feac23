"""Who is told next when a recipient does not acknowledge, and when (guarantee G7).

Each (message, recipient) has a deadline (`hub.core.lifecycle.deadline`). Once it has passed
and nobody of the recipient has acknowledged, the next in line is told:

====  ==================  ===================  ==========================================
step  after               told besides         how
====  ==================  ===================  ==========================================
1     the deadline        the second contact   the recipient's own feeds, and those of its
                                               subscriptions that want ``escalation``
2     1.5 times that      the state authority  feeds of the agencies that coordinate for
                                               the recipient's state
3     twice that          the hub's operator   `GET /v1/escalations`, an alarm, and the
                                               feed of the agency that sent the message
====  ==================  ===================  ==========================================

Where a state has no agency that coordinates, step 3 takes the place of step 2. Only the
highest step that is due is taken: nobody is called three times at once.

**The clock stands while the hub is down.** A ``restart`` entry of the log says since when
it was; no recipient could have acknowledged then, so that time does not count, and a hub
that comes back after a day does not call everybody at once. One entry holds all messages of
one sender that come due for a recipient together, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.core.lifecycle import deadline
from hub.core.registry import Registry, channel_of, main_feeds
from schemas.entry import micros
from schemas.facts import MessageFacts

__all__ = [
    "LAST_STEP",
    "LONGEST",
    "MOST_MESSAGES",
    "OUTAGE_US",
    "Escalation",
    "Outage",
    "coordinators",
    "due_at_us",
    "escalates",
    "feeds_of_escalation",
    "outages_of",
    "patience_us",
    "step_due",
]

LAST_STEP: Final = 3
_HALVES: Final = {1: 2, 2: 3, 3: 4}
"""When a step is due, in halves of the time to the deadline."""

LONGEST: Final = 2 * timedelta(hours=128)
"""No step of any message is due later than this after it was logged, but for outages."""

MOST_MESSAGES: Final = 200
"""So many messages one entry names at most; the rest get entries of their own."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

OUTAGE_US: Final = 60_000_000
"""A shorter standstill is none: a process was started again."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the hub was down, in microseconds since 1970."""

    since_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """One message was escalated for one recipient."""

    message: int
    """Its log index."""
    recipient: str
    step: int


def escalates(facts: MessageFacts) -> bool:
    """Return whether anybody is called about a message that nobody acknowledges.

    Not about what CAP tells recipients to disregard (1.2, 3.2.1 ``status`` Test, Draft), nor
    about what only systems read (System), nor about answers.
    """
    return facts.status in {"Actual", "Exercise"} and facts.kind in {"alert", "aid"}


def patience_us(facts: MessageFacts) -> int:
    """Return how long a recipient has until the deadline, in microseconds."""
    return (deadline(facts, _EPOCH) - _EPOCH) // timedelta(microseconds=1)


def due_at_us(patience: int, logged_at_us: int, step: int, outages: Iterable[Outage] = ()) -> int:
    """Return when a step is due; *outages* in the order in which they were."""
    due = logged_at_us + patience * _HALVES[step] // 2
    for outage in outages:
        if outage.since_us >= due:
            break
        due += max(0, outage.until_us - max(outage.since_us, logged_at_us))
    return due


def step_due(
    patience: int,
    logged_at_us: int,
    at_us: int,
    *,
    coordinated: bool,
    outages: Sequence[Outage] = (),
) -> int:
    """Return the highest step that is due at a moment, 0 where none is.

    *coordinated* says whether the recipient's state has another agency to tell.
    """
    step = 0
    while step < LAST_STEP and due_at_us(patience, logged_at_us, step + 1, outages) <= at_us:
        step += 1
    return LAST_STEP if step == 2 and not coordinated else step


def coordinators(recipient: str, registry: Registry) -> frozenset[str]:
    """Return the other agencies that coordinate for the recipient's state."""
    agency = registry.agencies.get(recipient)
    return frozenset(
        other.id
        for other in registry.agencies.values()
        if agency is not None
        and other.coordinates
        and other.active
        and other.state == agency.state
        and other.id != recipient
    )


def feeds_of_escalation(entry: Mapping[str, Any], registry: Registry) -> tuple[str, ...]:
    """Return the feeds that tell of an escalation entry, sorted."""
    channel = channel_of(entry["status"])
    recipient, step = entry["recipient"], int(entry["step"])
    told = {recipient}
    if step >= 2:
        told |= coordinators(recipient, registry)
    if step >= LAST_STEP:
        told.add(entry["of"])
    feeds = {main_feeds(agency)[channel] for agency in told if agency in registry.members}
    if recipient in registry.members:
        feeds.update(
            s.feed
            for s in registry.by_agency.get(recipient, ())
            if s.channel == channel and "escalation" in s.filter.kinds
        )
    return tuple(sorted(feeds))


def outages_of(restarts: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[Outage, ...]:
    """Return the outages that ``restart`` entries tell of: (time of the entry, its facts)."""
    return tuple(
        Outage(micros(datetime.fromisoformat(entry["since"])), at_us) for at_us, entry in restarts
    )
