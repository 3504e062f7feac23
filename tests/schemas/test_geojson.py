"""GeoJSON of messages: the shapes of RFC 7946, and what is said of each."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely
from cap_corpus import taken_files
from cap_strategies import lawful_alerts
from hypothesis import given
from hypothesis import strategies as st
from rm_samples import full_message
from rm_strategies import lawful_messages

from schemas.cap import Alert, Area, Geocode, Info, read_alert
from schemas.cap.geojson import alert_features
from schemas.geometry import circle, line, point, polygon, write_collection
from schemas.rm import MESSAGE_TYPES
from schemas.rm.geojson import aid_features
from tests.examples import examples

SQUARE = ((40.0, 49.0), (41.0, 49.0), (41.0, 50.0), (40.0, 50.0), (40.0, 49.0))
EARTH_KM = 6371.0088


def shape_of(geometry: dict[str, Any]) -> Any:
    return shapely.from_geojson(json.dumps(geometry))


def rings(geometry: dict[str, Any]) -> list[Any]:
    found = geometry["coordinates"]
    if geometry["type"] == "MultiPolygon":
        return [ring for part in found for ring in part[:1]]
    return [found[0]] if geometry["type"] == "Polygon" else []


def holds_rfc_7946(geometry: dict[str, Any]) -> None:
    assert geometry["type"] in {
        "Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"
    }  # fmt: skip
    for ring in rings(geometry):
        assert ring[0] == ring[-1]
        assert len(ring) >= 4
        assert all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in ring)


def km(one: list[float], other: tuple[float, float]) -> float:
    """Return the great-circle distance of [lon, lat] and (lat, lon)."""
    lon1, lat1 = map(math.radians, one)
    lat2, lon2 = map(math.radians, other)
    root = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(root)))


@pytest.mark.parametrize("ring", [SQUARE, SQUARE[::-1]])
def test_a_ring_has_the_longitude_first_and_goes_counterclockwise(ring: Any) -> None:
    drawn = polygon(ring)

    assert drawn["type"] == "Polygon"
    assert drawn["coordinates"][0][0] == [49.0, 40.0]
    assert shapely.LinearRing(drawn["coordinates"][0]).is_ccw


def test_what_crosses_the_antimeridian_is_cut_there() -> None:
    drawn = polygon(((10, 179), (10, -179), (12, -179), (12, 179), (10, 179)))

    assert drawn["type"] == "MultiPolygon"
    west, east = (
        shape_of({"type": "Polygon", "coordinates": part}) for part in drawn["coordinates"]
    )
    assert east.bounds == (179, 10, 180, 12)
    assert west.bounds == (-180, 10, -179, 12)
    assert all(shapely.LinearRing(ring).is_ccw for ring in rings(drawn))
    assert line(((0, 179), (1, -179)))["coordinates"] == [
        [[179, 0], [180, 0.5]],
        [[-180, 0.5], [-179, 1]],
    ]


def test_a_ring_around_a_pole_has_the_pole_inside() -> None:
    north = shape_of(polygon(((80, 0), (80, 120), (80, -120), (80, 0))))
    south = shape_of(circle((-89.0, 50.0), 500))

    assert north.is_valid
    assert north.bounds == (-180, 80, 180, 90)
    assert south.is_valid
    assert south.bounds[:3] == (-180, -90, 180)


def test_a_map_of_the_whole_world_stays_whole() -> None:
    world = polygon(((-90, -180), (-90, 180), (90, 180), (90, -180), (-90, -180)))

    assert shape_of(world).area == 360 * 180


def test_a_ring_that_crosses_itself_on_the_antimeridian_is_no_fault() -> None:
    drawn = polygon(((10, 179), (12, -179), (10, -179), (12, 179), (10, 179)))

    holds_rfc_7946(drawn)


@given(st.floats(-89.9, 89.9), st.floats(-180, 180), st.floats(0.01, 9000), st.randoms())
def test_a_circle_has_64_corners_at_its_radius(
    lat: float, lon: float, radius: float, chance: Any
) -> None:
    drawn = circle((lat, lon), radius)

    holds_rfc_7946(drawn)
    assert shape_of(drawn).is_valid
    if drawn["type"] == "Polygon" and abs(lat) + math.degrees(radius / EARTH_KM) < 89:
        (ring,) = drawn["coordinates"]
        assert len(ring) == 65
        assert len({tuple(place) for place in ring}) == 64
        assert abs(km(chance.choice(ring), (lat, lon)) - radius) < 0.001 + radius / 1e5


@pytest.mark.parametrize("radius", [0, -1, 10_008, 40_000])
def test_a_circle_that_cannot_be_drawn_is_its_centre(radius: float) -> None:
    assert circle((40, 50), radius) == point((40, 50)) == {"type": "Point", "coordinates": [50, 40]}


def _alert(*areas: Area, **more: Any) -> Alert:
    info = Info(
        language="fa",
        category=("Met",),
        event="سیل",
        headline="هشدار سیل در گیلان",
        urgency="Expected",
        severity="Severe",
        certainty="Likely",
        area=areas,
    )
    return Alert(
        identifier="g-1",
        sender="a@b",
        sent=datetime(2026, 11, 23, tzinfo=UTC),
        msg_type="Alert",
        scope="Public",
        info=(info,),
        **{"status": "Exercise", **more},
    )


def test_each_shape_is_a_feature_that_says_what_a_map_must_show() -> None:
    area = Area(
        area_desc="گیلان",
        polygon=(SQUARE, SQUARE),
        circle=((40.0, 50.0, 12.5),),
        geocode=(Geocode(value_name="ISO 3166-2", value="IR-01"),),
        altitude=100,
    )
    codes = Area(area_desc="Rəşt", geocode=(Geocode(value_name="x", value="y"),))

    features = alert_features(_alert(area, codes))

    assert [f["geometry"] and f["geometry"]["type"] for f in features] == [
        "Polygon", "Polygon", "Polygon", None,
    ]  # fmt: skip
    said = features[2]["properties"]
    assert said == {
        "identifier": "g-1",
        "sender": "a@b",
        "sent": "2026-11-23T00:00:00-00:00",
        "status": "Exercise",
        "msgType": "Alert",
        "scope": "Public",
        "info": 1,
        "language": "fa",
        "category": ["Met"],
        "event": "سیل",
        "headline": "هشدار سیل در گیلان",
        "urgency": "Expected",
        "severity": "Severe",
        "certainty": "Likely",
        "area": 1,
        "areaDesc": "گیلان",
        "geocodes": [{"valueName": "ISO 3166-2", "value": "IR-01"}],
        "altitude": 100.0,
        "radius_km": 12.5,
    }
    assert "radius_km" not in features[0]["properties"]
    assert features[3]["properties"]["area"] == 2


def test_an_alert_without_areas_has_no_features() -> None:
    assert alert_features(_alert()) == []


@examples(15)
@given(lawful_alerts())
def test_every_lawful_alert_can_be_drawn(alert: Alert) -> None:
    features = alert_features(alert)

    shapes = sum(
        max(1, len(area.polygon) + len(area.circle)) for info in alert.info for area in info.area
    )
    assert len(features) == shapes
    for feature in features:
        assert feature["properties"]["status"] == alert.status
        if feature["geometry"] is not None:
            holds_rfc_7946(feature["geometry"])
    assert json.loads(write_collection(features))["features"] == json.loads(json.dumps(features))


@pytest.mark.parametrize("path", taken_files())
def test_real_alerts_can_be_drawn(path: Any) -> None:
    for feature in alert_features(read_alert(path.read_bytes()).alert):
        if feature["geometry"] is not None:
            holds_rfc_7946(feature["geometry"])


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_the_places_of_every_aid_message_are_drawn(name: str) -> None:
    message = full_message(name)

    features = aid_features(message)

    assert len(features) == 4
    for feature in features:
        holds_rfc_7946(feature["geometry"])
        assert feature["properties"]["MessageContentType"] == name
        assert feature["properties"]["LocationDescription"] == "LocationDescription"
        assert feature["properties"]["Address"]["country"] == "AZ"


@examples(15)
@given(st.data())
def test_every_shape_of_an_aid_message_can_be_drawn(data: st.DataObject) -> None:
    message = data.draw(lawful_messages("OfferUnsolicitedResource"))

    for feature in aid_features(message):
        if feature["geometry"] is not None:
            holds_rfc_7946(feature["geometry"])
        assert feature["properties"]["status"] in {"Actual", "Exercise", "Test"}
