"""Which payloads are let go of by age, and what an entry says of them: what is needed stays.

A policy (`CASPIAN_PAYLOAD_RETENTION`) names a moment; payloads of messages logged before it
may go. Not while a message is under a hold, and not while its alert may be in force: until it
has expired, or its own agency has cancelled it or said it anew. What stays is the residue,
as after a redaction (`hub.core.redaction`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from hub.core.holds import held
from hub.core.known import Known
from hub.core.redaction import residue
from hub.core.registry import Registry, channel_of
from hub.core.rows import MessageRow
from hub.core.threads import changes_others
from schemas.entry import from_micros, micros
from schemas.facts import MessageFacts

__all__ = ["LEAST_US", "MOST_RETIRED", "before_us_of", "fitting", "left_of", "retirable"]

LEAST_US: Final = 86_400_000_000
"""Nothing is let go of within a day, whatever policy is proposed: it may still be on its way."""

MOST_RETIRED: Final = 200
"""So many messages one entry names at most; the rest get entries of their own."""

_MOST_BYTES: Final = 60_000
"""What an entry says of its messages; with the rest it stays below `MAX_ENTRY_BYTES`."""

_WARNS: Final = frozenset({"Alert", "Update"})


def before_us_of(written: str, at_us: int) -> int:
    """Return the moment before which messages must have been logged, in an entry of *at_us*."""
    return min(micros(datetime.fromisoformat(written)), at_us - LEAST_US)


def retirable(
    row: MessageRow, known: Known, registry: Registry, *, before_us: int, at_us: int
) -> bool:
    """Return whether the payload of a message may go.

    *known* holds what its own agency sent that names it, and what is removed already.
    """
    return (
        row.at_us < before_us
        and row.index not in known.removed
        and held(registry.holds, row.index, row.facts) is None
        and not _may_be_in_force(row, known, at_us)
        and _size(row) <= _MOST_BYTES
    )


def fitting(rows: Iterable[MessageRow]) -> list[MessageRow]:
    """Return the first of these, as many as one entry can name."""
    found: list[MessageRow] = []
    size = 0
    for row in rows:
        size += _size(row)
        if size > _MOST_BYTES or len(found) == MOST_RETIRED:
            break
        found.append(row)
    return found


def left_of(row: MessageRow) -> dict[str, Any]:
    """Return what an entry says of a message whose payload goes, beside its log index."""
    return {"agency": row.agency, "payload_sha256": row.sha256, "residue": residue(row.facts)}


def _may_be_in_force(row: MessageRow, known: Known, at_us: int) -> bool:
    facts = row.facts
    if facts.kind != "alert" or facts.msg_type not in _WARNS:
        return False
    if facts.expires is not None and facts.expires <= from_micros(at_us):
        return False
    namers = known.named_by.get(row.identity, {}).values()
    return not any(_ends(namer.facts, facts) for namer in namers if namer.agency == row.agency)


def _ends(by: MessageFacts, facts: MessageFacts) -> bool:
    """Return whether a message of the same agency ends an alert (`hub.core.threads`).

    Updates of one second may name each other in a circle, and then end nothing: such wait.
    """
    named = (facts.sender, facts.identifier, facts.sent)
    return (
        changes_others(by)
        and channel_of(by.status) == channel_of(facts.status)
        and (by.sent > facts.sent or (by.msg_type == "Cancel" and by.sent == facts.sent))
        and any((r.sender, r.identifier, r.sent) == named for r in by.references)
    )


def _size(row: MessageRow) -> int:
    written = json.dumps(left_of(row), ensure_ascii=False, separators=(",", ":"))
    return len(written.encode()) + len(str(row.index)) + 2
