"""Where alerts stand, as the asker may know it: from the messages that they may read.

Else a Cancel for few would silence an alert for all who are never told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.core.aid_standing import aid_standings
from hub.core.aid_statements import AidEntry
from hub.core.registry import History
from hub.core.rows import MessageRow
from hub.core.threads import Published, Standing, Threads
from hub.http.sight import may_read_message
from hub.http.state import Hub
from hub.members.roles import Principal
from schemas.entry import from_micros, micros
from schemas.facts import AidFacts

__all__ = ["Seen", "aid_standing", "brief", "published", "shown_standing"]


class Seen:
    """What an asker sees, at one moment, of the threads of some messages."""

    def __init__(
        self, hub: Hub, asker: Principal, history: History, messages: Sequence[MessageRow]
    ) -> None:
        rows = [
            row for row in hub.log.threads_of(messages) if may_read_message(asker, row, history)
        ]
        self.rows = {row.index: row for row in rows}
        self.threads = Threads(map(published, rows))
        self.at = datetime.now(UTC)

    def standing(self, index: int) -> Standing | None:
        """Return where a message stands now."""
        return self.threads.standing(index, at=self.at)

    def active(self, indexes: Iterable[int]) -> int:
        """Return how many of these messages people should act on now."""
        return len(self.threads.in_force(at=self.at).intersection(indexes))

    def brief(self, row: MessageRow) -> dict[str, Any]:
        """Return a message in few words, and where it stands."""
        return {**brief(row), "standing": shown_standing(self.standing(row.index))}


def aid_standing(
    hub: Hub,
    asker: Principal,
    history: History,
    messages: Iterable[MessageRow],
    *,
    at: datetime | None = None,
) -> dict[int, Standing]:
    """Return where aid messages stand that were taken back or corrected, as of *at*.

    Blocks on the store.
    """
    rows = hub.log.aid_versions(messages)
    return aid_standings(
        AidEntry(row.index, row.agency, row.facts)
        for row in rows
        if (at is None or row.at_us <= micros(at)) and may_read_message(asker, row, history)
    )


def published(row: MessageRow) -> Published:
    """Return a message as its thread knows it."""
    return Published(row.index, row.agency, row.facts)


def shown_standing(standing: Standing | None) -> dict[str, Any] | None:
    """Return a standing: what it is, and the log indexes of what made it so."""
    return None if standing is None else {"state": standing.state, "by": list(standing.by)}


def brief(row: MessageRow) -> dict[str, Any]:
    """Return a message in few words."""
    facts = row.facts
    return {
        **_exchange(facts.aid),
        "index": row.index,
        "id": row.id,
        "agency": row.agency,
        "accepted_at": from_micros(row.at_us),
        "sender": facts.sender,
        "identifier": facts.identifier,
        "sent": facts.sent,
        "expires": facts.expires,
        "status": facts.status,
        "kind": facts.kind,
        "msg_type": facts.msg_type,
        "severity": facts.severity,
        "languages": list(facts.languages),
        "headline": facts.headline,
    }


def _exchange(aid: AidFacts | None) -> dict[str, Any]:
    """Return what a message does in an exchange of aid; nothing of an alert."""
    if aid is None:
        return {}
    declines = bool(aid.items) and all(item.response == "Decline" for item in aid.items)
    return {"recall": aid.recall, "declines": declines}
