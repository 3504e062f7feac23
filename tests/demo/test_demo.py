"""``caspian demo``: what somebody sees who tries the hub for the first time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.core.aid import AidEntry, board
from hub.log.store import Log
from hub.log.verify import verify_store
from tests.hubkit import store

pytestmark = pytest.mark.long

DEMO = [sys.executable, "-m", "hub.cli", "demo"]


def environment() -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CASPIAN_")}
    return {**plain, "CASPIAN_PORT": "0", "COLUMNS": "60"}


def processes(directory: Path) -> list[str]:
    """Return the commands that run with this directory in their surroundings."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(directory).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile, or is another's
            continue
    return found


def run_once(directory: Path) -> str:
    done = subprocess.run(
        [*DEMO, "--once", "--data", str(directory)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_until_ctrl_c(directory: Path) -> str:
    running = subprocess.Popen(
        [*DEMO, "--data", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    assert len(processes(directory)) >= 4, said

    running.send_signal(signal.SIGINT)
    said += running.stdout.read()

    running.stdout.close()
    assert running.wait(timeout=60) == 0
    assert processes(directory) == []
    return said


def told(said: str) -> None:
    """Hold what a run says while it plays the scenario against what it is to say."""
    assert "refused" in said
    assert "XADD, signed" in said
    assert "their states' authorities have signed" in said
    assert "is sealed: cosigned by the witnesses of" in said


@pytest.mark.soak
def test_a_second_run_goes_on_with_what_the_first_has_left(tmp_path: Path) -> None:
    first, second = run_once(tmp_path), run_once(tmp_path)

    for said in (first, second):
        told(said)
        assert "verified:" in said


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_it_plays_the_scenario_and_says_how_to_go_on(tmp_path: Path) -> None:
    said = run_until_ctrl_c(tmp_path)

    told(said)
    assert re.search(r"http://127\.0\.0\.1:\d+", said)
    for sort in ("curl ", "XADD inbox:az-fhn", "caspian tail", "caspian show"):
        assert sort in said
    # A terminal of 60 columns cuts no token short.
    assert len(re.findall(r"^ +csp_[a-z0-9]+_[\w-]{43}$", said, re.MULTILINE)) == 4
    assert re.search(r"^ +http://127\.0\.0\.1:\d+/console$", said, re.MULTILINE)
    assert re.search(r"^ +officer\.kz-mes ", said, re.MULTILINE)
    assert re.search(r"^ +(\w{4}-){3}\w{4}$", said, re.MULTILINE)
    assert "everything is stopped" in said
    log = Log.open(store(tmp_path))
    rows = log.rows(limit=1000)
    found = board(AidEntry(m.index, m.agency, m.facts) for m in log.aid_messages())
    assert verify_store(log).ok
    log.close()
    kinds = [row.kind for row in rows]
    assert "dead-letter" not in kinds
    assert kinds.count("refusal") == 1
    sent = [row.facts for row in rows if row.facts]
    assert {facts.kind for facts in sent} == {"alert", "ack", "aid"}
    assert {facts.msg_type for facts in sent} >= {
        *("Alert", "Update", "Cancel", "Ack"),
        *("RequestResource", "ResponseToRequestResource", "OfferUnsolicitedResource"),
        *("AidOfferResponse", "CommitResource"),
    }
    [incident] = found.incidents
    boom = next(line for line in incident.lines if line.type.endswith("=boom-offshore"))
    amounts = {stage: int(figure.amount) for stage, figure in boom.figures.items()}
    assert {stage: amount for stage, amount in amounts.items() if amount} == {
        "asked": 2000,
        "offered": 1200,
        "accepted": 800,
        "committed": 800,
        "under_way": 800,
    }
    assert int(boom.gap.amount) == 1200
    assert {facts.status for facts in sent} == {"Actual", "Exercise"}
    languages = {code for facts in sent for code in facts.languages}
    assert {language.partition("-")[0] for language in languages} >= {
        *("az", "en", "fa", "kk", "ru", "tk"),
    }
    assert {row.agency[:2] for row in rows if row.kind == "publish"} == {
        "az",
        "ir",
        "kz",
        "ru",
        "tm",
    }
