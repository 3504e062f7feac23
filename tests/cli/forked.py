"""The command in a process of its own, without paying for its imports each time.

A server process that has imported everything forks one child for each command
(multiprocessing's forkserver). The child has its own standard streams, directory and
environment; what it does and how it ends are those of ``caspian``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from pkgutil import iter_modules
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import hub.cli

__all__ = ["run"]

_MODULES = [
    *(f"hub.cli.{one.name}" for one in iter_modules(hub.cli.__path__) if one.name != "__main__"),
    "anyio._backends._asyncio",
]
_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.cli.forked", *_MODULES])


def run(
    arguments: Sequence[str],
    *,
    stdin: bytes,
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float = 60,
) -> CompletedProcess[str]:
    """Run the command to its end."""
    with TemporaryDirectory() as place:
        names = [str(Path(place, name)) for name in ("stdin", "stdout", "stderr")]
        Path(names[0]).write_bytes(stdin)
        process = _context.Process(
            target=_child, args=(list(arguments), names, str(directory), dict(environment))
        )
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"caspian {' '.join(arguments)} did not end")
        out, err = (Path(name).read_text("utf-8", "surrogateescape") for name in names[1:])
        code = process.exitcode
        process.close()
        return CompletedProcess(["caspian", *arguments], code, out, err)


def _child(arguments: list[str], names: list[str], directory: str, env: dict[str, str]) -> None:
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    import_module("time").tzset()
    for number, name in enumerate(names):
        mode = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        descriptor = os.open(name, mode, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False))  # noqa: SIM115 - the process's own
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8")  # noqa: SIM115 - as above
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), "utf-8")  # noqa: SIM115 - as above
    import_module("hub.cli.words").spoken.cache_clear()  # what the server speaks is no matter
    code = import_module("hub.cli").main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
