"""What is known of messages and acknowledgements in the log without opening a payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.entry import micros
from schemas.facts import MessageFacts

__all__ = [
    "LONGEST_NAME_BYTES",
    "AcknowledgementRow",
    "MessageRow",
    "acknowledged_by",
    "acknowledgement_in",
    "identity",
    "name_bytes",
    "writable",
]

LONGEST_NAME_BYTES: Final = 1000
"""Sender and identifier together. They are looked up by an index, whose entries are bounded."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is known of a message in the log without opening its payload."""

    index: int
    id: str
    agency: str
    identity: str
    sha256: str
    at_us: int
    facts: MessageFacts
    warnings: str = "[]"


@dataclass(frozen=True, slots=True)
class AcknowledgementRow:
    """One acknowledgement in the log, of the message that *sender* and *identifier* name."""

    index: int
    sender: str
    identifier: str
    agency: str
    officer: str
    note: str
    at_us: int
    message_id: str = ""
    of: str = ""
    """The agency whose message it is; a CAP Ack does not say it, and names ``sent`` instead."""
    sent_us: int = 0

    def is_of(self, row: MessageRow) -> bool:
        """Tell whether it acknowledges this message, and not another that is named alike.

        Else an agency could have another's alert acknowledged by using its names.
        """
        facts = row.facts
        return (self.sender, self.identifier) == (
            facts.sender,
            facts.identifier,
        ) and self.fits(row.agency, micros(facts.sent))

    def fits(self, agency: str, sent_us: int) -> bool:
        """Tell the same of a message of these names, by whose it is and when it was sent."""
        return self.of in {"", agency} and self.sent_us in {0, sent_us}


def identity(agency: str, sender: str, identifier: str) -> str:
    """Return the text that names a message by what its sender calls it.

    The agency is part of it: or one agency could occupy another's identifiers.
    """
    return f"{agency}\x1f{sender}\x1f{identifier}"


def acknowledged_by(
    facts: MessageFacts, agency: str, index: int, at_us: int
) -> tuple[AcknowledgementRow, ...]:
    """Let a CAP Ack acknowledge what it refers to, known here yet or not (CAP 1.2, 3.2.1)."""
    if facts.kind != "ack":
        return ()
    return tuple(
        AcknowledgementRow(
            index,
            ref.sender,
            ref.identifier,
            agency,
            facts.sender,
            facts.headline,
            at_us,
            sent_us=micros(ref.sent),
        )
        for ref in dict.fromkeys(facts.references)
        if name_bytes(ref.sender, ref.identifier) <= LONGEST_NAME_BYTES
    )


def acknowledgement_in(index: int, agency: str, entry: Mapping[str, Any]) -> AcknowledgementRow:
    """Return what an ``acknowledgement`` entry at *index* says."""
    return AcknowledgementRow(
        index,
        entry["sender"],
        entry["identifier"],
        agency,
        entry["officer"],
        entry["note"],
        micros(datetime.fromisoformat(entry["at"])),
        entry["message_id"],
        of=entry["message_agency"],
    )


def name_bytes(sender: str, identifier: str) -> int:
    """Return how long the two are together in the indexes of the store."""
    return len(writable(sender + identifier).encode())


def writable(text: str) -> str:
    """Write out in letters what UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
