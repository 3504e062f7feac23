"""The map that alerts are drawn on: the sea, the states, their units and ports.

Made of the outlines that the log decides places by (`schemas.places`), so that what an officer
sees is what the hub holds to be there. Borders are not authoritative, and the page says so.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import shapely
from shapely.geometry import shape

from schemas.places import LATEST
from schemas.vocab import term, vocabulary

__all__ = ["labels", "outlines"]

_WINDOW: Final = shapely.box(36, 28, 70, 56)
"""What is beyond is never on the screen: a page need not load it."""
_SEA: Final = {
    "en": "Caspian Sea",
    "ru": "Каспийское море",
    "az": "Xəzər dənizi",
    "kk": "Каспий теңізі",
    "tk": "Hazar deňzi",
    "fa": "دریای خزر",
}
_LABELS: Final = {
    "AZ": (40.35, 47.4),
    "IR": (35.6, 51.8),
    "KZ": (47.6, 55.6),
    "RU": (47.0, 45.3),
    "TM": (39.3, 57.2),
}
"""Where the names of the states stand: latitude and longitude."""
_AT_SEA: Final = (42.0, 50.6)
_SHOWN: Final = frozenset(
    {"AZBAK", "AZLAN", "IRBAZ", "IRNSH", "IRAMD", "KZAAU", "KZGUW", "RUASF", "RUMCX", "TMKRW"}
    | {"TMBKH", "TMCHE"}
)
"""Ports that do not stand in one another's light."""


@cache
def outlines() -> dict[str, Any]:
    """Return sea, states and units for a page to draw, as GeoJSON geometries."""
    text = (files("schemas.places") / "data" / f"outlines-{LATEST}.geojson").read_text("utf-8")
    sea, units = None, []
    for feature in json.loads(text)["features"]:
        said = feature["properties"]
        if "sea" in said:
            sea = shape(feature["geometry"])
        elif "codes" in said:
            near = shapely.intersection(shape(feature["geometry"]), _WINDOW)
            if near.area:
                units.append((said["codes"], near))
    states = {code: [one for codes, one in units if codes[0][:2] == code] for code in _LABELS}
    return {
        "sea": _geometry(sea),
        "states": [
            {"code": code, "geometry": _geometry(shapely.union_all(parts))}
            for code, parts in states.items()
        ],
        "units": [{"codes": codes, "geometry": _geometry(one)} for codes, one in units],
    }


@cache
def labels(language: str) -> dict[str, Any]:
    """Return what stands on the map, in a language where it has a name there, else in English."""
    return {
        "names": [
            {"name": _SEA[language], "at": _AT_SEA, "kind": "sea"},
            *(
                {"name": found.label(language), "at": at, "kind": "state"}
                for code, at in _LABELS.items()
                if (found := term("states", code))
            ),
        ],
        "ports": [
            {
                "name": port.label(language),
                "at": (float(port.facts["latitude"]), float(port.facts["longitude"])),
            }
            for port in vocabulary("ports").terms.values()
            if port.code in _SHOWN
        ],
    }


def _geometry(outline: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shapely.to_geojson(shapely.set_precision(outline, 0.001)))
    return found
