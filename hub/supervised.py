"""What a supervised child is, what happens to it, and how long it waits to be started again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

__all__ = ["Child", "ChildEvent", "ChildState", "restart_delay"]

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0


def restart_delay(deaths: int, jitter: float) -> timedelta:
    """Return how long to wait after that many *deaths* in a row: nothing after the first.

    Then 0.1 s, doubled each time up to 5 s, so that a child that cannot live
    does not eat the machine. *jitter* in [0, 1) spreads it by a quarter either
    way, within those bounds, so that children that died together do not come
    back together.
    """
    if deaths <= 1:
        return timedelta(0)
    doubled = _FIRST_DELAY_S * 2.0 ** min(deaths - 2, 16)
    spread = min(doubled, _LONGEST_DELAY_S) * (0.75 + jitter / 2)
    return timedelta(seconds=min(max(spread, _FIRST_DELAY_S), _LONGEST_DELAY_S))


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive.

    *argv* may be a function: it is called before each start and may write the
    files that the program needs; ``HubError`` or ``OSError`` from it counts as
    a death. *env* is added to the supervisor's own environment. *ready* says
    whether the next child may start; the same errors from it mean not yet.
    Without it, a child is ready once it runs.
    """

    name: str
    argv: Callable[[], Sequence[str]] | Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None


@dataclass(frozen=True, slots=True)
class ChildState:
    """What a child does now. *pid* is None while it does not run; the first start is no restart."""

    pid: int | None
    started_at: datetime | None
    restarts: int
    running: bool


@dataclass(frozen=True, slots=True)
class ChildEvent:
    """Something that happened to a child, for whoever shows or logs it.

    ``exited`` and ``failed`` (it could not be started, *reason* says why) are
    followed by a new start in *restart_in*; ``stopped`` is its end. *exit_code*
    is the program's, or minus the signal that killed it.
    """

    kind: Literal["started", "ready", "exited", "failed", "stopped"]
    name: str
    pid: int | None = None
    exit_code: int | None = None
    reason: str = ""
    restart_in: timedelta | None = None
