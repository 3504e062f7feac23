"""Shapes of messages as shapely's, in degrees and longitude first, at a bounded cost.

Where a shape cannot be had exactly, or not quickly, it is drawn larger: a reader may get an
alert too many. Only the outline of a very long ring may lie some 1 km off, either way. What
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
_MOST_POINTS: Final = 4_000
"""A ring of more is drawn coarsely, and if it has more even so as its convex hull."""
_COARSE: Final = 0.01
"""In degrees: so far off, about 1 km, may be what is drawn so."""
_CORNERS: Final = 32
_FEWEST_CORNERS: Final = 4

Ring = Sequence[tuple[float, float]]
"""Latitude and longitude."""
Way = list[tuple[float, float]]
"""Longitude and latitude, the longitude without jumps."""


def drawn(areas: Iterable[Area]) -> list[Any]:
    """Return every polygon and circle of *areas*, valid and within ±180 or outside of it.

    Of a ring that crosses itself the line alone comes back, a ``LinearRing``: to find its
    parts takes the square of its points and more, to ask what it goes around does not.
    Numbers that are none are left out; what lies beyond a pole is put on it.
    """
    found: list[Any] = []
    for count, way in enumerate(_ways(areas), 1):
        if count > _MOST_SHAPES:
            xs, ys = zip(*way, strict=True)
            shape = shapely.box(min(xs), min(ys), max(xs), max(ys))
        else:
            shape = _shape(way)
            if not shape.is_valid:
                shape = shape.exterior
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
            if way := _way(ring):
                yield way
        for lat, lon, km in area.circles:
            if _finite(lat, lon, km):
                circles += 1
                corners = _CORNERS if circles <= _MOST_SHAPES else _FEWEST_CORNERS
                yield _circle(_lat(lat), _lon(lon), km, corners)


def _way(ring: Ring) -> Way:
    """Return a ring in the plane; most are within 180 degrees, and those are had more quickly."""
    if not ring:
        return []
    lats, lons = zip(*ring, strict=True)
    # What is no number is none in a sum either.
    if not (
        math.isfinite(sum(lats) + sum(lons))
        and min(lats) >= -90
        and max(lats) <= 90
        and min(lons) >= -180
        and max(lons) <= 180
    ):
        points = [(_lat(lat), _lon(lon)) for lat, lon in ring if _finite(lat, lon)]
        return _unrolled(points) if points else []
    return list(zip(lons, lats, strict=True)) if max(lons) - min(lons) <= 180 else _unrolled(ring)


def _finite(*numbers: float) -> bool:
    return all(map(math.isfinite, numbers))


def _lat(lat: float) -> float:
    return max(-90.0, min(90.0, lat))


def _lon(lon: float) -> float:
    return lon if -180 <= lon <= 180 else math.remainder(lon, 360)


def _shape(way: Way) -> Any:
    if len(way) < 4:
        return shapely.MultiPoint(way).convex_hull
    if len(way) <= _MOST_POINTS:
        return shapely.polygons(way)
    line = shapely.remove_repeated_points(shapely.linestrings(way), _COARSE)
    coarse = shapely.get_coordinates(line)
    return shapely.polygons(coarse) if 4 <= len(coarse) <= _MOST_POINTS else line.convex_hull


def _unrolled(points: Ring) -> Way:
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
