"""Whether the place where a message holds can exist (R32 to R43)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import shapely

from schemas.cap.values import Ring, read_circle, read_height, read_ring

if TYPE_CHECKING:
    from schemas.cap.draft import Draft, Path
    from schemas.cap.rulebook import Found

__all__ = ["MAX_CROSSING_POINTS", "judge_area"]

MAX_CROSSING_POINTS: Final = 5000
"""Longer polygons are not searched for crossings: the search may take the square of it."""


def judge_area(area: Draft, path: Path, found: Found) -> None:
    """Turn shapes and heights into numbers and report what is wrong (CAP 1.2, 3.2.4)."""
    if not area["area_desc"].strip():
        found("R32", (*path, ("areaDesc", 0)), "areaDesc is blank")
    polygons = area.get("polygon")
    circles = area.get("circle")
    if polygons is not None:
        area["polygon"] = tuple(
            _judge_polygon(text, (*path, ("polygon", i)), found)
            for i, text in enumerate(polygons, 1)
        )
    if circles is not None:
        area["circle"] = tuple(
            _judge_circle(text, (*path, ("circle", i)), found) for i, text in enumerate(circles, 1)
        )
    if polygons is None and circles is None and "geocode" not in area:
        found("R33", path, "the area has neither polygon nor circle nor geocode")
    if "ceiling" in area or "altitude" in area:
        _judge_heights(area, path, found)


def _judge_polygon(text: str, path: Path, found: Found) -> Ring:
    try:
        ring = read_ring(text)
    except ValueError as error:
        found("R34", path, str(error))
        return ()
    if len(ring) < 4:
        found("R35", path, f"a polygon has at least 4 points, this one {len(ring)}")
        return ring
    if ring[0] != ring[-1]:
        found("R36", path, "the last point of a polygon is its first")
        return ring
    lats, lons = zip(*ring, strict=True)
    if max(lats) > 90 or min(lats) < -90 or max(lons) > 180 or min(lons) < -180:
        found("R37", path, "latitude is within ±90 and longitude within ±180 degrees")
        return ring
    if max(lons) - min(lons) > 180 and any(abs(b - a) > 180 for a, b in pairwise(lons)):
        # Its crossings cannot be told in a plane that ends at the antimeridian.
        found("R39", path, "the polygon jumps the antimeridian; split it there")
    elif len(ring) > MAX_CROSSING_POINTS:
        found("R38", path, f"a polygon of {len(ring)} points is not searched for crossings")
    elif not shapely.is_simple(shapely.linearrings(ring)):
        found("R38", path, "the polygon crosses itself")
    return ring


def _judge_circle(text: str, path: Path, found: Found) -> tuple[float, float, float]:
    try:
        lat, lon, radius = read_circle(text)
    except ValueError as error:
        found("R40", path, str(error))
        return 0.0, 0.0, 0.0
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        found("R37", path, "latitude is within ±90 and longitude within ±180 degrees")
    if radius < 0:
        found("R40", path, "a radius is not negative")
    elif radius == 0:
        found("R41", path, "the radius is 0: the circle is a point")
    return lat, lon, radius


def _judge_heights(area: Draft, path: Path, found: Found) -> None:
    heights = []
    for key in ("altitude", "ceiling"):
        text = area.get(key)
        if text is None:
            continue
        try:
            area[key] = read_height(text)
        except ValueError as error:
            found("R43", (*path, (key, 0)), str(error))
            return
        heights.append(area[key])
    if "altitude" not in area:
        found("R42", (*path, ("ceiling", 0)), "a ceiling needs an altitude below it")
    elif len(heights) == 2 and heights[0] > heights[1]:
        found("R43", (*path, ("altitude", 0)), "altitude is above ceiling")
