"""How POLREP writes dates and times: six figures, the zone, and perhaps the month and year.

``181100Z JUN 2026`` is the 18th at 11.00 UTC. The manual asks for six figures in the
fields and the month in the date time group, so what a moment is can depend on when the
report was sent (`Moment.near`).
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Moment", "moment_of", "read_moment", "write_moment"]

_MONTHS: Final = (
    *("", "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST"),
    *("SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_ZONE: Final = r"(?P<zone>Z|UTC|GMT|LT|LOCAL(?: TIME)?|[+-][0-9]{2}:?[0-9]{2})?"
_TIME: Final = r"(?P<hour>[0-9]{2})[:.]?(?P<minute>[0-9]{2})(?::00)?"
_MONTH: Final = r"(?P<month>[A-Z]{3,9})\.?"
_FORMS: Final = tuple(
    map(
        re.compile,
        (
            # 181100Z JUN 2026, 18 1100 z of june, 181100zjun26
            (
                rf"(?P<day>[0-9]{{2}}) ?{_TIME} ?{_ZONE}"
                rf"(?: ?(?:OF )?{_MONTH}(?:[ ,]{{0,2}}(?P<year>[0-9]{{4}}|'?[0-9]{{2}}))?)?"
            ),
            # 18 JUN 2026 1100Z
            (
                rf"(?P<day>[0-9]{{1,2}}) {_MONTH}[ ,]{{0,2}}(?P<year>[0-9]{{4}})[ ,]{{1,2}}"
                rf"{_TIME} ?{_ZONE}"
            ),
            # 2026-06-18T11:00Z
            rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[T ]{_TIME} ?{_ZONE}",
            # 18.06.2026 11:00 UTC
            (
                r"(?P<day>[0-9]{1,2})[./](?P<month>[0-9]{1,2})[./](?P<year>[0-9]{4})[ ,]{1,2}"
                rf"{_TIME} ?{_ZONE}"
            ),
        ),
    )
)
_LEAP: Final = 2000
_YEARS: Final = 8
"""How far the next 29 February may be."""
_MOST: Final = 14 * 60


class Moment(BaseModel):
    """A date and time as far as a report says it; minutes are the finest that it can say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: Annotated[int, Field(ge=1, le=31)]
    hour: Annotated[int, Field(ge=0, le=23)]
    minute: Annotated[int, Field(ge=0, le=59)]
    offset_minutes: Annotated[int, Field(ge=-_MOST, le=_MOST)] | None = 0
    """From UTC; 0 is ``Z``, None is ``LT``: local time, nobody says whose."""
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    year: Annotated[int, Field(ge=1900, le=2999)] | None = None

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.month is None:
            if self.year is not None:
                raise ValueError("a year has its month")
        elif self.day > calendar.monthrange(self.year or _LEAP, self.month)[1]:
            raise ValueError("the month has no such day")
        return self

    def near(self, at: datetime) -> datetime:
        """Return the moment that is meant in a report of about *at* (which has an offset).

        Where month or year are not said it is the one next to *at*. Local time is taken
        for UTC: who cannot do with that looks at `offset_minutes` first.
        """
        zone = timezone(timedelta(minutes=self.offset_minutes or 0))
        here = at.astimezone(UTC)
        found = []
        for year, month in self._months(here):
            if self.day <= calendar.monthrange(year, month)[1]:
                found.append(datetime(year, month, self.day, self.hour, self.minute, tzinfo=zone))
        return min(found, key=lambda moment: (abs(moment - here), moment))

    def _months(self, here: datetime) -> list[tuple[int, int]]:
        if self.month is not None and self.year is not None:
            return [(self.year, self.month)]
        if self.month is not None:
            return [(here.year + i, self.month) for i in range(-_YEARS, _YEARS + 1)]
        months = here.year * 12 + here.month - 1
        return [((months + i) // 12, (months + i) % 12 + 1) for i in (-1, 0, 1)]


def moment_of(at: datetime) -> Moment:
    """Return *at* as a moment in UTC; seconds are dropped."""
    at = at.astimezone(UTC)
    return Moment(day=at.day, hour=at.hour, minute=at.minute, month=at.month, year=at.year)


def read_moment(text: str) -> Moment:
    """Read a date and time in POLREP's form or in the ones that people write instead.

    Raises:
        ValueError: with a sentence for people.
    """
    upper = " ".join(text.split()).upper()
    if len(upper) <= 60:
        for form in _FORMS:
            match = form.fullmatch(upper)
            if match is not None:
                return _moment(match.groupdict(), text)
    raise ValueError(f"{text[:40]!r} is not a date and time such as 181100Z JUN 2026")


def _moment(parts: dict[str, str | None], text: str) -> Moment:
    year = (parts["year"] or "").lstrip("'")
    try:
        return Moment(
            day=int(parts["day"] or ""),
            hour=int(parts["hour"] or ""),
            minute=int(parts["minute"] or ""),
            offset_minutes=_offset(parts["zone"]),
            month=_month(parts["month"]),
            year=None if not year else int(year) + (2000 if len(year) == 2 else 0),
        )
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date and time that there is") from None


def _offset(zone: str | None) -> int | None:
    if zone is None or zone.startswith("L"):
        return None
    if zone[0] not in "+-":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    if int(zone[-2:]) > 59:
        raise ValueError("an offset has less than 60 minutes")
    return -minutes if zone[0] == "-" else minutes


def _month(name: str | None) -> int | None:
    if name is None:
        return None
    if name.isdigit():
        return int(name)
    found = [i for i, month in enumerate(_MONTHS) if i and month.startswith(name)]
    if len(found) != 1:
        raise ValueError("no month is called that")
    return found[0]


def write_moment(moment: Moment) -> str:
    """Write a moment in POLREP's form; it reads back equal."""
    offset = moment.offset_minutes
    if offset is None:
        zone = "LT"
    elif offset:
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}"
    else:
        zone = "Z"
    text = f"{moment.day:02}{moment.hour:02}{moment.minute:02}{zone}"
    if moment.month is not None:
        text += f" {_MONTHS[moment.month][:3]}"
    return text if moment.year is None else f"{text} {moment.year}"
