"""Was each escalation of the log due? Checked again from the log before it (guarantee G5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core.escalation import (
    LONGEST,
    Outage,
    coordinators,
    outages_of,
    patience_us,
    step_due,
)
from hub.core.registry import Registry
from hub.core.routing import recipients
from hub.core.rows import AcknowledgementRow
from hub.log.examine import Message
from schemas.entry import micros
from schemas.facts import MessageFacts

__all__ = ["EscalationChecks"]

_LONGEST_US: Final = LONGEST.days * 86_400_000_000 + LONGEST.seconds * 1_000_000


@dataclass(slots=True)
class _Open:
    """What is kept of a message for as long as it may be escalated."""

    agency: str
    at_us: int
    message: Message
    acknowledged: set[str] = field(default_factory=set)
    steps: dict[str, int] = field(default_factory=dict)
    """The highest step taken, by recipient."""


class EscalationChecks:
    """The messages of the last days and who has not acknowledged them, entry by entry.

    A message older than that is not known any more: an escalation that names one is
    checked for its form alone.
    """

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._named: dict[tuple[str, str], set[int]] = {}
        self._outages: list[Outage] = []

    def message(self, index: int, agency: str, at_us: int, message: Message) -> None:
        """Take in a message, with what is left of its facts (`hub.core.redaction`)."""
        for ack in message.acknowledged:
            self.acknowledged(ack)
        self._let_go(at_us)
        if message.escalates:
            self._open[index] = _Open(agency, at_us, message)
            self._named.setdefault(_name(message), set()).add(index)

    def acknowledged(self, ack: AcknowledgementRow) -> None:
        """Take in an acknowledgement."""
        for index in self._named.get((ack.sender, ack.identifier), ()):
            one = self._open[index]
            if ack.fits(one.agency, one.message.sent_us):
                one.acknowledged.add(ack.agency)

    def restarted(self, at_us: int, entry: Mapping[str, Any], before_us: int) -> str:
        """Take in that the hub was down; return what is wrong with that, empty if nothing."""
        (outage,) = outages_of([(at_us, entry)])
        if not before_us <= outage.since_us < at_us:
            return "something was logged while the hub was down"
        self._outages.append(outage)
        return ""

    def escalated(self, at_us: int, entry: Mapping[str, Any], registry: Registry) -> str:
        """Take in an escalation; return what is wrong with it, empty if nothing."""
        recipient, step = entry["recipient"], entry["step"]
        for index in entry["messages"]:
            one = self._open.get(index)
            if one is None:
                continue
            facts, agency = MessageFacts.model_validate_json(one.message.facts), one.agency
            if recipient in one.acknowledged or recipient not in recipients(
                facts, agency, registry
            ):
                return f"{recipient} need not, or did, acknowledge {index}"
            due = step_due(
                patience_us(facts),
                one.at_us,
                at_us,
                coordinated=bool(coordinators(recipient, registry)),
                outages=self._outages,
            )
            late = facts.expires is not None and micros(facts.expires) <= at_us
            if late or not one.steps.get(recipient, 0) < step == due:
                return f"step {step} of {index} for {recipient} was not due"
            if (agency, facts.status) != (entry["of"], entry["status"]):
                return f"{index} is not of that agency and status"
            one.steps[recipient] = step
        return ""

    def _let_go(self, now_us: int) -> None:
        """Forget what is too old, from the oldest on."""
        down_us = sum(o.until_us - o.since_us for o in self._outages)
        while self._open:
            index, one = next(iter(self._open.items()))
            if one.at_us + _LONGEST_US + down_us > now_us:
                break
            del self._open[index]
            same = self._named[_name(one.message)]
            same.discard(index)
            if not same:
                del self._named[_name(one.message)]


def _name(message: Message) -> tuple[str, str]:
    return message.sender, message.identifier
