"""``caspian log replay``: the same digest everywhere, and feeds that no live reader has."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from hub.log.store import Log
from hub.streams.embedded import EmbeddedServer
from tests.cli.conftest import Caspian

pytestmark = pytest.mark.usefixtures("log")


def told(caspian: Caspian, *options: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = caspian("log", "replay", *options, "--json", env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_digest_is_the_same_from_store_and_bundle(caspian: Caspian) -> None:
    caspian("log", "export", "all.gz")

    from_store = told(caspian)

    assert from_store["entries"] == 9
    assert told(caspian, "--bundle", "all.gz") == from_store
    assert told(caspian, "--speed", "1000") == from_store


def test_a_part_is_routed_by_who_was_a_member_before_it(caspian: Caspian) -> None:
    caspian("log", "export", "all.gz")

    part = told(caspian, "--from", "4")

    assert part["entries"] == 5
    assert part["routed"] == told(caspian)["routed"]
    assert told(caspian, "--from", "4", "--bundle", "all.gz") == part
    assert told(caspian, "--kind", "publish", "--kind", "acknowledgement")["routed"] == 8


def test_a_sandbox_is_written_and_removed(caspian: Caspian, valkey: EmbeddedServer) -> None:
    env = {"CASPIAN_REDIS_URL": valkey.url}
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()

        written = told(caspian, "--sandbox", "night", env=env)

        assert written == told(caspian)
        assert client.xlen("sandbox:night:feed:ir-ndmo") == 2
        assert client.xlen("sandbox:night:feed:ir-ndmo.exercise") == 1
        assert client.keys("feed:*") == []
        again = caspian("log", "replay", "--sandbox", "night", env=env)
        assert again.returncode == 5
        assert "error replay-invalid: " in again.stderr
        assert "feeds removed" in caspian("log", "remove-sandbox", "night", env=env).stdout
        assert client.keys("*") == []


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast", ""])
def test_a_speed_that_is_none_is_refused(caspian: Caspian, speed: str) -> None:
    done = caspian("log", "replay", "--speed", speed)

    assert done.returncode == 2
    assert "is no speed" in done.stderr


def test_a_sandbox_without_a_server_is_told(caspian: Caspian) -> None:
    env = {"CASPIAN_REDIS_URL": "redis://127.0.0.1:1/0"}

    for command in (("log", "replay", "--sandbox", "x"), ("log", "remove-sandbox", "x")):
        done = caspian(*command, env=env)

        assert done.returncode == 3
        assert "error streams-unavailable: " in done.stderr


def test_a_part_of_a_bundle_that_is_a_part_is_refused(caspian: Caspian) -> None:
    caspian("log", "export", "part", "--from", "4")

    done = caspian("log", "replay", "--bundle", "part", "--from", "5")

    assert done.returncode == 5
    assert "error bundle-partial: " in done.stderr


def test_an_auditor_goes_on_step_by_step(caspian: Caspian, log: Log) -> None:
    done = caspian("log", "replay", "--step", stdin="\n\n\n\n\n\n\n\n")
    once = caspian("log", "replay", "--step", stdin="q\n")
    whole = caspian("log", "replay", "--json")

    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("[REPLAY replay]")]
    assert [line.split()[2] for line in lines] == ["4", "5", "6"]
    assert "Enter goes on" in done.stderr
    assert json.loads(whole.stdout)["digest"] in done.stdout
    assert once.stdout.count("[REPLAY") == 1
    assert log.head().size == 9


@pytest.mark.usefixtures("log")
def test_a_part_is_chosen_by_state_and_incident(caspian: Caspian) -> None:
    of_state = caspian("log", "replay", "--state", "ir", "--json")
    of_incident = caspian("log", "replay", "--incident", "none", "--json")

    assert json.loads(of_state.stdout)["entries"] == 2
    assert json.loads(of_incident.stdout)["entries"] == 0
