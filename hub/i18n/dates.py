"""Dates as people of each language write them: Unicode CLDR through Babel, Jalali for Persian.

Browsers cannot be asked: Chromium knows neither Azerbaijani nor Kazakh dates. So pages get the
forms from here, and the tests hold what a page writes against what `written` says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, Final

__all__ = ["DateForms", "date_forms", "written"]

_DIGITS: Final = {"fa": "۰۱۲۳۴۵۶۷۸۹"}
_PERSIAN: Final = frozenset({"fa"})
"""Languages whose dates are of the Persian calendar."""
_FIELD: Final = "GyYuUQqMLlwWdDFgEecabBChHKkjJmsSAzZOvVXx"


@dataclass(frozen=True, slots=True)
class DateForms:
    """All that it takes to write a date in one language."""

    language: str
    calendar: str
    """``gregorian`` or ``persian``."""
    months: tuple[str, ...]
    """In full, as they stand beside a day."""
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    """Of the week in short, from Monday."""
    medium: tuple[tuple[str, str], ...]
    """The parts of a date: a field and its form (``d``, ``dd``, ``MMM``, ``MMMM``, ``y``), or
    an empty one and text."""
    long: tuple[tuple[str, str], ...]
    between: str
    """How date ``{1}`` and time ``{0}`` stand together."""
    digits: str

    def as_json(self) -> dict[str, Any]:
        """Return the forms for a page."""
        return asdict(self)


@cache
def date_forms(language: str) -> DateForms:
    """Return the forms of one of the languages."""
    import jdatetime  # noqa: PLC0415 - as below
    from babel import Locale  # noqa: PLC0415 - who writes no such date needs none of it

    locale = Locale.parse(language)
    wide, short = (locale.months["format"][width] for width in ("wide", "abbreviated"))
    months, short_months = (tuple(names[n] for n in range(1, 13)) for names in (wide, short))
    persian = language in _PERSIAN
    if persian:
        months = short_months = tuple(jdatetime.date.j_months_fa)
    return DateForms(
        language,
        "persian" if persian else "gregorian",
        months,
        short_months,
        tuple(locale.days["format"]["abbreviated"][n] for n in range(7)),
        _parts(locale.date_formats["medium"].pattern),
        _parts(locale.date_formats["long"].pattern),
        str(locale.datetime_formats["medium"]),
        _DIGITS.get(language, "0123456789"),
    )


def written(moment: datetime, language: str, zone: tzinfo, *, long: bool = False) -> str:
    """Return date and time of a moment in a zone, to the minute, by the clock of 24 hours."""
    forms, local = date_forms(language), moment.astimezone(zone)
    year, month, day = local.year, local.month, local.day
    if forms.calendar == "persian":
        import jdatetime  # noqa: PLC0415 - only Persian needs it

        jalali = jdatetime.date.fromgregorian(date=local.date())
        year, month, day = jalali.year, jalali.month, jalali.day
    fields = {
        "d": str(day),
        "dd": f"{day:02}",
        "MMM": forms.short_months[month - 1],
        "MMMM": forms.months[month - 1],
        "y": str(year),
    }
    parts = forms.long if long else forms.medium
    date = "".join(text if not field else fields[field] for field, text in parts)
    both = forms.between.replace("{1}", date).replace("{0}", f"{local:%H:%M}")
    return both.translate(str.maketrans("0123456789", forms.digits))


def _parts(pattern: str) -> tuple[tuple[str, str], ...]:
    """Split a pattern of CLDR into fields and the text between (UTS 35, part 4, section 8)."""
    from babel.dates import parse_pattern  # noqa: PLC0415 - as above

    parts: list[tuple[str, str]] = []
    rest = parse_pattern(pattern).pattern
    while rest:
        if rest[0] == "'":
            end = rest.index("'", 1)
            parts.append(("", rest[1:end] or "'"))
            rest = rest[end + 1 :]
        elif rest[0] in _FIELD:
            length = len(rest) - len(rest.lstrip(rest[0]))
            parts.append((rest[:length], ""))
            rest = rest[length:]
        else:
            parts.append(("", rest[0]))
            rest = rest[1:]
    return tuple(parts)
