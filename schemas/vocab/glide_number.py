"""What a GLIDE number says: the hazard, the year, the serial number and the country of a disaster.

A GLobal IDEntifier is ``XX-YYYY-NNNNNN-CCC`` (glidenumber.net): two letters of a hazard
from a list, four digits of the year it began, six of a serial number, and the country as
ISO 3166-1 alpha-3 has it: ``EQ-2001-000033-IND``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas.vocab.shelf import vocabulary

__all__ = ["Glide", "glide"]

_PARTS: Final = (
    (r"[A-Z]{2}", "the hazard is two capital letters"),
    (r"[0-9]{4}", "the year is four digits"),
    (r"[0-9]{6}", "the serial number is six digits"),
    (r"[A-Z]{3}", "the country is three capital letters (ISO 3166-1 alpha-3)"),
)


@dataclass(frozen=True, slots=True)
class Glide:
    """A GLIDE number in its parts; as text it is written as the standard has it."""

    hazard: str
    year: int
    serial: int
    country: str

    def __str__(self) -> str:
        return f"{self.hazard}-{self.year:04}-{self.serial:06}-{self.country}"


def glide(text: str) -> Glide:
    """Read a GLIDE number, exactly as it is written; its text is *text* again.

    Retired hazards are read, since numbers outlive the list. Whether the number was
    ever issued only glidenumber.net can tell, and whether the country exists is not asked.

    Raises:
        ValueError: *text* is no GLIDE number; the message says which part is wrong.

    """
    quoted = repr(text[:40])
    parts = text.split("-", len(_PARTS))
    if len(parts) != len(_PARTS):
        raise ValueError(f"{quoted} is not of the form XX-YYYY-NNNNNN-CCC")
    for part, (form, rule) in zip(parts, _PARTS, strict=True):
        if re.fullmatch(form, part) is None:
            raise ValueError(f"{quoted} is no GLIDE number: {rule}")
    hazard, year, serial, country = parts
    if vocabulary("glide").is_known(hazard) is not True:
        raise ValueError(f"{quoted} is no GLIDE number: {hazard} is no hazard of its list")
    if int(year) == 0 or int(serial) == 0:
        raise ValueError(f"{quoted} is no GLIDE number: years and serial numbers begin at 1")
    return Glide(hazard, int(year), int(serial), country)
