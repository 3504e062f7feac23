"""``caspian witness``: a real process, a real socket, from its making to its recovery."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hub.cli import main
from hub.streams.embedded import free_port
from hub.witness.cosigning import cosigned_at
from hub.witness.making import init
from schemas.cosignature import CosignerKey
from schemas.notes import read_note
from tests.hubkit import NO_TLS
from tests.witness.logs import FakeLog

NAME = "witness.example/az"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


class Command:
    """The command in this process: starting one for each call would take most of the time."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *call: str) -> Done:
        code = main(["witness", *call])
        return Done(code, *self._capsys.readouterr())


@pytest.fixture
def caspian(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # it is the test's process
    return Command(capsys)


@contextmanager
def running(*directories: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "hub.cli", "witness", "run"),
            *map(str, directories),
            *("--port", str(port)),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", verify=NO_TLS)
                break
            except httpx.TransportError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def made(directory: Path, log: FakeLog) -> CosignerKey:
    return init(directory, name=NAME, logs=[log.key], listen="127.0.0.1:0").key


def test_a_witness_from_its_making_to_its_recovery(tmp_path: Path, caspian: Command) -> None:
    log = FakeLog.of(40)
    az, port = tmp_path / "az", free_port()
    done = caspian("init", str(az), "--name", NAME, "--log", str(log.key))
    assert done.returncode == 0, done.stderr
    key = CosignerKey.read(done.stdout.strip())
    assert caspian("key", str(az)).stdout.strip() == str(key)
    url = f"http://127.0.0.1:{port}/add-checkpoint"

    with running(az, port=port) as process:
        answer = httpx.post(url, content=log.submission(0, 20))
        assert answer.status_code == 200
        note = log.checkpoint(20) + answer.text
        assert cosigned_at(read_note(note.encode()), key)
        assert httpx.post(url, content=log.submission(0, 20)).text == "20\n"
        assert httpx.post(url, content=b"x" * 100_000).status_code == 413
        assert "witness-running" in caspian("run", str(az), "--port", str(free_port())).stderr
        assert caspian("evidence", str(az)).returncode == 0
        fork = log.forked(3, 30).submission(20, 20, proof=[])
        assert httpx.post(url, content=fork).status_code == 422
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    told = caspian("evidence", str(az))
    assert told.returncode == 5
    assert "two roots of one size" in told.stdout
    (line,) = caspian("evidence", str(az), "--json").stdout.splitlines()
    assert json.loads(line)["kind"] == "fork"

    (az / "witness.db").unlink()
    lost = caspian("run", str(az), "--port", str(port))
    assert lost.returncode == 3
    assert "witness-store-lost" in lost.stderr
    (tmp_path / "checkpoint").write_text(note)
    done = caspian("recover", str(az), "--checkpoint", str(tmp_path / "checkpoint"))
    assert done.returncode == 0, done.stderr
    assert "goes on from size 20" in done.stdout
    with running(az, port=port):
        assert httpx.post(url, content=log.submission(20, 40)).status_code == 200


@pytest.mark.long
def test_several_witnesses_run_in_one_process(tmp_path: Path) -> None:
    log, port = FakeLog.of(9), free_port()
    keys = {state: made(tmp_path / state, log) for state in ("az", "kz")}

    with running(*(tmp_path / state for state in keys), port=port):
        for state, key in keys.items():
            url = f"http://127.0.0.1:{port}/{state}"
            answer = httpx.post(f"{url}/add-checkpoint", content=log.submission(0, 9))
            assert cosigned_at(read_note((log.checkpoint(9) + answer.text).encode()), key)
            assert httpx.get(f"{url}/").json()["key"] == str(key)


@pytest.mark.long
def test_a_client_that_sends_slowly_is_left(tmp_path: Path) -> None:
    log, port = FakeLog.of(9), free_port()
    made(tmp_path / "az", log)
    config = tmp_path / "az" / "witness.toml"
    config.write_text(config.read_text() + "patience_s = 0.2\n")

    with running(tmp_path / "az", port=port), socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold 0\n"
        )
        slow.settimeout(30)
        answer = b""
        while part := slow.recv(4096):
            answer += part

    assert re.match(rb"HTTP/1.1 408 ", answer)


@pytest.mark.parametrize("call", [("run",), ("run", "nowhere"), ("key", "nowhere")])
def test_what_is_called_wrongly_is_told(call: tuple[str, ...], caspian: Command) -> None:
    done = caspian(*call)

    assert done.returncode in {2, 5}
    assert "what to do" in done.stderr
