"""What an agency's duty officer has to know: the latest messages, and which of them are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.core.lifecycle import deadline
from hub.core.registry import History, channel_of, main_feeds
from hub.core.routing import entitled, recipients
from hub.core.rows import AcknowledgementRow, MessageRow
from hub.errors import Rejected
from hub.http.contents import headlines
from hub.http.feeds import may_read_feed
from hub.http.problems import RESPONSES
from hub.http.standings import Seen, aid_standing, brief, shown_standing
from hub.http.state import Asker, Hub, HubState
from hub.log.watch_log import acknowledgements_of, latest, payloads_of
from hub.members.roles import Principal, require
from schemas.entry import from_micros, micros

__all__ = ["router"]

router = APIRouter(tags=["feeds"], responses=RESPONSES)

_LOT: Final = 500
_LOTS: Final = 20
"""So many lots are looked at for one page, also where few of their messages are wanted."""
_PERIOD_US: Final = 48 * 3_600_000_000
"""In microseconds: a date from the first days of the calendar has none before it."""


@router.get("/v1/feeds/{feed}/watch", summary="What a watch has to know")
async def watch(
    feed: str,
    hub: HubState,
    asker: Asker,
    open: Annotated[bool, Query(description="only what is still to acknowledge")] = False,  # noqa: A002, FBT002
    since: Annotated[AwareDatetime | None, Query()] = None,
    until: Annotated[AwareDatetime | None, Query()] = None,
    message: Annotated[list[int] | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=0, lt=1 << 53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> dict[str, Any]:
    """Return the messages of an agency's main feed, newest first, with who has acknowledged.

    *through* is the log index up to which the answer is whole: follow the events after it.
    With *until* all is told as it was then.
    """
    require(asker, "read")
    await may_read_feed(hub, asker, feed)
    history = await hub.registry(fresh=True)
    through = (await asyncio.to_thread(hub.log.head)).size - 1
    at = until or datetime.now(UTC)
    eyes = _Watch(hub, asker, history, feed, at=at, only_open=open)
    if message is not None:
        rows, following = await asyncio.to_thread(eyes.named, message), None
    else:
        first = micros(since) if since else micros(at) - _PERIOD_US
        start = through + 1 if before is None else before
        rows, following = await asyncio.to_thread(eyes.page, start, first, limit)
    return {
        "feed": feed,
        "agency": eyes.agency,
        "channel": eyes.channel,
        "at": at,
        "through": through,
        "messages": await asyncio.to_thread(eyes.shown, rows),
        "next": following,
    }


class _Watch:
    """What of the log one agency's watch sees, at a moment."""

    def __init__(
        self,
        hub: Hub,
        asker: Principal,
        history: History,
        feed: str,
        *,
        at: datetime,
        only_open: bool,
    ) -> None:
        self.hub, self.asker, self.history = hub, asker, history
        self.at, self.only_open = at, only_open
        self.agency = feed.partition(".")[0]
        channels = {name: channel for channel, name in main_feeds(self.agency).items()}
        if feed not in channels:
            raise Rejected(
                "feed-unknown",
                f"{feed[:100]} is a subscription: a watch is kept over a main feed",
                remedy="GET /v1/feeds lists the feeds that you may read.",
            )
        self.channel = channels[feed]
        self._acks: dict[int, list[AcknowledgementRow]] = {}

    def page(self, before: int, since_us: int, limit: int) -> tuple[list[MessageRow], int | None]:
        """Return wanted messages below an index, newest first, and where to go on, if anywhere."""
        found: list[MessageRow] = []
        for _ in range(_LOTS):
            with self.hub.log.reading() as c:
                rows = latest(c, before=before, since_us=since_us, limit=_LOT)
            for row in self._wanted(rows):
                if len(found) == limit:
                    return found, found[-1].index
                found.append(row)
            if len(rows) < _LOT:
                return found, None
            before = rows[-1].index
        return found, before

    def named(self, indexes: list[int]) -> list[MessageRow]:
        """Return those of these messages that are in the feed, newest first."""
        rows = [row for index in set(indexes) for row in self.hub.log.find_messages(str(index))]
        unique = {row.index: row for row in rows if row.index in indexes}
        return list(self._wanted([unique[i] for i in sorted(unique, reverse=True)]))

    def shown(self, rows: list[MessageRow]) -> list[dict[str, Any]]:
        """Return messages as the watch shows them."""
        seen = Seen(self.hub, self.asker, self.history, rows)
        aid = aid_standing(self.hub, self.asker, self.history, rows, at=self.at)
        with self.hub.log.reading() as c:
            payloads = payloads_of(c, [row.index for row in rows])
        told = []
        for row in rows:
            facts, expected = row.facts, self._expected(row)
            standing = seen.threads.standing(row.index, at=self.at) or aid.get(row.index)
            told.append(
                {
                    **brief(row),
                    "urgency": facts.urgency,
                    "certainty": facts.certainty,
                    "scope": facts.scope,
                    "events": list(facts.events),
                    "incidents": list(facts.incidents),
                    "references": [r.model_dump(mode="json") for r in facts.references],
                    "areas": [a.model_dump(mode="json") for a in facts.areas],
                    "texts": headlines(*payloads.get(row.index, ("", b""))),
                    "standing": shown_standing(standing),
                    "deadline": deadline(facts, from_micros(row.at_us)),
                    "expected": sorted(expected),
                    "open": self._is_open(row),
                    "acknowledgements": [
                        {
                            "agency": a.agency,
                            "officer": a.officer,
                            "note": a.note,
                            "at": from_micros(a.at_us),
                            "index": a.index,
                        }
                        for a in self._acks[row.index]
                        if a.agency in expected
                    ],
                }
            )
        return told

    def _wanted(self, rows: list[MessageRow]) -> Iterator[MessageRow]:
        own = [
            row
            for row in rows
            if channel_of(row.facts.status) == self.channel
            and row.at_us <= micros(self.at)
            and self.agency in entitled(row.facts, row.agency, self.history.at(row.index))
        ]
        with self.hub.log.reading() as c:
            for index, acks in acknowledgements_of(c, own).items():
                self._acks[index] = [a for a in acks if a.at_us <= micros(self.at)]
        return (row for row in own if not self.only_open or self._is_open(row))

    def _expected(self, row: MessageRow) -> frozenset[str]:
        return recipients(row.facts, row.agency, self.history.at(row.index))

    def _is_open(self, row: MessageRow) -> bool:
        """Return whether this agency has still to acknowledge a message that has not expired."""
        return (
            self.agency in self._expected(row)
            and not any(a.agency == self.agency for a in self._acks[row.index])
            and (row.facts.expires is None or row.facts.expires > self.at)
        )
