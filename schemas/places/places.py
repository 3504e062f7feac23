"""Which states, units of states and Caspian coasts the areas of a message touch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import ValidationInfo

from schemas.facts import Area
from schemas.places.drawing import drawn
from schemas.places.outlines import FIRST, LATEST, VERSIONS, outlines
from schemas.places.winding import gone_around
from schemas.vocab import vocabulary

__all__ = ["Places", "checked_outlines", "checked_places", "pinned", "touched"]

_COAST: Final = "-coast"
_CODE: Final = re.compile(r"(?P<state>[A-Z]{2,3})(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Places:
    """What areas touch, each list sorted."""

    states: tuple[str, ...] = ()
    """Whose land is touched, of the five states; ISO 3166-1."""
    subdivisions: tuple[str, ...] = ()
    """Which of their units; ISO 3166-2."""
    coasts: tuple[str, ...] = ()
    """Of which states the coast (`schemas.places.outlines`); ISO 3166-1."""
    located: bool = False
    """Whether the areas say where they are: by a shape, or by a code of ISO 3166."""

    def touch(self, places: Iterable[str]) -> bool:
        """Return whether any of *places* is among them: ``AZ``, ``AZ-BA``, ``AZ-coast``."""
        mine = {*self.states, *self.subdivisions, *(state + _COAST for state in self.coasts)}
        return not mine.isdisjoint(places)


def pinned(record: Any, places: str) -> Any:
    """Return a record that names *places* with the version of the outlines that they are of.

    The log so says by which outlines it decides, and newer ones change nothing that is there.
    Whoever leaves the version out gets the first, whenever that is read.
    """
    if isinstance(record, Mapping) and record.get(places) and not record.get("outlines"):
        return {**record, "outlines": FIRST}
    return record


def checked_outlines(version: str) -> str:
    """Return a version of the outlines as it is, or empty as that of a record without places.

    Raises:
        ValueError: there is no such version.
    """
    if version and version not in VERSIONS:
        raise ValueError(f"there are no outlines {version[:40]!r}, but {', '.join(VERSIONS)}")
    return version


def checked_places(places: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Return *places* as they are; the version of their outlines stands before them.

    Raises:
        ValueError: one of them is no place.
    """
    known = outlines(info.data.get("outlines") or FIRST).places if places else frozenset()
    for place in places:
        if place not in known:
            raise ValueError(
                f"{place[:40]!r} is no place: AZ for a state, AZ-BA for a unit of it "
                "(ISO 3166-2), AZ-coast for its coast"
            )
    return places


def touched(areas: Sequence[Area], version: str = LATEST) -> Places:
    """Return what *areas* touch; never raises on areas that the readers of messages accept.

    The borders are those of Natural Earth 1:10m, simplified: near them a neighbour may be
    named too. A ring that crosses itself touches all that it goes around, a very long one is
    drawn coarsely, and what crosses the antimeridian is on both sides of it. Geocodes count
    where their ``valueName`` names ISO 3166 and their value is a code of the standard; others
    say nothing here.

    Raises:
        KeyError: there are no outlines of this *version*.
    """
    return _touched(tuple(areas), version)


@lru_cache(maxsize=32)
def _touched(areas: tuple[Area, ...], version: str) -> Places:
    known = outlines(version)
    codes = [
        code for area in areas for name, value in area.geocodes if (code := _code(name, value))
    ]
    names = set[str]().union(*(_meaning(code, known.meanings) for code in codes))
    shapes = drawn(areas)
    if shapes:
        hits = set(known.tree.query(shapes, predicate="intersects")[1].tolist())
        for shape in shapes:
            if shape.geom_type == "LinearRing":
                hits |= gone_around(shape, known)
        names = names.union(*(known.names[hit] for hit in hits))
    coasts = {name for name in names if name.endswith(_COAST)}
    return Places(
        states=tuple(sorted(name for name in names if "-" not in name)),
        subdivisions=tuple(sorted(name for name in names - coasts if "-" in name)),
        coasts=tuple(sorted(name.removesuffix(_COAST) for name in coasts)),
        located=bool(shapes or codes),
    )


def _code(name: str, value: str) -> str:
    """Return a geocode as a code of ISO 3166 (alpha-2); empty where it is none."""
    if "iso3166" not in re.sub("[^a-z0-9]", "", name.casefold()):
        return ""
    found = _CODE.fullmatch(value.strip().upper())
    if found is None:
        return ""
    for term in vocabulary("states").terms.values():
        if found["state"] == term.facts["alpha-3"]:
            return term.code + found[0][3:]
    return found[0]


def _meaning(code: str, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return what a code stands for; a unit that is not known is somewhere in its state."""
    if code in known:
        return known[code]
    state = code.partition("-")[0]
    return frozenset({state}) if state in known else frozenset()
