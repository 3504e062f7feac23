"""What a failing disk leaves: nothing receipted is lost, no checkpoint contradicts the store.

The system calls of a real process fail, one after the other: strace answers in the kernel's place.
The process appends and signs, tells what it has promised, and goes on after each failure as the
ledger and the signer do. Then the store must keep every promise.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from samples import BEGAN, ORIGIN, Writer, member
from test_signer import Place, begin, signer_of

from hub.errors import Unavailable
from hub.log.store import Log
from hub.log.tree import Tree
from hub.log.verify import verify_store
from schemas.checkpoint import read_checkpoint

STRACE = shutil.which("strace")
ROUNDS = 2
LOT = 20
CALLS = {"fdatasync": 4, "fsync": 4, "rename": 2, "write": 2, "pwrite64": 26}
"""How many of each the rounds make: two commits, and the signer's memory once in each round."""

ERRORS = {"fdatasync": "EIO", "fsync": "EIO", "rename": "EIO"}
SYNCS = [(call, n) for call in ("fdatasync", "fsync", "rename") for n in range(1, CALLS[call] + 1)]
WRITES = [(call, n) for call in ("write", "pwrite64") for n in range(1, CALLS[call] + 1)]
FEW = [("write", 1), ("pwrite64", 1), ("pwrite64", 12)]


def attached() -> str:
    """Return why nothing can be traced here; empty where it can."""
    if STRACE is None:
        return "there is no strace here"
    done = subprocess.run([STRACE, "-qq", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "strace may not trace here"


pytestmark = [pytest.mark.skipif(bool(why := attached()), reason=why or "it can"), pytest.mark.long]


def grow(log: Log) -> None:
    """Append a lot of members in one commit, as the ledger does."""
    size = log.head().size
    writer = Writer(log, now=BEGAN + timedelta(minutes=size))
    writer.commit([member(f"az-m{size}-{n}") for n in range(LOT)])


def work(url: str, key: Path, wire: socket.socket) -> None:
    """Append and sign, and tell of each promise; the wire is no file, and never fails."""
    log = Log.open(url)
    signer = signer_of(log, key)
    signer.step(5)

    def tell(*what: Any) -> None:
        wire.sendall(json.dumps(what).encode() + b"\n")

    tell("ready")
    wire.recv(1)
    for n in range(ROUNDS):
        try:
            grow(log)
            head = log.head()
            tell("receipt", head.size, head.root.hex())
        except Unavailable as e:
            tell("failed", e.code)
        try:
            signed = signer.step(6 + n)
            if signed is not None:
                tell("signed", signed.size, signed.root.hex())
        except Unavailable as e:
            tell("failed", e.code)
    tell("done")


@contextmanager
def worker(place: Place) -> Iterator[tuple[Any, socket.socket]]:
    """Give a process that works once it is told to."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["test_disk_faults"])
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    child = processes.Process(target=work, args=(place.url, place.key, theirs))
    child.start()
    theirs.close()
    try:
        yield child, ours
    finally:
        ours.close()
        child.join(60)


def run(place: Place, inject: str) -> tuple[list[list[Any]], int | None]:
    """Let the worker meet a fault; return what it told, and how it ended."""
    with worker(place) as (child, wire):
        lines = wire.makefile("r")
        assert json.loads(lines.readline()) == ["ready"]
        call = inject.partition(":")[0]
        tracer = subprocess.Popen(
            [
                str(STRACE),
                *("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={inject}"),
                *("-p", str(child.pid)),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        wire.sendall(b"!")
        told = [json.loads(line) for line in lines if line.endswith("\n")]
        child.join(60)
        tracer.wait(60)
        tracer.stderr.close()
        return told, child.exitcode


def every_promise_is_kept(place: Place, told: list[list[Any]]) -> None:
    log = Log.open(place.url)
    tree = Tree(log)
    try:
        assert verify_store(log).fault is None
        for kind, *rest in told:
            if kind in {"receipt", "signed"}:
                assert tree.root(rest[0]).hex() == rest[1], kind
        sizes = place.sound()
        assert {rest[0] for kind, *rest in told if kind == "signed"} <= set(sizes)
        # They go on where the fault left them.
        grow(log)
        assert signer_of(log, place.key).step(9) is not None
        assert place.sound()[-1] == log.head().size
        memory = place.key.with_name("log.key.signed").read_bytes()
        found, _ = read_checkpoint(memory, ORIGIN, (place.public,))
        assert found.size == log.head().size
    finally:
        log.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    key, url = tmp_path / "log.key", f"sqlite:///{tmp_path / 'log.db'}"
    log = begin(url, key)
    yield Place(log, url, key)
    log.close()


def fails(place: Place, call: str, number: int) -> None:
    error = ERRORS.get(call, "ENOSPC")
    told, code = run(place, f"{call}:error={error}:when={number}")

    assert code == 0, "what failed is told, and the process goes on"
    assert told[-1] == ["done"]
    assert any(kind == "failed" for kind, *_ in told), "the fault was met"
    every_promise_is_kept(place, told)


def dies(place: Place, call: str, number: int) -> None:
    told, code = run(place, f"{call}:signal=SIGKILL:when={number}")

    assert code == -signal.SIGKILL
    every_promise_is_kept(place, told)


@pytest.mark.parametrize(("call", "number"), [*SYNCS, *FEW])
def test_a_disk_that_fails_once_breaks_no_promise(own: Place, call: str, number: int) -> None:
    fails(own, call, number)


@pytest.mark.parametrize(("call", "number"), [s for s in SYNCS if s[0] == "fdatasync"])
def test_sigkill_in_the_middle_of_a_sync_breaks_no_promise(
    own: Place, call: str, number: int
) -> None:
    dies(own, call, number)


def test_a_disk_that_stays_full_breaks_no_promise(own: Place) -> None:
    told, code = run(own, "pwrite64:error=ENOSPC:when=1+")

    assert code == 0
    assert {kind for kind, *_ in told} == {"failed", "done"}
    every_promise_is_kept(own, told)


@pytest.mark.soak
@pytest.mark.parametrize(("call", "number"), WRITES)
def test_a_write_that_fails_anywhere_breaks_no_promise(own: Place, call: str, number: int) -> None:
    fails(own, call, number)


@pytest.mark.soak
@pytest.mark.parametrize(("call", "number"), [*WRITES, *SYNCS])
def test_sigkill_in_the_middle_of_any_call_breaks_no_promise(
    own: Place, call: str, number: int
) -> None:
    dies(own, call, number)
