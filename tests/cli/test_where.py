"""``caspian where``: states, units and coasts, of files and of positions; it needs no hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Caspian
from tests.cli.test_validate import AID, BROKEN, GOOD

NOWHERE = GOOD.replace(b"<polygon>40.1,49.9 40.6,49.9 40.6,50.6 40.1,49.9</polygon>", b"")


def test_an_alert_is_told_by_what_its_areas_touch(caspian: Caspian) -> None:
    done = caspian("where", "-", stdin=GOOD)

    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head == "-:"
    assert [line.split(maxsplit=1)[0] for line in lines] == ["states", "subdivisions", "coasts"]
    assert "AZ-BA" in lines[1]
    assert lines[0].split() == ["states", "AZ"]


@pytest.mark.parametrize(
    ("position", "states", "coasts"),
    [
        (("43.65", "51.16"), ["KZ"], ["KZ"]),
        (("39.9", "52.5"), [], ["TM"]),
        (("-40", "-70.5"), [], []),
    ],
)
def test_a_position_is_told(
    caspian: Caspian, position: tuple[str, str], states: list[str], coasts: list[str]
) -> None:
    done = caspian("where", *position, "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (told["states"], told["coasts"], told["located"]) == (states, coasts, True)


def test_what_says_nothing_of_where_it_is_says_so(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "nowhere.xml").write_bytes(NOWHERE)
    (tmp_path / "aid.xml").write_text(AID.replace("{run}", "1"), "utf-8")

    done = caspian("where", "nowhere.xml", "aid.xml")
    told = caspian("where", "nowhere.xml", "aid.xml", "--json")

    assert done.stdout.count("no shape and no code") == 2
    assert [json.loads(line)["located"] for line in told.stdout.splitlines()] == [False, False]


def test_what_can_be_told_is_told_beside_what_cannot(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_bytes(GOOD)
    (tmp_path / "broken.xml").write_bytes(BROKEN)

    done = caspian("where", "broken.xml", "good.xml")
    away = caspian("where", "good.xml", "away.xml")

    assert (done.returncode, away.returncode) == (5, 2)
    assert "XSD" in done.stderr
    assert "good.xml:" in done.stdout
    assert "away.xml cannot be read" in away.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("91", "0"), ("nan", "0"), ("-", "-"), ("--colour",)], ids=" ".join
)
def test_a_wrong_call_says_how_it_is_meant(caspian: Caspian, arguments: tuple[str, ...]) -> None:
    done = caspian("where", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "usage" in done.stderr


def test_a_pollution_report_is_where_its_alert_would_be(caspian: Caspian, tmp_path: Path) -> None:
    report = caspian("template", "polrep")
    (tmp_path / "report.txt").write_text(report.stdout, "utf-8")

    done = caspian("where", "report.txt", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["coasts"]
