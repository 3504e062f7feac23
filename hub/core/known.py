"""What the log already holds that a batch of candidates may meet, and the names it is found by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from hub.core.aid_moves import AidIndex
from hub.core.aid_statements import AidEntry
from hub.core.candidate import Candidate
from hub.core.escalation import Escalation, Outage
from hub.core.rows import AcknowledgementRow, MessageRow, identity
from hub.core.signing import Chain

__all__ = [
    "Known",
    "accepted_key",
    "accepted_key_of",
    "export_key",
    "export_key_of",
    "header_key",
    "header_key_of",
    "input_key",
    "input_key_of",
    "retired_key_of",
]


class Known:
    """What the log already holds that this batch may meet, updated as the batch is decided."""

    def __init__(
        self,
        messages: Sequence[MessageRow] = (),
        acknowledgements: Sequence[AcknowledgementRow] = (),
        chains: Mapping[str, Chain] | None = None,
        delivered: Mapping[str, int] | None = None,
        inputs: Mapping[str, tuple[int, int]] | None = None,
        aid: Sequence[MessageRow] = (),
    ) -> None:
        self.by_identity: dict[str, MessageRow] = {}
        self.by_id: dict[tuple[str, str], MessageRow] = {}
        self.by_index: dict[str, MessageRow] = {}
        self.by_name: dict[str, dict[str, MessageRow]] = {}
        self.named_by: dict[str, dict[int, MessageRow]] = {}
        """For each message, by its identity, those of its own agency that name it, by index."""
        self.acknowledged: dict[tuple[str, str, str, str], list[AcknowledgementRow]] = {}
        self.chains: dict[str, Chain] = dict(chains or {})
        self.delivered: dict[str, int] = dict(delivered or {})
        self.inputs: dict[str, tuple[int, int]] = dict(inputs or {})
        self.aid = AidIndex(AidEntry(r.index, r.agency, r.facts) for r in aid)
        """The aid messages that hang together with those of the batch."""
        self.escalated: dict[tuple[int, str], int] = {}
        """The highest step that was taken, by message and recipient."""
        self.outages: list[Outage] = []
        """When the hub was down, in order; only where something is escalated."""
        self.removed: set[int] = set()
        """The messages whose payload has gone; only where some are to go by age."""
        for row in messages:
            self.add(row)
        for ack in acknowledgements:
            self.add_acknowledgement(ack)

    def add_escalation(self, one: Escalation) -> None:
        """Take in an escalation; the highest step counts."""
        key = (one.message, one.recipient)
        self.escalated[key] = max(one.step, self.escalated.get(key, 0))

    def acknowledges(self, agency: str, row: MessageRow) -> bool:
        """Return whether anybody of an agency has acknowledged a message."""
        return any(
            ack.is_of(row)
            for (_, _, by, _), acks in self.acknowledged.items()
            if by == agency
            for ack in acks
        )

    def add(self, row: MessageRow) -> None:
        """Take in a message."""
        self.by_identity[row.identity] = row
        self.by_id[row.agency, row.id] = row
        self.by_index[str(row.index)] = row
        self.by_name.setdefault(row.id, {})[row.agency] = row
        for ref in row.facts.references:
            named = identity(row.agency, ref.sender, ref.identifier)
            self.named_by.setdefault(named, {})[row.index] = row

    def add_acknowledgement(self, ack: AcknowledgementRow) -> None:
        """Take in an acknowledgement; the first of a message by the same officer counts."""
        key = (ack.sender, ack.identifier, ack.agency, ack.officer)
        self.acknowledged.setdefault(key, []).append(ack)


def input_key(candidate: Candidate) -> str:
    """Return the name of the inbox entry a candidate came from; empty where there was none.

    A message is known again by its identity. A refusal has none, so the inbox entry
    itself keeps a crash between commit and acknowledgement from logging it twice.
    """
    return input_key_of(candidate.agency, candidate.inbox)


def header_key(candidate: Candidate) -> str:
    """Return the name of a signed header; empty where there is none.

    A refusal that moved an agency's count on is known by it, however often it comes.
    """
    return header_key_of(candidate.agency, candidate.header)


def accepted_key(candidate: Candidate) -> str:
    """Return the name under which an accepted registry record is remembered.

    Such a record has no identity either: an old one that comes again, after a crash,
    must not undo a newer one. A signed statement is known by its text.
    """
    return accepted_key_of(
        candidate.agency, candidate.inbox, str(candidate.body.get("statement", ""))
    )


def export_key(candidate: Candidate) -> str:
    """Return the name of an export: who made it, when, and what it is."""
    return export_key_of(candidate.person, candidate.body)


def export_key_of(person: str, body: Mapping[str, Any]) -> str:
    """Return the same from the facts of the entry that was logged."""
    told = json.dumps([person, body.get("made"), body.get("export")], sort_keys=True)
    return f"\x1fexport\x1f{sha256(told.encode()).hexdigest()}"


def input_key_of(agency: str, inbox: str) -> str:
    """Return the same from the facts of the entry that was logged."""
    return f"{agency}\x1f{inbox}" if inbox else ""


def header_key_of(agency: str, header: str) -> str:
    """Return the same from the facts of the entry that was logged."""
    return f"{agency}\x1fheader\x1f{sha256(header.encode()).hexdigest()}" if header else ""


def accepted_key_of(agency: str, inbox: str, statement: str) -> str:
    """Return the same from the facts of the entry that was logged."""
    if statement:
        return f"\x1fstatement\x1f{sha256(statement.encode()).hexdigest()}"
    return f"{agency}\x1f{inbox}\x1fok" if inbox else ""


def retired_key_of(message: int) -> str:
    """Return the name under which it is remembered by which entry a payload went by age."""
    return f"\x1fretired\x1f{message}"
