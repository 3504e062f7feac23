"""How CAP writes times, points, rings, circles, lists and references as text, and back.

Every ``read_`` function takes the text of one element whose structure holds and
raises ValueError, with a sentence for people, where the text does not say what
the standard asks. Every ``write_`` function gives text that reads back equal.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from schemas.cap.build import built
from schemas.facts import Reference

__all__ = [
    "Circle",
    "Point",
    "Ring",
    "is_absolute_uri",
    "is_uri_reference",
    "read_circle",
    "read_height",
    "read_list",
    "read_references",
    "read_ring",
    "read_time",
    "write_circle",
    "write_height",
    "write_list",
    "write_references",
    "write_ring",
    "write_time",
]

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""

Ring = tuple[Point, ...]
"""The points of a polygon; the last is the first again."""

Circle = tuple[float, float, float]
"""Latitude and longitude in degrees, radius in kilometres."""

_CAP_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII)
_ANY_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII
)
_DECIMAL: Final = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)"
_CIRCLE: Final = re.compile(rf"({_DECIMAL}),({_DECIMAL})\s+({_DECIMAL})", re.ASCII)
_LIST_ITEM: Final = re.compile(r'"([^"]*)"|(\S+)')
# Python before 3.11.5 matches wrongly where *+ stands after a group: plain * is enough here, as no
# character can begin two of the alternatives.
_SEGMENT: Final = r"(?:[^\s%#?/@:\[\]\x00-\x1f\ud800-\udfff]|%[0-9A-Fa-f]{2})"
_AUTHORITY: Final = (
    rf"//(?:(?:{_SEGMENT}|:)*@)?(?:{_SEGMENT}*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
)
_REST: Final = rf"(?:\?(?:{_SEGMENT}|[/@:?])*)?(?:\#(?:{_SEGMENT}|[/@:?])*)?"
_ABSOLUTE: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.\-]*+:"
    rf"(?:{_AUTHORITY}(?:/(?:{_SEGMENT}|[/@:])*)?|(?!//)(?:{_SEGMENT}|[/@:])+){_REST}"
)
_RELATIVE: Final = re.compile(
    rf"(?:{_AUTHORITY}(?:/(?:{_SEGMENT}|[/@:])*)?"
    rf"|(?!//)(?:(?:{_SEGMENT}|@)*(?:/(?:{_SEGMENT}|[/@:])*)?)){_REST}"
)
_DAY: Final = timedelta(days=1)


def read_time(text: str, *, lenient: bool = False) -> datetime:
    """Read a date as CAP 1.2, 3.3.2 writes it: ``2002-05-24T16:49:00-07:00``.

    *lenient* takes what CAP 1.1's schema lets through as well: ``Z`` for UTC,
    and fractions of a second, which are dropped.
    """
    if lenient:
        match = _ANY_TIME.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:40]!r} is not a date and time with an offset from UTC")
        text = match[1] + ("-00:00" if match[2] == "Z" else match[2])
    elif _CAP_TIME.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not of the form 2002-05-24T16:49:00-07:00")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        # XML Schema lets midnight be the end of a day; Python does not.
        if text[11:19] != "24:00:00" or text.startswith("9999-12-31"):
            raise ValueError(f"{text!r} is no moment: {error}") from None
        at = datetime.fromisoformat(f"{text[:11]}00{text[13:]}") + _DAY
    if not 1 < at.year < 9999:
        raise ValueError(f"{text!r} is outside the years 2 to 9998")
    return at


def write_time(at: datetime) -> str:
    """Write a moment of whole seconds; UTC is ``-00:00`` (CAP 1.2, 3.3.2)."""
    text = at.isoformat(timespec="seconds")
    return f"{text[:-6]}-00:00" if text.endswith("+00:00") else text


def read_ring(text: str) -> Ring:
    """Read a polygon, ``lat,lon lat,lon …``, without judging its shape (CAP 1.2, 3.2.4)."""
    if not text.isascii() or "_" in text or text.lower() != text.upper():
        # Python's float reads nan, inf, 1e5, 1_0 and other scripts' digits as well.
        raise ValueError("a polygon is written 'lat,lon lat,lon …' in decimal degrees")
    points = []
    try:
        for pair in text.split():
            lat, lon = pair.split(",")
            points.append((float(lat), float(lon)))
    except ValueError:
        raise ValueError(f"{pair[:40]!r} is not a pair 'lat,lon' in decimal degrees") from None
    return tuple(points)


def write_ring(ring: Ring) -> str:
    """Write the points of a polygon with all digits that they have."""
    return " ".join(f"{_number(lat)},{_number(lon)}" for lat, lon in ring)


def read_circle(text: str) -> Circle:
    """Read a circle, ``lat,lon radius``, without judging its place (CAP 1.2, 3.2.4)."""
    match = _CIRCLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not 'lat,lon radius' with kilometres")
    return float(match[1]), float(match[2]), float(match[3])


def write_circle(circle: Circle) -> str:
    """Write a circle with all digits that its numbers have."""
    lat, lon, radius = circle
    return f"{_number(lat)},{_number(lon)} {_number(radius)}"


def _number(value: float) -> str:
    """Write a float as plain decimal digits: CAP has no exponents."""
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def read_height(text: str) -> Decimal:
    """Read an altitude or ceiling in feet above mean sea level."""
    text = text.strip()
    if len(text) > 24 or not re.fullmatch(_DECIMAL, text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is not a height in feet")
    return Decimal(text)


def write_height(height: Decimal) -> str:
    """Write a height as plain decimal digits."""
    return format(height, "f")


def is_absolute_uri(text: str) -> bool:
    """Tell whether *text* is an absolute URI (RFC 3986, 4.3) or its international form."""
    return _ABSOLUTE.fullmatch(text) is not None


def is_uri_reference(text: str) -> bool:
    """Tell whether *text* is a URI or one relative to something (RFC 3986, 4.1)."""
    return is_absolute_uri(text) or _RELATIVE.fullmatch(text) is not None


def read_list(text: str) -> tuple[str, ...]:
    """Read a list delimited by spaces; quotes hold together what has spaces (CAP 1.2, 3.2.1).

    A quote that nothing closes is dropped.
    """
    if '"' not in text:
        return tuple(text.split())
    items = (
        (quoted or plain.replace('"', "")).strip() for quoted, plain in _LIST_ITEM.findall(text)
    )
    return tuple(item for item in items if item)


def write_list(items: tuple[str, ...]) -> str:
    """Write a list delimited by spaces, with quotes around what has spaces."""
    return " ".join(f'"{item}"' if len(item.split()) > 1 else item for item in items)


def read_references(text: str, *, lenient: bool = False) -> tuple[Reference, ...]:
    """Read ``sender,identifier,sent`` items delimited by white space (CAP 1.2, 3.2.1)."""
    references = []
    for item in text.split():
        parts = item.split(",")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{item[:120]!r} is not 'sender,identifier,sent'")
        sender, identifier, sent = parts
        references.append(
            built(
                Reference,
                {
                    "sender": sender,
                    "identifier": identifier,
                    "sent": read_time(sent, lenient=lenient),
                },
            )
        )
    return tuple(references)


def write_references(references: tuple[Reference, ...]) -> str:
    """Write references delimited by spaces."""
    return " ".join(f"{r.sender},{r.identifier},{write_time(r.sent)}" for r in references)
