"""The rows that are derived from entries and kept beside them: written, and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from hub.core.admission import NewEntry
from hub.core.incidents import incidents_of
from hub.core.known import retired_key_of
from hub.core.registry import channel_of
from hub.core.rows import LONGEST_NAME_BYTES, AcknowledgementRow, MessageRow, name_bytes
from hub.log.statements import add_acknowledgements, add_chains, add_rows
from hub.log.tables import AID, DELIVERIES, ESCALATIONS, INCIDENTS, INPUTS, MESSAGES, REFS
from hub.log.tiles import add_leaves
from schemas.facts import MessageFacts

__all__ = ["UNWRITABLE", "acknowledgement_of", "add", "message_of", "project", "target_of"]

UNWRITABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What no database can hold: there is nothing to find by it."""
"""What no database can hold: there is nothing to find by it."""


def project(c: Connection, start: int, entries: Sequence[NewEntry]) -> None:
    """Write the rows that are derived from entries, the first of which has index *start*.

    Used in the commit that appends them and, the same, when projections are made anew.
    """
    if entries:
        add_leaves(c, start, [e.body for e in entries])
    add(c, MESSAGES, [_message_row(e.message) for e in entries if e.message is not None])
    add(c, AID, [_aid_row(e.message) for e in entries if e.message and e.message.facts.aid])
    add(c, REFS, [row for e in entries if e.message for row in _ref_rows(e.message)])
    add(c, INCIDENTS, [row for e in entries if e.message for row in _incident_rows(e.message)])
    acks = [_ack_row(a) for e in entries for a in e.acknowledgements]
    if acks:
        # A CAP Ack may repeat one.
        c.execute(add_acknowledgements(c.dialect.name), acks)
    add(
        c,
        DELIVERIES,
        [
            {"feed": feed, "through": through, "idx": i, "at_us": e.at_us}
            for i, e in enumerate(entries, start)
            for feed, through in e.delivered.items()
        ],
    )
    add(
        c,
        ESCALATIONS,
        [
            {
                "message": one.message,
                "recipient": one.recipient,
                "step": one.step,
                "idx": i,
                "at_us": e.at_us,
            }
            for i, e in enumerate(entries, start)
            for one in e.escalations
        ],
    )
    add(
        c,
        INPUTS,
        [
            {"key": e.input_key, "idx": i, "at_us": e.at_us}
            for i, e in enumerate(entries, start)
            if e.input_key
        ]
        + [
            {"key": retired_key_of(message), "idx": i, "at_us": e.at_us}
            for i, e in enumerate(entries, start)
            if e.kind == "retirement"
            for message, _ in e.redacts
        ],
    )
    chains = {e.chain_name: e.chain for e in entries if e.chain is not None}
    if chains:
        c.execute(
            add_chains(c.dialect.name),
            [{"agency": a, "seq": ch.seq, "head": ch.head} for a, ch in chains.items()],
        )


def add(c: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Add rows to a table, if there are any."""
    if rows:
        add_rows(c, table, rows)


def _message_row(m: MessageRow) -> dict[str, Any]:
    return {
        "idx": m.index,
        "id": m.id,
        "agency": m.agency,
        "identity": m.identity,
        "sha256": m.sha256,
        "at_us": m.at_us,
        "facts": m.facts.model_dump_json(exclude_defaults=True),
        "warnings": m.warnings,
    }


def _aid_row(m: MessageRow) -> dict[str, Any]:
    aid = m.facts.aid
    assert aid is not None  # noqa: S101  # only aid messages have such a row
    return {
        "idx": m.index,
        "identifier": m.facts.identifier,
        "answers": aid.answers,
        "recalls": aid.recalls,
    }


def target_of(sender: str, identifier: str) -> str:
    """Return the text by which the messages are found that refer to one."""
    return f"{sender}\x1f{identifier}"


def _ref_rows(m: MessageRow) -> list[dict[str, Any]]:
    if not m.facts.references:
        return []
    targets = dict.fromkeys(
        target_of(r.sender, r.identifier)
        for r in m.facts.references
        # A longer name is that of no message, and no index can hold it.
        if name_bytes(r.sender, r.identifier) <= LONGEST_NAME_BYTES
    )
    return [
        {"target": target, "agency": m.agency, "idx": m.index}
        for target in targets
        if not UNWRITABLE.search(target)
    ]


def _incident_rows(m: MessageRow) -> list[dict[str, Any]]:
    return [
        {"channel": channel_of(m.facts.status), "incident": incident, "idx": m.index}
        for incident in incidents_of(m.facts)
    ]


def _ack_row(a: AcknowledgementRow) -> dict[str, Any]:
    return {
        "idx": a.index,
        "sender": a.sender,
        "identifier": a.identifier,
        "agency": a.agency,
        "officer": a.officer,
        "note": a.note,
        "at_us": a.at_us,
        "message_id": a.message_id,
        "of": a.of,
        "sent_us": a.sent_us,
    }


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
