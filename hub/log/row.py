"""One entry as it is read from a store; quick to import, for other processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.entry import decode
from schemas.facts import MessageFacts

__all__ = ["BEFORE_ALL", "LogRow"]

BEFORE_ALL: Final = -(1 << 62)
"""Below every index, also below those that no log has: a damaged store may hold them."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One entry with its payload (None where there is none) and a message's facts."""

    index: int
    at_us: int
    kind: str
    agency: str
    body: bytes
    payload: bytes | None = None
    payload_type: str = ""
    facts: MessageFacts | None = None
    message_id: str = ""
    payload_sha256: str = ""
    """What the store says beside the payload, in hexadecimal; only `hub.log.scan` reads it."""

    @property
    def entry(self) -> dict[str, Any]:
        """The entry's facts as a dictionary."""
        return decode(self.body)
