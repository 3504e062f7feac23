"""The rows that are derived from entries and kept beside them: written, and read back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from hub.core.admission import NewEntry
from hub.core.incidents import incidents_of
from hub.core.known import retired_key_of
from hub.core.registry import channel_of
from hub.core.rows import (
    LONGEST_NAME_BYTES,
    AcknowledgementRow,
    MessageRow,
    acknowledged_by,
    identity,
    name_bytes,
)
from hub.log.statements import add
from hub.log.tables import (
    ACKNOWLEDGEMENTS,
    AID,
    CHAINS,
    DELIVERIES,
    ENTRIES,
    ESCALATIONS,
    INCIDENTS,
    INPUTS,
    MESSAGES,
    REFS,
)
from hub.log.tiles import add_leaves
from schemas.entry import decode
from schemas.facts import MessageFacts

__all__ = ["UNWRITABLE", "acknowledgement_of", "message_of", "project", "project_left", "target_of"]

UNWRITABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What no database can hold: there is nothing to find by it."""


def project(
    c: Connection, start: int, entries: Sequence[NewEntry], leaves: Sequence[bytes]
) -> None:
    """Write the rows that are derived from entries, the first of which has index *start*.

    Used in the commit that appends them and, the same, when projections are made anew.
    *leaves* are the entries' hashes.
    """
    add_leaves(c, start, leaves)
    _project_messages(c, [e.message for e in entries if e.message is not None])
    add(c, ACKNOWLEDGEMENTS, [_ack_row(a) for e in entries for a in e.acknowledgements])
    few = [(i, e) for i, e in enumerate(entries, start) if e.message is None]
    add(
        c,
        DELIVERIES,
        [(feed, to, i, e.at_us) for i, e in few for feed, to in e.delivered.items()],
    )
    add(
        c,
        ESCALATIONS,
        [(o.message, o.recipient, o.step, i, e.at_us) for i, e in few for o in e.escalations],
    )
    add(c, INPUTS, [row for i, e in enumerate(entries, start) for row in _input_rows(i, e)])
    chains = {e.chain_name: e.chain for e in entries if e.chain is not None}
    add(c, CHAINS, [(name, chain.seq, chain.head) for name, chain in chains.items()])


def project_left(c: Connection, index: int, left: str) -> None:
    """Write the rows of a message of which there were none, from what is left of its facts.

    A mirror gets no payload that is gone before it comes by.
    """
    at_us, agency, body = c.execute(
        select(ENTRIES.c.at_us, ENTRIES.c.agency, ENTRIES.c.body).where(ENTRIES.c.idx == index)
    ).one()
    header = json.loads(decode(body)["header"])
    facts = MessageFacts.model_validate_json(left)
    named = identity(agency, facts.sender, facts.identifier)
    digest = header["payload_sha256"]
    _project_messages(
        c, [MessageRow(index, header["id"], agency, named, digest, at_us, facts, "[]")]
    )
    acknowledged = acknowledged_by(facts, agency, index, at_us)
    add(c, ACKNOWLEDGEMENTS, [_ack_row(a) for a in acknowledged])


def _project_messages(c: Connection, messages: Sequence[MessageRow]) -> None:
    add(c, MESSAGES, [_message_row(m) for m in messages])
    add(c, AID, [row for m in messages for row in _aid_rows(m)])
    add(c, REFS, [row for m in messages for row in _ref_rows(m)])
    add(c, INCIDENTS, [row for m in messages for row in _incident_rows(m)])


def _message_row(m: MessageRow) -> tuple[Any, ...]:
    facts = m.facts.model_dump_json(exclude_defaults=True)
    return m.index, m.id, m.agency, m.identity, m.sha256, m.at_us, facts, m.warnings


def _aid_rows(m: MessageRow) -> list[tuple[Any, ...]]:
    aid = m.facts.aid
    return [] if aid is None else [(m.index, m.facts.identifier, aid.answers, aid.recalls)]


def target_of(sender: str, identifier: str) -> str:
    """Return the text by which the messages are found that refer to one."""
    return f"{sender}\x1f{identifier}"


def _ref_rows(m: MessageRow) -> list[tuple[Any, ...]]:
    if not m.facts.references:
        return []
    targets = dict.fromkeys(
        target_of(r.sender, r.identifier)
        for r in m.facts.references
        # A longer name is that of no message, and no index can hold it.
        if name_bytes(r.sender, r.identifier) <= LONGEST_NAME_BYTES
    )
    return [(target, m.agency, m.index) for target in targets if not UNWRITABLE.search(target)]


def _incident_rows(m: MessageRow) -> list[tuple[Any, ...]]:
    incidents = incidents_of(m.facts)
    if not incidents:
        return []
    channel = channel_of(m.facts.status)
    return [(channel, incident, m.index) for incident in incidents]


def _ack_row(a: AcknowledgementRow) -> tuple[Any, ...]:
    return (
        a.sender,
        a.identifier,
        a.agency,
        a.officer,
        a.of,
        a.sent_us,
        a.index,
        a.note,
        a.at_us,
        a.message_id,
    )


def _input_rows(index: int, e: NewEntry) -> list[tuple[Any, ...]]:
    keys = [e.input_key] if e.input_key else []
    if e.kind == "retirement":
        keys += [retired_key_of(message) for message, _ in e.redacts]
    return [(key, index, e.at_us) for key in keys]


def message_of(r: Any) -> MessageRow:
    """Return a message as admission knows it, from its row."""
    return MessageRow(
        r.idx,
        r.id,
        r.agency,
        r.identity,
        r.sha256,
        r.at_us,
        MessageFacts.model_validate_json(r.facts),
        r.warnings,
    )


def acknowledgement_of(r: Any) -> AcknowledgementRow:
    """Return an acknowledgement as admission knows it, from its row."""
    return AcknowledgementRow(
        r.idx,
        r.sender,
        r.identifier,
        r.agency,
        r.officer,
        r.note,
        r.at_us,
        r.message_id,
        r.of,
        r.sent_us,
    )
