"""A whole hub, run by the command itself: ``caspian serve`` and ``caspian consumers``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from hub.streams.embedded import EmbeddedServer, free_port
from tests.cli import within
from tests.hubkit import NO_TLS

__all__ = ["Hub", "running_hub"]


@dataclass
class Hub:
    """A hub that runs, and who may ask it."""

    directory: Path
    url: str
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def caspian(
        self, *arguments: str, who: str = "", stdin: bytes | str = b"", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as *who*, a name among `tokens`; as nobody where it is empty."""
        environment = {**self.environment, **env}
        if who:
            environment["CASPIAN_TOKEN"] = self.tokens[who]
        return within.run(
            arguments,
            stdin=stdin if isinstance(stdin, bytes) else stdin.encode(),
            directory=self.directory,
            environment=environment,
        )

    def start(self, part: str) -> None:
        """Start a part as a person would."""
        with (self.directory / f"{part}.log").open("ab") as output:
            self.processes[part] = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", part],
                cwd=self.directory,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        if part == "serve":
            self.wait_ready()

    def stop(self, part: str, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop a part and return its exit code."""
        process = self.processes.pop(part)
        process.send_signal(how)
        return process.wait(30)

    def wait_ready(self) -> None:
        """Return once the API says that the hub can work."""
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2, verify=NO_TLS).is_success:
                    return
            except httpx.TransportError:
                pass
            if self.processes["serve"].poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.directory / "serve.log").read_text()[-3000:])
            time.sleep(0.05)


@contextmanager
def running_hub(directory: Path, *, roots: Path | None = None) -> Iterator[Hub]:
    """Run a hub with two members, and a token for everybody; with *roots* for the operator only."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("CASPIAN_")}
    port = free_port()
    with EmbeddedServer(directory / "valkey") as server:
        hub = Hub(
            directory,
            f"http://127.0.0.1:{port}",
            {
                **kept,
                "TZ": "UTC",
                "TERM": "xterm-256color",
                "CASPIAN_LANGUAGE": "en",
                "CASPIAN_URL": f"http://127.0.0.1:{port}",
                "CASPIAN_PORT": str(port),
                "CASPIAN_REDIS_URL": server.url,
                "CASPIAN_LOG_URL": f"sqlite:///{directory / 'log.db'}",
                "CASPIAN_ORIGIN": "test.example/log",
                "CASPIAN_LOG_FORMAT": "json",
                **({"CASPIAN_ROOTS": str(roots)} if roots else {}),
            },
        )
        try:
            hub.start("consumers")
            hub.start("serve")
            _settle(hub, signed=roots is not None)
            yield hub
        finally:
            for part in list(hub.processes):
                hub.stop(part)


def _settle(hub: Hub, *, signed: bool) -> None:
    def token(who: str, *arguments: str) -> None:
        done = hub.caspian("tokens", "add", *arguments)
        assert done.returncode == 0, done.stderr
        hub.tokens[who] = done.stdout.strip()

    token("operator", "operator")
    token("auditor", "auditor")
    if signed:
        return
    for agency, name in (("az-fhn", "Ministry of Emergency Situations"), ("ir-ndmo", "NDMO")):
        added = hub.caspian("members", "add", agency, "--name", name, who="operator")
        assert added.returncode == 0, added.stderr
        token(agency, "agency", "--agency", agency)
    token("officer", "officer", "--agency", "ir-ndmo", "--person", "Reza Karimi")
