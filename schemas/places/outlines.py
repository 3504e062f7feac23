"""Where the states, their units and their coasts lie: Natural Earth's outlines, read once.

The *coast* of a state is decided from these outlines and nothing else: its land within
`SHORE_KM` of the sea, and the sea within `WATERS_KM` of its land. Coasts of neighbours
overlap. None of this says whose waters they are: no maritime border is drawn or implied.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import shapely
from shapely.geometry import shape

__all__ = ["SHORE_KM", "WATERS_KM", "Outlines", "meanings", "outlines", "place_names"]

SHORE_KM: Final = 30.0
"""How far inland a coast goes."""
WATERS_KM: Final = 50.0
"""How far out to sea it goes."""

_KM_PER_DEGREE: Final = 111.19
_MERIDIAN: Final = 50.75
"""East of Greenwich in degrees, the middle of the sea: near it distances are true."""
_FINEST: Final = 0.2
"""In km: the outlines are not more exact than this, so the coasts need no finer corners."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Shapes that can be asked for, and the places that whatever touches them touches."""

    tree: Any
    """A `shapely.STRtree`, in degrees, longitude first."""
    names: tuple[frozenset[str], ...]
    """The places of each shape of the tree."""
    insides: Any
    """A point inside each part of every shape, as an array of x and y."""
    inside_of: Any
    """Of which shape each of these is."""


@cache
def _features() -> tuple[dict[str, Any], ...]:
    text = (files("schemas.places") / "data" / "outlines.geojson").read_text("utf-8")
    return tuple(json.loads(text)["features"])


def _units() -> list[dict[str, Any]]:
    return [one for one in _features() if "codes" in one["properties"]]


def _names(properties: dict[str, Any]) -> frozenset[str]:
    """Return the places that a unit's outline is part of."""
    codes = properties["codes"]
    whole = [properties["within"]] if "within" in properties else []
    return frozenset([*codes, *whole, codes[0][:2]])


@cache
def place_names() -> frozenset[str]:
    """Return every place that can be named."""
    found = frozenset[str]().union(*(_names(one["properties"]) for one in _units()))
    return found | {f"{state}-coast" for state in found if len(state) == 2}


@cache
def outlines() -> Outlines:
    """Return the shapes of all units and coasts; making them takes part of a second, once."""
    shapes = [shape(one["geometry"]) for one in _units()]
    names = [_names(one["properties"]) for one in _units()]
    for state, coast in _coasts().items():
        shapes.append(coast)
        names.append(frozenset({f"{state}-coast"}))
    for one in shapes:
        shapely.prepare(one)
    parts, inside_of = shapely.get_parts(shapes, return_index=True)
    insides = shapely.get_coordinates(shapely.point_on_surface(parts))
    return Outlines(shapely.STRtree(shapes), tuple(names), insides, inside_of)


@cache
def meanings() -> dict[str, frozenset[str]]:
    """Return for each ISO 3166 code of the five states, former ones too, the places it stands for.

    A state is all its units; a unit on the coast touches it.
    """
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    coasts = _coasts()
    for one in _units():
        properties = one["properties"]
        codes, state = properties["codes"], properties["codes"][0][:2]
        coast = frozenset[str]()
        if coasts[state].intersects(shape(one["geometry"])):
            coast = frozenset({f"{state}-coast"})
        whole = frozenset({properties["within"]}) if "within" in properties else frozenset[str]()
        for code in codes:
            found[code] = whole | coast | {code, state}
        for code in [state, *whole, *properties.get("formerly", ())]:
            found[code] |= _names(properties) | coast
    return dict(found)


@cache
def _coasts() -> dict[str, Any]:
    """Return the coast of each state, in degrees."""
    sea = next(_flat(one) for one in _features() if "sea" in one["properties"])
    window = shapely.box(*sea.buffer(2 * WATERS_KM).bounds)
    near_sea = sea.buffer(SHORE_KM)
    by_state = defaultdict(list)
    for one in _units():
        land = _flat(one)
        if land.intersects(window):
            by_state[one["properties"]["codes"][0][:2]].append(land.intersection(window))
    found = {}
    for state, parts in by_state.items():
        land = shapely.union_all(parts)
        shore = shapely.intersection(land, near_sea)
        if shore.is_empty:
            continue
        coast = shapely.union_all([shore, sea.intersection(land.buffer(WATERS_KM))])
        found[state] = shapely.transform(coast.simplify(_FINEST), _to_degrees)
    return found


def _flat(feature: dict[str, Any]) -> Any:
    """Return a feature in km, in the sinusoidal projection about the sea's own meridian."""
    return shapely.make_valid(shapely.transform(shape(feature["geometry"]), _to_km))


def _to_km(points: Any) -> Any:
    return [
        ((x - _MERIDIAN) * math.cos(math.radians(y)) * _KM_PER_DEGREE, y * _KM_PER_DEGREE)
        for x, y in points
    ]


def _to_degrees(points: Iterable[tuple[float, float]]) -> Any:
    found = []
    for x, y in points:
        lat = y / _KM_PER_DEGREE
        found.append((x / _KM_PER_DEGREE / math.cos(math.radians(lat)) + _MERIDIAN, lat))
    return found
