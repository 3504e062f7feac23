"""How a message carries what other standards rule: as plain fields, or as XML.

Each is a few plain fields and, where the XML says more than they can, the XML itself:
then the fields are what can be read of it, and the XML is what is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from lxml import etree
from pydantic import BaseModel, ConfigDict, model_validator

from schemas.cap.model import Text
from schemas.rm.layout import NAMESPACE_RM
from schemas.rm.others import GML, XAL, XNL, XPIL
from schemas.rm.raw import raw_element, raw_text, same, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PREFIXES", "Carried", "TypeInfo", "first", "put", "texts"]


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


def texts(elements: Iterable[etree._Element]) -> tuple[str, ...]:
    """Return the texts of simple elements, without those that are blank."""
    return tuple([text for e in elements if (text := text_of(e))])


def put(parent: etree._Element, namespace: str, *tags: str, text: str | None = None) -> Any:
    """Append elements one inside the other; return the innermost."""
    for tag in tags:
        parent = etree.SubElement(parent, f"{{{namespace}}}{tag}", nsmap={None: namespace})
    parent.text = text
    return parent


PREFIXES: Final = {"a": XAL, "n": XNL, "p": XPIL, "g": GML}


def first(element: etree._Element, path: str) -> etree._Element | None:
    """Return the first element at *path*, in the prefixes of `PREFIXES`."""
    return element.find(path, PREFIXES)
