"""Shapes of messages as shapely's, in degrees and longitude first, at a bounded cost.

Where a shape cannot be had exactly, or not quickly, it is drawn larger: a reader may get an
alert too many. Only the outline of a very long ring may lie some 2 km off, either way. What
crosses the antimeridian is drawn on both sides of it.
"""

from __future__ import annotations

import math
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
"""A ring of more is simplified,"""
_MOST_SIMPLIFIED: Final = 20_000
"""one of still more is drawn as its convex hull: to simplify may take as long as their squares."""
_COARSEST: Final = 0.02
"""In degrees: what has too many points even so is drawn likewise."""
_REPAIRED_POINTS: Final = 2_000
"""So many points of invalid rings are repaired in a message, for the crossings may be as many
as their squares; the others are drawn as their convex hulls."""
_CORNERS: Final = 32
_AROUND: Final = 1 / math.cos(math.pi / _CORNERS)
"""So much farther out are the corners of a polygon around a circle."""

Way = list[tuple[float, float]]


def drawn(areas: Iterable[Area]) -> list[Any]:
    """Return every polygon and circle of *areas*, valid and within ±180 or outside of it.

    Numbers that are none are left out; what lies beyond a pole is put on it.
    """
    found: list[Any] = []
    repairs = _REPAIRED_POINTS
    for count, way in enumerate(_ways(areas), 1):
        if count > _MOST_SHAPES:
            shape = shapely.box(*shapely.multipoints(way).bounds)
        else:
            shape = _shape(way)
            if not shape.is_valid:
                repairs -= len(way)
                shape = shape.convex_hull if repairs < 0 else shapely.make_valid(shape)
        found.append(shape)
        west, _, east, _ = shape.bounds
        # A ring may go around the globe more than once; after one turn it is everywhere.
        if west < -180:
            found.append(translate(shape, 360))
        if east > 180:
            found.append(translate(shape, -360))
    return found


def _ways(areas: Iterable[Area]) -> Iterator[Way]:
    for area in areas:
        for ring in area.polygons:
            points = [(_lat(lat), _lon(lon)) for lat, lon in ring if _finite(lat, lon)]
            if points:
                yield _unrolled(points)
        for lat, lon, km in area.circles:
            if _finite(lat, lon, km):
                yield _circle(_lat(lat), _lon(lon), km)


def _finite(*numbers: float) -> bool:
    return all(map(math.isfinite, numbers))


def _lat(lat: float) -> float:
    return max(-90.0, min(90.0, lat))


def _lon(lon: float) -> float:
    return lon if -180 <= lon <= 180 else math.remainder(lon, 360)


def _shape(way: Way) -> Any:
    if len(way) == 1:
        return shapely.Point(way[0])
    if len(way) < 4:
        return shapely.LineString(way)
    if len(way) > _MOST_SIMPLIFIED:
        return shapely.LineString(way).convex_hull
    # As a line: a polygon would be repaired after each step, however long that takes.
    ring, tolerance = shapely.LineString(way), 0.001
    while shapely.get_num_coordinates(ring) > _MOST_POINTS and tolerance < _COARSEST:
        ring = shapely.simplify(ring, tolerance, preserve_topology=False)
        tolerance *= 2
    if not 4 <= shapely.get_num_coordinates(ring) <= _MOST_POINTS:
        return shapely.LineString(way).convex_hull
    return shapely.Polygon(ring)


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


def _circle(lat: float, lon: float, km: float) -> Way:
    """Return a polygon around a circle; one around a pole is all that is as near to it."""
    if km <= 0:
        return [(lon, lat)]
    reach = min(180.0, km / _KM_PER_DEGREE * _AROUND)
    south, north = lat - reach, lat + reach
    if south <= -90 or north >= 90:
        low = -90.0 if south <= -90 else south
        high = 90.0 if north >= 90 else north
        return [(-180, low), (180, low), (180, high), (-180, high), (-180, low)]
    here, angle = math.radians(lat), math.radians(reach)
    way = []
    for i in range(_CORNERS):
        bearing = 2 * math.pi * i / _CORNERS
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
