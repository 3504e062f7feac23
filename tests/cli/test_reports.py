"""Pollution reports on the command line: checked, written to begin with, converted both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.polrep import read_polrep
from tests.cli.conftest import Caspian
from tests.cli.test_validate import GOOD

OFFER = b"""FROM: KZ RESPONSE CENTRE
TO: AZ
181500Z JUN 2026
POLREP CASPIAN
KZ/EXAMPLE/1
89. 1200 M OFFSHORE BOOM
90. ETA 190600Z JUN
"""


@pytest.fixture
def written(caspian: Caspian, tmp_path: Path) -> Path:
    """Return the example of a report that the command writes."""
    done = caspian("template", "polrep", "--agency", "az-fhn", "-o", "report.txt")
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path / "report.txt"


def checked(caspian: Caspian, message: str) -> tuple[str, bool, list[str]]:
    found = json.loads(caspian("validate", "--json", "-", stdin=message).stdout)
    return found["kind"], found["valid"], [finding["rule"] for finding in found["findings"]]


def test_the_example_is_valid_without_warnings_and_an_exercise(
    caspian: Caspian, written: Path
) -> None:
    assert checked(caspian, written.read_text()) == ("POLREP", True, [])
    assert read_polrep(written.read_bytes()).report.exercise


def test_it_is_in_english(caspian: Caspian) -> None:
    assert caspian("template", "polrep", "--language", "fa").returncode == 2


def test_what_is_wrong_is_told_with_its_line(caspian: Caspian, written: Path) -> None:
    broken = written.read_text().replace("40-21.0N", "40-61.0N", 1)

    done = caspian("validate", "-", stdin=broken)

    assert done.returncode == 5
    assert "line 9" in done.stdout
    assert "P09" in done.stdout


def test_other_text_is_still_no_message(caspian: Caspian) -> None:
    assert checked(caspian, "There is oil on the water.") == ("unknown", False, ["R00"])


@pytest.mark.parametrize(
    ("kind", "becomes"), [("cap", "CAP 1.2"), ("aid", "EDXL-RM RequestResource")]
)
def test_a_report_becomes_a_message_and_comes_back_as_it_was(
    caspian: Caspian, written: Path, kind: str, becomes: str
) -> None:
    made = caspian("convert", "report.txt", "--to", kind, "--sender", "duty@fhn.gov.az")
    back = caspian("convert", "-", "--to", "polrep", stdin=made.stdout)

    assert made.returncode == 0
    assert "not in it, or assumed" in made.stderr
    assert checked(caspian, made.stdout) == (becomes, True, [])
    assert (back.stdout, back.stderr) == (written.read_text(), "")


def test_a_report_that_is_both_must_be_told_which(caspian: Caspian, written: Path) -> None:
    refused = caspian("convert", str(written))

    assert refused.returncode == 5
    assert "several-messages" in refused.stderr


def test_without_a_sender_the_reports_own_words_are_taken(caspian: Caspian) -> None:
    made = caspian("convert", "-", stdin=OFFER)

    assert made.returncode == 0
    assert "the sender is KZ-RESPONSE-CENTRE" in made.stderr
    assert checked(caspian, made.stdout) == ("EDXL-RM OfferUnsolicitedResource", True, [])


def test_an_offer_answers_the_request_in_a_file(
    caspian: Caspian, written: Path, tmp_path: Path
) -> None:
    caspian("convert", str(written), "--to", "aid", "-o", "request.xml", "--sender", "a@fhn.gov.az")

    made = caspian("convert", "-", "--answers", "request.xml", "--sender", "b@emer.kz", stdin=OFFER)
    wrong = caspian("convert", "-", "--answers", str(written), stdin=OFFER)

    assert (tmp_path / "request.xml").is_file()
    assert checked(caspian, made.stdout) == ("EDXL-RM ResponseToRequestResource", True, [])
    assert wrong.returncode == 5
    assert "not a request" in wrong.stderr


def test_the_map_shows_where_the_pollution_is(caspian: Caspian, written: Path) -> None:
    done = caspian("convert", str(written), "--to", "geojson")

    (feature,) = json.loads(done.stdout)["features"]
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["status"] == "Exercise"


def test_any_alert_becomes_a_report(caspian: Caspian, tmp_path: Path) -> None:
    done = caspian("convert", "-", "-o", "alert.txt", "--state", "az", stdin=GOOD)

    assert done.returncode == 0
    assert read_polrep((tmp_path / "alert.txt").read_bytes()).report.serial.state == "AZ"


def test_an_alert_is_no_aid_message(caspian: Caspian) -> None:
    refused = caspian("convert", "-", "--to", "aid", stdin=GOOD)

    assert refused.returncode == 5
    assert "not-convertible" in refused.stderr
