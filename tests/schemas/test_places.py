"""Areas touch what lies under them: states, their units, and the coasts of the Caspian."""

from __future__ import annotations

import csv
import math
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import Area
from schemas.places import VERSIONS, Places, touched
from schemas.places.outlines import outlines
from tests.examples import examples

CODES = Path(__file__).resolve().parents[3] / "shared/vocab/iso3166-2_caspian5.csv"
WITHOUT_OUTLINE: dict[str, str] = {}
"""Codes of ISO 3166-2 that have no outline, each with the reason."""

Ring = tuple[tuple[float, float], ...]


def at(lat: float, lon: float, km: float = 0.0) -> Places:
    return touched([Area(circles=((lat, lon, km),))])


def within(*ring: tuple[float, float]) -> Places:
    return touched([Area(polygons=((*ring, ring[0]),))])


def code(name: str, value: str) -> Places:
    return touched([Area(geocodes=((name, value),))])


def box(south: float, west: float, north: float, east: float) -> Ring:
    return ((south, west), (south, east), (north, east), (north, west))


@pytest.mark.parametrize(
    ("lat", "lon", "unit", "coasts"),
    [
        (40.409, 49.867, "AZ-BA", ("AZ",)),
        (43.65, 51.16, "KZ-47", ("KZ",)),
        (47.107, 51.914, "KZ-23", ("KZ",)),
        (46.35, 48.04, "RU-AST", ()),
        (42.98, 47.50, "RU-DA", ("RU",)),
        (37.28, 49.58, "IR-01", ("IR",)),
        (40.02, 52.97, "TM-B", ("TM",)),
        (55.75, 37.62, "RU-MOW", ()),
        (35.70, 51.42, "IR-23", ()),
    ],
)
def test_a_city_is_in_its_unit(lat: float, lon: float, unit: str, coasts: tuple[str, ...]) -> None:
    found = at(lat, lon)

    assert found == Places((unit[:2],), (unit,), coasts, located=True)


def test_waters_near_turkmenbashy_are_of_that_coast_alone() -> None:
    found = within(*box(39.8, 52.4, 40.0, 52.6))

    assert found == Places((), (), ("TM",), located=True)


def test_oil_rocks_are_of_the_coast_of_azerbaijan() -> None:
    assert at(40.23, 50.83).coasts == ("AZ",)


def test_coasts_overlap_where_states_meet() -> None:
    assert at(38.42, 48.95).coasts == ("AZ", "IR")


@pytest.mark.parametrize("place", [(43.0, 34.0, 100.0), (0.0, 0.0, 10.0), (-40.0, -70.0, 500.0)])
def test_the_black_sea_and_the_far_world_are_none_of_it(place: tuple[float, float, float]) -> None:
    assert at(*place) == Places(located=True)


def test_the_middle_of_the_sea_is_of_no_coast() -> None:
    assert at(41.9, 50.9) == Places(located=True)


def test_a_circle_reaches_as_far_as_its_radius() -> None:
    near, far = at(41.9, 50.9, 60.0), at(41.9, 50.9, 250.0)

    assert near.states == ()
    assert set(far.states) == {"AZ", "KZ", "RU", "TM"}


def test_a_circle_around_the_world_touches_everything() -> None:
    assert at(-40.0, -130.0, 40_000.0).coasts == ("AZ", "IR", "KZ", "RU", "TM")


def test_a_circle_around_the_pole_reaches_every_longitude() -> None:
    assert {"RU-CHU", "RU-MUR"} <= set(at(89.5, -60.0, 2400.0).subdivisions)


@pytest.mark.parametrize("name", ["ISO 3166-2", "iso3166-2", "urn:iso:std:iso:3166:-2"])
def test_a_code_is_its_unit_and_no_neighbour(name: str) -> None:
    assert code(name, "AZ-BA") == Places(("AZ",), ("AZ-BA",), ("AZ",), located=True)
    assert code(name, "IR-23") == Places(("IR",), ("IR-23",), (), located=True)


def test_a_state_is_all_its_units() -> None:
    found = code("ISO 3166-1", "TM")

    assert found == code("ISO3166-1", " tkm ")
    assert found.subdivisions == ("TM-A", "TM-B", "TM-D", "TM-L", "TM-M", "TM-S")
    assert found.coasts == ("TM",)


def test_units_of_a_republic_are_in_it() -> None:
    assert "AZ-NX" in at(39.21, 45.41).subdivisions
    assert {"AZ-NX", "AZ-NV"} <= set(code("ISO 3166-2", "AZ-NX").subdivisions)
    assert code("ISO 3166-2", "AZ-NV").subdivisions == ("AZ-NV", "AZ-NX")


def test_a_former_code_is_what_came_of_it() -> None:
    assert code("ISO 3166-2", "KZ-MAN").subdivisions == ("KZ-47",)
    assert code("ISO 3166-2", "KZ-YUZ").subdivisions == ("KZ-61", "KZ-79")


def test_a_code_that_is_not_known_is_somewhere_in_its_state() -> None:
    assert code("ISO 3166-2", "KZ-99") == Places(("KZ",), located=True)
    assert code("ISO 3166-2", "GE-TB") == Places(located=True)


@pytest.mark.parametrize(("name", "value"), [("SAME", "AZ"), ("ISO 3166-2", "Bakı"), ("", "")])
def test_codes_of_other_lists_say_nothing(name: str, value: str) -> None:
    assert code(name, value) == Places()


def test_no_areas_are_nowhere() -> None:
    assert touched([]) == Places()
    assert touched([Area(description="Caspian Sea")]) == Places()


@pytest.mark.parametrize(
    "ring",
    [
        ((65.0, 178.0), (65.0, -172.0), (67.0, -172.0), (67.0, 178.0)),
        ((65.0, -172.0), (67.0, -172.0), (67.0, 178.0), (65.0, 178.0)),
    ],
)
def test_a_ring_over_the_antimeridian_goes_the_short_way(ring: Ring) -> None:
    assert within(*ring) == Places(("RU",), ("RU-CHU",), (), located=True)


def test_a_circle_over_the_antimeridian_is_on_both_sides() -> None:
    assert at(66.0, 179.9, 300.0).subdivisions == ("RU-CHU",)
    assert at(66.0, -179.9, 300.0).subdivisions == ("RU-CHU",)
    assert at(71.0, -178.0, 80.0).states == ("RU",)


def test_a_ring_that_crosses_itself_touches_what_it_goes_around() -> None:
    west, east = (43.65, 51.16), (40.41, 49.87)
    bow = (
        (west[0] - 0.1, west[1] - 0.1),
        (west[0] + 0.1, west[1] + 0.1),
        (east[0] - 0.1, east[1] - 0.1),
        (east[0] + 0.1, east[1] + 0.1),
    )

    assert {"AZ-BA", "KZ-47"} <= set(within(*bow).subdivisions)


def test_the_middle_of_a_star_is_inside() -> None:
    # Around Baku, so far out that no side of it comes near.
    star = [(40.4 + 3 * math.cos(i * 0.8 * math.pi), 49.9 + 3 * math.sin(i * 0.8 * math.pi))
            for i in range(5)]  # fmt: skip

    assert "AZ-BA" in within(*star).subdivisions


sides = st.lists(st.tuples(st.floats(35, 49), st.floats(44, 58)), min_size=3, max_size=9)


@examples(25)
@given(sides)
def test_a_tangle_touches_what_its_repaired_shape_touches(
    corners: list[tuple[float, float]],
) -> None:
    ring = shapely.Polygon([(lon, lat) for lat, lon in corners])
    # A second opinion, that takes its time. It rounds, and leaves spikes out.
    repaired = shapely.make_valid(ring, method="structure", keep_collapsed=True)

    found = set(within(*corners).subdivisions)

    assert units(repaired.buffer(-0.001)) <= found
    assert found <= units(repaired.buffer(0.001)) | units(ring.exterior.buffer(0.001))


def units(shape: Any) -> set[str]:
    known = outlines()
    hits = known.tree.query(shape, predicate="intersects")
    names = {name for hit in hits for name in known.names[hit]}
    return {name for name in names if "-" in name and not name.endswith("-coast")}


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_ring_without_extent_is_where_it_is(points: int) -> None:
    assert "AZ-BA" in within(*(((40.409, 49.867),) * points)).subdivisions


@pytest.mark.parametrize("points", [3_000, 15_000, 100_000])
def test_a_long_ring_is_drawn_coarsely_and_still_there(points: int) -> None:
    ring = tuple(
        (
            40.4 + (0.5 + 0.001 * (i % 2)) * math.sin(math.tau * i / points),
            49.9 + (0.5 + 0.001 * (i % 2)) * math.cos(math.tau * i / points),
        )
        for i in range(points)
    )

    assert {"AZ-BA", "AZ-SM"} <= set(within(*ring).subdivisions)


def test_a_tangle_is_drawn_larger_not_smaller() -> None:
    star = tuple(
        (40 + 5 * math.sin(i * 2.399963), 50 + 5 * math.cos(i * 2.399963)) for i in range(9000)
    )

    assert touched([Area(polygons=((*star, star[0]),) * 3)]).coasts == (
        "AZ",
        "IR",
        "KZ",
        "RU",
        "TM",
    )


def test_shapes_beyond_all_measure_are_boxes() -> None:
    far = Area(circles=((0.0, 0.0, 1.0),) * 1000)
    ring = box(40.3, 49.7, 40.5, 50.0)

    found = touched([far, Area(polygons=((*ring, ring[0]),), circles=((43.65, 51.16, 1.0),))])

    assert {"AZ-BA", "KZ-47"} <= set(found.subdivisions)


anything = st.floats() | st.floats(-200, 200)
rings = st.lists(st.tuples(anything, anything), max_size=12).map(lambda r: (*r, *r[:1]))
codes = st.tuples(
    st.sampled_from(["ISO 3166-1", "ISO 3166-2", "SAME"]),
    st.text(max_size=8) | st.sampled_from(["AZ", "ru-ast", "KAZ", "KAZ-47", "AZ-"]),
)
areas = st.builds(
    Area,
    polygons=st.lists(rings, max_size=3).map(tuple),
    circles=st.lists(st.tuples(anything, anything, anything), max_size=3).map(tuple),
    geocodes=st.lists(codes, max_size=3).map(tuple),
)


@examples(40)
@given(st.lists(areas, max_size=3))
def test_it_never_raises_and_names_known_places_alone(given_areas: list[Area]) -> None:
    found = touched(given_areas)

    names = {*found.states, *found.subdivisions, *(f"{state}-coast" for state in found.coasts)}
    assert names <= outlines().places
    assert list(found.subdivisions) == sorted(set(found.subdivisions))
    assert {unit[:2] for unit in found.subdivisions} <= set(found.states)
    assert found.located or not names


@examples(25)
@given(st.floats(36, 48), st.floats(45, 56), st.floats(0, 500), st.floats(0, 500))
def test_a_larger_circle_touches_no_less(lat: float, lon: float, km: float, more: float) -> None:
    small, large = at(lat, lon, km), at(lat, lon, km + more + 0.02 * km)

    assert set(small.subdivisions) <= set(large.subdivisions)
    assert set(small.coasts) <= set(large.coasts)


def test_every_code_has_an_outline() -> None:
    if not CODES.is_file():
        pytest.skip("the list of codes is not here")
    with CODES.open(encoding="utf-8") as lines:
        listed = {row["code"] for row in csv.DictReader(lines)}

    units = {name for name in outlines().places if "-" in name and not name.endswith("-coast")}
    assert units == listed - set(WITHOUT_OUTLINE)
    assert set(WITHOUT_OUTLINE) <= listed


def test_the_outlines_are_valid_and_each_state_has_a_coast() -> None:
    known = outlines()

    assert shapely.is_valid(known.tree.geometries).all()
    coasts = {name for names in known.names for name in names if name.endswith("-coast")}
    assert coasts == {f"{state}-coast" for state in ("AZ", "IR", "KZ", "RU", "TM")}


def test_places_are_touched_by_name() -> None:
    found = at(40.409, 49.867)

    assert found.touch(["IR", "AZ-BA"])
    assert found.touch(["AZ"])
    assert found.touch(["AZ-coast"])
    assert not found.touch(["AZ-SM", "IR-coast"])
    assert not found.touch([])


def test_outlines_stay_what_they_were_when_the_log_decided_by_them() -> None:
    data = files("schemas.places") / "data"

    digests = {
        version: sha256((data / f"outlines-{version}.geojson").read_bytes()).hexdigest()
        for version in VERSIONS
    }

    # What is new gets a version of its own, and a line here.
    assert digests == {
        "2026-11": "ae761ff36d1439d39c26b2dfd3406c70d537d0b65e51824d7f694eaa47dfdf35",
    }
    assert list(VERSIONS) == sorted(VERSIONS)
    assert [outlines(version).version for version in VERSIONS] == list(VERSIONS)


def test_what_is_asked_of_no_outlines_at_all_fails() -> None:
    with pytest.raises(KeyError):
        touched([], "1999-01")
