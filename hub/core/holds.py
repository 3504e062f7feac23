"""Legal holds: what may not be removed until who held it lets it go.

A hold is on one message, or on all that are about an incident, also those to come. While
one holds, a payload is neither redacted nor let go of by age (`held`).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.core.incidents import incident_name, incidents_of
from schemas.facts import MessageFacts

__all__ = ["Hold", "HoldLife", "Release", "held"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hold(_Record):
    """Something is held: what, by which state, and why."""

    state: str = Field(pattern=r"^[A-Z]{2}$")
    """ISO 3166-1 alpha-2 of the state that holds it."""
    message: int | None = Field(None, ge=0)
    """The log index of a message; or null."""
    incident: str = Field("", max_length=500)
    """The incident whose messages are held; empty where it is one message."""
    reason: str = Field(min_length=1, max_length=500)
    """The case or order, for everybody to read."""

    @model_validator(mode="after")
    def _of_one(self) -> Hold:
        if (self.message is None) == (not incident_name(self.incident)):
            raise ValueError("a hold is on a message or on an incident: name one of them")
        return self


class Release(_Record):
    """A hold ends."""

    state: str = Field(pattern=r"^[A-Z]{2}$")
    """The state that held it."""
    hold: int = Field(ge=0)
    """The log index of the hold."""
    reason: str = Field(min_length=1, max_length=500)


class HoldLife(_Record):
    """A hold, and the entry that ended it."""

    hold: Hold
    until: int | None = None

    def covers(self, index: int, facts: MessageFacts) -> bool:
        """Tell whether a message may not be removed because of it."""
        if self.until is not None:
            return False
        if self.hold.message is not None:
            return self.hold.message == index
        return incident_name(self.hold.incident) in incidents_of(facts)


def held(holds: Mapping[int, HoldLife], index: int, facts: MessageFacts) -> int | None:
    """Return the first hold that a message is under; None where there is none."""
    return next((i for i, life in sorted(holds.items()) if life.covers(index, facts)), None)
