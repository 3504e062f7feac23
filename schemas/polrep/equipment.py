"""Which equipment the words of POLFAC mean: an amount, a unit, a code of the Caspian's list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from schemas.rm.parts import MeasuredQuantity, Quantity, ValueList
from schemas.vocab import vocabulary

if TYPE_CHECKING:
    from schemas.rm.parts import ResourceInformation

__all__ = ["WORDS_URN", "Item", "items_of", "text_of"]

WORDS_URN: Final = "urn:caspian:polrep:equipment"
"""The list of what is on no list: the code is the words themselves."""
_LIST: Final = "resources-oil-spill"
_UNITS_URN: Final = "urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20"
_UNITS: Final = {
    "M": "MTR", "METRE": "MTR", "METER": "MTR", "KM": "KMT", "T": "TNE", "TON": "TNE",
    "TONNE": "TNE", "KG": "KGM", "L": "LTR", "LITRE": "LTR", "LITER": "LTR", "M3": "MTQ",
    "CBM": "MTQ", "SET": "SET", "PAIR": "PR", "PERSON": "IE", "PCS": "C62", "PIECE": "C62",
    "X": "C62",
}  # fmt: skip
_WRITTEN: Final = {
    "MTR": "M", "KMT": "KM", "TNE": "T", "KGM": "KG", "LTR": "L", "MTQ": "M3", "SET": "SETS",
    "PR": "PAIRS", "IE": "PERSONS",
}  # fmt: skip
_ITEM: Final = re.compile(
    r"(?P<amount>\d{1,3}(?:,\d{3})+|\d{1,9}(?:\.\d{1,3})?)\s?"
    rf"(?:(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})S?\b\.?)?\s*(?:OF\s+)?"
    r"(?P<name>.*)",
    re.IGNORECASE | re.ASCII,
)
_SEPARATOR: Final = re.compile(r";|,(?= ?\d)(?!\d{3}\b)|\bAND\s+(?=\d)", re.IGNORECASE)

_ALIASES: Final = {
    "AEROPLANE": "AIRCRAFT", "AIRPLANE": "AIRCRAFT", "PLANE": "AIRCRAFT", "SHIP": "VESSEL",
    "BARRIER": "BOOM",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is asked for or offered."""

    name: str
    kind: ValueList
    quantity: Quantity


def items_of(text: str) -> tuple[Item, ...]:
    """Return what *text* lists, separated by semicolons or commas before an amount.

    ``2000 M OFFSHORE BOOM; 2 TUGS`` are 2000 metres of ``boom-offshore`` and two of
    ``vessel-tug``. Words that fit no code of the list are their own code.
    """
    parts = [part.strip(" .") for part in _SEPARATOR.split(text)]
    return tuple(_item(part) for part in parts if part) or (_item(text),)


def _item(text: str) -> Item:
    match = _ITEM.fullmatch(text)
    name = match["name"].strip() if match else ""
    if match is None or not name:
        return Item(text, _kind(text)[0], Quantity(quantity_text=("not stated",)))
    kind, usual = _kind(name)
    written = (match["unit"] or "").upper()
    unit = _UNITS[written] if written else ("IE" if usual == "IE" else "C62")
    amount = Decimal(match["amount"].replace(",", ""))
    if not amount:
        return Item(text, kind, Quantity(quantity_text=("not stated",)))
    measured = MeasuredQuantity(
        amount=amount, unit_of_measure=ValueList(value_list_urn=_UNITS_URN, value=(unit,))
    )
    return Item(name, kind, Quantity(measured_quantity=measured))


def _kind(name: str) -> tuple[ValueList, str]:
    """Return the type of the resource of this name, and the unit in which it is counted."""
    words = set(_words(name))
    best = max(
        (
            (len(needed), -len(code), code)
            for code, choices in _codes().items()
            for needed in choices
            if needed <= words
        ),
        default=None,
    )
    if best is None:
        return ValueList(value_list_urn=WORDS_URN, value=(name[:200],)), "C62"
    urns = vocabulary(_LIST).urns
    unit = vocabulary(_LIST).terms[best[2]].facts.get("unit", "C62")
    return ValueList(value_list_urn=urns[0], value=(best[2],)), unit


@cache
def _codes() -> dict[str, tuple[frozenset[str], ...]]:
    """Return for each code the words that say it; any of the sets is enough."""
    found: dict[str, tuple[frozenset[str], ...]] = {}
    for code in vocabulary(_LIST).terms:
        words = tuple(code.upper().split("-"))
        whole = frozenset(_singular(word) for word in words)
        short = frozenset(_singular(word) for word in words[1:])
        lone = code.startswith("vessel-tug") or code == "team-divers"
        found[code] = (whole, short) if lone else (whole,)
    return found


def _words(text: str) -> list[str]:
    words = [_singular(word) for word in re.findall(r"[A-Z0-9]+", text.upper())]
    return [_ALIASES.get(word, word) for word in words]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("S") and not word.endswith("SS") else word


def text_of(item: ResourceInformation) -> str:
    """Return an item as POLFAC says it: amount, unit, name."""
    resource, assignment = item.resource, item.assignment_information
    kind = resource.type_structure if resource else None
    name = (resource.name if resource else None) or (resource.resource_id if resource else None)
    words = name or " ".join(kind.value if kind else ()) or f"item {item.resource_info_element_id}"
    quantity = assignment.quantity if assignment else None
    if quantity is None:
        return words
    measured = quantity.measured_quantity
    if measured is None:
        said = " ".join(quantity.quantity_text)
        return words if said in {"", "not stated"} else f"{words} ({said})"
    codes = measured.unit_of_measure.value if measured.unit_of_measure else ("C62",)
    unit = _WRITTEN.get(codes[0], "" if codes[0] == "C62" else codes[0])
    return " ".join(part for part in (f"{measured.amount:f}", unit, words) if part)
