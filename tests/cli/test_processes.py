"""Every command in a process of its own, where it does and says what it does in the test's."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import structlog

from hub.cli import _COMMANDS, words
from tests.cli import forked, within
from tests.cli.hub import Hub
from tests.log.samples import cap

CALLS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "publish": ("az-fhn", ("-",), 0),
    "ack": ("officer", ("{index}",), 0),
    "show": ("officer", ("{index}",), 0),
    "proof": ("az-fhn", ("{index}",), 5),
    "receipt": ("az-fhn", ("get", "{index}"), 0),
    "thread": ("officer", ("{index}",), 0),
    "incidents": ("officer", (), 0),
    "unacked": ("officer", ("ir-ndmo",), 0),
    "handover": ("officer", ("ir-ndmo",), 0),
    "escalations": ("officer", (), 0),
    "tail": ("officer", ("--since", "{index}", "--limit", "1", "--json"), 0),
    "validate": ("", ("-",), 0),
    "template": ("", ("alert",), 0),
    "convert": ("", ("-", "--to", "geojson"), 0),
    "where": ("", ("-",), 0),
    "vocab": ("", ("ls",), 0),
    "aid": ("officer", ("board",), 0),
    "log": ("", ("ls", "--to", "3"), 0),
    "verify": ("", (), 0),
    "replays": ("auditor", ("ls",), 0),
    "report": ("officer", ("acks",), 0),
    "holds": ("auditor", ("ls",), 0),
    "keys": ("officer", ("ls",), 0),
    "registry": ("officer", ("show",), 0),
    "members": ("officer", ("ls",), 0),
    "subs": ("officer", ("ls",), 0),
    "outlets": ("az-fhn", ("ls",), 0),
    "tokens": ("", ("ls",), 0),
    "accounts": ("", ("ls",), 0),
    "redis": ("", ("acl", "--nothing"), 2),
    "dead": ("auditor", ("ls",), 0),
    "demo": ("", ("--port", "many"), 2),
    "serve": ("", ("--port", "many"), 2),
    "witness": ("", ("key", "nowhere"), 5),
    "mirror": ("", ("run", "nowhere"), 5),
    "consumers": ("", ("leisure",), 2),
    "doctor": ("", (), 0),
    "backup": ("", ("processes.backup", "--force"), 0),
    "restore": ("", ("nowhere.backup",), 2),
    "rebuild": ("", ("--projections",), 0),
    "context": ("", ("ls",), 0),
    "completion": ("", ("bash",), 0),
}
"""Who calls each command, with what, and how it ends."""


@pytest.fixture(scope="module")
def message() -> bytes:
    """Give an alert that this module alone publishes."""
    return cap("processes-1", sent=datetime.now(UTC))


@pytest.fixture(scope="module")
def index(hub: Hub, message: bytes) -> str:
    """Publish it and acknowledge it; give its number."""
    done = hub.caspian("publish", "-", "--json", who="az-fhn", stdin=message)
    index = str(json.loads(done.stdout)["receipt"]["index"])
    assert hub.caspian("ack", index, who="officer").returncode == 0
    return index


@pytest.mark.long
@pytest.mark.parametrize("name", CALLS)
def test_a_command_is_the_same_in_a_process_of_its_own(
    hub: Hub, message: bytes, index: str, name: str
) -> None:
    who, arguments, code = CALLS[name]
    environment = {**hub.environment, **({"CASPIAN_TOKEN": hub.tokens[who]} if who else {})}

    for _ in range(3):  # the hub may do something of its own between the one and the other
        alone, here = (
            run(
                [name, *(one.format(index=index) for one in arguments)],
                stdin=message,
                directory=hub.directory,
                environment=environment,
            )
            for run in (forked.run, within.run)
        )
        if _lasting(alone) == _lasting(here):
            break

    assert alone.returncode == here.returncode == code, alone
    assert _lasting(alone) == _lasting(here)
    assert "Traceback" not in alone.stderr


def _lasting(done: CompletedProcess[str]) -> list[str]:
    """Return what was said, without what differs from one second to the next."""
    return [re.sub(r"[0-9a-f]*[0-9][0-9a-f]*", "0", text) for text in (done.stdout, done.stderr)]


def test_no_command_is_left_out() -> None:
    assert list(CALLS) == [name for name, *_ in _COMMANDS]


def test_nothing_of_a_command_stays_in_this_process(tmp_path: Path) -> None:
    def state() -> object:
        return (
            dict(os.environ),
            Path.cwd(),
            time.tzname,
            (sys.stdin, sys.stdout, sys.stderr),
            [os.fstat(number) for number in range(3)],
            logging.getLogger().handlers[:],
            structlog.get_config(),
            words.spoken(),
        )

    before = state()
    environment = {"CASPIAN_LANGUAGE": "fa", "TZ": "Asia/Tehran", "HOME": str(tmp_path)}

    done = within.run(["vocab", "ls"], stdin=b"", directory=tmp_path, environment=environment)

    assert done.returncode == 0
    assert state() == before


def test_a_fault_is_told_as_it_is_and_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_tokens: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(within, "main", broken)
    before = dict(os.environ), Path.cwd(), sys.stdout

    with pytest.raises(ZeroDivisionError):
        within.run(["vocab"], stdin=b"", directory=tmp_path, environment={})

    assert (dict(os.environ), Path.cwd(), sys.stdout) == before
