"""How EDXL-RM writes times and amounts as text, and back.

A ``read_`` function raises ValueError, with a sentence for people; a ``write_``
function gives text that reads back equal.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

__all__ = ["MAX_AMOUNT", "read_amount", "read_time", "write_amount", "write_time"]

MAX_AMOUNT: Final = Decimal(10) ** 15
"""Amounts are smaller than this, and have at most nine decimal places."""

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[-+]\d\d:\d\d)?", re.ASCII
)
_AMOUNT: Final = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,2})?")
_DAY: Final = timedelta(days=1)


def read_time(text: str) -> datetime:
    """Read XML Schema's dateTime, which must have an offset from UTC; finer than 1 µs is cut off.

    Without an offset five states would read five different moments.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not of the form 2002-05-24T16:49:00-07:00")
    seconds, fraction, offset = match.groups()
    if offset is None:
        raise ValueError(f"{text[:40]!r} has no offset from UTC")
    # XML Schema lets midnight be the end of a day; Python does not.
    ends = seconds[11:] == "24:00:00" and not (fraction or "").strip("0")
    if ends:
        seconds = f"{seconds[:11]}00:00:00"
    at = datetime.fromisoformat(
        f"{seconds}.{(fraction or '').ljust(6, '0')}{'+00:00' if offset == 'Z' else offset}"
    )
    if not 1 < at.year < 9998:
        raise ValueError(f"{text[:40]!r} is outside the years 2 to 9997")
    return at + _DAY if ends else at


def write_time(at: datetime) -> str:
    """Write a moment with its offset from UTC, and with fractions of a second if it has any."""
    return at.isoformat()


def read_amount(text: str) -> Decimal:
    """Read a number as XML Schema's double writes it, exactly as it is written."""
    text = text.strip()
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not an amount in decimal digits")
    return Decimal(text)


def write_amount(amount: Decimal) -> str:
    """Write an amount as plain decimal digits."""
    return format(amount, "f")
