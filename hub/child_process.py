"""How a child process dies with us, and where what it prints goes.

- On Linux the kernel kills a tied child when we die, by SIGKILL too
  (``PR_SET_PDEATHSIG``). macOS has nothing like it, and a server such as Valkey
  watches no pipe of ours: there, children outlive a parent that was killed by
  SIGKILL, and the next start says that their port is in use.
- The kernel ties a child to the *thread* that started it: start it from the
  main thread, or from one that stays.
- What a child itself started dies with its process group (:func:`kill_group`)
  while we live; nobody kills it when it is we who were killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["KeptOutput", "kill_group", "terminate", "tied"]

# Runs between fork and the program: a preexec_fn would run Python in the forked copy of a process
# with threads, which can deadlock. The check of getppid closes the race in which the parent died
# before prctl. Python ignores SIGPIPE, and what is ignored stays ignored in the next program.
_TIE = """\
import os, signal, sys
parent, program = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes
    PR_SET_PDEATHSIG = 1
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("cannot tie this process to the one that starts it")
if os.getppid() != parent:
    sys.exit("the process that started this one is gone")
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
try:
    os.execvp(program[0], program)
except OSError as error:
    print(f"cannot run {program[0]}: {error.strerror}", file=sys.stderr)
    sys.exit(127)
"""


def tied(argv: Sequence[str]) -> list[str]:
    """Return the command that runs *argv* so that it dies with this process (Linux; see above).

    The program takes the place of the few lines that tie it: same process id,
    same standard streams. The exit code is 127 if it cannot be run.
    """
    return [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *argv]


def terminate(pid: int) -> None:
    """Ask *pid*, a child that nobody has waited for yet, to end; gone is fine.

    asyncio's own way asks the system first whether the child has ended, and takes its exit
    code away from the thread that waits for it.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that *pid* leads; nothing left is fine."""
    # macOS answers EPERM for a group in which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class KeptOutput(asyncio.Protocol):
    """Appends what a pipe brings to *path*, whole lines together, in bounded space.

    At *limit_bytes* the file becomes ``<name>.1``, that one ``.2``, up to
    *kept*; the oldest goes. A line may make a file up to twice as long. A disk that
    is full or gone loses lines and never stops the process that printed them.
    """

    def __init__(self, path: Path, *, limit_bytes: int = 8 * 1024 * 1024, kept: int = 3) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._kept = kept
        self._transport: asyncio.BaseTransport | None = None
        self._ended = asyncio.Event()
        self._fd = self._open()
        self._size_bytes = os.fstat(self._fd).st_size

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the pipe, to let go of it in :meth:`close`."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Append *data*, in the next file if this one is full."""
        with contextlib.suppress(OSError):
            if self._size_bytes + len(data) >= self._limit_bytes:
                line_end = data.rfind(b"\n") + 1
                self._append(data[:line_end])
                data = data[line_end:]
                # A line as long as another whole file is cut: the bound matters more.
                if line_end or self._size_bytes >= 2 * self._limit_bytes:
                    self._rotate()
            self._append(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's form
        """Note that nobody holds the other end any more."""
        self._ended.set()

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self._size_bytes += written
            view = view[written:]

    def _rotate(self) -> None:
        for number in range(self._kept, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}")
            with contextlib.suppress(FileNotFoundError):
                (newer if number > 1 else self._path).replace(older)
        fresh = self._open()
        os.close(self._fd)
        self._fd = fresh
        self._size_bytes = os.fstat(fresh).st_size

    async def ended(self, *, within_s: float) -> None:
        """Wait until everybody who held the pipe has closed it, but not longer than that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ended.wait()

    def close(self) -> None:
        """Take no more, and give back the file."""
        if self._transport is not None:
            self._transport.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
