"""Whether a place says where it is (EDXL-RM 1.0, 3.4 ``LocationType``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.rm.parts import Location
    from schemas.rm.paths import Path
    from schemas.rm.rulebook import Case

__all__ = ["judge_location"]


def judge_location(location: Location, path: Path, case: Case) -> None:
    """Judge one place; *path* is its own."""
    area = location.target_area
    described = (location.location_description or "").strip()
    if not described and location.address is None and area is None:
        case.found("A34", path, "a place has LocationDescription, Address or TargetArea")
    if area is None:
        return
    points = [*area.line, *area.polygon, *(area.box or ())]
    points += [area.point] if area.point is not None else []
    points += [area.circle[:2]] if area.circle is not None else []
    if not all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in points):
        case.found(
            "A05",
            (*path, ("TargetArea", 0)),
            "latitude is within ±90 and comes first, longitude within ±180",
        )
    elif area.circle is not None and area.circle[2] < 0:
        case.found("A05", (*path, ("TargetArea", 0)), "a radius is not negative")
    elif area.polygon and (len(area.polygon) < 4 or area.polygon[0] != area.polygon[-1]):
        case.found(
            "A05",
            (*path, ("TargetArea", 0)),
            "a polygon has at least four points, of which the last is the first",
        )
