"""``caspian doctor``: every line is right about the real thing, and says what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from hub.cli import checkup
from hub.log.checkpoints import SignedCheckpoint, put
from hub.log.store import Log
from hub.streams.embedded import EmbeddedServer
from schemas.checkpoint import Checkpoint
from tests.cli.conftest import ORIGIN, Caspian
from tests.log.postgres_server import PostgresMissing, postgres_server


def verdicts(caspian: Caspian, **env: str) -> tuple[int, dict[str, tuple[str, str]]]:
    done = caspian("doctor", "--json", env=env)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        assert line["verdict"] == "ok" or line["remedy"], line
    return done.returncode, {line["check"]: (line["verdict"], line["detail"]) for line in lines}


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedServer:
    """Give a server of the test's own, to be set up wrongly."""
    return EmbeddedServer(tmp_path / "valkey")


@pytest.mark.usefixtures("log")
def test_a_hub_that_has_all_it_needs(caspian: Caspian, server: EmbeddedServer) -> None:
    with server:
        _, found = verdicts(caspian, CASPIAN_REDIS_URL=server.url)

    for name in ("python", "settings", "durability", "log", "origin", "streams"):
        assert found[name][0] == "ok", name
    for name in ("append-only file", "eviction", "clock", "candidates", "inboxes"):
        assert found[name][0] == "ok", name
    assert found["log"][1].startswith("9 entries")
    assert found["feeds"][0] == "warn"  # nobody runs fan-out here
    assert "13 missing" in found["feeds"][1]


def test_a_hub_that_was_never_started(caspian: Caspian, server: EmbeddedServer) -> None:
    with server:
        code, found = verdicts(caspian, CASPIAN_REDIS_URL=server.url)

    assert code == 0
    assert found["log"][0] == "warn"


@pytest.mark.usefixtures("log")
def test_a_server_that_forgets_is_found_out(caspian: Caspian, server: EmbeddedServer) -> None:
    with server, redis.Redis.from_url(server.url) as client:
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "allkeys-lru")
        code, found = verdicts(caspian, CASPIAN_REDIS_URL=server.url)

    assert code == 3
    assert found["append-only file"][0] == "warn"
    assert found["eviction"][0] == "fail"


@pytest.mark.usefixtures("log")
def test_work_that_nobody_does_is_found_out(caspian: Caspian, server: EmbeddedServer) -> None:
    with server, redis.Redis.from_url(server.url) as client:
        client.xadd("candidates", {"kind": "x"}, id="1-0")
        client.xadd("inbox:az-fhn", {"payload": "x"}, id="1-0")
        client.xadd("feed:az-fhn", {"kind": "x"}, id="4-0")
        code, found = verdicts(caspian, CASPIAN_REDIS_URL=server.url)

    assert code == 3
    assert found["candidates"][0] == "fail"
    assert found["inboxes"][0] == "fail"
    assert "1 behind (az-fhn by 4 entries)" in found["feeds"][1]


@pytest.mark.usefixtures("log")
def test_a_server_that_is_not_there(caspian: Caspian) -> None:
    code, found = verdicts(caspian, CASPIAN_REDIS_URL="redis://127.0.0.1:1/0")

    assert code == 3
    assert found["streams"][0] == "fail"


@pytest.mark.usefixtures("log")
def test_a_log_of_another_name(caspian: Caspian) -> None:
    code, found = verdicts(
        caspian, CASPIAN_ORIGIN="other.example/log", CASPIAN_REDIS_URL="redis://127.0.0.1:1/0"
    )

    assert code == 3
    assert found["origin"][0] == "fail"


def test_wrong_settings_end_the_visit(caspian: Caspian) -> None:
    code, found = verdicts(caspian, CASPIAN_BATCH="none")

    assert code == 3
    assert found["settings"][0] == "fail"
    assert "CASPIAN_BATCH" in found["settings"][1]


def test_a_store_that_is_no_store(caspian: Caspian, tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"not a database" * 1000)

    code, found = verdicts(caspian, CASPIAN_REDIS_URL="redis://127.0.0.1:1/0")

    assert code == 3
    assert found["log"][0] == "fail"


def test_people_get_one_line_a_check_and_the_remedy_below(caspian: Caspian) -> None:
    done = caspian("doctor", env={"CASPIAN_REDIS_URL": "redis://127.0.0.1:1/0"})

    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok    python ")
    assert lines[-2].startswith("fail  streams ")
    assert lines[-1].startswith("      what to do: Start Redis")


def test_a_postgresql_that_does_not_wait_for_its_disk(caspian: Caspian) -> None:
    try:
        with postgres_server() as url:
            store = make_url(url).set(database="careless").render_as_string(hide_password=False)
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute("CREATE DATABASE careless")
                _, careful = verdicts(caspian, CASPIAN_LOG_URL=store)
                admin.execute("ALTER DATABASE careless SET synchronous_commit = off")
            done = caspian("doctor", env={"CASPIAN_LOG_URL": store})
    except PostgresMissing as e:
        pytest.skip(f"no PostgreSQL to test with: {e}")

    assert careful["durability"][0] == "ok"
    assert "fail  durability        synchronous_commit off" in done.stdout


@pytest.mark.parametrize(
    ("info", "verdict"),
    [
        ({"redis_version": "6.2.14"}, "fail"),
        ({"redis_version": "7.0.0"}, "ok"),
        ({"redis_version": "8.4.1"}, "ok"),
        ({"redis_version": "10.0"}, "ok"),
        ({"server_name": "valkey", "redis_version": "7.2.4", "valkey_version": "8.0.1"}, "ok"),
        ({}, "fail"),
    ],
)
def test_servers_of_old_are_refused(info: dict[str, str], verdict: str) -> None:
    assert checkup.streams(info)[0].verdict == verdict


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (checkup.python((3, 10, 4)), "fail"),
        (checkup.sqlite("delete", 2), "fail"),
        (checkup.sqlite("wal", 1), "fail"),
        (checkup.disk(10_000), "fail"),
        (checkup.disk(500_000_000), "warn"),
        (checkup.filesystem("nfs4"), "fail"),
        (checkup.filesystem("tmpfs"), "warn"),
        (checkup.filesystem("ext4"), "ok"),
        (checkup.clock(timedelta(seconds=-3)), "warn"),
        (checkup.clock(timedelta(minutes=5)), "fail"),
        (checkup.feeds(9, {"az-fhn": 9}), "ok"),
        (checkup.waiting("candidates", timedelta(seconds=2), "ledger"), "ok"),
        (checkup.postgresql({"fsync": "off"})[0], "fail"),
        (checkup.streams({"aof_enabled": 1, "aof_last_write_status": "err"})[1], "fail"),
        (checkup.streams({"maxmemory": 100, "used_memory": 90})[-1], "warn"),
    ],
)
def test_each_fact_has_its_verdict(check: checkup.Check, verdict: str) -> None:
    assert check.verdict == verdict
    assert check.verdict == "ok" or check.remedy


def test_a_log_that_contradicts_what_was_signed_is_found_out(
    caspian: Caspian, log: Log, tmp_path: Path
) -> None:
    given = {"CASPIAN_REDIS_URL": "redis://127.0.0.1:1/0"}
    _, unsigned = verdicts(caspian, **given)
    root = b"x" * 32
    text = Checkpoint(ORIGIN, 3, root).body()
    with log.writing() as c:
        put(c, SignedCheckpoint(3, root, 1, text))
    code, found = verdicts(caspian, CASPIAN_LOG_KEY=str(tmp_path / "log.key"), **given)

    assert unsigned["checkpoint"] == ("warn", "nothing is signed")
    assert code == 3
    assert found["checkpoint"][0] == "fail"
    assert "the history is another" in found["checkpoint"][1]


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (None, "warn"),
        ((9, timedelta(0)), "ok"),
        ((8, timedelta(seconds=1)), "ok"),
        ((8, timedelta(minutes=1)), "fail"),
    ],
)
def test_what_is_not_signed_in_time_is_found_out(
    last: tuple[int, timedelta] | None, verdict: str
) -> None:
    assert checkup.checkpoint("", 9, last, signs=True).verdict == verdict


@pytest.mark.parametrize(
    ("behind", "verdict"),
    [
        ({}, "warn"),
        ({"az": timedelta(0), "ir": timedelta(minutes=4), "kz": timedelta(0)}, "ok"),
        ({"az": timedelta(0), "ir": None, "kz": timedelta(0)}, "warn"),
        ({"az": timedelta(0), "ir": timedelta(hours=1), "kz": None}, "fail"),
    ],
)
def test_witnesses_that_are_silent_are_named(
    behind: dict[str, timedelta | None], verdict: str
) -> None:
    found = checkup.witnesses(behind, 2)

    assert found.verdict == verdict
    if verdict == "fail":
        assert "silent: ir, kz" in found.detail
