"""Where a report says something is: points and extents out of a field's text, and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.cap.values import Point

__all__ = ["KM_PER_NM", "Misplaced", "points_of", "radius_km", "tonnes_of", "write_point"]

KM_PER_NM: Final = 1.852
_ORDINATE: Final = re.compile(
    r"""(?<![\d.,])(?:
      (?P<packed>\d{4,5})(?P<packed_rest>[.,]\d{1,6})?\ ?
    | (?P<degrees>\d{1,3})(?:
        (?P<degrees_rest>[.,]\d{1,10})\ ?°?\ ?
      | \ ?(?:°|º|DEG\.?|[-\ ])\ ?(?P<minutes>\d{1,2})(?:
          (?P<minutes_rest>[.,]\d{1,6})\ ?['′’]?\ ?
        | \ ?['′’\-\ ]\ ?(?P<seconds>\d{1,2}(?:[.,]\d{1,4})?)\ ?(?:"|″|”|'')?\ ?
        | \ ?['′’]?\ ?
        )
      | \ ?[°º]\ ?
      )
    )(?P<half>[NSEW])(?![A-Z])""",
    re.VERBOSE | re.ASCII,
)
_LENGTH: Final = r"(\d{1,6}(?:[.,]\d{1,3})?)\s?(NM|MILES?|KM|M)\b"
_RADIUS: Final = re.compile(rf"RADIUS(?:\s?(?:OF|:|=))?\s?{_LENGTH}|{_LENGTH}\s?RADIUS", re.ASCII)
_EXTENT: Final = re.compile(
    rf"(?:LENGTH|WIDTH|DIAMETER|EXTENT|LONG|WIDE)(?:\s?(?:OF|:|=))?\s?{_LENGTH}"
    rf"|{_LENGTH}\s?(?:LONG|WIDE|DIAMETER|(?=X\b|BY\b))|(?:\bX|\bBY)\s?{_LENGTH}",
    re.ASCII,
)
_TONNES: Final = re.compile(
    r"(\d{1,3}(?:[ ,]\d{3}){1,3}|\d{1,9}(?:\.\d{1,3})?)\s?(?:T|MT|TONNES?|TONS?)\b", re.ASCII
)
_KM: Final = {"N": KM_PER_NM, "MI": KM_PER_NM, "K": 1.0, "M": 0.001}


class Misplaced(ValueError):
    """A latitude or longitude that is none, or one without the other."""


def points_of(text: str) -> tuple[Point, ...]:
    """Return the points that *text* names, latitude and longitude in degrees, in their order.

    Degrees and minutes (``40-21.5N 049-52E``, ``40°21'N 49°52'E``, ``4021N 04952E``), with
    seconds, or decimal degrees (``40.35N 49.87E``). Of bearings and distances nothing is made.

    Raises:
        Misplaced: with a sentence for people.
    """
    points: list[Point] = []
    latitude: float | None = None
    for match in _ORDINATE.finditer(text.upper()):
        value = _degrees(match)
        if match["half"] in "NS":
            if latitude is not None:
                raise Misplaced(f"a latitude without its longitude, before {match[0]}")
            latitude = value
        elif latitude is None:
            raise Misplaced(f"{match[0]} is a longitude without its latitude")
        else:
            points.append((latitude, value))
            latitude = None
    if latitude is not None:
        raise Misplaced("a latitude without its longitude")
    return tuple(points)


def _degrees(match: re.Match[str]) -> float:
    minutes = seconds = 0.0
    if match["packed"]:
        degrees = float(match["packed"][:-2])
        minutes = _number(match["packed"][-2:], match["packed_rest"])
    else:
        degrees = _number(match["degrees"], match["degrees_rest"])
        minutes = _number(match["minutes"] or "0", match["minutes_rest"])
        seconds = _number(match["seconds"] or "0", None)
    value = degrees + minutes / 60 + seconds / 3600
    if minutes >= 60 or seconds >= 60:
        raise Misplaced(f"{match[0]} has 60 minutes or seconds")
    if value > (90 if match["half"] in "NS" else 180):
        raise Misplaced(f"{match[0]} is not on the globe")
    return -value if match["half"] in "SW" else value


def _number(whole: str, rest: str | None) -> float:
    return float((whole + (rest or "")).replace(",", "."))


def write_point(point: Point) -> str:
    """Write a point in degrees and thousandths of a minute: ``40-21.500N 049-52.000E``."""
    latitude, longitude = point
    return (
        f"{_ordinate(abs(latitude), 2)}{'S' if latitude < 0 else 'N'} "
        f"{_ordinate(abs(longitude), 3)}{'W' if longitude < 0 else 'E'}"
    )


def _ordinate(value: float, width: int) -> str:
    thousandths = round(value * 60_000)
    degrees, minutes = divmod(thousandths, 60_000)
    return f"{degrees:0{width}}-{minutes // 1000:02}.{minutes % 1000:03}"


def radius_km(text: str) -> float | None:
    """Return the radius of the pollution that *text* gives, in kilometres; else half its extent."""
    upper = text.upper()
    radii = [_km(match) for match in _RADIUS.finditer(upper)]
    if radii:
        return max(radii) or None
    extents = [_km(match) for match in _EXTENT.finditer(upper)]
    return max(extents) / 2 or None if extents else None


def _km(match: re.Match[str]) -> float:
    groups = [group for group in match.groups() if group is not None]
    unit = groups[1]
    key = "MI" if unit.startswith("MI") else unit[0]
    return float(groups[0].replace(",", ".")) * _KM[key]


def tonnes_of(text: str) -> float | None:
    """Return the largest amount in tonnes that *text* names."""
    found = _TONNES.findall(text.upper())
    return max(float(re.sub(r"[ ,]", "", amount)) for amount in found) if found else None
