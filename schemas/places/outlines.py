"""Where the states, their units and their coasts lie: Natural Earth's outlines, read once.

The *coast* of a state is decided from these outlines and nothing else: its land within 30 km of
the sea, and the sea within 50 km of its land. Coasts of neighbours overlap. None of this says
whose waters they are: no maritime border is drawn or implied. deploy/outlines.py makes the files.

The log decides by places, so a version stands for ever: other outlines are another version.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import shapely
from shapely.geometry import shape

__all__ = ["FIRST", "LATEST", "VERSIONS", "Outlines", "outlines"]

VERSIONS: Final = ("2026-11",)
"""All that ever were: records in the log name the one that they were made with."""
FIRST: Final = VERSIONS[0]
"""That of a record that names none: what was signed without it means the same for ever."""
LATEST: Final = VERSIONS[-1]


@dataclass(frozen=True, slots=True)
class Outlines:
    """Shapes that can be asked for, and the places that whatever touches them touches."""

    version: str
    """As the file itself says it."""
    tree: Any
    """A `shapely.STRtree`, in degrees, longitude first."""
    names: tuple[frozenset[str], ...]
    """The places of each shape of the tree."""
    insides: Any
    """A point inside each part of every shape, as an array of x and y."""
    inside_of: Any
    """Of which shape each of these is."""
    meanings: Mapping[str, frozenset[str]]
    """For each ISO 3166 code of the five states, former ones too, the places it stands for.
    A state is all its units; a unit on the coast touches it."""
    places: frozenset[str]
    """Every place that can be named."""


@cache
def outlines(version: str = LATEST) -> Outlines:
    """Return the outlines of a version; reading them takes some hundredths of a second, once.

    Raises:
        KeyError: there is no such version.
    """
    if version not in VERSIONS:
        raise KeyError(version)
    text = (files("schemas.places") / "data" / f"outlines-{version}.geojson").read_text("utf-8")
    said, shapes = [], []
    data = json.loads(text)
    for feature in data["features"]:
        if "sea" not in feature["properties"]:
            said.append(feature["properties"])
            shapes.append(shape(feature["geometry"]))
    names = tuple([_names(one) for one in said])
    for one in shapes:
        shapely.prepare(one)
    parts, inside_of = shapely.get_parts(shapes, return_index=True)
    return Outlines(
        version=data["version"],
        tree=shapely.STRtree(shapes),
        names=names,
        insides=shapely.get_coordinates(shapely.point_on_surface(parts)),
        inside_of=inside_of,
        meanings=MappingProxyType(_meanings(said, shapes)),
        places=frozenset[str]().union(*names),
    )


def _names(said: Mapping[str, Any]) -> frozenset[str]:
    """Return the places that an outline is part of."""
    if "coast" in said:
        return frozenset({f"{said['coast']}-coast"})
    codes = said["codes"]
    return frozenset([*codes, *_whole(said), codes[0][:2]])


def _whole(said: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({said["within"]} if "within" in said else ())


def _meanings(said: list[Mapping[str, Any]], shapes: list[Any]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    coasts = {one["coast"]: at for one, at in zip(said, shapes, strict=True) if "coast" in one}
    for one, unit in zip(said, shapes, strict=True):
        if "codes" not in one:
            continue
        codes, whole, state = one["codes"], _whole(one), one["codes"][0][:2]
        coast = frozenset({f"{state}-coast"} if coasts[state].intersects(unit) else ())
        for code in codes:
            found[code] = whole | coast | {code, state}
        for code in [state, *whole, *one.get("formerly", ())]:
            found[code] |= _names(one) | coast
    return dict(found)
