"""``caspian accounts``: persons get in with what is shown here once, and only while they may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.log.store import Log
from hub.log.tables import ACCOUNTS
from hub.members import accounts, passwords
from tests.cli.conftest import Caspian

REZA = ("reza.karimi", "--person", "Reza Karimi", "--role", "officer", "--agency", "ir-ndmo")


def made(caspian: Caspian, *arguments: str) -> dict[str, Any]:
    done = caspian("accounts", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_secrets_are_shown_once(caspian: Caspian, log: Log) -> None:
    given = made(caspian, "add", *REZA, "--language", "fa")

    assert given["otpauth"].startswith("otpauth://totp/test.example:reza.karimi?secret=")
    assert len(given["recovery_codes"]) == 10
    listed = made(caspian, "ls")
    assert (listed["person"], listed["roles"], listed["language"]) == (
        "Reza Karimi",
        ["officer"],
        "fa",
    )
    assert listed["totp"] is listed["password"] is True
    assert given["password"] not in json.dumps(listed) + caspian("accounts", "ls").stdout
    with log.reading() as c:
        kept = c.execute(ACCOUNTS.select()).one()
    assert passwords.matches(kept.password, given["password"])


@pytest.mark.usefixtures("log")
def test_a_password_may_be_given(caspian: Caspian) -> None:
    def add(password: str) -> Any:
        return caspian("accounts", "add", *REZA, "--ask", "--no-totp", stdin=password + "\n")

    weak = add("Reza Karimi 2026")
    assert (weak.returncode, weak.stdout) == (5, "")
    assert weak.stderr.startswith("error password-weak: ")
    good = add("dampf schuh laterne")
    assert good.returncode == 0
    assert "dampf" not in good.stdout + good.stderr


def test_an_account_changes_and_ends(caspian: Caspian, log: Log) -> None:
    first = made(caspian, "add", *REZA)
    second = made(caspian, "passwd", "reza.karimi")
    third = made(caspian, "totp", "reza.karimi")

    assert second["password"] != first["password"]
    assert third["otpauth"] != first["otpauth"]
    assert not set(third["recovery_codes"]) & set(first["recovery_codes"])
    for command in ("unlock", "disable"):
        assert caspian("accounts", command, "reza.karimi").returncode == 0
    assert accounts.found(log, "reza.karimi").disabled is not None
    assert caspian("accounts", "enable", "reza.karimi").returncode == 0
    assert caspian("accounts", "totp", "reza.karimi", "--off").returncode == 0
    left = accounts.found(log, "reza.karimi")
    assert (left.disabled, left.has_totp) == (None, False)
    assert caspian("accounts", "sessions", "reza.karimi").returncode == 0


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "error"),
    [
        (("add", "r", *REZA[1:]), 5, "credential-invalid"),
        (("add", "Reza", *REZA[1:]), 5, "credential-invalid"),
        (("add", "reza", "--person", " ", "--role", "auditor"), 5, "credential-invalid"),
        (("add", "reza", "--person", "Reza", "--role", "officer"), 5, "credential-invalid"),
        (("add", "reza", "--person", "Reza", "--role", "agency"), 2, "usage"),
        (("add", "reza", "--person", "Reza"), 2, "usage"),
        (("add", *REZA, "--role", "operator"), 5, "credential-invalid"),
        (("add", *REZA, "--state", "AZ"), 5, "credential-invalid"),
        (("add", *REZA, "--language", "persian!"), 5, "credential-invalid"),
        (("add", *REZA[:-1], "ir-none"), 5, "unknown-agency"),
        (("passwd", "nobody"), 5, "account-unknown"),
        (("totp", "nobody"), 5, "account-unknown"),
        (("disable", "nobody"), 5, "account-unknown"),
        (("enable", "nobody"), 5, "account-unknown"),
        (("unlock", "nobody"), 5, "account-unknown"),
        (("sessions", "nobody"), 5, "account-unknown"),
    ],
)
def test_what_makes_no_sense_is_refused(
    caspian: Caspian, arguments: tuple[str, ...], exit_code: int, error: str
) -> None:
    done = caspian("accounts", *arguments)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(f"error {error}: ")


@pytest.mark.usefixtures("log")
def test_a_name_is_given_once(caspian: Caspian) -> None:
    made(caspian, "add", *REZA)

    again = caspian("accounts", "add", *REZA)

    assert again.returncode == 5
    assert again.stderr.startswith("error account-exists: ")


@pytest.mark.usefixtures("log")
def test_a_session_that_is_not_there_cannot_be_ended(caspian: Caspian) -> None:
    made(caspian, "add", *REZA)

    done = caspian("accounts", "sessions", "reza.karimi", "--end", "0123456789abcdef")

    assert done.stderr.startswith("error session-unknown: ")


@pytest.mark.usefixtures("log")
def test_a_person_may_sign_in_with_their_states_own_sign_on(
    caspian: Caspian, tmp_path: Path
) -> None:
    file = tmp_path / "sign-on.toml"
    file.write_text('[IR]\nissuer = "https://login.example"\nclient_id = "caspian"\n')
    env = {"CASPIAN_SIGN_ON": str(file)}

    def run(*arguments: str) -> Any:
        return caspian("accounts", *arguments, env=env)

    done = run("add", *REZA, "--subject", "s-1", "--json")
    assert json.loads(done.stdout) == {
        "name": "reza.karimi",
        "password": None,
        "otpauth": None,
        "recovery_codes": [],
    }
    listed = json.loads(run("ls", "--json").stdout)
    assert (listed["issuer"], listed["subject"]) == ("https://login.example", "s-1")
    assert (listed["password"], listed["totp"]) == (False, False)
    other = ("other", "--person", "Other", "--role", "auditor")
    assert run("add", *other, "--state", "IR").returncode == 0
    for wrong, code in (
        (run("add", "third", *other[1:], "--state", "KZ", "--subject", "s"), "sign-on-unknown"),
        (run("add", "third", *other[1:], "--state", "IR", "--subject", "s-1"), "account-exists"),
        (run("bind", "other", "s-1"), "account-exists"),
        (run("bind", "nobody", "s-1"), "account-unknown"),
    ):
        assert wrong.stderr.startswith(f"error {code}: "), wrong.stderr
    assert run("bind", "reza.karimi").returncode == 0
    assert run("bind", "other", "s-1").returncode == 0
    assert "s-1" in run("ls", "--json").stdout
