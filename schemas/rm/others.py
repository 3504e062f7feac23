"""Which elements of other standards an EDXL-RM message may carry, as W3C schemas.

Places are in the GML profile of EDXL (OASIS GML, ``where``), addresses and parties in
OASIS CIQ 3.0 (xAL, xNL, xPIL).
"""

from __future__ import annotations

from typing import Final

__all__ = ["GML", "OTHERS", "WHERE", "XAL", "XLINK", "XNL", "XPIL", "XSD"]

XSD: Final = "http://www.w3.org/2001/XMLSchema"
GML: Final = "http://www.opengis.net/gml"
WHERE: Final = "urn:oasis:names:tc:emergency:EDXL:HAVE:1.0:geo-oasis"
XAL: Final = "urn:oasis:names:tc:ciq:xal:3"
XNL: Final = "urn:oasis:names:tc:ciq:xnl:3"
XPIL: Final = "urn:oasis:names:tc:ciq:xpil:3"
XLINK: Final = "http://www.w3.org/1999/xlink"


def _schema(namespace: str, body: str) -> str:
    return (
        f'<xs:schema xmlns:xs="{XSD}" xmlns:t="{namespace}" xmlns:gml="{GML}"'
        f' xmlns:n="{XNL}" targetNamespace="{namespace}"'
        f' elementFormDefault="qualified">{body}</xs:schema>'
    )


_SRS: Final = (
    '<xs:attribute name="srsName" type="xs:anyURI"/>'
    '<xs:attribute name="srsDimension" type="xs:positiveInteger"/>'
    '<xs:attribute name="axisLabels" type="t:names"/>'
    '<xs:attribute name="uomLabels" type="t:names"/>'
)


def _position(name: str, more: str = "") -> str:
    return (
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:extension base="t:doubles">{_SRS}'
        f"{more}</xs:extension></xs:simpleContent></xs:complexType>"
    )


def _geometry(name: str, parts: str) -> str:
    return (
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{parts}</xs:sequence>'
        f'<xs:attribute ref="t:id"/>{_SRS}</xs:complexType></xs:element>'
    )


_GML: Final = _schema(
    GML,
    '<xs:attribute name="id" type="xs:ID"/>'
    '<xs:simpleType name="names"><xs:list itemType="xs:NCName"/></xs:simpleType>'
    '<xs:simpleType name="doubles"><xs:list itemType="xs:double"/></xs:simpleType>'
    + _position("position")
    + _position("positions", '<xs:attribute name="count" type="xs:positiveInteger"/>')
    + _geometry("Point", '<xs:element name="pos" type="t:position"/>')
    + _geometry("LineString", '<xs:element name="posList" type="t:positions"/>')
    + _geometry("LinearRing", '<xs:element name="posList" type="t:positions"/>')
    + '<xs:complexType name="ring"><xs:sequence><xs:element ref="t:LinearRing"/></xs:sequence>'
    "</xs:complexType>"
    + _geometry(
        "Polygon",
        '<xs:element name="exterior" type="t:ring" minOccurs="0"/>'
        '<xs:element name="interior" type="t:ring" minOccurs="0" maxOccurs="unbounded"/>',
    )
    + '<xs:element name="CircleByCenterPoint"><xs:complexType><xs:sequence>'
    '<xs:element name="pos" type="t:position"/><xs:element name="radius"><xs:complexType>'
    '<xs:simpleContent><xs:extension base="xs:double">'
    '<xs:attribute name="uom" type="xs:anyURI" use="required"/>'
    "</xs:extension></xs:simpleContent></xs:complexType></xs:element></xs:sequence>"
    '<xs:attribute name="interpolation" type="xs:string"'
    ' fixed="circularArcCenterPointWithRadius"/>'
    '<xs:attribute name="numArc" type="xs:integer" use="required" fixed="1"/>'
    "</xs:complexType></xs:element>"
    '<xs:element name="Envelope"><xs:complexType><xs:sequence>'
    '<xs:element name="lowerCorner" type="t:position"/>'
    '<xs:element name="upperCorner" type="t:position"/>'
    "</xs:sequence></xs:complexType></xs:element>",
)

_WHERE: Final = _schema(
    WHERE,
    f'<xs:import namespace="{GML}" schemaLocation="{GML}"/>'
    '<xs:complexType name="WhereType"><xs:choice>'
    '<xs:element ref="gml:Point"/><xs:element ref="gml:LineString"/>'
    '<xs:element ref="gml:CircleByCenterPoint"/><xs:element ref="gml:Polygon"/>'
    '<xs:element ref="gml:Envelope"/></xs:choice>'
    '<xs:attribute name="featuretypetag" type="xs:NCName"/>'
    '<xs:attribute name="relationshiptag" type="xs:NCName"/>'
    '<xs:attribute name="elev" type="xs:double"/>'
    '<xs:attribute name="floor" type="xs:double"/>'
    '<xs:attribute name="radius" type="xs:double"/>'
    "</xs:complexType>",
)


def _lax(namespace: str, name: str) -> str:
    return _schema(
        namespace,
        f'<xs:complexType name="{name}"><xs:sequence><xs:any namespace="##targetNamespace"'
        ' processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>'
        '<xs:anyAttribute processContents="skip"/></xs:complexType>',
    )


OTHERS: Final = {
    GML: _GML,
    WHERE: _WHERE,
    XAL: _lax(XAL, "AddressType"),
    XPIL: _lax(XPIL, "PartyType"),
}
"""Schemas by their namespaces."""
