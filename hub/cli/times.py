"""Moments and speeds as people write them, ``2h``, ``2026-11-23T08:00Z``, a log index, ``10``."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from hub.cli.exits import usage
from hub.cli.harmless import apart
from hub.cli.words import Words, spoken, t, told

__all__ = ["both", "local", "read_ahead", "read_moment", "read_place", "read_speed", "shown", "utc"]

_AGO: Final = re.compile(r"(\d{1,9})(s|m|h|d|w)")
_UNIT: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_REMEDY: Final = told(
    "Write a log index (1204), a time (2026-11-23T08:00Z; UTC where no zone is given), "
    "or how long ago (90s, 15m, 2h, 3d, 1w)."
)


def read_place(text: str, *, now: datetime) -> int | datetime:
    """Return the place in the log that *text* means: an index, or a moment in UTC.

    Raises:
        Rejected: ``usage``; it is none of the three forms.
    """
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNIT[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise usage(t("{text} is no place in the log", text=repr(text)), remedy=t(_REMEDY)) from e


def read_moment(text: str, *, now: datetime) -> datetime:
    """Return the moment in UTC that *text* means: a time, or how long ago.

    Raises:
        Rejected: ``usage``; it is neither.
    """
    place = read_place(text, now=now)
    if isinstance(place, int):
        raise usage(
            t("{text} is no time", text=text),
            remedy=t("Write 2026-11-23T08:00Z, or how long ago: 12h."),
        )
    return place


def read_ahead(text: str, *, now: datetime) -> datetime:
    """Return the moment to come that *text* means: a time in UTC, or how long from *now*.

    Raises:
        Rejected: ``usage``; it is neither, or is past.
    """
    try:
        if ago := _AGO.fullmatch(text):
            until = now + timedelta(**{_UNIT[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(text)
            until = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise usage(
            t("{text} is no time to come", text=repr(text)),
            remedy=t("Write 90d, 12h, or 2027-01-01."),
        ) from e
    if until <= now:
        raise usage(t("{text} is past", text=text), remedy=t("Write 90d, 12h, or a time to come."))
    return until


def utc(at: datetime) -> str:
    """Write a moment in UTC, to the second: ``2026-11-23 08:00:01Z``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def local(at: datetime) -> str:
    """Write a moment as the clock on this wall shows it: ``12:00:01 +04:00``.

    The date stands before it where it is not the date in UTC.
    """
    here = at.astimezone()
    offset = f"{here:%z}"
    date = "" if here.date() == at.astimezone(UTC).date() else f"{here:%Y-%m-%d} "
    return f"{date}{here:%H:%M:%S} {offset[:3]}:{offset[3:5]}"


def shown(at: datetime) -> str:
    """Write a moment in UTC for people; where they count by another calendar, by that too."""
    return _dated(utc(at), at, UTC)


def both(at: datetime) -> str:
    """Write a moment in UTC, and beside it in local time where that is another."""
    here = at.astimezone()
    said = utc(at) if here.utcoffset() == timedelta(0) else f"{utc(at)} ({local(at)})"
    return _dated(said, at, here.tzinfo or UTC)


def _dated(said: str, at: datetime, zone: tzinfo) -> str:
    if spoken() != "fa":
        return said
    from hub.i18n import written  # noqa: PLC0415 - only Persian needs it

    return Words(f"{apart(written(at, 'fa', zone))} / {apart(said)}", said)


def read_speed(written: str | None) -> float | None:
    """Return how many times as fast as it was; None, which ``max`` means too: as fast as can be.

    Raises:
        Rejected: ``usage``; it is no number above 0.
    """
    if written in {None, "max"}:
        return None
    try:
        factor = float(written or "")
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise usage(
            t("{speed} is no speed", speed=repr(written)),
            remedy=t("Write a number above 0, or max."),
        )
    return factor
