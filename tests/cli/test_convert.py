"""``caspian convert``: XML, JSON, GeoJSON; nothing is lost on the way, or it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.cap import read_alert, read_alert_json, write_alert_json
from schemas.judgement import judge
from schemas.rm import read_aid, read_aid_json
from tests.cli.conftest import Caspian
from tests.cli.test_validate import AID, BOMB, BROKEN, CORPUS, GOOD, ROOT
from tests.log.samples import cap

RTL = GOOD.replace(b"Oil on the water", "نشت نفت در دریا \u200f(آستارا)".encode())
CROSSING = GOOD.replace(b"Absheron", "Абшерон \u202eسیل".encode())


def test_an_alert_goes_to_json_and_back_as_it_was(caspian: Caspian) -> None:
    as_json = caspian("convert", "-", stdin=RTL)
    back = caspian("convert", "-", stdin=as_json.stdout)

    assert (as_json.returncode, as_json.stderr) == (0, "")
    assert json.loads(as_json.stdout)["info"][0]["headline"] == "نشت نفت در دریا \u200f(آستارا)"
    assert read_alert_json(as_json.stdout.encode()).alert == read_alert(RTL).alert
    assert read_alert(back.stdout.encode()).alert == read_alert(RTL).alert


def test_an_aid_message_goes_to_json_and_back_as_it_was(caspian: Caspian) -> None:
    message = AID.replace("{run}", "1").encode()

    as_json = caspian("convert", "-", "--to", "json", stdin=message)
    back = caspian("convert", "-", "--to", "xml", stdin=as_json.stdout)

    assert read_aid_json(as_json.stdout.encode()).message == read_aid(message).message
    assert read_aid(back.stdout.encode()).message == read_aid(message).message


def scenario(name: str) -> str:
    """Return a message of the demonstration."""
    text = (ROOT / f"hub/demo/scenario/{name}.xml").read_text("utf-8").replace("{run}", "1")
    text = text.replace("{sent}", "2026-11-23T08:00:00Z")
    return text.replace("{expires}", "2026-11-30T08:00:00Z")


def test_an_acceptance_becomes_the_order_that_the_standard_has(
    caspian: Caspian, tmp_path: Path
) -> None:
    (tmp_path / "offer.xml").write_text(scenario("aid-response-1"))
    accept, means = scenario("aid-accept-1"), ("--to", "requisition", "--answers", "offer.xml")

    done = caspian("convert", "-", *means, "--funding", "Azerbaijan", stdin=accept)
    unpaid = caspian("convert", "-", *means, stdin=accept)
    no_acceptance = caspian("convert", "-", *means, "--funding", "x", stdin=GOOD)

    order = read_aid(done.stdout.encode()).message
    (funding,) = order.funding
    (item,) = order.resource_information
    assert order.message_content_type == "RequisitionResource"
    assert funding.funding_info == "Azerbaijan"
    assert item.assignment_information is not None
    assert item.assignment_information.quantity is not None
    measured = item.assignment_information.quantity.measured_quantity
    assert measured is not None
    assert measured.amount == 800
    assert (unpaid.returncode, no_acceptance.returncode) == (2, 5)
    assert "--funding" in unpaid.stderr


def test_the_map_gets_longitude_first_and_what_to_show(caspian: Caspian) -> None:
    done = caspian("convert", "-", "--to", "geojson", stdin=CROSSING)

    (feature,) = json.loads(done.stdout)["features"]
    assert (done.returncode, done.stderr) == (0, "")
    assert feature["geometry"]["type"] == "Polygon"
    assert sorted(map(tuple, feature["geometry"]["coordinates"][0])) == sorted(
        [(49.9, 40.1), (49.9, 40.6), (50.6, 40.6), (49.9, 40.1)]
    )
    assert feature["properties"]["areaDesc"] == "Абшерон \u202eسیل"
    assert feature["properties"]["headline"] == "Oil on the water"


def test_places_in_words_are_features_without_geometry(caspian: Caspian) -> None:
    done = caspian("convert", "-", "--to", "geojson", stdin=AID.replace("{run}", "1"))

    features = json.loads(done.stdout)["features"]
    assert [feature["geometry"] for feature in features] == [None, None]
    assert features[0]["properties"]["LocationDescription"] == "Port of Baku, berth 7"
    assert "2 of 2 places have no shape" in done.stderr


@pytest.mark.parametrize(
    ("name", "begin"),
    [("out.xml", b"<?xml"), ("out.json", b'{"identifier"'), ("out.geojson", b'{"type"')],
)
def test_the_name_of_the_output_says_the_form(
    caspian: Caspian, tmp_path: Path, name: str, begin: bytes
) -> None:
    done = caspian("convert", "-", "-o", name, stdin=GOOD)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / name).read_bytes().startswith(begin)


def test_a_file_is_overwritten_only_when_told(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"precious")

    refused = caspian("convert", "-", "--output", "out", stdin=GOOD)
    kept = (tmp_path / "out").read_bytes()
    forced = caspian("convert", "-", "--output", "out", "--force", stdin=GOOD)

    assert (refused.returncode, kept) == (2, b"precious")
    assert "is there already" in refused.stderr
    assert forced.returncode == 0
    assert read_alert_json((tmp_path / "out").read_bytes()).alert == read_alert(GOOD).alert


@pytest.mark.parametrize("name", ["missing/out", ".", "a\0b", "/dev/full"])
def test_where_nothing_can_be_written_that_is_told(caspian: Caspian, name: str) -> None:
    done = caspian("convert", "-", "-o", name, "--force", stdin=GOOD)

    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def _feed(*alerts: bytes) -> bytes:
    entries = b"".join(
        b"<entry><content>%s</content></entry>" % alert[alert.index(b"<alert") :]
        for alert in alerts
    )
    return b'<feed xmlns="http://www.w3.org/2005/Atom">%s</feed>' % entries


def test_all_alerts_of_a_feed_go_on_one_map(caspian: Caspian) -> None:
    feed = _feed(GOOD, cap("c-2"))

    drawn = caspian("convert", "-", "--to", "geojson", stdin=feed)
    refused = caspian("convert", "-", "--to", "json", stdin=feed)
    alone = caspian("convert", "-", stdin=_feed(GOOD))

    features = json.loads(drawn.stdout)["features"]
    assert [feature["properties"]["identifier"] for feature in features] == ["v-1", "c-2"]
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "error several-messages: " in refused.stderr
    assert json.loads(alone.stdout)["identifier"] == "v-1"


OLD = GOOD.replace(b"cap:1.2", b"cap:1.1")
WIDE = json.loads(write_alert_json(read_alert(GOOD).alert))
WIDE["info"][0]["description"] = "<" * 500_000


def test_cap_1_1_becomes_cap_1_2(caspian: Caspian) -> None:
    done = caspian("convert", "-", "--to", "xml", stdin=OLD)

    (found,) = judge(done.stdout.encode())
    assert (found.kind, found.message) == ("CAP 1.2", read_alert(OLD).alert)


@pytest.mark.parametrize(
    ("data", "arguments", "code"),
    [
        (b"", (), "empty-payload"),
        (b"\x89PNG\0\0", (), "not-xml"),
        (BOMB, (), "xml-forbidden"),
        (BROKEN, (), "structure-invalid"),
        (b"<html/>", (), "wrong-namespace"),
        (b'{"type": "FeatureCollection", "features": []}', ("--to", "xml"), "wrong-namespace"),
        (_feed(GOOD, BROKEN), ("--to", "geojson"), "structure-invalid"),
        (
            cap("c-3", msg_type="Ack", references="a@b,c,2026-11-23T07:00:00-00:00"),
            ("--to", "geojson"),
            "no-place",
        ),
        (json.dumps(WIDE).encode(), ("--to", "xml"), "not-convertible"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_a_code(
    caspian: Caspian, data: bytes, arguments: tuple[str, ...], code: str
) -> None:
    done = caspian("convert", "-", *arguments, stdin=data)

    assert (done.returncode, done.stdout) == (5, "")
    assert f"error {code}: " in done.stderr
    assert "what to do: " in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("a", "b"), ("--nope",), ("-", "--to", "pdf"), ("missing",), (".",), ("a\0b",)],
)
def test_a_wrong_call_writes_nothing(caspian: Caspian, arguments: tuple[str, ...]) -> None:
    done = caspian("convert", *arguments, stdin=GOOD)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error usage: ")


def test_a_signature_that_is_left_out_is_told(caspian: Caspian) -> None:
    signature = (
        b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/>'
        b"<SignatureValue>x</SignatureValue></Signature></alert>"
    )

    done = caspian("convert", "-", stdin=GOOD.replace(b"</alert>", signature))

    assert done.returncode == 0, done.stderr
    assert "a signature" in done.stderr
    assert "Signature" not in done.stdout


def _valid_files() -> list[Any]:
    if not CORPUS.is_dir():
        why = "the corpus of real messages is not beside this checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=why))]
    return [
        pytest.param(path, id=str(path.relative_to(CORPUS)))
        for path in sorted(CORPUS.rglob("*.[cx][am][pl]"))
        if judge(path.read_bytes())[0].valid and judge(path.read_bytes())[0].alert is None
    ]


@pytest.mark.parametrize("path", _valid_files())
def test_real_alerts_survive_the_way_there_and_back(caspian: Caspian, path: Path) -> None:
    as_json = caspian("convert", str(path))
    if as_json.returncode:
        assert "error not-convertible: " in as_json.stderr
        assert judge(path.read_bytes())[0].kind == "CAP 1.1"
        return
    back = caspian("convert", "-", stdin=as_json.stdout)

    assert read_alert(back.stdout.encode()).alert == read_alert(path.read_bytes()).alert
