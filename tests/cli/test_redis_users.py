"""``caspian redis acl``: the file that it writes lets in whom it should, and nobody else."""

from __future__ import annotations

import asyncio
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from hub.log.store import Log
from hub.streams.embedded import EmbeddedServer, free_port, server_command, wait_ready
from tests.cli.conftest import Caspian
from tests.log.samples import Writer, member

pytestmark = pytest.mark.usefixtures("log")

MEMBERS = ("az-fhn", "ir-ndmo", "kz-mchs")


@contextmanager
def a_server_with(users: Path, secret: str, directory: Path) -> Iterator[int]:
    """Run a server of somebody's own, with nothing but a file of users; give its port."""
    port = free_port()
    binary = server_command(directory / "other", port=port)[0]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    with (directory / "server.log").open("wb") as output:
        server = subprocess.Popen([binary, *options, "--aclfile", users], stdout=output)

    try:
        asyncio.run(wait_ready(f"redis://hub:{secret}@127.0.0.1:{port}/0", timedelta(seconds=60)))
        yield port
    finally:
        server.terminate()
        server.wait(20)


def test_a_server_with_the_file_knows_the_hub_and_the_members_alone(
    caspian: Caspian, tmp_path: Path
) -> None:
    users, passwords = tmp_path / "users.acl", tmp_path / "passwords"

    done = caspian("redis", "acl", "--passwords", str(passwords), "--output", str(users))

    assert (done.returncode, done.stdout) == (0, "")
    assert "CASPIAN_REDIS_URL" in done.stderr
    assert stat.S_IMODE(users.stat().st_mode) == 0o600
    secrets = {p.name: p.read_text("ascii").strip() for p in passwords.iterdir()}
    assert set(secrets) == {"hub", *MEMBERS}
    for secret in secrets.values():
        assert secret not in users.read_text("ascii") + done.stderr
    with a_server_with(users, secrets["hub"], tmp_path) as port:
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.set("x", "y")
        with redis.Redis(port=port, username="hub", password=secrets["hub"]) as hub:
            assert hub.set("x", "y")
        for agency in MEMBERS:
            with redis.Redis(port=port, username=agency, password=secrets[agency]) as own:
                assert own.xadd(f"inbox:{agency}", {"payload": "x"})
                with pytest.raises(redis.exceptions.NoPermissionError):
                    own.get("x")


def test_the_hub_stays_who_its_address_says(caspian: Caspian, tmp_path: Path) -> None:
    done = caspian(
        "redis",
        "acl",
        "--passwords",
        str(tmp_path / "passwords"),
        env={"CASPIAN_REDIS_URL": "redis://centre:p%40ss@127.0.0.1:1/0"},
    )

    lines = done.stdout.splitlines()
    assert lines[0].startswith("user default off ")
    assert lines[1].startswith("user centre on #")
    assert [line.split()[1] for line in lines[2:]] == list(MEMBERS)
    assert "p@ss" not in done.stdout
    assert not (tmp_path / "passwords" / "hub").exists()


def test_users_are_made_and_removed_in_a_server_that_runs(
    caspian: Caspian, log: Log, valkey: EmbeddedServer, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    env = {"CASPIAN_REDIS_URL": valkey.url, "CASPIAN_REDIS_USERS": str(passwords)}

    assert caspian("redis", "acl", "--apply", env=env).returncode == 0
    with redis.Redis.from_url(valkey.url) as hub:
        assert {*MEMBERS, "hub"} <= set(hub.acl_users())
        Writer(log).commit([member("ir-ndmo", active=False)])
        done = caspian("redis", "acl", "--apply", env=env)
        assert done.returncode == 0
        assert done.stdout == ""
        assert "ir-ndmo" not in hub.acl_users()
        for agency in MEMBERS:
            hub.acl_deluser(agency)


def test_without_a_place_for_the_passwords_nothing_is_made(caspian: Caspian) -> None:
    done = caspian("redis", "acl")

    assert done.returncode == 2
    assert "--passwords" in done.stderr


def test_a_server_that_is_away_is_told(caspian: Caspian, tmp_path: Path) -> None:
    done = caspian(
        "redis",
        "acl",
        "--apply",
        "--passwords",
        str(tmp_path / "p"),
        env={"CASPIAN_REDIS_URL": "redis://hub:secret@127.0.0.1:1/0"},
    )

    assert done.returncode == 3
    assert "error streams-unavailable: " in done.stderr
    assert "secret" not in done.stderr
