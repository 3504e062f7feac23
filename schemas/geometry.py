"""How places of messages are drawn as GeoJSON (RFC 7946): WGS 84, longitude first.

Outer rings go counterclockwise (RFC 7946, 3.1.6); what crosses the antimeridian is cut
there into several parts (3.1.9). CAP and EDXL-RM have the latitude first and care for neither.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

import shapely
from shapely.geometry import mapping

__all__ = ["Feature", "Geometry", "circle", "line", "point", "polygon", "write_collection"]

Geometry = dict[str, Any]
Feature = dict[str, Any]
Point = tuple[float, float]
"""Latitude and longitude in degrees."""

_EARTH_KM: Final = 6371.0088
"""The mean radius of the Earth."""
_WIDEST_KM: Final = _EARTH_KM * math.pi / 2
"""The radius of a hemisphere; the ring of a larger circle would be that of what it leaves out."""
_CORNERS: Final = 64


def point(place: Point) -> Geometry:
    """Draw a point."""
    lat, lon = place
    return {"type": "Point", "coordinates": [lon, lat]}


def line(points: Sequence[Point]) -> Geometry:
    """Draw a line; what is less than two points is a point."""
    if len(points) < 2:
        return point(points[0])
    way, _ = _unrolled(points)
    if _is_on_map(way):
        return {"type": "LineString", "coordinates": [list(place) for place in way]}
    return _cut(shapely.LineString(way))


def polygon(ring: Sequence[Point]) -> Geometry:
    """Draw the inside of a ring, whose last point is its first.

    A side of more than 180 degrees is taken to go the short way, over the antimeridian;
    a ring that goes around the globe so has the nearer pole inside.
    """
    way, turned = _unrolled(ring)
    if turned:
        pole = math.copysign(90.0, sum(lat for lat, _ in ring))
        way += [(way[-1][0], pole), (way[0][0], pole), way[0]]
    if not _is_on_map(way):
        return _cut(shapely.Polygon(way))
    if _area(way) < 0:
        way.reverse()
    return {"type": "Polygon", "coordinates": [[list(place) for place in way]]}


def circle(centre: Point, radius_km: float) -> Geometry:
    """Draw a circle as a polygon of 64 corners that lie on it.

    GeoJSON has no circles. One without extent, or larger than a hemisphere, is its centre.
    """
    if not 0 < radius_km < _WIDEST_KM:
        return point(centre)
    lat, lon = map(math.radians, centre)
    angle = radius_km / _EARTH_KM
    ring = []
    for i in range(_CORNERS):
        bearing = -2 * math.pi * i / _CORNERS
        north = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(
            bearing
        )
        north = max(-1.0, min(1.0, north))
        east = math.atan2(
            math.sin(bearing) * math.sin(angle) * math.cos(lat),
            math.cos(angle) - math.sin(lat) * north,
        )
        around = (math.degrees(lon + east) + 180) % 360 - 180
        ring.append((round(math.degrees(math.asin(north)), 7), round(around, 7)))
    return polygon([*ring, ring[0]])


def write_collection(features: Iterable[Feature]) -> bytes:
    """Write features as a FeatureCollection in UTF-8 (RFC 7946, 3.3)."""
    said = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _unrolled(points: Sequence[Point]) -> tuple[list[tuple[float, float]], bool]:
    """Return points as x and y without jumps at the antimeridian, and whether the way goes around.

    The x then leave ±180. Sides of a whole turn are those of maps of the whole world.
    """
    turns = 0
    way = [(points[0][1], points[0][0])]
    for (_, before), (lat, lon) in pairwise(points):
        if 180 < abs(lon - before) < 360:
            turns += -1 if lon > before else 1
        way.append((lon + 360 * turns, lat))
    return way, turns != 0


def _is_on_map(way: Sequence[tuple[float, float]]) -> bool:
    return all(-180 <= x <= 180 for x, _ in way)


def _area(way: Sequence[tuple[float, float]]) -> float:
    """Return twice the area of a ring, negative where it goes clockwise."""
    x0, y0 = way[0]
    return sum((x - x0) * (v - y0) - (u - x0) * (y - y0) for (x, y), (u, v) in pairwise(way))


def _cut(shape: Any) -> Geometry:
    """Cut a shape that leaves the map into those parts that lie on it."""
    kind = shape.geom_type
    shape = shapely.make_valid(shape)
    west, _, east, _ = shape.bounds
    parts = []
    for turn in range(math.floor((west + 180) / 360), math.ceil((east + 180) / 360)):
        window = shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90)
        inside = shapely.intersection(shape, window)
        inside = shapely.transform(inside, lambda places, by=360 * turn: places - (by, 0))
        # What was made valid may be a collection of collections.
        parts += [p for p in shapely.get_parts(shapely.get_parts(inside)) if p.geom_type == kind]
    if kind == "Polygon":
        # The two ends of a ring around a pole meet on the map again.
        parts = list(
            map(shapely.geometry.polygon.orient, shapely.get_parts(shapely.union_all(parts)))
        )
    drawn = [_lists(mapping(part)["coordinates"]) for part in parts]
    if len(drawn) == 1:
        return {"type": kind, "coordinates": drawn[0]}
    return {"type": f"Multi{kind}", "coordinates": drawn}


def _lists(value: Any) -> Any:
    return [_lists(one) for one in value] if isinstance(value, tuple | list) else float(value)
