"""How soon each recipient acknowledged: in time, late, or not at all; nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from hub.core.lifecycle import RecipientLife, State

__all__ = ["Kept", "Punctuality", "late_by", "punctuality"]


@dataclass(frozen=True, slots=True)
class Kept:
    """How one recipient kept the deadline of one message, as of some moment."""

    recipient: str
    state: State
    late_by: timedelta | None
    """None where it was in time, or where there is time yet."""

    @property
    def missing(self) -> bool:
        """Whether nobody has acknowledged, though it is past its deadline or its own expiry."""
        return self.state in {State.OVERDUE, State.EXPIRED}


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How one recipient, or several together, kept their deadlines.

    Each message is in time, late, missing, or open: not acknowledged, with time yet.
    """

    of: str
    """Whose sums they are."""
    messages: int
    in_time: int
    late: int
    missing: int
    """Past its deadline or its own expiry, and nobody has acknowledged."""
    median_late: timedelta | None
    """Of all that is late or missing past its deadline."""
    worst_late: timedelta | None

    @property
    def open(self) -> int:
        """How many messages still have time."""
        return self.messages - self.in_time - self.late - self.missing


def late_by(one: RecipientLife, *, expires: datetime | None, at: datetime) -> timedelta | None:
    """Return how long a message waited beyond its deadline; None where it did not.

    It waited until somebody acknowledged; else until it expired, for nobody need
    acknowledge it then, or until *at*.
    """
    if one.acknowledgements:
        end = one.acknowledgements[0].at
    else:
        end = at if expires is None else min(at, expires)
    waited = end - one.deadline
    return waited if waited > timedelta(0) else None


def punctuality(
    kept: Iterable[Kept], *, by: Callable[[Kept], str] = lambda one: one.recipient
) -> tuple[Punctuality, ...]:
    """Return the sums of every recipient, sorted; the order of what comes does not matter.

    Of several together, where *by* gives them the same name: the median of all is not to be had
    from that of each.
    """
    of: dict[str, list[Kept]] = {}
    for one in kept:
        of.setdefault(by(one), []).append(one)
    return tuple(_sums(name, of[name]) for name in sorted(of))


def _sums(of: str, kept: list[Kept]) -> Punctuality:
    waits = [one.late_by for one in kept if one.late_by is not None]
    late = [one.late_by is not None for one in kept if one.state is State.ACKNOWLEDGED]
    return Punctuality(
        of,
        messages=len(kept),
        in_time=late.count(False),
        late=late.count(True),
        missing=sum(one.missing for one in kept),
        median_late=_median(waits),
        worst_late=max(waits, default=None),
    )


def _median(waits: list[timedelta]) -> timedelta | None:
    one = timedelta(microseconds=1)
    return median(wait // one for wait in waits) * one if waits else None
