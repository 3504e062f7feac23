"""Break a witness at any step of cosigning: each statement, and each flush of its mark."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.core.witnessing import Submission, read_submission
from hub.errors import Unavailable
from hub.witness import identity, store
from hub.witness.making import opened
from schemas.notes import Note
from tests.witness.logs import NOW

__all__ = ["Steps", "broken", "die_at", "submit"]


class Steps:
    """Counts steps; does something before or after one of them."""

    def __init__(self, at: int = -1, when: str = "before", do: Callable[[], None] = bool) -> None:
        self.names: list[str] = []
        self._at = at
        self._when = when
        self._do = do

    def __call__(self, name: str, step: Callable[[], Any]) -> Any:
        here = len(self.names) == self._at
        self.names.append(name)
        if here and self._when == "before":
            self._do()
        done = step()
        if here and self._when == "after":
            self._do()
        return done


class broken:  # noqa: N801  # it stands where a function would
    """While it lasts, all that a witness does to its files goes through *steps*."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        steps, real = self._steps, store._connect
        self._real = real, identity.write_private, identity._flush_directory

        class Connection:
            def __init__(self, c: sqlite3.Connection) -> None:
                self._c = c

            def execute(self, text: str, *given: Any) -> Any:
                return steps(text.split("\n", maxsplit=1)[0], lambda: self._c.execute(text, *given))

            def close(self) -> None:
                self._c.close()

        store._connect = lambda *a: Connection(real(*a))  # type: ignore[assignment,return-value]
        write, flush = self._real[1:]
        identity.write_private = lambda *a: steps("mark", lambda: write(*a))
        identity._flush_directory = lambda *a: steps("flush", lambda: flush(*a))

    def __exit__(self, *_: object) -> None:
        store._connect, identity.write_private, identity._flush_directory = self._real


def submit(directory: Path, body: bytes) -> Note | None:
    """Submit once, as a process of its own would; return what was given away."""
    config, _, kept = opened(directory)
    one = read_submission(body)
    assert isinstance(one, Submission)
    answer = kept.add(one, keys=config.logs, now_s=NOW)
    return answer if isinstance(answer, Note) else None


def die_at(directory: Path, body: bytes, at: int, when: str) -> None:
    """Submit, and be killed at a step."""
    with broken(Steps(at, when, lambda: os.kill(os.getpid(), signal.SIGKILL))):
        submit(directory, body)


def fail() -> None:
    """Fail as a broken disk does."""
    raise sqlite3.OperationalError("disk I/O error")


def fail_file() -> None:
    """Fail as a broken disk does, under a plain file."""
    raise OSError(5, "Input/output error")


__all__ += ["Unavailable", "fail", "fail_file"]
