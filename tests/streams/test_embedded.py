from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Unavailable
from hub.streams import embedded, embedded_config
from hub.streams.embedded import (
    EmbeddedServer,
    free_port,
    password,
    server_command,
    url,
    wait_ready,
)
from tests.crash.chaos import delete

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = timedelta(seconds=20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "redis", appendfsync="always") as running:
        yield running


def connected(server: EmbeddedServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def append_until_killed(server: EmbeddedServer, *, kill_after: int) -> list[str]:
    """Append one entry at a time, and return those that the server acknowledged."""
    acknowledged: list[str] = []
    with connected(server) as client, contextlib.suppress(redis.ConnectionError):
        while True:
            acknowledged.append(client.xadd("inbox", {"n": len(acknowledged)}))
            if len(acknowledged) == kill_after:
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
    return acknowledged


def test_acknowledged_entries_survive_sigkill(server: EmbeddedServer) -> None:
    acknowledged = append_until_killed(server, kill_after=200)

    server.restart()

    with connected(server) as client:
        kept = [entry_id for entry_id, _ in client.xrange("inbox")]
    assert kept[: len(acknowledged)] == acknowledged


def test_syncing_each_second_sigkill_loses_an_end_and_nothing_before_it(tmp_path: Path) -> None:
    """On a slow disk it held back writes that it had acknowledged: only "always" is safe."""
    with EmbeddedServer(tmp_path, appendfsync="everysec") as server:
        acknowledged = append_until_killed(server, kill_after=200)

        server.restart()

        with connected(server) as client:
            kept = [entry_id for entry_id, _ in client.xrange("inbox")]
    length = min(len(kept), len(acknowledged))
    assert kept[:length] == acknowledged[:length]


def test_a_torn_last_write_is_dropped_and_all_before_it_kept(server: EmbeddedServer) -> None:
    with connected(server) as client:
        client.set("first", "kept")
        client.set("second", "torn")
    server.kill()
    (written,) = server.directory.glob("data/appendonlydir/*.incr.aof")
    os.truncate(written, written.stat().st_size - 3)

    server.restart()

    with connected(server) as client:
        assert client.get("first") == "kept"
        assert client.get("second") is None


def test_a_clean_stop_keeps_everything_and_is_quick_to_repeat(server: EmbeddedServer) -> None:
    with connected(server) as client:
        client.set("kept", "yes")
    server.stop()
    server.stop()

    server.start()
    first = server.pid
    server.start()

    assert server.pid == first
    with connected(server) as client:
        assert client.get("kept") == "yes"


def test_a_server_that_hangs_is_stopped_all_the_same(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_STOP_S", 0.2)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    server.stop()

    assert server.pid is None
    server.start()


def test_the_port_is_known_from_the_first_start_on(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="first start"):
        EmbeddedServer(tmp_path).url  # noqa: B018 - the property raises


@pytest.mark.parametrize("while_running", [True, False])
def test_a_deleted_directory_starts_empty_at_the_same_address(
    server: EmbeddedServer, *, while_running: bool
) -> None:
    address = server.url
    with connected(server) as client:
        client.set("lost", "yes")
    if not while_running:
        server.stop()
    delete(server.directory)

    server.restart()

    assert server.url == address
    with connected(server) as client:
        assert client.dbsize() == 0
        client.set("new", "kept")
        server.kill()
        server.restart()
        assert client.get("new") == "kept"


def test_a_password_is_required(server: EmbeddedServer) -> None:
    for wrong in ("", "default:wrong@", "hub:wrong@"):
        with (
            redis.Redis.from_url(f"redis://{wrong}127.0.0.1:{server.port}/0") as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()


@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps, which procps brings")
def test_the_password_is_for_our_eyes_only(server: EmbeddedServer) -> None:
    secret = password(server.directory)
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(server.pid)], check=True, capture_output=True
    ).stdout.decode()

    assert len(secret) >= 32
    assert "valkey-server" in shown
    assert secret not in shown
    assert mode(server.directory) == mode(server.directory / "data") == 0o700
    assert mode(server.directory / "password") == mode(server.directory / "valkey.conf") == 0o600
    assert not list(server.directory.glob(".*"))


def test_a_directory_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir(mode=0o755)
    (tmp_path / "redis").chmod(0o755)

    server_command(tmp_path / "redis", port=free_port())

    assert mode(tmp_path / "redis") == 0o700


def test_it_listens_on_this_machine_only_and_takes_no_snapshots(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server, connected(server) as client:
        settings = client.config_get("*")

    assert settings["bind"] == "127.0.0.1"
    assert settings["save"] == ""
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize(
    "name", ["with space", 'a "quote"', "back\\slash", "دریای خزر", "line\nend", "#"]
)
def test_any_directory_name_will_do(tmp_path: Path, name: str) -> None:
    with EmbeddedServer(tmp_path / name) as server, connected(server) as client:
        assert Path(client.config_get("dir")["dir"]) == (tmp_path / name / "data").resolve()


def test_a_relative_directory_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with EmbeddedServer(Path("redis")), EmbeddedServer(Path("other")):
        pass

    assert list(tmp_path.glob("redis/data/appendonlydir/*.aof"))


def test_the_password_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first = password(tmp_path)

    server_command(tmp_path, port=free_port(), secret="of somebody else")

    assert password(tmp_path) == first
    assert sha256(first.encode()).hexdigest() in (tmp_path / "users.acl").read_text()


def test_a_lost_password_is_the_one_that_clients_know(tmp_path: Path) -> None:
    server_command(tmp_path, port=free_port(), secret="known-to-clients")

    assert password(tmp_path) == "known-to-clients"
    assert url(tmp_path, 6380) == "redis://hub:known-to-clients@127.0.0.1:6380/0"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_an_address_carries_any_password(secret: str) -> None:
    parsed = redis.ConnectionPool.from_url(embedded_config.address(secret, 6379))

    assert parsed.connection_kwargs["password"] == secret
    assert parsed.connection_kwargs["username"] == "hub"


class TestUnavailable:
    def test_a_port_in_use_is_said_before_anything_starts(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(Unavailable, match=f"port {port} .* is taken") as caught:
                server_command(tmp_path, port=port)

        assert caught.value.code == "port-in-use"

    def test_a_port_taken_in_between_is_said_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedded_config, "_require_free", lambda _: None)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server = EmbeddedServer(tmp_path, port=taken.getsockname()[1])
            with pytest.raises(Unavailable) as caught:
                server.start()

        assert caught.value.code == "port-in-use"
        assert server.pid is None

    def test_without_a_given_port_another_is_tried(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ports = iter([taken.getsockname()[1], free_port()])
            monkeypatch.setattr("hub.streams.embedded.free_port", lambda: next(ports))
            with EmbeddedServer(tmp_path) as server:
                assert server.port != taken.getsockname()[1]

    def test_a_damaged_file_is_said_with_the_servers_own_words(
        self, server: EmbeddedServer
    ) -> None:
        with connected(server) as client:
            client.set("key", "value")
        server.kill()
        (written,) = server.directory.glob("data/appendonlydir/*.incr.aof")
        written.write_bytes(b"no such format\r\n" * 10)

        with pytest.raises(Unavailable, match="Bad file format"):
            server.start()
        assert server.pid is None

    def test_a_directory_that_is_a_file_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "redis").write_text("not a directory")

        with pytest.raises(Unavailable) as caught:
            server_command(tmp_path / "redis", port=free_port())

        assert caught.value.code == "directory-unusable"

    def test_a_machine_without_a_server_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("platform.machine", lambda: "riscv64")

        with pytest.raises(Unavailable, match="riscv64") as caught:
            server_command(tmp_path, port=free_port())

        assert caught.value.code == "server-missing"

    def test_a_server_that_never_answers_is_said_and_ended(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedded, "_START_S", 0.2)
        monkeypatch.setattr(embedded, "server_command", lambda *_, **__: ["sleep", "3600"])
        server = EmbeddedServer(tmp_path)

        with pytest.raises(Unavailable, match="no answer within"):
            server.start()

        assert server.pid is None

    async def test_nobody_there_is_said_after_the_wait(self) -> None:
        with pytest.raises(Unavailable, match=r"no answer within 0\.1 s"):
            await wait_ready(f"redis://127.0.0.1:{free_port()}/0", timedelta(seconds=0.1))

    async def test_a_server_of_somebody_else_is_said_at_once(self, server: EmbeddedServer) -> None:
        for stranger in ("hub:wrong@", "default:wrong@", ""):
            with pytest.raises(Unavailable, match="refuses our password"):
                await wait_ready(f"redis://{stranger}127.0.0.1:{server.port}/0", timedelta(hours=1))

    async def test_what_is_no_redis_is_said_after_the_wait(self) -> None:
        async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(chatter, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            with pytest.raises(Unavailable, match="no answer within"):
                await wait_ready(f"redis://127.0.0.1:{port}/0", timedelta(seconds=0.2))


def test_waiting_lasts_until_the_data_is_loaded(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server, connected(server) as client:
        for number in range(1000):
            client.set(str(number), "x" * 64)
    argv = server_command(tmp_path, port=server.port)
    with (tmp_path / "valkey.conf").open("a") as config:
        # Loads for half a second, and answers meanwhile that it does.
        config.write("key-load-delay 500\nloading-process-events-interval-bytes 1024\n")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            asyncio.run(wait_ready(server.url, SOON))

            with connected(server) as client:
                assert client.dbsize() == 1000
        finally:
            process.terminate()


def test_the_command_runs_as_any_child_process(tmp_path: Path) -> None:
    port = free_port()
    argv = server_command(tmp_path, port=port, appendfsync="always")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            asyncio.run(wait_ready(url(tmp_path, port), SOON))
            with redis.Redis.from_url(url(tmp_path, port), decode_responses=True) as client:
                assert client.config_get("appendfsync") == {"appendfsync": "always"}
        finally:
            process.terminate()
    assert process.returncode == 0


def test_it_dies_with_the_process_that_runs_it(tmp_path: Path) -> None:
    """A test run that is killed must not leave servers behind."""
    script = (
        "import pathlib, sys; from hub.streams.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(pathlib.Path(sys.argv[1])); server.start()\n"
        "print(server.url, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        with redis.Redis.from_url(address) as client:
            reader = client.pubsub()
            reader.subscribe("anything")
            process.kill()
            with contextlib.suppress(redis.ConnectionError):
                while True:
                    reader.get_message(timeout=None)
        assert re.match(r"redis://hub:[\w-]{43}@127.0.0.1:\d+/0$", address)
