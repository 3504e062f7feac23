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
from typing import TYPE_CHECKING, Any

from hub.child_process import KeptOutput, kill_group, terminate, tied
from hub.errors import HubError, Unavailable
from hub.supervised import Child, ChildEvent, ChildState, restart_delay

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Child", "ChildEvent", "ChildState", "Supervisor", "restart_delay"]

_READY_POLL_S = 0.05
_LAST_WORDS_S = 1.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Life:
    child: Child
    process: Process | None = None
    started_at: datetime | None = None
    restarts: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def state(self) -> ChildState:
        pid = self.process.pid if self.process and self.running else None
        return ChildState(pid, self.started_at, self.restarts, self.running)

    def kill(self) -> None:
        self.ending.set()
        if self.process and self.running:
            kill_group(self.process.pid)


class Supervisor:
    """Keeps *children* alive from :meth:`run` until :meth:`stop`, a signal, or cancellation.

    Each child's output goes to ``<directory>/logs/<name>.log``, in about
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
            if life.ending.is_set():
                self._on_event(replace(event, kind="stopped"))
                return
            deaths = 1 if loop.time() - began >= self._settled_after_s else deaths + 1
            delay = restart_delay(deaths, random.random())  # noqa: S311 - it spreads load
            self._on_event(replace(event, restart_in=delay))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay.total_seconds()):
                    await life.ending.wait()
                    return
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
            try:
                if life.ending.is_set():
                    terminate(process.pid)
                self._on_event(ChildEvent("started", name, pid=process.pid))
                code = await process.wait()
            except BaseException:  # whatever ends this task, the process ends first
                kill_group(process.pid)
                await process.wait()
                raise
            kill_group(process.pid)
            await output.ended(within_s=_LAST_WORDS_S)
        return ChildEvent("exited", name, pid=process.pid, exit_code=code)

    async def _end(self, life: _Life) -> None:
        """Stop *life*'s child for good: SIGTERM, its grace, SIGKILL to its whole group."""
        life.ending.set()
        if life.keeper is None:
            return
        if life.process and life.running:
            terminate(life.process.pid)
        await asyncio.wait({life.keeper}, timeout=self._grace_s)
        while not life.keeper.done():
            life.kill()
            await asyncio.wait({life.keeper}, timeout=_LAST_WORDS_S)

    def _abandon(self) -> None:
        """Let nothing live on when the orderly end was itself cut short."""
        for life in self._lives:
            if life.keeper:
                life.keeper.cancel()
            life.kill()

    def _interrupted(self) -> None:
        if self._stopping.is_set():
            for life in self._lives:
                life.kill()
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
