"""Shapes of messages as shapely's, in degrees and longitude first, at a bounded cost.

Where a shape cannot be had exactly, or not quickly, it is drawn larger: a reader may get an
alert too many. Only the outline of a very long ring may lie some 1 km off, either way. What
crosses the antimeridian is drawn on both sides of it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import shapely
from shapely.affinity import translate

from schemas.facts import Area

__all__ = ["drawn"]

_KM_PER_DEGREE: Final = 111.19
_MOST_SHAPES: Final = 1_000
"""Of a message so many are drawn as they are; of the others the boxes around them."""
_MOST_POINTS: Final = 2_000
"""A ring of more is simplified."""
_COARSE: Final = 0.01
"""In degrees: so far off, about 1 km, is what is simplified."""
_MOST_SIMPLIFIED: Final = 10_000
"""Rings are simplified while a message has so many points in them, for it may take as long as
their squares; others, and what has too many points even so, are drawn as convex hulls."""
_MOST_CROSSINGS: Final = 40_000
"""Rings that cross themselves are repaired in a message while so many pairs of sides may
cross, well under a second; the others are drawn as their convex hulls."""
_CORNERS: Final = 32
_FEWEST_CORNERS: Final = 4

Way = list[tuple[float, float]]


def drawn(areas: Iterable[Area]) -> list[Any]:
    """Return every polygon and circle of *areas*, valid and within ±180 or outside of it.

    Numbers that are none are left out; what lies beyond a pole is put on it.
    """
    found: list[Any] = []
    crossings, simplified = _MOST_CROSSINGS, _MOST_SIMPLIFIED
    for count, way in enumerate(_ways(areas), 1):
        if count > _MOST_SHAPES:
            xs, ys = zip(*way, strict=True)
            shape = shapely.box(min(xs), min(ys), max(xs), max(ys))
        else:
            if len(way) > _MOST_POINTS:
                simplified -= len(way)
            shape = _shape(way, simplify=simplified >= 0)
            if not shape.is_valid:
                pairs = _pairs(shape)
                if pairs <= crossings:
                    crossings -= pairs
                    # The other method takes a minute for two hundred points in a tangle.
                    shape = shapely.make_valid(shape, method="structure", keep_collapsed=True)
                else:
                    shape = shape.convex_hull
        found.append(shape)
        west, _, east, _ = shape.bounds
        # A ring may go around the globe more than once; after one turn it is everywhere.
        if west < -180:
            found.append(translate(shape, 360))
        if east > 180:
            found.append(translate(shape, -360))
    return found


def _ways(areas: Iterable[Area]) -> Iterator[Way]:
    circles = 0
    for area in areas:
        for ring in area.polygons:
            points = [(_lat(lat), _lon(lon)) for lat, lon in ring if _finite(lat, lon)]
            if points:
                yield _unrolled(points)
        for lat, lon, km in area.circles:
            if _finite(lat, lon, km):
                circles += 1
                corners = _CORNERS if circles <= _MOST_SHAPES else _FEWEST_CORNERS
                yield _circle(_lat(lat), _lon(lon), km, corners)


def _finite(*numbers: float) -> bool:
    return all(map(math.isfinite, numbers))


def _lat(lat: float) -> float:
    return max(-90.0, min(90.0, lat))


def _lon(lon: float) -> float:
    return lon if -180 <= lon <= 180 else math.remainder(lon, 360)


def _shape(way: Way, *, simplify: bool) -> Any:
    points = way
    if len(way) > _MOST_POINTS and simplify:
        # As a line: a polygon would be repaired, however long that takes.
        line = shapely.simplify(shapely.LineString(way), _COARSE, preserve_topology=False)
        points = list(line.coords)
    if not 4 <= len(points) <= _MOST_POINTS:
        return shapely.MultiPoint(way).convex_hull
    return shapely.Polygon(points)


def _pairs(shape: Any) -> int:
    """Return how many pairs of sides may cross: those that overlap in longitude or latitude."""
    return min(_overlaps(values) for values in zip(*shape.exterior.coords, strict=True))


def _overlaps(values: tuple[float, ...]) -> int:
    spans = [(a, b) if a < b else (b, a) for a, b in pairwise(values)]
    starts = sorted(start for start, _ in spans)
    return sum(bisect_right(starts, end) - bisect_left(starts, start) for start, end in spans)


def _unrolled(points: Sequence[tuple[float, float]]) -> Way:
    """Return points as x and y without jumps: a side of more than 180 degrees goes the short way.

    A ring that goes around the globe so has the nearer pole inside.
    """
    turns = 0
    way = [(points[0][1], points[0][0])]
    for (_, before), (lat, lon) in pairwise(points):
        if 180 < abs(lon - before) < 360:
            turns += -1 if lon > before else 1
        way.append((lon + 360 * max(-1, min(1, turns)), lat))
    if turns:
        pole = math.copysign(90.0, sum(lat for lat, _ in points))
        way += [(way[-1][0], pole), (way[0][0], pole), way[0]]
    return way


def _circle(lat: float, lon: float, km: float, corners: int) -> Way:
    """Return a polygon around a circle; one around a pole is all that is as near to it."""
    if km <= 0:
        return [(lon, lat)]
    reach = min(180.0, km / _KM_PER_DEGREE / math.cos(math.pi / corners))
    south, north = lat - reach, lat + reach
    if south <= -90 or north >= 90:
        low = -90.0 if south <= -90 else south
        high = 90.0 if north >= 90 else north
        return [(-180, low), (180, low), (180, high), (-180, high), (-180, low)]
    here, angle = math.radians(lat), math.radians(reach)
    way = []
    for i in range(corners):
        bearing = 2 * math.pi * i / corners
        up = math.sin(here) * math.cos(angle) + (
            math.cos(here) * math.sin(angle) * math.cos(bearing)
        )
        up = max(-1.0, min(1.0, up))
        aside = math.atan2(
            math.sin(bearing) * math.sin(angle) * math.cos(here),
            math.cos(angle) - math.sin(here) * up,
        )
        way.append((lon + math.degrees(aside), math.degrees(math.asin(up))))
    return [*way, way[0]]
