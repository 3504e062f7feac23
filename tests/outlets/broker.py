"""A real broker, mosquitto, as a child process; tests that need one skip where there is none."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.streams.embedded import free_port

__all__ = ["Broker", "broker"]

_PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


class Broker:
    """A broker on a port of this machine; it may be stopped, and started again."""

    def __init__(self, directory: Path, config: str) -> None:
        found = shutil.which("mosquitto", path=_PATHS)
        if found is None:
            if os.environ.get("CI") == "true":
                pytest.fail("there is no mosquitto to test with: install Debian's package")
            pytest.skip("there is no mosquitto to test with: install Debian's package")
        self.port = free_port()
        self._file = directory / "mosquitto.conf"
        # Started as root it would become another user, who may not read a test's files.
        user = "user root\n" if os.geteuid() == 0 else ""
        self._file.write_text(
            f"{user}listener {self.port} 127.0.0.1\npersistence true\n"
            f"persistence_location {directory}/\n{config}"
        )
        self._command = [found, "-c", str(self._file)]
        self._log = directory / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

    async def ready(self) -> None:
        """Wait until it takes connections."""
        async with asyncio.timeout(30):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                except OSError:
                    assert self._process is not None
                    assert self._process.poll() is None, self._log.read_text()
                    await asyncio.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


@contextmanager
def broker(directory: Path, config: str = "allow_anonymous true\n") -> Iterator[Broker]:
    """Run a broker."""
    directory.mkdir(exist_ok=True)
    running = Broker(directory, config)
    running.start()
    try:
        yield running
    finally:
        running.stop()
