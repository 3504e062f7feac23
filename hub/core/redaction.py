"""What stays of a message when its payload is removed, by law or by age, and what has to go.

The entry in the log names the payload by SHA-256 and never held it, so the log and its
proofs are as they were. Of the message's facts those stay by which it was admitted and
routed; what it said in words, and where, goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.facts import MessageFacts

__all__ = ["REDACTED_TYPE", "Redaction", "removed_by", "residue"]

REDACTED_TYPE: Final = "application/vnd.caspian-hub.redacted+json"
"""The type of what stands in the place of a payload that was removed: its residue."""

_GOES: Final = {"headline", "events", "categories", "languages", "areas"}


class Redaction(BaseModel):
    """A payload is removed: whose, which, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: str
    message: int = Field(ge=0)
    """The log index of the message."""
    grounds: str = Field(min_length=1, max_length=500)
    """The law or order, for everybody to read."""


def residue(facts: MessageFacts) -> str:
    """Return the facts that stay, as JSON; of what is left the same is left again."""
    return facts.model_copy(
        update={name: MessageFacts.model_fields[name].default for name in _GOES}
    ).model_dump_json(exclude_defaults=True)


def removed_by(entry: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    """Return the messages whose payload an entry removes, with what is left of each."""
    if entry["kind"] == "redaction":
        return ((int(entry["redaction"]["message"]), str(entry["residue"])),)
    if entry["kind"] == "retirement":
        left = (str(one["residue"]) for one in entry["left"])
        return tuple(zip(map(int, entry["messages"]), left, strict=True))
    return ()
