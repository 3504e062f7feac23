"""``caspian rebuild``: what is derived comes back from the log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import redis

from hub.log.store import Log
from hub.streams.embedded import EmbeddedServer
from tests.cli.conftest import Caspian


def test_projections_come_back(caspian: Caspian, log: Log, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "log.db") as c:
        c.execute("delete from messages")
        c.execute("delete from acknowledgements")
    c.close()

    done = caspian("rebuild", "--projections")

    assert done.returncode == 0
    assert done.stdout == "projections: made anew from 9 entries\n"
    assert [m.index for m in log.find_messages("a-1")] == [4]


@pytest.mark.usefixtures("log")
def test_feeds_are_deleted_and_nothing_else(caspian: Caspian, valkey: EmbeddedServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        client.xadd("feed:az-fhn", {"kind": "x"})
        client.xadd("inbox:az-fhn", {"kind": "x"})

        done = caspian("rebuild", "--feeds", env={"CASPIAN_REDIS_URL": valkey.url})

        assert done.stdout == "feeds: 1 of 13 deleted\n"
        assert client.keys("*") == [b"inbox:az-fhn"]


@pytest.mark.usefixtures("log")
def test_without_a_choice_both_are_made_anew(caspian: Caspian, valkey: EmbeddedServer) -> None:
    done = caspian("rebuild", env={"CASPIAN_REDIS_URL": valkey.url})

    assert "projections: " in done.stdout
    assert "feeds: " in done.stdout


@pytest.mark.usefixtures("log")
def test_a_server_that_is_away_is_told(caspian: Caspian) -> None:
    done = caspian("rebuild", "--feeds", env={"CASPIAN_REDIS_URL": "redis://127.0.0.1:1/0"})

    assert done.returncode == 3
    assert "error streams-unavailable: " in done.stderr


def test_a_log_that_cannot_be_read_changes_nothing(
    caspian: Caspian, log: Log, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "log.db") as c:
        c.execute("update payloads set body = x'00' where idx = 4")
    c.close()

    done = caspian("rebuild", "--projections")

    assert done.returncode == 3
    assert "error log-broken: " in done.stderr
    assert [m.index for m in log.find_messages("a-1")] == [4]
