"""What the operator does to tokens and accounts is in the log, with a name and without a secret."""

from __future__ import annotations

import inspect
import json
import time
from typing import Any

import pytest

from hub.cli import accounts, tokens
from tests.cli.conftest import Caspian
from tests.cli.hub import Hub

BY = "Leyla Aliyeva"


def logged(hub: Hub, count: int) -> list[dict[str, Any]]:
    """Return what the log says that Leyla did, once it is so much."""
    deadline = time.monotonic() + 30
    while True:
        done = hub.caspian("log", "ls", "--kind", "action", "--json")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        mine = [e for e in found if e["by"] == BY]
        if len(mine) >= count:
            return mine
        assert time.monotonic() < deadline, done.stdout + done.stderr


def test_each_change_is_an_entry_in_the_operators_name(hub: Hub) -> None:
    hub_env = {"CASPIAN_PERSON": BY}
    secrets: list[str] = []

    def do(*arguments: str) -> dict[str, Any]:
        done = hub.caspian(*arguments, **hub_env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else {}

    token = do("tokens", "add", "agency", "--agency", "az-fhn", "--scope", "read", "--json")[
        "token"
    ]
    prefix = token.split("_")[1]
    secrets.append(token.split("_", 2)[2])
    do("tokens", "revoke", prefix)
    do("tokens", "revoke", prefix)  # once more changes nothing
    given = do(
        "accounts", "add", "nigar.l", "--person", "Nigar L", "--role", "officer",
        "--agency", "az-fhn", "--json",
    )  # fmt: skip
    secrets += [given["password"], *given["recovery_codes"], "nigar.l"]
    secrets.append(do("accounts", "passwd", "nigar.l", "--json")["password"])
    do("accounts", "totp", "nigar.l", "--json")
    do("accounts", "totp", "nigar.l", "--off")
    do("accounts", "unlock", "nigar.l")
    do("accounts", "disable", "nigar.l")
    do("accounts", "enable", "nigar.l", "--by", BY)
    found = logged(hub, 9)

    assert [e["action"] for e in found] == [
        "token-issued",
        "token-revoked",
        "account-added",
        "password-changed",
        "second-factor-changed",
        "second-factor-removed",
        "account-unlocked",
        "account-disabled",
        "account-enabled",
    ]
    assert found[0]["agency"] == "az-fhn"
    assert found[0]["about"]["token"] == found[1]["about"]["token"] == prefix
    assert (found[0]["about"]["roles"], found[0]["about"]["scopes"]) == (["agency"], ["read"])
    assert {e["about"]["person"] for e in found[2:]} == {"Nigar L"}
    assert [e["about"]["at"] for e in found] == sorted(e["about"]["at"] for e in found)
    for secret in secrets:
        assert secret not in json.dumps(found)
    assert hub.caspian("verify").returncode == 0


@pytest.mark.parametrize("module", [accounts, tokens])
def test_every_command_that_changes_something_asks_for_a_name(module: Any) -> None:
    """A new one without it would change something in nobody's name."""
    looking = {"ls"}
    for name in module.app:
        if name.startswith("-") or name in looking:
            continue
        call = module.app[name].default_command
        assert "by" in inspect.signature(call).parameters, name


@pytest.mark.parametrize("name", ["a\nb", "x" * 201, "\x1b[2J"])
def test_what_is_no_name_is_refused(caspian: Caspian, log: Any, name: str) -> None:
    done = caspian("tokens", "add", "auditor", "--by", name)

    assert done.returncode == 2
    assert log.head().size == 9


def test_an_operators_token_is_somebodys(caspian: Caspian, log: Any) -> None:
    assert log.head().size == 9
    caspian("tokens", "add", "operator", "--by", BY)
    listed = json.loads(caspian("tokens", "ls", "--json").stdout)

    assert (listed["role"], listed["person"]) == ("operator", BY)
