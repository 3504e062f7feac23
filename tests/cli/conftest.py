"""The command, as a person would call it, and things for it to look at."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.log.store import Log
from hub.streams.embedded import EmbeddedServer
from tests.cli import within
from tests.cli.hub import Hub, running_hub
from tests.log.samples import Writer, acknowledgement, alert, cap, refusal, subscription

Caspian = Callable[..., subprocess.CompletedProcess[str]]
Fresh = Callable[..., bytes]

ORIGIN = "test.example/log"
"""How the logs of `tests.log.samples` call themselves."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an environment without settings of the machine's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASPIAN_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        kept.pop(name, None)
    return {
        **kept,
        "TZ": "UTC",
        "HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "CASPIAN_LANGUAGE": "en",
        "CASPIAN_ORIGIN": ORIGIN,
        "CASPIAN_LOG_URL": f"sqlite:///{tmp_path / 'log.db'}",
    }


@pytest.fixture
def caspian(environment: dict[str, str], tmp_path: Path) -> Caspian:
    """Give a function that runs the command to its end."""

    def run(
        *arguments: str, stdin: str | bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return within.run(
            arguments,
            stdin=stdin.encode() if isinstance(stdin, str) else stdin,
            directory=tmp_path,
            environment={**environment, **(env or {})},
        )

    return run


@pytest.fixture(scope="session")
def made_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of the log that `log` gives, to copy: to make it takes far longer."""
    path = tmp_path_factory.mktemp("made") / "log.db"
    log = Log.open(f"sqlite:///{path}")
    writer = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")
    writer.commit(
        [
            alert("az-fhn", "a-1"),
            alert(
                "az-fhn",
                "a-2",
                status="Exercise",
                severity="Extreme",
                headline="Drill \x85\x9b2J \u202e[bold red]now[/]",
            ),
        ]
    )
    writer.commit(
        [
            acknowledgement("ir-ndmo", "4", officer="Reza", note="seen \x1b]0;pwned\x07"),
            subscription("ir-ndmo", "severe", filter={"severity": "Severe"}),
            refusal("kz-mchs"),
        ]
    )
    log.close()
    return path


@pytest.fixture
def log(made_log: Path, tmp_path: Path) -> Iterator[Log]:
    """Give a log of nine entries, one of nearly every kind, some of them evil to a terminal."""
    shutil.copy(made_log, tmp_path / "log.db")
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    yield log
    log.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """Give a running stream server."""
    with EmbeddedServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Give a hub that runs; its tests share it, and publish under names of their own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def fresh() -> Callable[..., bytes]:
    """Give a function that makes a message sent now, with an identifier nobody has used."""

    def make(**given: Any) -> bytes:
        given.setdefault("sent", datetime.now(UTC))
        return cap(f"cli-{uuid.uuid4().hex}", **given)

    return make
