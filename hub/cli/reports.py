"""Pollution reports for ``caspian convert``: from and to alerts and aid messages, losses told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeVar

from hub.cli.exits import usage
from hub.cli.files import read_input
from hub.cli.terminal import note, styled
from hub.cli.words import t, translated
from hub.errors import Rejected
from schemas.cap import Alert
from schemas.judgement import judge
from schemas.polrep import Polrep
from schemas.polrep.converted import Converted
from schemas.polrep.from_aid import from_aid
from schemas.polrep.from_cap import from_alert
from schemas.polrep.to_aid import to_aid
from schemas.polrep.to_cap import to_alert
from schemas.rm import AidMessage, RequestResource

__all__ = ["SENDER", "Means", "as_message", "as_report"]

SENDER: Final = r"[^\s,<&\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+"
"""A sender as CAP allows it, and XML can hold it."""
_Message = TypeVar("_Message")


@dataclass(frozen=True, slots=True)
class Means:
    """What a conversion needs to know that is not in the message."""

    sender: str | None = None
    """As it is registered; without it the report's own words."""
    state: str | None = None
    answers: str | None = None
    """The file of the request that an offer answers, or of the offer that is accepted."""
    funding: str | None = None
    """Who pays for an order."""

    def check(self) -> None:
        """Refuse what a person cannot mean.

        Raises:
            Rejected: ``usage``.
        """
        if self.sender is not None and re.fullmatch(SENDER, self.sender) is None:
            raise usage(
                t("a sender is not empty and has no white space, comma, < or &"),
                remedy=t("Write it as the operator registered it."),
            )
        if self.state is not None and re.fullmatch("[A-Za-z]{2}", self.state) is None:
            raise usage(
                t("{state} is not a state's two letters", state=self.state),
                remedy=t("Write AZ, IR, KZ …"),
            )


def as_report(message: Alert | AidMessage | Polrep, means: Means) -> Polrep:
    """Return *message* as a report; what is lost is told on the terminal."""
    if isinstance(message, Polrep):
        return message
    if isinstance(message, Alert):
        return _told(from_alert(message, state=means.state))
    return _told(from_aid(message, state=means.state))


def as_message(
    report: Polrep, kind: Literal["cap", "aid"] | None, means: Means
) -> Alert | AidMessage:
    """Return *report* as what *kind* says, else as the one that it can be.

    Raises:
        Rejected: ``several-messages``: it can be both; ``not-convertible``.
    """
    warns = report.polwarn is not None or report.polinf is not None
    if kind is None and warns and report.polfac is not None:
        raise Rejected(
            "several-messages",
            t("it warns (1 to 60) and it is about assistance (80 to 99)"),
            remedy=t("Make two of it: --to cap, and --to aid."),
        )
    sender = means.sender
    if sender is None:
        sender = re.sub(r"[\s,<&]+", "-", report.sender)
        note(
            styled(
                t("the sender is {sender}: give --sender as it is registered", sender=sender),
                "yellow",
            )
        )
    at = datetime.now(UTC)
    if kind == "cap" or (kind is None and warns):
        return _told(to_alert(report, sender=sender, at=at))
    return _told(to_aid(report, sender=sender, at=at, request=_request(means.answers)))


def _request(name: str | None) -> RequestResource | None:
    if name is None:
        return None
    judgement = judge(read_input(name))[0]
    if judgement.refusal is not None:
        raise judgement.refusal
    if not isinstance(judgement.message, RequestResource):
        raise Rejected(
            "not-convertible",
            t("{name} is {kind}, not a request", name=name, kind=judgement.kind),
            remedy=t("Give the RequestResource that is answered."),
        )
    return judgement.message


def _told(converted: Converted[_Message]) -> _Message:
    for loss in converted.losses:
        note(styled(t("not in it, or assumed: {loss}", loss=translated(loss)), "yellow"))
    return converted.message
