"""What a feed holds, derived from the log: the rule that fan-out, replay and old cursors share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from hub.core.escalation import feeds_of_escalation
from hub.core.registry import History, Registry
from hub.core.routing import feeds_of, feeds_of_acknowledgement, feeds_of_redaction
from hub.log.store import Log, LogRow
from hub.streams.connect import LOST
from hub.streams.feeds import FeedStreams
from hub.streams.fields import FED, feed_fields
from schemas.facts import MessageFacts

__all__ = [
    "Entry",
    "LogPage",
    "feeds_for",
    "feeds_told",
    "is_public",
    "read_feed",
    "read_from_log",
    "read_public",
]

_TOLD: Final = frozenset({"acknowledgement", "escalation", "redaction"})

Entry = tuple[int, dict[bytes, bytes]]
"""A feed's entry: its log index, and its fields as they stand in the stream."""


def feeds_for(row: LogRow, registry: Registry) -> Sequence[str]:
    """Return the feeds that carry a log entry, by the registry before it."""
    if row.kind == "publish" and row.facts is not None:
        return feeds_of(row.facts, row.agency, registry)
    return feeds_told(row, row.entry, registry) if row.kind in _TOLD else ()


def feeds_told(row: LogRow, entry: Mapping[str, Any], registry: Registry) -> Sequence[str]:
    """Return the same for what is no message, by what its entry says."""
    if row.kind == "acknowledgement":
        return feeds_of_acknowledgement(
            row.agency, entry["message_agency"], entry["status"], registry
        )
    if row.kind == "escalation":
        return feeds_of_escalation(entry, registry)
    if row.kind == "redaction":
        left = MessageFacts.model_validate_json(entry["residue"])
        return feeds_of_redaction(left, entry["redaction"]["agency"], registry)
    return ()


@dataclass(frozen=True, slots=True)
class LogPage:
    """Part of a feed; everything through the log index *reached* was looked at."""

    entries: tuple[Entry, ...]
    reached: int


def read_from_log(
    log: Log, history: History, feed: str, *, after: int, limit: int, look: int = 2000
) -> LogPage:
    """Return a feed's entries above the log index *after*, at most *limit*, from the log.

    They are the same as in the stream. *look* bounds how many log entries one call
    examines; ask again from *reached* for more.
    """
    found: list[Entry] = []
    rows = log.rows(after=after, limit=look)
    for row in rows:
        if row.kind in FED and feed in feeds_for(row, history.at(row.index)):
            found.append(_entry(row))
            if len(found) == limit:
                return LogPage(tuple(found), row.index)
    return LogPage(tuple(found), rows[-1].index if rows else after)


async def read_feed(
    streams: FeedStreams,
    log: Log,
    history: Callable[[], Awaitable[History]],
    feed: str,
    *,
    after: int,
    limit: int,
) -> tuple[list[Entry], int, bool]:
    """Return entries above *after*, the cursor behind them, and whether more may be there now.

    From the stream; where that is trimmed, being made anew or away, from the log. *history*
    must then give the registry as it is now: with an older one entries would be passed over.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    try:
        page = await streams.read(feed, after=after, limit=limit)
    except (*LOST, RedisError):
        page = None
    if page is not None and (page.covered or streams.sandbox):
        entries = list(page.entries)
        full = len(entries) == limit
        return entries, entries[-1][0] if full else max(after, page.reached), full
    whole = await history()
    found = await asyncio.to_thread(read_from_log, log, whole, feed, after=after, limit=limit)
    return list(found.entries), found.reached, found.reached > after


def is_public(facts: MessageFacts) -> bool:
    """Return whether a message is an alert for everybody: Actual, and Public by its scope."""
    return facts.kind == "alert" and facts.status == "Actual" and facts.scope == "Public"


def read_public(log: Log, *, after: int, limit: int, look: int = 2000) -> LogPage:
    """Return the alerts for everybody above the log index *after*, and their redactions.

    *look* is as in `read_from_log`.
    """
    found: list[Entry] = []
    rows = log.rows(after=after, limit=look)
    for row in rows:
        if row.facts is not None:
            told = row.kind == "publish" and is_public(row.facts)
        else:
            told = row.kind == "redaction" and is_public(
                MessageFacts.model_validate_json(row.entry["residue"])
            )
        if told:
            found.append(_entry(row))
            if len(found) == limit:
                return LogPage(tuple(found), row.index)
    return LogPage(tuple(found), rows[-1].index if rows else after)


def _entry(row: LogRow) -> Entry:
    return row.index, {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in feed_fields(row).items()
    }
