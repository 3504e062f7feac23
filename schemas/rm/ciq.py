"""Which addresses and parties messages carry (OASIS CIQ 3.0: xAL, xNL, xPIL)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from lxml import etree
from pydantic import AfterValidator

from schemas.cap.model import Text
from schemas.rm.carried import PREFIXES, Carried, first, put, texts
from schemas.rm.others import XAL, XNL, XPIL
from schemas.rm.raw import collapsed, text_of

__all__ = ["Address", "Party"]


def _collapsed_line(text: str) -> str:
    text = collapsed(text)
    if not text:
        raise ValueError("a text is not blank")
    return text


Line = Annotated[Text, AfterValidator(_collapsed_line)]
"""A text of CIQ: not blank, its white space collapsed."""


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
            "lines": texts(element.iterfind("a:FreeTextAddress/a:AddressLine", PREFIXES))
        }
        for key, path in _ADDRESS.items():
            text = text_of(first(element, "/".join(f"a:{tag}" for tag in path)))
            if text:
                fields[key] = text
        return fields

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        if self.lines:
            free = put(root, XAL, "FreeTextAddress")
            for line in self.lines:
                put(free, XAL, "AddressLine", text=line)
        for key, path in _ADDRESS.items():
            if (text := getattr(self, key)) is not None:
                put(root, XAL, *path, text=text)


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
            "lines": texts(element.iterfind("p:FreeTextLines/p:FreeTextLine", PREFIXES)),
            "phones": _phones(element),
            "emails": texts(
                e
                for e in element.iterfind(
                    "p:ElectronicAddressIdentifiers/p:ElectronicAddressIdentifier", PREFIXES
                )
                if e.get(_TYPE) == "EMAIL"
            ),
        }
        for key, tag in (("person", "PersonName"), ("organisation", "OrganisationName")):
            names = texts(element.iterfind(f"p:PartyName/n:{tag}[1]/n:NameElement", PREFIXES))
            if names:
                fields[key] = " ".join(names)
        return fields

    def fill(self, root: etree._Element) -> None:
        """Write the fields into *root*."""
        if self.lines:
            free = put(root, XPIL, "FreeTextLines")
            for line in self.lines:
                put(free, XPIL, "FreeTextLine", text=line)
        if self.person is not None or self.organisation is not None:
            name = put(root, XPIL, "PartyName")
            if self.person is not None:
                put(name, XNL, "PersonName", "NameElement", text=self.person)
            if self.organisation is not None:
                put(name, XNL, "OrganisationName", "NameElement", text=self.organisation)
        if self.phones:
            numbers = put(root, XPIL, "ContactNumbers")
            for phone in self.phones:
                put(numbers, XPIL, "ContactNumber", "ContactNumberElement", text=phone)
        if self.emails:
            addresses = put(root, XPIL, "ElectronicAddressIdentifiers")
            for email in self.emails:
                put(addresses, XPIL, "ElectronicAddressIdentifier", text=email).set(_TYPE, "EMAIL")


_TYPE: Final = f"{{{XPIL}}}Type"


def _phones(element: etree._Element) -> tuple[str, ...]:
    numbers = element.iterfind("p:ContactNumbers/p:ContactNumber", PREFIXES)
    parts = (texts(n.iterfind("p:ContactNumberElement", PREFIXES)) for n in numbers)
    return tuple([" ".join(texts) for texts in parts if texts])
