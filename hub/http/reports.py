"""Reports on acknowledgements: who was late, by how much, and who never took notice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from hub.core.lifecycle import Acknowledgement, RecipientLife, life
from hub.core.punctuality import Kept, Punctuality, late_by, punctuality
from hub.core.registry import Channel, History, channel_of, main_feeds
from hub.core.routing import recipients
from hub.core.rows import MessageRow
from hub.errors import Rejected
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.log.arrivals import Arrivals
from hub.log.escalation_log import taken
from hub.log.watch_log import acknowledgements_of, latest
from hub.members.roles import Principal, require
from schemas.entry import from_micros, micros

__all__ = ["router"]

router = APIRouter(tags=["log"], responses=RESPONSES)

_LOT: Final = 500
_LOTS: Final = 20
"""So many lots are looked at for one page, also where few of their messages are wanted."""
_PERIOD: Final = timedelta(days=7)
_FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
"""There is no earlier moment that every time zone can write."""
_NOTHING: Final = Punctuality(
    "", messages=0, in_time=0, late=0, missing=0, median_late=None, worst_late=None
)


_Life = tuple[MessageRow, RecipientLife, list[dict[str, Any]]]
_Time = Annotated[AwareDatetime | None, Query()]


class _Report:
    """What of the log one asker may report on, as it was at a moment."""

    def __init__(
        self,
        hub: Hub,
        asker: Principal,
        history: History,
        *,
        agency: str,
        channel: Channel,
        since: datetime,
        at: datetime,
    ) -> None:
        self.hub, self.asker, self.history = hub, asker, history
        self.agency, self.channel, self.since, self.at = agency, channel, since, at

    @property
    def told(self) -> dict[str, Any]:
        """What it is of, as each answer says it."""
        return {"since": self.since, "until": self.at, "channel": self.channel}

    def kept(self, one: _Life) -> Kept:
        """Return how a recipient kept the deadline of a message."""
        row, found, _ = one
        late = late_by(found, expires=row.facts.expires, at=self.at)
        return Kept(found.agency, found.state, late)

    def page(self, before: int | None, limit: int) -> tuple[list[MessageRow], int | None]:
        """Return wanted messages below an index, newest first, and where to go on, if anywhere."""
        end = self.hub.log.first_index_at(micros(self.at) + 1)
        before = end if before is None else min(before, end)
        found: list[MessageRow] = []
        for _ in range(_LOTS):
            with self.hub.log.reading() as c:
                rows = latest(c, before=before, since_us=micros(self.since), limit=_LOT)
            for row in rows:
                if not self._of(row):
                    continue
                if len(found) == limit:
                    return found, found[-1].index
                found.append(row)
            if len(rows) < _LOT:
                return found, None
            before = rows[-1].index
        return found, before

    def lives(self, rows: Sequence[MessageRow]) -> list[_Life]:
        """Return each message with each recipient, and the escalation steps that were taken."""
        expected = {row.index: self._of(row) for row in rows}
        feeds = {main_feeds(a)[self.channel] for of in expected.values() for a in of}
        with self.hub.log.reading() as c:
            acks = acknowledgements_of(c, rows)
            arrivals = Arrivals(c, feeds, expected)
            steps: dict[tuple[int, str], list[dict[str, Any]]] = {}
            for one in taken(c, expected):
                if one.at_us <= micros(self.at):
                    step = {"step": one.step, "at": from_micros(one.at_us), "index": one.index}
                    steps.setdefault((one.message, one.recipient), []).append(step)
        return [
            (row, one, steps.get((row.index, one.agency), []))
            for row in rows
            for one in life(
                row.facts,
                logged_at=from_micros(row.at_us),
                recipients=expected[row.index],
                delivered=dict(self._delivered(arrivals, row.index, expected[row.index])),
                acknowledgements=[
                    Acknowledgement(a.agency, a.officer, from_micros(a.at_us), a.index, a.note)
                    for a in acks[row.index]
                ],
                at=self.at,
            )
        ]

    def _delivered(
        self, arrivals: Arrivals, index: int, agencies: frozenset[str]
    ) -> Iterator[tuple[str, datetime]]:
        for agency in agencies:
            at_us = arrivals.at_us(main_feeds(agency)[self.channel], index)
            if at_us is not None:
                yield agency, from_micros(at_us)

    def _of(self, row: MessageRow) -> frozenset[str]:
        """Return the recipients of a message that the report is of.

        Whoever may read what a recipient may read may read the message, too.
        """
        if channel_of(row.facts.status) != self.channel:
            return frozenset()
        expected = recipients(row.facts, row.agency, self.history.at(row.index))
        return frozenset(a for a in expected if self.agency in {"", a} and self.asker.sees(a))


async def _asked(
    hub: HubState,
    asker: Asker,
    since: _Time = None,
    until: _Time = None,
    agency: Annotated[str, Query(max_length=64)] = "",
    channel: Channel = "actual",
) -> _Report:
    """Return the report that is asked for: all as it was at *until*, and nothing is foretold.

    An agency is told of itself, an auditor of one state of its agencies.
    """
    require(asker, "audit", "read")
    if agency and not asker.sees(agency):
        raise Rejected(
            "not-allowed",
            f"how {agency} acknowledges is not for you to read",
            remedy="Leave `agency` out: the report is then of all that you may read of.",
        )
    history = await hub.registry(fresh=True)
    now = datetime.now(UTC)
    at = min(until or now, now)
    first = since or at - min(_PERIOD, at - _FIRST)
    return _Report(hub, asker, history, agency=agency, channel=channel, since=first, at=at)


@router.get("/v1/reports/acknowledgements", summary="Late and missing acknowledgements")
async def acknowledgements(
    report: Annotated[_Report, Depends(_asked)],
    show: Literal["all", "late", "missing"] = "all",
    before: Annotated[int | None, Query(ge=0, lt=1 << 53)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Return how each recipient acknowledged the messages of a time, newest first, and sums.

    *limit* counts messages, of which what is not to be shown is left out; the sums are of all
    messages of this page.
    """
    rows, following = await asyncio.to_thread(report.page, before, limit)
    lives = await asyncio.to_thread(report.lives, rows)
    kept = [report.kept(one) for one in lives]
    return {
        **report.told,
        "acknowledgements": [
            _shown(*one, late=k.late_by)
            for one, k in zip(lives, kept, strict=True)
            if show == "all" or k.missing or (show == "late" and k.late_by is not None)
        ],
        "sums": [{"recipient": one.of, **_sums(one)} for one in punctuality(kept)],
        "next": following,
    }


@router.get("/v1/reports/acknowledgements/sums", summary="Sums of acknowledgements")
async def sums(report: Annotated[_Report, Depends(_asked)]) -> dict[str, Any]:
    """Return the sums of a whole time: of all together, of each state and of each recipient."""
    kept: list[Kept] = []
    before: int | None = None
    while True:  # lot by lot, so that whoever asks meanwhile has a turn
        rows, before = await asyncio.to_thread(report.page, before, _LOT)
        kept += map(report.kept, await asyncio.to_thread(report.lives, rows))
        if before is None:
            break
    of_all = punctuality(kept, by=lambda _: "") or (_NOTHING,)
    states = punctuality(kept, by=lambda one: one.recipient[:2].upper())
    return {
        **report.told,
        "all": _sums(of_all[0]),
        "states": [{"state": one.of, **_sums(one)} for one in states],
        "recipients": [{"recipient": one.of, **_sums(one)} for one in punctuality(kept)],
    }


def _shown(
    row: MessageRow, one: RecipientLife, steps: list[dict[str, Any]], *, late: timedelta | None
) -> dict[str, Any]:
    first = one.acknowledgements[0] if one.acknowledgements else None
    return {
        "index": row.index,
        "agency": row.agency,
        "recipient": one.agency,
        "severity": row.facts.severity,
        "status": row.facts.status,
        "headline": row.facts.headline,
        "logged_at": one.queued_at,
        "deadline": one.deadline,
        "delivered_at": one.delivered_at,
        "acknowledged_at": first and first.at,
        "officer": first and first.officer,
        "late_by": _seconds(late),
        "state": one.state,
        "escalations": steps,
    }


def _sums(one: Punctuality) -> dict[str, Any]:
    return {
        "messages": one.messages,
        "in_time": one.in_time,
        "late": one.late,
        "missing": one.missing,
        "open": one.open,
        "median_late_by": _seconds(one.median_late),
        "worst_late_by": _seconds(one.worst_late),
    }


def _seconds(wait: timedelta | None) -> float | None:
    return None if wait is None else wait.total_seconds()
