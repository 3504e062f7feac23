"""``caspian validate --signature``: an alert's own signature is told, and refuses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Caspian
from tests.log.samples import cap
from tests.xml_signer import CA, SENT, STRANGER, signed


@pytest.fixture
def authorities(tmp_path: Path) -> str:
    directory = tmp_path / "authorities"
    directory.mkdir()
    (directory / "ca.pem").write_bytes(CA.pem)
    return str(directory)


def told(caspian: Caspian, payload: bytes, *arguments: str, **env: str) -> dict[str, object]:
    done = caspian("validate", "--json", "--signature", *arguments, "-", stdin=payload, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_one_that_holds_is_told_with_whose_it_is(caspian: Caspian, authorities: str) -> None:
    found = told(caspian, signed(), "--trust", authorities)

    assert found["signature"] == {
        "state": "valid",
        "detail": "",
        "subject": "CN=Alert office",
        "issuer": "CN=Ministry CA",
    }
    assert found["findings"] == told(caspian, cap("plain", sent=SENT))["findings"]
    assert told(caspian, signed(), CASPIAN_CAP_TRUST=authorities) == found


@pytest.mark.parametrize(
    ("payload", "state"),
    [
        (signed().replace(b"Keep away", b"Come near"), "invalid"),
        (signed(STRANGER), "untrusted"),
        (signed().replace(b'URI=""', b'URI="#x"'), "unsupported"),
    ],
)
def test_one_that_does_not_is_a_warning(
    caspian: Caspian, authorities: str, payload: bytes, state: str
) -> None:
    found = told(caspian, payload, "--trust", authorities)

    assert found["valid"] is True
    (warning,) = [f for f in found["findings"] if f["rule"] == "SIG"]  # type: ignore[attr-defined]
    assert warning["severity"] == "warning"
    assert warning["message"].startswith(f"{state}: ")


def test_where_there_is_none_none_is_told(caspian: Caspian) -> None:
    assert told(caspian, cap("plain", sent=SENT))["signature"] == {"state": "none"}
    assert "XML signature none" in caspian("validate", "--signature", "-", stdin=cap("p")).stdout


def test_without_being_asked_nothing_is_said(caspian: Caspian) -> None:
    done = caspian("validate", "-", stdin=signed(STRANGER))

    assert "ignature" not in done.stdout


def test_people_are_told_whose_it_is(caspian: Caspian, authorities: str) -> None:
    done = caspian("validate", "--signature", "--trust", authorities, "-", stdin=signed())

    assert "XML signature valid  CN=Alert office, issued by CN=Ministry CA" in done.stdout


def test_a_place_without_certificates_is_told(caspian: Caspian, tmp_path: Path) -> None:
    done = caspian("validate", "--signature", "--trust", str(tmp_path / "no"), "-", stdin=signed())

    assert done.returncode != 0
    assert "CASPIAN_CAP_TRUST" in done.stderr
    assert caspian("validate", "--trust", str(tmp_path), "-", stdin=signed()).returncode == 2
