"""The command in the test's own process, as if it had one of its own.

To make a process takes longer than most commands, and few tests need one. So a command is given
what it would have there: three files as its standard streams, a directory, an environment and its
time zone, a language not yet chosen, logging that nobody has set up. All is put back afterwards.
A fault of ours, which would end a process with a traceback, comes out as it is.

What stays until it is stopped (`STAYING`) has a process all the same, and so has what is tried on
a terminal, at a pipe or with signals. `test_processes` holds every command in a process of its own
against the same command here.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from typing import IO

import structlog

from hub.cli import main, terminal, words
from tests.cli import forked

__all__ = ["STAYING", "run"]

STAYING = (("serve",), ("consumers",), ("demo",), ("witness", "run"), ("mirror", "run"))
"""Commands that stay: they set up the process's logging and its signals."""


def run(
    arguments: Sequence[str], *, stdin: bytes, directory: Path, environment: Mapping[str, str]
) -> CompletedProcess[str]:
    """Run the command to its end, in a process of its own if it is one that stays."""
    if any(tuple(arguments[: len(one)]) == one for one in STAYING):
        return forked.run(arguments, stdin=stdin, directory=directory, environment=environment)
    with ExitStack() as stack:
        files = [stack.enter_context(TemporaryFile()) for _ in range(3)]
        files[0].write(stdin)
        files[0].seek(0)
        with _quiet_logging(), _environment(environment), _directory(directory), _streams(files):
            running = set(threading.enumerate())
            code = _ended(arguments)
            left = [t for t in threading.enumerate() if t not in running and not t.daemon]
        assert not left, f"a process would not end before {left}"
        out, err = (_read(file) for file in files[1:])
    return CompletedProcess(["caspian", *arguments], code, out, err)


def _ended(arguments: Sequence[str]) -> int:
    words.spoken.cache_clear()
    try:
        return main(arguments)
    finally:
        words.spoken.cache_clear()
        terminal._console_of.cache_clear()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    with io.TextIOWrapper(file, "utf-8", "surrogateescape") as text:
        return text.read()


@contextmanager
def _streams(files: Sequence[IO[bytes]]) -> Iterator[None]:
    """Have files as the standard streams: both those of Python and those of the system."""
    kept = [os.dup(number) for number in range(3)]
    named = sys.stdin, sys.stdout, sys.stderr
    for stream in named[1:]:
        stream.flush()
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - closes nothing
        for number, mode in enumerate(("r", "w", "w"))
    )
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdin, sys.stdout, sys.stderr = named
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


@contextmanager
def _directory(directory: Path) -> Iterator[None]:
    kept = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(kept)


@contextmanager
def _environment(environment: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    try:
        _become(environment)
        yield
    finally:
        _become(kept)


def _become(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Have logging as it is in a new process: warnings go to standard error, as they are."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    root.handlers, root.level = [], logging.WARNING
    structlog.reset_defaults()
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.configure(**config)
