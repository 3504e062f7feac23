"""A replay by a person, as the log tells of it: who lived through what again, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Rejected

__all__ = ["SANDBOX", "Part", "ReplayRecord", "replay_facts"]

SANDBOX: Final = r"^[a-z0-9][a-z0-9-]{0,39}$"
"""The names that a sandbox can have; none of them is that of a live feed."""


class Part(BaseModel):
    """The part of the log that is lived through again; both ends belong to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(ge=0, lt=1 << 53)
    through: int = Field(ge=-1, lt=1 << 53)
    kinds: tuple[str, ...] = Field((), max_length=20)
    agency: str = Field("", max_length=64)
    """Only what this agency did."""
    state: str = Field("", pattern=r"^([A-Z]{2})?$")
    """Only what agencies of this state did."""
    incident: str = Field("", max_length=1000)
    """Only messages about this incident, and their acknowledgements."""


class ReplayRecord(BaseModel):
    """A replay began, or ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sandbox: str = Field(pattern=SANDBOX)
    action: Literal["started", "ended"]
    part: Part
    reached: int = Field(-1, ge=-1, lt=1 << 53)
    """With ``ended``: the last log index that was lived through again; -1 for none."""
    routed: int = Field(0, ge=0)
    """With ``ended``: the feed entries that they became."""
    digest: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """With ``ended``, of one that came to its end: over all that was routed."""


def replay_facts(body: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Return the facts of the entry, in a log of *size* entries before it.

    Raises:
        Rejected: ``replay-invalid``.
    """
    try:
        record = ReplayRecord.model_validate(dict(body))
    except ValidationError as e:
        raise _invalid(str(e.errors(include_url=False)[0]["msg"])) from e
    if record.part.through >= size or record.reached > record.part.through:
        raise _invalid("it tells of entries that the log has not")
    return record.model_dump(mode="json")


def _invalid(why: str) -> Rejected:
    return Rejected("replay-invalid", f"this is no replay: {why}", remedy="Start it anew.")
