"""What a conversion between POLREP and other messages gives: the message, and what it lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from schemas.errors import Rejected
from schemas.polrep.moment import moment_of
from schemas.polrep.position import write_point

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.values import Point
    from schemas.polrep.model import Polrep, Serial
    from schemas.polrep.moment import Moment

__all__ = ["Converted", "id_of", "line", "placed", "sent_of", "told", "two_letters"]

_Message = TypeVar("_Message")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Converted(Generic[_Message]):
    """A message in its other form.

    *losses* are sentences for people: what it could not say, and what had to be assumed.
    """

    message: _Message
    losses: tuple[str, ...]


def id_of(serial: Serial, kind: Literal["POLREP", "POLFAC"]) -> str:
    """Return the identifier of a report's message: the same for the same serial number.

    One report can be both an alert and an aid message: *kind* keeps these apart.
    """
    incident = re.sub(r"[\s,<&]+", "-", serial.incident)
    return f"{kind}-{serial.state}-{incident}-{serial.number}"


def sent_of(report: Polrep, at: datetime) -> datetime:
    """Return when *report*, which is of about *at*, was sent.

    Raises:
        Rejected: ``not-convertible``: it is in local time.
    """
    if report.sent.offset_minutes is None:
        raise Rejected(
            "not-convertible",
            "the date time group is in local time, and nobody says whose",
            remedy="Write it in UTC, with Z after the six figures.",
        )
    return report.sent.near(at)


def told(at: datetime) -> Moment:
    """Return *at* as a report says it.

    Raises:
        Rejected: ``not-convertible``: it is of no year that anybody lives in.
    """
    try:
        return moment_of(at)
    except ValueError:
        raise Rejected(
            "not-convertible",
            f"the year {at.year} is no year of a report",
            remedy="Correct the dates.",
        ) from None


def placed(point: Point) -> str:
    """Return *point* as a report says it.

    Raises:
        Rejected: ``not-convertible``: it is not on the globe.
    """
    if abs(point[0]) > 90 or abs(point[1]) > 180:
        raise Rejected(
            "not-convertible",
            "a place is not on the globe",
            remedy="Write latitude and longitude in degrees.",
        )
    return write_point(point)


def line(text: str | None, most: int = 8000) -> str | None:
    """Return *text* as a field's text, shortened to *most* characters; None if nothing is left."""
    short = " ".join(_UNSAFE.sub(" ", text or "").split())
    if len(short) > most:
        short = f"{short[: most - 1].rstrip()}…"
    return short or None


def two_letters(*told: str | None) -> str:
    """Return the state's letters out of what was told: a code, or a sender with a domain.

    Raises:
        Rejected: ``not-convertible``: nothing tells.
    """
    for text in told:
        match = re.fullmatch(r"(?:.*@.*\.)?([A-Za-z]{2})", text or "")
        if match is not None:
            return match[1].upper()
    raise Rejected(
        "not-convertible",
        "nothing tells which state's report it would be",
        remedy="Say it: --state AZ.",
    )
