"""Work that needs no order, done on every core, and handed back in order.

The processes are begun anew (not forked: this one has threads) and die with this one.
At most a few lots are under way at once, so memory is bounded however long the input.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from hub.errors import Unavailable

__all__ = ["Workers", "cores", "workers"]

Kept = TypeVar("Kept")
In = TypeVar("In")
Out = TypeVar("Out")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Some processes, or none: then the work is done here, when it is asked for."""

    def __init__(self, pool: ProcessPoolExecutor | None, count: int) -> None:
        self._pool = pool
        self._window = 2 * count + 1

    def map(
        self, do: Callable[[In], Out], items: Iterable[tuple[Kept, In]]
    ) -> Iterator[tuple[Kept, Out]]:
        """Yield for each (kept, sent) what is kept, and what *do* made of what is sent; in order.

        Reads only a little ahead. An error of *items* comes after what was read before it.

        Raises:
            Unavailable: ``workers-lost``; a process was killed, perhaps for want of memory.
        """
        if self._pool is None:
            for kept, sent in items:
                yield kept, do(sent)
            return
        under_way: deque[tuple[Kept, Future[Out]]] = deque()
        errors: list[Exception] = []
        try:
            for kept, sent in _until(items, errors):
                under_way.append((kept, self._pool.submit(do, sent)))
                if len(under_way) >= self._window:
                    first, future = under_way.popleft()
                    yield first, future.result()
            while under_way:
                first, future = under_way.popleft()
                yield first, future.result()
        except BrokenProcessPool as e:
            raise Unavailable(
                "workers-lost",
                "a process that verified a part of the log was killed",
                remedy="Look whether the machine ran out of memory; try again with --workers 1.",
            ) from e
        finally:
            for _, future in under_way:
                future.cancel()
        if errors:
            raise errors[0]


def _until(items: Iterable[In], errors: list[Exception]) -> Iterator[In]:
    """Yield items until one cannot be had, and put down why."""
    try:
        yield from items
    except Exception as e:  # noqa: BLE001 - whatever it is: what came before has its turn first
        errors.append(e)


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Have *count* processes at work for as long as the context is open; none for 1."""
    if count < 2:
        yield Workers(None, 1)
        return
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
    ) as pool:
        try:
            yield Workers(pool, count)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the process that waits for us, and die with it (see hub.child_process)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only here, and only on Linux

        library: Any = ctypes.CDLL(None)
        library.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
