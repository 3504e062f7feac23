"""A witness that is killed, or whose disk fails, at any step never cosigns two histories."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import Unavailable
from hub.witness.making import opened
from tests.witness import faults
from tests.witness.faults import Steps, broken, die_at, submit
from tests.witness.logs import FakeLog

WHEN = ("before", "after")


@pytest.fixture
def begun(directory: Path, log: FakeLog) -> Path:
    assert submit(directory, log.submission(0, 8)) is not None
    return directory


def steps_of(directory: Path, log: FakeLog) -> list[str]:
    steps = Steps()
    with broken(steps):
        assert submit(directory, log.submission(8, 9)) is not None
    return steps.names


def holds(directory: Path, log: FakeLog) -> None:
    """Hold what is there against what may be; the log goes on, and no fork of it does."""
    latest = opened(directory)[2].latest()[0]
    assert latest.size in {8, 9}
    assert latest.root == log.root(latest.size)
    other = log.forked(3, 30)
    for old in (8, 9):
        assert submit(directory, other.submission(old, 9, proof=[] if old == 9 else None)) is None
    assert submit(directory, log.submission(latest.size, 9)) is not None
    assert submit(directory, log.submission(9, 30)) is not None


def test_the_steps_are_those_that_are_meant(begun: Path, log: FakeLog) -> None:
    """Or the tables below would prove less than they say."""
    names = steps_of(begun, log)

    assert names.count("COMMIT") >= 3
    assert names.count("mark") == names.count("flush") == 1
    assert sum(name.startswith("INSERT") for name in names) == 2


@pytest.mark.parametrize("when", WHEN)
def test_a_failing_disk_at_any_step_gives_nothing_away_and_loses_nothing(
    begun: Path, log: FakeLog, tmp_path: Path, when: str
) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(begun, kept)
    names = steps_of(begun, log)
    for at, name in enumerate(names):
        shutil.rmtree(begun)
        shutil.copytree(kept, begun)
        fault = faults.fail_file if name in {"mark", "flush"} else faults.fail

        with broken(Steps(at, when, fault)), pytest.raises(Unavailable):
            submit(begun, log.submission(8, 9))

        holds(begun, log)


@pytest.mark.parametrize("when", WHEN)
def test_sigkill_at_any_step_loses_nothing(
    begun: Path, log: FakeLog, tmp_path: Path, when: str
) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(begun, kept)
    names = steps_of(begun, log)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.witness.faults"])
    for at in range(len(names)):
        shutil.rmtree(begun)
        shutil.copytree(kept, begun)

        child = processes.Process(target=die_at, args=(begun, log.submission(8, 9), at, when))
        child.start()
        child.join(60)

        assert child.exitcode == -signal.SIGKILL, names[at]
        holds(begun, log)


_CHILD = """
import sys
from pathlib import Path
from tests.witness.faults import submit
print("given", submit(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()) is not None)
"""


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here")
@pytest.mark.parametrize("how", ["error=EIO", "signal=SIGKILL"])
@pytest.mark.parametrize("call", ["fsync,fdatasync", "pwrite64", "rename,unlink"])
def test_the_system_fails_at_any_call(
    begun: Path, log: FakeLog, tmp_path: Path, call: str, how: str
) -> None:
    """The same below SQLite: each write, flush, rename and unlink, in a process of its own."""
    kept, body = tmp_path / "kept", tmp_path / "body"
    shutil.copytree(begun, kept)
    body.write_bytes(log.submission(8, 9))
    for at in range(1, 60):
        shutil.rmtree(begun)
        shutil.copytree(kept, begun)
        paths = (begun, begun / "witness.db", begun / "witness.db-journal")
        done = subprocess.run(
            [
                *("strace", "-f", "-qq", "-o", "/dev/null"),
                *(part for path in paths for part in ("-P", str(path))),
                *("-e", f"trace={call}", "-e", f"inject={call}:{how}:when={at}"),
                *(sys.executable, "-B", "-c", _CHILD, str(begun), str(body)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        given = re.search(r"given True", done.stdout)
        if given and opened(begun)[2].latest()[0].size != 9:
            pytest.fail("a cosignature was given away that the store does not know")
        holds(begun, log)
        if given:
            return
    pytest.fail("it never came through")
