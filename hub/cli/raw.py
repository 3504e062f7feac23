"""Exact bytes: as they are into a file or a pipe, as harmless text onto a terminal."""

from __future__ import annotations

import sys

from hub.cli.terminal import safe

__all__ = ["write_raw"]


def write_raw(data: bytes) -> None:
    """Write *data* unchanged to standard output, unless a terminal would obey what it says."""
    if sys.stdout.isatty():
        lines = data.decode("utf-8", "backslashreplace").split("\n")
        sys.stdout.write("\n".join(safe(line.removesuffix("\r")) for line in lines) + "\n")
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
