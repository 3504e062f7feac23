"""``caspian serve`` and ``consumers`` stay until they are stopped, and say why they cannot."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Caspian
from tests.cli.hub import running_hub


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_parts_end_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    with running_hub(tmp_path) as hub:
        assert hub.stop("serve", how) == 0
        assert hub.stop("consumers", how) == 0

    for part in ("serve", "consumers"):
        written = (tmp_path / f"{part}.log").read_text()
        assert "Traceback" not in written
        for line in written.splitlines():
            json.loads(line)


def test_a_job_that_is_none_is_refused(caspian: Caspian) -> None:
    done = caspian("consumers", "ledger", "leisure")

    assert done.returncode == 2
    assert "there is no job leisure" in done.stderr
    assert "intake, ledger, fanout, delivery" in done.stderr


@pytest.mark.usefixtures("log")
def test_consumers_do_not_write_into_another_hubs_log(caspian: Caspian) -> None:
    done = caspian("consumers", env={"CASPIAN_ORIGIN": "other.example/log"})

    assert done.returncode == 3
    assert "error log-foreign: " in done.stderr


@pytest.mark.usefixtures("log")
def test_a_port_that_is_taken_is_told(caspian: Caspian) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = caspian("serve", "--port", port)

    assert done.returncode == 3
    assert "error port-in-use: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--port", "many"), ("serve", "--port", "70000"), ("demo", "--port", "x")],
)
def test_an_option_that_makes_no_sense_is_refused(
    caspian: Caspian, arguments: tuple[str, ...]
) -> None:
    done = caspian(*arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
