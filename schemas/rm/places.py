"""Which places on the map messages carry (GML in the profile of EDXL)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Self

from lxml import etree
from pydantic import model_validator

from schemas.rm.carried import Carried, first, put
from schemas.rm.others import GML

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TargetArea"]

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""


class TargetArea(Carried):
    """A place on the map (GML in the EDXL profile): one shape, WGS 84, latitude first."""

    tag = "TargetArea"

    point: Point | None = None
    line: tuple[Point, ...] = ()
    polygon: tuple[Point, ...] = ()
    """The outer ring; the last point is the first again."""
    circle: tuple[float, float, float] | None = None
    """Latitude, longitude, and the radius in metres."""
    box: tuple[Point, Point] | None = None
    """The lower (south-west) and the upper corner."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        shapes = (self.point, self.line, self.polygon, self.circle, self.box)
        if self.xml is None and sum(1 for shape in shapes if shape) != 1:
            raise ValueError("a place is one of point, line, polygon, circle and box")
        return self

    @classmethod
    def _fields(cls, element: etree._Element) -> dict[str, Any]:
        if len(element) != 1 or any(_elsewhere(e) for e in element.iter()):
            return {}
        shape = element[0]
        reader = _SHAPES.get(etree.QName(shape).localname)
        return {} if reader is None else reader(shape)

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        if self.point is not None:
            put(root, GML, "Point", "pos", text=_numbers([self.point]))
        elif self.line:
            put(root, GML, "LineString", "posList", text=_numbers(self.line))
        elif self.polygon:
            ring = put(root, GML, "Polygon", "exterior", "LinearRing", "posList")
            ring.text = _numbers(self.polygon)
        elif self.circle is not None:
            circle = put(root, GML, "CircleByCenterPoint")
            circle.set("numArc", "1")
            put(circle, GML, "pos", text=_numbers([self.circle[:2]]))
            put(circle, GML, "radius", text=_number(self.circle[2])).set("uom", _METRE)
        elif self.box is not None:
            envelope = put(root, GML, "Envelope")
            for tag, corner in zip(("lowerCorner", "upperCorner"), self.box, strict=True):
                put(envelope, GML, tag, text=_numbers([corner]))


_METRE: Final = "urn:ogc:def:uom:EPSG::9001"
_METRES: Final = {_METRE: 1.0, "m": 1.0, "metre": 1.0, "km": 1000.0}


def _elsewhere(element: etree._Element) -> bool:
    """Tell whether coordinates are in a system other than WGS 84 with the latitude first."""
    return (
        not element.get("srsName", "4326").endswith("4326")
        or element.get("srsDimension", "2") != "2"
    )


def _number(value: float) -> str:
    return repr(value)


def _numbers(points: Iterable[tuple[float, ...]]) -> str:
    return " ".join(_number(value) for point in points for value in point)


def _points(element: etree._Element | None) -> tuple[Point, ...] | None:
    """Return the points of a list of coordinates, or None where it is not one of pairs."""
    numbers = [] if element is None else [float(text) for text in (element.text or "").split()]
    if not numbers or len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        return None
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _point(shape: etree._Element) -> dict[str, Any]:
    points = _points(first(shape, "g:pos"))
    return {"point": points[0]} if points and len(points) == 1 else {}


def _line(shape: etree._Element) -> dict[str, Any]:
    points = _points(first(shape, "g:posList"))
    return {"line": points} if points else {}


def _polygon(shape: etree._Element) -> dict[str, Any]:
    points = _points(first(shape, "g:exterior/g:LinearRing/g:posList"))
    return {"polygon": points} if points else {}


def _circle(shape: etree._Element) -> dict[str, Any]:
    points, radius = _points(first(shape, "g:pos")), first(shape, "g:radius")
    unit = None if radius is None else _METRES.get(radius.get("uom", ""))
    if not points or len(points) != 1 or radius is None or unit is None:
        return {}
    metres = float(radius.text or "nan") * unit
    return {"circle": (*points[0], metres)} if math.isfinite(metres) else {}


def _box(shape: etree._Element) -> dict[str, Any]:
    corners = [_points(first(shape, f"g:{tag}")) for tag in ("lowerCorner", "upperCorner")]
    if any(corner is None or len(corner) != 1 for corner in corners):
        return {}
    return {"box": tuple(corner[0] for corner in corners if corner)}


_SHAPES: Final = {
    "Point": _point,
    "LineString": _line,
    "Polygon": _polygon,
    "CircleByCenterPoint": _circle,
    "Envelope": _box,
}
