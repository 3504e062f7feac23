"""What a way to other systems has to be able to do: webhooks, mail, a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from hub.log.feeding import Entry
from hub.outlets.records import Kind, Outlet

__all__ = ["Channel", "Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the other side made of it."""

    ok: bool
    status: int = 0
    detail: str = ""
    gone: bool = False
    """It wants nothing any more."""
    retry_after_s: float = 0.0


class Channel(Protocol):
    """A way to bring something to another system. Failures are outcomes, not exceptions."""

    @property
    def kind(self) -> Kind:
        """Which outlets it serves."""
        ...

    def at_once(self, outlet: Outlet, entry: Entry) -> bool:
        """Return whether an entry is brought by itself, as soon as it is there."""

    def digest_every(self, outlet: Outlet) -> timedelta | None:
        """Return how often the rest is brought together; None where there is no rest."""

    async def send(self, outlet: Outlet, entry: Entry) -> Outcome:
        """Bring an entry; the other side can tell a repetition by its id."""

    async def send_digest(self, outlet: Outlet, entries: Sequence[Entry]) -> Outcome:
        """Bring several entries together; the same ones again are the same digest."""

    async def test(self, outlet: Outlet, at_us: int) -> Outcome:
        """Bring something that says that it is a test."""

    async def leave(self, outlet: str) -> None:
        """Close what is open to an outlet's other side; it may be needed again."""
