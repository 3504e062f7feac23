"""What a message carries of other standards: places, addresses, parties, lists of attributes.

Each is a few plain fields and, where the XML says more than they can, the XML itself:
then the fields are what can be read of it, and the XML is what is written.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from lxml import etree
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from schemas.cap.model import Text
from schemas.rm.layout import NAMESPACE_RM
from schemas.rm.others import GML, XAL, XNL, XPIL
from schemas.rm.raw import collapsed, raw_element, raw_text, same, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Address", "Carried", "Party", "TargetArea", "TypeInfo"]

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""


def _collapsed_line(text: str) -> str:
    text = collapsed(text)
    if not text:
        raise ValueError("a text is not blank")
    return text


Line = Annotated[Text, AfterValidator(_collapsed_line)]
"""A text of CIQ: not blank, its white space collapsed."""


class Carried(BaseModel):
    """Base of all parts that other standards rule; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: ClassVar[str]

    xml: Text | None = None
    """The whole element as canonical XML, where the other fields cannot say it all."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        """Take the fields from the XML if there is any, and the XML away if they say it all."""
        if isinstance(value, str):
            value = {"xml": value}
        if not isinstance(value, dict) or not isinstance(value.get("xml"), str):
            return value
        element = raw_element(value["xml"], cls.tag)
        fields = cls._fields(element)
        plain = etree.Element(f"{{{NAMESPACE_RM}}}{cls.tag}")
        cls.model_construct(**fields).fill(plain)
        return fields if same(element, plain) else {**fields, "xml": raw_text(element)}

    @model_validator(mode="after")
    def _writable(self) -> Self:
        if self.xml is None:
            raw_element(raw_text(self.element()), self.tag)
        return self

    @classmethod
    def _fields(cls, element: etree._Element) -> dict[str, Any]:
        """Return what can be read of an element whose structure holds."""
        raise NotImplementedError

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        raise NotImplementedError

    def element(self) -> etree._Element:
        """Return the part as XML, under its name in the namespace of EDXL-RM."""
        if self.xml is not None:
            return raw_element(self.xml, self.tag)
        root = etree.Element(f"{{{NAMESPACE_RM}}}{self.tag}")
        self.fill(root)
        return root


class TypeInfo(Carried):
    """What a resource list says of a resource, in its own XML (EDXL-RM 1.0, 3.2 ``TypeInfo``)."""

    tag = "TypeInfo"

    xml: Text

    @classmethod
    def _fields(cls, element: etree._Element) -> dict[str, Any]:
        del element
        return {}

    def fill(self, root: etree._Element) -> None:
        """There are no fields."""


def _texts(elements: Iterable[etree._Element]) -> tuple[str, ...]:
    return tuple([text for e in elements if (text := text_of(e))])


def _put(parent: etree._Element, namespace: str, *tags: str, text: str | None = None) -> Any:
    """Append elements one inside the other; return the innermost."""
    for tag in tags:
        parent = etree.SubElement(parent, f"{{{namespace}}}{tag}", nsmap={None: namespace})
    parent.text = text
    return parent


_A: Final = {"a": XAL, "n": XNL, "p": XPIL, "g": GML}


def _first(element: etree._Element, path: str) -> etree._Element | None:
    return element.find(path, _A)


class Address(Carried):
    """A postal address (OASIS CIQ xAL 3.0), as far as messages need it."""

    tag = "Address"

    lines: tuple[Line, ...] = ()
    """The address as it is written on an envelope."""
    country: Line | None = None
    administrative_area: Line | None = None
    locality: Line | None = None
    thoroughfare: Line | None = None
    premises: Line | None = None
    post_code: Line | None = None

    @classmethod
    def _fields(cls, element: etree._Element) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "lines": _texts(element.iterfind("a:FreeTextAddress/a:AddressLine", _A))
        }
        for key, path in _ADDRESS.items():
            text = text_of(_first(element, "/".join(f"a:{tag}" for tag in path)))
            if text:
                fields[key] = text
        return fields

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        if self.lines:
            free = _put(root, XAL, "FreeTextAddress")
            for line in self.lines:
                _put(free, XAL, "AddressLine", text=line)
        for key, path in _ADDRESS.items():
            if (text := getattr(self, key)) is not None:
                _put(root, XAL, *path, text=text)


_ADDRESS: Final = {
    "country": ("Country", "NameElement"),
    "administrative_area": ("AdministrativeArea", "NameElement"),
    "locality": ("Locality", "NameElement"),
    "thoroughfare": ("Thoroughfare", "NameElement"),
    "premises": ("Premises", "NameElement"),
    "post_code": ("PostCode", "Identifier"),
}


class Party(Carried):
    """A person or organisation and how to reach it (OASIS CIQ xPIL 3.0 ``PartyType``)."""

    tag = "AdditionalContactInformation"

    lines: tuple[Line, ...] = ()
    person: Line | None = None
    organisation: Line | None = None
    phones: tuple[Line, ...] = ()
    emails: tuple[Line, ...] = ()

    @classmethod
    def _fields(cls, element: etree._Element) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "lines": _texts(element.iterfind("p:FreeTextLines/p:FreeTextLine", _A)),
            "phones": _phones(element),
            "emails": _texts(
                e
                for e in element.iterfind(
                    "p:ElectronicAddressIdentifiers/p:ElectronicAddressIdentifier", _A
                )
                if e.get(_TYPE) == "EMAIL"
            ),
        }
        for key, tag in (("person", "PersonName"), ("organisation", "OrganisationName")):
            names = _texts(element.iterfind(f"p:PartyName/n:{tag}[1]/n:NameElement", _A))
            if names:
                fields[key] = " ".join(names)
        return fields

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        if self.lines:
            free = _put(root, XPIL, "FreeTextLines")
            for line in self.lines:
                _put(free, XPIL, "FreeTextLine", text=line)
        if self.person is not None or self.organisation is not None:
            name = _put(root, XPIL, "PartyName")
            if self.person is not None:
                _put(name, XNL, "PersonName", "NameElement", text=self.person)
            if self.organisation is not None:
                _put(name, XNL, "OrganisationName", "NameElement", text=self.organisation)
        if self.phones:
            numbers = _put(root, XPIL, "ContactNumbers")
            for phone in self.phones:
                _put(numbers, XPIL, "ContactNumber", "ContactNumberElement", text=phone)
        if self.emails:
            addresses = _put(root, XPIL, "ElectronicAddressIdentifiers")
            for email in self.emails:
                _put(addresses, XPIL, "ElectronicAddressIdentifier", text=email).set(_TYPE, "EMAIL")


_TYPE: Final = f"{{{XPIL}}}Type"


def _phones(element: etree._Element) -> tuple[str, ...]:
    numbers = element.iterfind("p:ContactNumbers/p:ContactNumber", _A)
    parts = (_texts(n.iterfind("p:ContactNumberElement", _A)) for n in numbers)
    return tuple([" ".join(texts) for texts in parts if texts])


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
            _put(root, GML, "Point", "pos", text=_numbers([self.point]))
        elif self.line:
            _put(root, GML, "LineString", "posList", text=_numbers(self.line))
        elif self.polygon:
            ring = _put(root, GML, "Polygon", "exterior", "LinearRing", "posList")
            ring.text = _numbers(self.polygon)
        elif self.circle is not None:
            circle = _put(root, GML, "CircleByCenterPoint")
            circle.set("numArc", "1")
            _put(circle, GML, "pos", text=_numbers([self.circle[:2]]))
            _put(circle, GML, "radius", text=_number(self.circle[2])).set("uom", _METRE)
        elif self.box is not None:
            envelope = _put(root, GML, "Envelope")
            for tag, corner in zip(("lowerCorner", "upperCorner"), self.box, strict=True):
                _put(envelope, GML, tag, text=_numbers([corner]))


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
    points = _points(_first(shape, "g:pos"))
    return {"point": points[0]} if points and len(points) == 1 else {}


def _line(shape: etree._Element) -> dict[str, Any]:
    points = _points(_first(shape, "g:posList"))
    return {"line": points} if points else {}


def _polygon(shape: etree._Element) -> dict[str, Any]:
    points = _points(_first(shape, "g:exterior/g:LinearRing/g:posList"))
    return {"polygon": points} if points else {}


def _circle(shape: etree._Element) -> dict[str, Any]:
    points, radius = _points(_first(shape, "g:pos")), _first(shape, "g:radius")
    unit = None if radius is None else _METRES.get(radius.get("uom", ""))
    if not points or len(points) != 1 or radius is None or unit is None:
        return {}
    metres = float(radius.text or "nan") * unit
    return {"circle": (*points[0], metres)} if math.isfinite(metres) else {}


def _box(shape: etree._Element) -> dict[str, Any]:
    corners = [_points(_first(shape, f"g:{tag}")) for tag in ("lowerCorner", "upperCorner")]
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
