"""``caspian template``: what it writes is valid, in every language, and says that it is a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.cli.template_texts import EQUIPMENT, WIND
from schemas.cap import Alert, read_alert
from schemas.judgement import judge
from schemas.payload import read_payload
from schemas.rm import AidMessage
from tests.cli.conftest import Caspian
from tests.cli.hub import Hub

KINDS = {
    "alert": "CAP 1.2",
    "aid-request": "EDXL-RM RequestResource",
    "aid-offer": "EDXL-RM OfferUnsolicitedResource",
}


@pytest.mark.parametrize("language", WIND)
@pytest.mark.parametrize("what", KINDS)
def test_it_is_valid_without_warnings_in_every_language(
    caspian: Caspian, what: str, language: str
) -> None:
    written = caspian("template", what, "--language", language)
    checked = caspian("validate", "--json", "-", stdin=written.stdout)

    assert (written.returncode, written.stderr) == (0, "")
    assert json.loads(checked.stdout) == {
        "file": "-", "kind": KINDS[what], "valid": True, "findings": []
    }  # fmt: skip
    (found,) = judge(written.stdout.encode())
    if isinstance(found.message, Alert):
        assert [info.language for info in found.message.info] == [language]
        assert found.message.info[0].headline == WIND[language].headline
    else:
        assert isinstance(found.message, AidMessage)
        assert found.message.message_description == EQUIPMENT[language]


@pytest.mark.parametrize("what", KINDS)
def test_it_is_marked_as_a_test_and_sent_now_by_the_agency(caspian: Caspian, what: str) -> None:
    written = caspian("template", what, "--agency", "kz-mes").stdout.encode()

    facts = read_payload(written).facts
    assert facts.status == "Test"
    assert facts.sender == "duty@mes.kz.example"
    assert facts.identifier.startswith("KZ-MES-")
    assert timedelta() <= datetime.now(UTC) - facts.sent < timedelta(minutes=1)


def test_utc_is_written_as_the_standard_asks(caspian: Caspian) -> None:
    written = caspian("template", "alert").stdout

    assert "-00:00</sent>" in written
    assert "+00:00" not in written


def test_an_alert_may_be_in_several_languages(caspian: Caspian) -> None:
    arguments = [part for one in WIND for part in ("--language", one)]
    written = caspian("template", "alert", *arguments, "--language", "az").stdout.encode()

    reading = read_alert(written)
    assert [info.language for info in reading.alert.info] == list(WIND)
    assert reading.warnings == ()


def test_no_two_are_the_same_message(caspian: Caspian) -> None:
    ids = {read_alert(caspian("template", "alert").stdout.encode()).alert.identifier for _ in "ab"}

    assert len(ids) == 2


def test_whoever_is_not_of_the_demonstration_is_named_too(caspian: Caspian) -> None:
    plain = caspian("template", "aid-offer", "--agency", "ge-emsa").stdout.encode()
    named = caspian("template", "alert", "--agency", "ge-emsa", "--sender", "112@ge.example")

    facts = read_payload(plain).facts
    assert facts.sender == "duty@ge-emsa.example"
    assert b"<rm:Owner>ge-emsa</rm:Owner>" in plain
    assert b"<rm:OwningJurisdiction>GE</rm:OwningJurisdiction>" in plain
    assert read_alert(named.stdout.encode()).alert.sender == "112@ge.example"
    assert read_alert(named.stdout.encode()).warnings == ()


def test_it_goes_into_a_file_and_overwrites_none(caspian: Caspian, tmp_path: Path) -> None:
    first = caspian("template", "alert", "-o", "alert.xml")
    written = (tmp_path / "alert.xml").read_bytes()
    again = caspian("template", "alert", "-o", "alert.xml")

    assert (first.returncode, first.stdout) == (0, "")
    assert again.returncode == 2
    assert (tmp_path / "alert.xml").read_bytes() == written


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("poem",),
        ("alert", "--agency", "AZ"),
        ("alert", "--agency", "az-<b>"),
        ("alert", "--sender", "two words"),
        ("alert", "--sender", "a\x01b"),
        ("alert", "--sender", ""),
        ("alert", "--language", "la"),
        ("aid-request", "--language", "az", "--language", "ru"),
    ],
)
def test_a_wrong_call_writes_nothing(caspian: Caspian, arguments: tuple[str, ...]) -> None:
    done = caspian("template", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error usage: ")


@pytest.mark.parametrize("what", KINDS)
def test_the_hub_takes_it_as_it_is(hub: Hub, what: str) -> None:
    written = hub.caspian("template", what, "--agency", "az-fhn")

    done = hub.caspian("publish", "--json", "-", who="az-fhn", stdin=written.stdout)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["receipt"]["warnings"] == []
