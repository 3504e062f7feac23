"""How several real processes start in order, come back when they die, and stop in order.

The hub on one machine is a few processes: the stream server, the consumers,
the API. One supervisor starts them in order, each when the one before it is
ready, starts again what dies, and stops them in the reverse order, so that
what writes is gone before what it writes to.

Ctrl-C reaches the supervisor alone: every child leads a session of its own, so
the terminal does not interrupt it, and it is stopped in its turn. A second
Ctrl-C does not wait: everything is killed. Children die with a supervisor that
was killed; ``hub.child_process`` says where that promise ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from hub.child_process import KeptOutput, kill_group, tied
from hub.errors import HubError, Unavailable

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child", "ChildEvent", "ChildState", "Supervisor", "restart_delay"]

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_READY_POLL_S = 0.05
_LAST_WORDS_S = 1.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def restart_delay(deaths: int, jitter: float) -> timedelta:
    """Return how long to wait after that many *deaths* in a row: nothing after the first.

    Then 0.1 s, doubled each time up to 5 s, so that a child that cannot live
    does not eat the machine. *jitter* in [0, 1) spreads it by a quarter either
    way, within those bounds, so that children that died together do not come
    back together.
    """
    if deaths <= 1:
        return timedelta(0)
    doubled = _FIRST_DELAY_S * 2.0 ** min(deaths - 2, 16)
    spread = min(doubled, _LONGEST_DELAY_S) * (0.75 + jitter / 2)
    return timedelta(seconds=min(max(spread, _FIRST_DELAY_S), _LONGEST_DELAY_S))


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive.

    *argv* may be a function: it is called before each start and may write the
    files that the program needs; ``HubError`` or ``OSError`` from it counts as
    a death. *env* is added to the supervisor's own environment. *ready* says
    whether the next child may start; the same errors from it mean not yet.
    Without it, a child is ready once it runs.
    """

    name: str
    argv: Callable[[], Sequence[str]] | Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None


@dataclass(frozen=True, slots=True)
class ChildState:
    """What a child does now. *pid* is None while it does not run; the first start is no restart."""

    pid: int | None
    started_at: datetime | None
    restarts: int
    running: bool


@dataclass(frozen=True, slots=True)
class ChildEvent:
    """Something that happened to a child, for whoever shows or logs it.

    ``exited`` and ``failed`` (it could not be started, *reason* says why) are
    followed by a new start in *restart_in*; ``stopped`` is its end. *exit_code*
    is the program's, or minus the signal that killed it.
    """

    kind: Literal["started", "ready", "exited", "failed", "stopped"]
    name: str
    pid: int | None = None
    exit_code: int | None = None
    reason: str = ""
    restart_in: timedelta | None = None


@dataclass(slots=True)
class _Life:
    child: Child
    process: Process | None = None
    started_at: datetime | None = None
    restarts: int = 0
    ending: bool = False
    keeper: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def state(self) -> ChildState:
        pid = self.process.pid if self.process and self.running else None
        return ChildState(pid, self.started_at, self.restarts, self.running)


class Supervisor:
    """Keeps *children* alive from :meth:`run` until :meth:`stop`, a signal, or cancellation.

    Each child's output goes to ``<directory>/logs/<name>.log``, in at most
    32 MiB with what was rotated away. A child gets *grace* between SIGTERM and
    SIGKILL. *on_event* is called in the loop and must not block or raise.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        directory: Path,
        grace: timedelta = timedelta(seconds=5),
        ready_within: timedelta = timedelta(seconds=60),
        settled_after: timedelta = timedelta(seconds=10),
        on_event: Callable[[ChildEvent], None] = lambda _: None,
    ) -> None:
        if len({child.name for child in children}) != len(children):
            raise ValueError("two children of one supervisor share a name")
        self._lives = [_Life(child) for child in children]
        self._logs = directory / "logs"
        self._grace_s = grace.total_seconds()
        self._ready_within_s = ready_within.total_seconds()
        self._settled_after_s = settled_after.total_seconds()
        self._on_event = on_event
        self._stopping = asyncio.Event()

    def states(self) -> dict[str, ChildState]:
        """Return what each child does now, in the order of their start."""
        return {life.child.name: life.state() for life in self._lives}

    def stop(self) -> None:
        """Make :meth:`run` stop every child and return; calling it again changes nothing."""
        self._stopping.set()

    async def run(self) -> None:
        """Start the children in order and keep them alive; return when all are stopped.

        Needs the main thread. Whatever ends it, no child is left: each is
        stopped in reverse order, one after the other, and killed if it outlives
        its grace.

        Raises:
            Unavailable: a child was not ready within *ready_within*.

        """
        with self._signals():
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                for life in self._lives:
                    if not await self._start(life, stopping):
                        break
                await self._first_of(stopping)
            finally:
                stopping.cancel()
                try:
                    for life in reversed(self._lives):
                        await self._end(life)
                finally:
                    self._abandon()

    async def _start(self, life: _Life, stopping: asyncio.Task[Any]) -> bool:
        """Start *life*'s child and wait until it is ready; False if it is time to stop instead."""
        life.keeper = asyncio.create_task(self._keep(life))
        ready = asyncio.create_task(self._until_ready(life))
        try:
            done = await self._first_of(stopping, ready, timeout_s=self._ready_within_s)
        finally:
            ready.cancel()
        if stopping in done:
            return False
        if ready not in done:
            raise Unavailable(
                "child-not-ready",
                f"{life.child.name} was not ready within {self._ready_within_s:g} s",
                remedy=f"Read {self._log_path(life)}.",
            )
        ready.result()
        self._on_event(ChildEvent("ready", life.child.name, pid=life.state().pid))
        return True

    async def _first_of(
        self, *tasks: asyncio.Task[Any], timeout_s: float | None = None
    ) -> set[asyncio.Task[Any]]:
        keepers = {life.keeper for life in self._lives if life.keeper}
        done, _ = await asyncio.wait(
            {*tasks, *keepers}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        for keeper in keepers & done:
            keeper.result()  # it ends early only by a fault, ours or the listener's
        return done

    async def _until_ready(self, life: _Life) -> None:
        ready = life.child.ready
        while True:
            with contextlib.suppress(HubError, OSError):
                if life.running and (ready is None or await ready()):
                    return
            await asyncio.sleep(_READY_POLL_S)

    async def _keep(self, life: _Life) -> None:
        """Start *life*'s child again and again until it is being ended."""
        loop = asyncio.get_running_loop()
        deaths = 0
        while True:
            began = loop.time()
            event = await self._live(life)
            if life.ending:
                self._on_event(replace(event, kind="stopped"))
                return
            deaths = 1 if loop.time() - began >= self._settled_after_s else deaths + 1
            delay = restart_delay(deaths, random.random())  # noqa: S311 - it spreads load
            self._on_event(replace(event, restart_in=delay))
            await asyncio.sleep(delay.total_seconds())
            life.restarts += 1

    async def _live(self, life: _Life) -> ChildEvent:
        """Run the child once, from its start to the end of all that it left behind."""
        name = life.child.name
        try:
            argv = life.child.argv() if callable(life.child.argv) else life.child.argv
            output = KeptOutput(self._log_path(life))
        except (HubError, OSError) as error:
            return ChildEvent("failed", name, reason=str(error))
        with contextlib.closing(output):
            read_end, write_end = os.pipe()
            try:
                await asyncio.get_running_loop().connect_read_pipe(
                    lambda: output, os.fdopen(read_end, "rb", buffering=0)
                )
                process = life.process = await asyncio.create_subprocess_exec(
                    *tied(argv),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=write_end,
                    stderr=write_end,
                    env={**os.environ, **life.child.env},
                    start_new_session=True,
                )
            finally:
                os.close(write_end)
            life.started_at = datetime.now(UTC)
            self._on_event(ChildEvent("started", name, pid=process.pid))
            code = await process.wait()
            kill_group(process.pid)
            await output.ended(within_s=_LAST_WORDS_S)
        return ChildEvent("exited", name, pid=process.pid, exit_code=code)

    async def _end(self, life: _Life) -> None:
        """Stop *life*'s child for good: SIGTERM, its grace, SIGKILL to its whole group."""
        life.ending = True
        if life.keeper is None:
            return
        if life.process and life.running:
            with contextlib.suppress(ProcessLookupError):
                life.process.terminate()
        else:
            life.keeper.cancel()
        await asyncio.wait({life.keeper}, timeout=self._grace_s)
        if life.process and not life.keeper.done():
            kill_group(life.process.pid)
            await asyncio.wait({life.keeper})

    def _abandon(self) -> None:
        """Let nothing live on when the orderly end was itself cut short."""
        for life in self._lives:
            life.ending = True
            if life.keeper:
                life.keeper.cancel()
            if life.process and life.running:
                kill_group(life.process.pid)

    def _interrupted(self) -> None:
        if self._stopping.is_set():
            for life in self._lives:
                life.ending = True
                if life.process and life.running:
                    kill_group(life.process.pid)
        self.stop()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
        # What was ignored stays ignored: a hub started with nohup outlives its terminal.
        ours = [number for number in _STOP_SIGNALS if before[number] is not signal.SIG_IGN]
        for number in ours:
            loop.add_signal_handler(number, self._interrupted)
        try:
            yield
        finally:
            for number in ours:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])

    def _log_path(self, life: _Life) -> Path:
        return self._logs / f"{life.child.name}.log"
