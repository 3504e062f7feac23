"""What a feed holds, derived from the log: the rule that fan-out, replay and old cursors share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.core.escalation import feeds_of_escalation
from hub.core.registry import History, Registry
from hub.core.routing import feeds_of, feeds_of_acknowledgement, feeds_of_redaction
from hub.log.store import Log, LogRow
from hub.streams.fields import FED, feed_fields
from schemas.facts import MessageFacts

__all__ = ["LogPage", "feeds_for", "read_from_log"]


def feeds_for(row: LogRow, registry: Registry) -> Sequence[str]:
    """Return the feeds that carry a log entry, by the registry before it."""
    if row.kind == "publish" and row.facts is not None:
        return feeds_of(row.facts, row.agency, registry)
    if row.kind == "acknowledgement":
        entry = row.entry
        return feeds_of_acknowledgement(
            row.agency, entry["message_agency"], entry["status"], registry
        )
    if row.kind == "escalation":
        return feeds_of_escalation(row.entry, registry)
    if row.kind == "redaction":
        entry = row.entry
        left = MessageFacts.model_validate_json(entry["residue"])
        return feeds_of_redaction(left, entry["redaction"]["agency"], registry)
    return ()


@dataclass(frozen=True, slots=True)
class LogPage:
    """Part of a feed; everything through the log index *reached* was looked at."""

    entries: tuple[tuple[int, dict[bytes, bytes]], ...]
    reached: int


def read_from_log(
    log: Log, history: History, feed: str, *, after: int, limit: int, look: int = 2000
) -> LogPage:
    """Return a feed's entries above the log index *after*, at most *limit*, from the log.

    They are the same as in the stream. *look* bounds how many log entries one call
    examines; ask again from *reached* for more.
    """
    found: list[tuple[int, dict[bytes, bytes]]] = []
    rows = log.rows(after=after, limit=look)
    for row in rows:
        if row.kind in FED and feed in feeds_for(row, history.at(row.index)):
            fields = {
                name.encode(): value.encode() if isinstance(value, str) else value
                for name, value in feed_fields(row).items()
            }
            found.append((row.index, fields))
            if len(found) == limit:
                return LogPage(tuple(found), row.index)
    return LogPage(tuple(found), rows[-1].index if rows else after)
