"""Escalation: tell the next in line of what nobody has acknowledged in time (guarantee G7).

What waits is folded from the log, never from memory alone: a job that died begins again
from the log of the last days, and proposes what is due and not in the log. The ledger decides
(`hub.core.admission`): a step that is in the log is not taken twice, whoever proposes it
however often, and an acknowledgement that came first wins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from hub.core.candidate import Candidate
from hub.core.escalation import (
    LAST_STEP,
    LONGEST,
    MOST_MESSAGES,
    Outage,
    coordinators,
    due_at_us,
    escalates,
    outages_of,
    patience_us,
    step_due,
)
from hub.core.registry import REGISTRY_KINDS, History, channel_of
from hub.core.routing import recipients
from hub.core.rows import acknowledged_by
from hub.core.threads import changes_others
from hub.log.escalation_log import outages
from hub.log.store import Log, LogRow
from hub.streams.submit import propose
from schemas.entry import micros
from schemas.facts import MessageFacts

__all__ = ["Escalations"]

_LOT: Final = 1000
_AGAIN_US: Final = 30_000_000
"""What was proposed and is not in the log by then was lost with Redis: it is proposed again."""
_log = structlog.get_logger("escalation")

_Name = tuple[str, str, str]
"""Agency, sender, identifier."""


@dataclass
class _Waiting:
    """A message that somebody has not acknowledged."""

    index: int
    agency: str
    facts: MessageFacts
    at_us: int
    patience_us: int
    steps: dict[str, int]
    """The highest step taken for each recipient that it waits for."""
    proposed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The step last proposed for each recipient, and when."""
    due_us: int = 0
    """Before this nothing of it can be due."""

    def may_propose(self, recipient: str, step: int, now_us: int) -> bool:
        """Return whether a step is new, or was proposed so long ago that it must have been lost.

        The ledger takes the step that is due when it decides: one that was proposed just
        before the next was due is refused, and the next must not wait for that.
        """
        earlier, at_us = self.proposed.get(recipient, (0, 0))
        return step > earlier or now_us - at_us >= _AGAIN_US


class Escalations:
    """What waits for acknowledgement, and what of it is due."""

    def __init__(
        self, log: Log, redis: Redis, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._log = log
        self._redis = redis
        self._now_us = now_us
        self._history = History()
        self._outages: tuple[Outage, ...] = ()
        self._waiting: dict[int, _Waiting] = {}
        self._named: dict[_Name, int] = {}
        self._ended: dict[_Name, set[tuple[datetime, str]]] = {}
        """What Updates and Cancels name that has not come: its agency may send it later."""
        self._read: int | None = None

    async def look(self) -> int:
        """Propose all steps that are due; return how many (message, recipient) they are of.

        Raises:
            Unavailable: call again.
        """
        candidates = await asyncio.to_thread(self._due)
        if candidates:
            await propose(self._redis, candidates)
        return sum(len(c.body["messages"]) for c in candidates)

    def _due(self) -> list[Candidate]:
        self._catch_up()
        now_us = self._now_us()
        registry = self._history.latest
        lots: dict[tuple[str, int, str, str], list[int]] = {}
        for one in list(self._waiting.values()):
            if one.facts.expires is not None and micros(one.facts.expires) <= now_us:
                self._forget(one)
                continue
            if one.due_us > now_us:
                continue
            for recipient, taken in one.steps.items():
                step = step_due(
                    one.patience_us,
                    one.at_us,
                    now_us,
                    coordinated=bool(coordinators(recipient, registry)),
                    outages=self._outages,
                )
                if step > taken and one.may_propose(recipient, step, now_us):
                    one.proposed[recipient] = (step, now_us)
                    key = (recipient, step, one.agency, one.facts.status)
                    lots.setdefault(key, []).append(one.index)
        return [
            Candidate(
                "escalation",
                "",
                body={
                    "recipient": recipient,
                    "step": step,
                    "messages": messages[i : i + MOST_MESSAGES],
                },
            )
            for (recipient, step, _, _), messages in sorted(lots.items())
            for i in range(0, len(messages), MOST_MESSAGES)
        ]

    def _catch_up(self) -> None:
        """Fold in what the log has that is not known here."""
        if self._read is None:
            with self._log.reading() as c:
                self._outages = outages(c)
            down_us = sum(o.until_us - o.since_us for o in self._outages)
            from_us = self._now_us() - LONGEST // timedelta(microseconds=1) - down_us
            self._read = self._log.first_index_at(from_us) - 1
        while rows := self._log.rows(after=self._read, limit=_LOT):
            if any(row.kind in REGISTRY_KINDS for row in rows) or not self._history.latest.agencies:
                for index, entry in self._log.registry_entries(after=self._history.last_index):
                    self._history.apply(index, entry)
            for row in rows:
                self._take(row)
            self._read = rows[-1].index

    def _take(self, row: LogRow) -> None:
        if row.kind == "publish" and row.facts is not None:
            self._publish(row, row.facts)
        elif row.kind == "acknowledgement":
            entry = row.entry
            name = (entry["message_agency"], entry["sender"], entry["identifier"])
            self._acknowledged(self._named.get(name), row.agency)
        elif row.kind == "escalation":
            entry = row.entry
            for index in entry["messages"]:
                if (one := self._waiting.get(index)) is not None:
                    self._escalated(one, entry["recipient"], int(entry["step"]))
        elif row.kind == "restart":
            known = {one.until_us for one in self._outages}  # of those from before it began
            if row.at_us not in known:
                self._outages += outages_of([(row.at_us, row.entry)])
            for one in self._waiting.values():
                self._next(one)

    def _publish(self, row: LogRow, facts: MessageFacts) -> None:
        for ack in acknowledged_by(facts, row.agency, row.index, row.at_us):
            for agency in self._history.latest.agencies:
                index = self._named.get((agency, ack.sender, ack.identifier))
                if index is not None and ack.sent_us == micros(self._waiting[index].facts.sent):
                    self._acknowledged(index, row.agency)
        if changes_others(facts):
            self._change(row.agency, facts)
        if not escalates(facts):
            return
        name = (row.agency, facts.sender, facts.identifier)
        if (facts.sent, channel_of(facts.status)) in self._ended.get(name, ()):
            return  # it was updated or cancelled before it came
        expected = recipients(facts, row.agency, self._history.at(row.index))
        if not expected:
            return
        lean = facts.model_copy(update={"areas": (), "references": (), "aid": None})
        steps = dict.fromkeys(expected, 0)
        one = _Waiting(row.index, row.agency, lean, row.at_us, patience_us(facts), steps)
        self._next(one)
        self._waiting[row.index] = one
        self._named[name] = row.index

    def _change(self, agency: str, facts: MessageFacts) -> None:
        """Let go of what its own agency has said anew, or taken back."""
        for reference in facts.references:
            name = (agency, reference.sender, reference.identifier)
            index = self._named.get(name)
            if index is None:
                self._ended.setdefault(name, set()).add((reference.sent, channel_of(facts.status)))
                continue
            one = self._waiting[index]
            if (
                one.facts.sent == reference.sent <= facts.sent
                and one.facts.kind == "alert"
                and channel_of(one.facts.status) == channel_of(facts.status)
            ):
                self._forget(one)

    def _acknowledged(self, index: int | None, agency: str) -> None:
        one = self._waiting.get(index) if index is not None else None
        if one is not None and one.steps.pop(agency, None) is not None and not one.steps:
            self._forget(one)

    def _escalated(self, one: _Waiting, recipient: str, step: int) -> None:
        if recipient in one.steps:
            one.steps[recipient] = max(one.steps[recipient], step)
            one.proposed.pop(recipient, None)
            if step >= LAST_STEP:
                self._acknowledged(one.index, recipient)  # nobody is left to be told
            self._next(one)

    def _forget(self, one: _Waiting) -> None:
        self._waiting.pop(one.index, None)
        self._named.pop((one.agency, one.facts.sender, one.facts.identifier), None)

    def _next(self, one: _Waiting) -> None:
        lowest = min(one.steps.values(), default=LAST_STEP)
        if lowest < LAST_STEP:
            one.due_us = due_at_us(one.patience_us, one.at_us, lowest + 1, self._outages)
