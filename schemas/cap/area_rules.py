"""Whether the place where a message holds can exist (R32 to R43)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import shapely

from schemas.cap.values import Circle, Ring, read_circle, read_height, read_ring

if TYPE_CHECKING:
    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Case

__all__ = ["judge_area"]

_RANGE: Final = "latitude is within ±90 and longitude within ±180 degrees"


def judge_area(area: Draft, path: Path, case: Case) -> None:
    """Turn shapes and heights into numbers and note what is wrong (CAP 1.2, 3.2.4)."""
    if not area["area_desc"].strip():
        case.found("R32", (*path, ("areaDesc", 0)), "areaDesc is blank")
    polygons = area.get("polygon")
    circles = area.get("circle")
    if polygons is not None:
        area["polygon"] = tuple(
            [
                _judge_polygon(text, (*path, ("polygon", i)), case)
                for i, text in enumerate(polygons, 1)
            ]
        )
    if circles is not None:
        area["circle"] = tuple(
            [_judge_circle(text, (*path, ("circle", i)), case) for i, text in enumerate(circles, 1)]
        )
    if polygons is None and circles is None and "geocode" not in area:
        case.found("R33", path, "the area has neither polygon nor circle nor geocode")
    if "ceiling" in area or "altitude" in area:
        _judge_heights(area, path, case)


def _judge_polygon(text: str, path: Path, case: Case) -> Ring:
    known = case.rings.get(text)
    if known is None:
        known = case.rings[text] = _judged_ring(text, case)
    ring, rule, message = known
    if rule:
        case.found(rule, path, message)
    return ring


def _judged_ring(text: str, case: Case) -> tuple[Ring, str, str]:
    """Return the points, the first rule that they break or nothing, and the sentence for it."""
    try:
        ring = read_ring(text)
    except ValueError as error:
        return (), "R34", str(error)
    if len(ring) < 4:
        return ring, "R35", f"a polygon has at least 4 points, this one {len(ring)}"
    if ring[0] != ring[-1]:
        return ring, "R36", "the last point of a polygon is its first"
    lats, lons = zip(*ring, strict=True)
    west, east = min(lons), max(lons)
    if max(lats) > 90 or min(lats) < -90 or east > 180 or west < -180:
        return ring, "R37", _RANGE
    if east - west > 180 and any(abs(b - a) > 180 for a, b in pairwise(lons)):
        # Crossings cannot be told in a plane that ends at the antimeridian.
        return ring, "R39", "the polygon jumps the antimeridian; split it there"
    if _is_star(ring, sum(lats[1:]) / (len(ring) - 1), sum(lons[1:]) / (len(ring) - 1)):
        return ring, "", ""
    case.crossing_pairs -= _pairs(lats, lons)
    if case.crossing_pairs < 0:
        return ring, "R38", "there are too many points to search for crossings"
    if not shapely.is_simple(shapely.linearrings(ring)):
        return ring, "R38", "the polygon crosses or touches itself"
    return ring, "", ""


_SURELY: Final = 1e-9
"""Square degrees beyond every error of rounding."""


def _is_star(ring: Ring, lat: float, lon: float) -> bool:
    """Tell whether somebody at a point sees the whole ring go around once, without turning back.

    Then it cannot cross itself. Most areas drawn by hand are such, and this is
    quicker than to ask; what is not such is still to be searched.
    """
    y, x = ring[0][0] - lat, ring[0][1] - lon
    way = 0
    crossings = 0
    for point in ring[1:]:
        next_y, next_x = point[0] - lat, point[1] - lon
        turn = x * next_y - next_x * y
        if -_SURELY < turn < _SURELY:
            return False
        if (turn > 0) != (way > 0) and way:
            return False
        way = 1 if turn > 0 else -1
        crossings += (y < 0) != (next_y < 0)
        y, x = next_y, next_x
    return crossings == 2


def _pairs(lats: tuple[float, ...], lons: tuple[float, ...]) -> int:
    """Return how many pairs of sides may cross: those that overlap in latitude or longitude.

    A coast of ten thousand points has few, a zigzag across the whole area has all.
    """
    if len(lats) <= 64:
        return len(lats) * len(lats) // 2
    return min(_overlaps(lats), _overlaps(lons))


def _overlaps(values: tuple[float, ...]) -> int:
    spans = [(a, b) if a < b else (b, a) for a, b in pairwise(values)]
    starts = sorted(start for start, _ in spans)
    return sum(bisect_right(starts, end) - bisect_left(starts, start) for start, end in spans)


def _judge_circle(text: str, path: Path, case: Case) -> Circle:
    try:
        lat, lon, radius = circle = read_circle(text)
    except ValueError as error:
        case.found("R40", path, str(error))
        return 0.0, 0.0, 0.0
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        case.found("R37", path, _RANGE)
    if radius < 0:
        case.found("R40", path, "a radius is not negative")
    elif radius == 0:
        case.found("R41", path, "the radius is 0: the circle is a point")
    return circle


def _judge_heights(area: Draft, path: Path, case: Case) -> None:
    """Judge heights in feet above mean sea level (3.2.4 ``altitude``, ``ceiling``)."""
    for key in ("altitude", "ceiling"):
        if key in area:
            try:
                area[key] = read_height(area[key])
            except ValueError as error:
                case.found("R43", (*path, (key, 0)), str(error))
                return
    if "ceiling" not in area:
        return
    if "altitude" not in area:
        case.found("R42", (*path, ("ceiling", 0)), "a ceiling needs an altitude below it")
    elif area["altitude"] > area["ceiling"]:
        case.found("R43", (*path, ("altitude", 0)), "altitude is above ceiling")
