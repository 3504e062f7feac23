"""``caspian tokens``: what is made here opens the API, and what is ended here does not."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Rejected
from hub.log.store import Log
from hub.members.credentials import Authenticator
from tests.cli.conftest import Caspian
from tests.http.certificates import made


def test_a_token_is_printed_once_and_alone(caspian: Caspian, log: Log) -> None:
    done = caspian("tokens", "add", "officer", "--agency", "az-fhn", "--person", "Aysel Əliyeva")

    assert done.returncode == 0
    token = done.stdout.strip()
    holder = Authenticator(log).principal(token)
    assert (holder.role, holder.agency, holder.person) == ("officer", "az-fhn", "Aysel Əliyeva")
    listed = caspian("tokens", "ls")
    assert token[:12] in listed.stdout
    assert token not in listed.stdout + caspian("tokens", "ls", "--json").stdout


def test_a_revoked_token_is_worth_nothing(caspian: Caspian, log: Log) -> None:
    token = json.loads(caspian("tokens", "add", "operator", "--json").stdout)["token"]

    assert caspian("tokens", "revoke", token).returncode == 0
    assert caspian("tokens", "revoke", token[4:12]).returncode == 0
    with pytest.raises(Rejected, match="token-invalid"):
        Authenticator(log).principal(token)
    assert json.loads(caspian("tokens", "ls", "--json").stdout)["state"] == "revoked"


@pytest.mark.usefixtures("log")
def test_a_token_can_end_by_itself(caspian: Caspian) -> None:
    told = json.loads(caspian("tokens", "add", "auditor", "--expires", "90d", "--json").stdout)

    assert told["expires"] is not None
    listed = json.loads(caspian("tokens", "ls", "--json").stdout)
    assert listed["expires"] == told["expires"]
    assert listed["state"] == "valid"


@pytest.mark.usefixtures("log")
def test_a_token_can_be_made_for_less_than_its_role_may(caspian: Caspian, log: Log) -> None:
    done = caspian("tokens", "add", "agency", "--agency", "az-fhn", "--scope", "publish", "--json")

    token = json.loads(done.stdout)["token"]
    assert Authenticator(log).principal(token).scopes == {"publish"}
    listed = json.loads(caspian("tokens", "ls", "--json").stdout)
    assert (listed["scopes"], listed["of_state"], listed["used"]) == (["publish"], "AZ", None)


@pytest.mark.usefixtures("log")
def test_an_auditor_may_be_of_one_state(caspian: Caspian, log: Log) -> None:
    token = caspian("tokens", "add", "auditor", "--state", "KZ").stdout.strip()

    holder = Authenticator(log).principal(token)
    assert (holder.state, holder.agency, holder.sees_all) == ("KZ", "", False)
    assert holder.sees("kz-mes")
    assert not holder.sees("az-fhn")
    assert "KZ" in caspian("tokens", "ls").stdout


def test_the_first_token_makes_the_store(caspian: Caspian, tmp_path: Path) -> None:
    done = caspian("tokens", "add", "operator")

    assert done.returncode == 0
    assert (tmp_path / "log.db").exists()


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "error"),
    [
        (("add", "officer", "--agency", "az-fhn"), 5, "credential-invalid"),
        (("add", "agency"), 5, "credential-invalid"),
        (("add", "registrar"), 5, "credential-invalid"),
        (("add", "witness", "--person", "Clock"), 5, "credential-invalid"),
        (("add", "operator", "--state", "AZ"), 5, "credential-invalid"),
        (("add", "auditor", "--state", "az"), 5, "credential-invalid"),
        (("add", "auditor", "--agency", "az-fhn", "--state", "IR"), 5, "credential-invalid"),
        (("add", "auditor", "--scope", "publish"), 5, "credential-invalid"),
        (("add", "auditor", "--scope", "everything"), 2, "usage"),
        (("add", "agency", "--agency", "az-fnh"), 5, "unknown-agency"),
        (("add", "operator", "--expires", "1h ago"), 2, "usage"),
        (("add", "operator", "--expires", "2020-01-01"), 2, "usage"),
        (("add", "operator", "--expires", "0s"), 2, "usage"),
        (("revoke", "csp_nothing1_x"), 5, "token-unknown"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    caspian: Caspian, arguments: tuple[str, ...], exit_code: int, error: str
) -> None:
    done = caspian("tokens", *arguments)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(f"error {error}: ")


@pytest.mark.usefixtures("log")
def test_a_client_certificate_is_registered_listed_and_revoked(
    caspian: Caspian, tmp_path: Path
) -> None:
    pair = made("az-fhn system", days=90)
    for name, data in (("pem", pair.pem), ("der", pair.der), ("other", b"none")):
        (tmp_path / name).write_bytes(data)

    def add(file: str, *more: str) -> Any:
        return caspian("tokens", "add", "agency", "--certificate", str(tmp_path / file), *more)

    told = json.loads(add("pem", "--agency", "az-fhn", "--json").stdout)
    assert told["fingerprint"] == sha256(pair.der).hexdigest()
    listed = json.loads(caspian("tokens", "ls", "--json").stdout)
    assert (listed["fingerprint"], listed["prefix"]) == (told["fingerprint"], told["prefix"])
    assert listed["expires"] == pair.certificate.not_valid_after_utc.isoformat()
    for wrong, code in (
        (add("der", "--agency", "az-fhn"), "certificate-known"),
        (add("other", "--agency", "az-fhn"), "certificate-invalid"),
        (add("pem"), "credential-invalid"),
        (add("pem", "--agency", "az-fhn", "--person", "Clock"), "usage"),
    ):
        assert wrong.stderr.startswith(f"error {code}: "), wrong.stderr
    assert caspian("tokens", "revoke", told["prefix"]).returncode == 0
    assert json.loads(caspian("tokens", "ls", "--json").stdout)["state"] == "revoked"
