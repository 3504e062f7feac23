"""Time of the processor: on a machine that others use too, the clock says little."""

from __future__ import annotations

import os
import resource
from pathlib import Path

__all__ = ["server_s", "used_s"]


def used_s() -> float:
    """Return how long this process, and those that it began and that have ended, were at work."""
    own, ended = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def server_s(pid: int) -> float:
    """Return how long a server was at work: itself, its children, and those that have ended."""
    ticks = 0
    for found in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = found.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(found.parent.name) == pid:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
