"""The log as a directory of files that never change once full (C2SP tlog-tiles).

For an object store, a web server or a backup: the same paths that the hub serves under
``/log``. The checkpoint is written last, so whoever reads it finds all that it speaks of; a run
that is killed leaves the checkpoint before. Payloads are no part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from hub.core.tiles import WIDTH, entries_path, tile_path
from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import SignedCheckpoint, cosigned, latest
from hub.log.store import Log
from hub.log.tiles import bundle
from hub.log.tree import Tree

__all__ = ["write_files"]


def write_files(
    log: Log, directory: Path, *, progress: Callable[[int, int], None] | None = None
) -> SignedCheckpoint:
    """Bring a directory to the newest checkpoint; return it. What is there and full is kept.

    Raises:
        Rejected: ``checkpoint-none``; nothing is signed yet.
        Unavailable: ``log-unavailable``; ``log-broken``.
        OSError: a file cannot be written.
    """
    with log.reading() as c:
        found = latest(c)
        note = "" if found is None else cosigned(c, found)
    if found is None:
        raise Rejected(
            "checkpoint-none",
            "no checkpoint of the log is signed yet",
            remedy="Set CASPIAN_LOG_KEY, and run `caspian consumers checkpoint`.",
        )
    tree, done = Tree(log), 0
    total = sum(1 for _ in _tiles(found.size)) + -(-found.size // WIDTH)
    for level, number, width in _tiles(found.size):
        path = directory / tile_path(level, number, width)
        if width != WIDTH or not path.exists():
            _write(path, _there(tree.tile(level, number, width), path))
        _forget_partial(directory / tile_path(level, number, WIDTH), width)
        done += 1
        if progress is not None:
            progress(done, total)
    for number in range(-(-found.size // WIDTH)):
        width = min(WIDTH, found.size - WIDTH * number)
        path = directory / entries_path(number, width)
        if width != WIDTH or not path.exists():
            with log.reading() as c:
                _write(path, _there(bundle(c, number, width), path))
        _forget_partial(directory / entries_path(number, WIDTH), width)
        done += 1
        if progress is not None:
            progress(done, total)
    _write(directory / "checkpoint", note.encode())
    return found


def _tiles(size: int) -> Iterator[tuple[int, int, int]]:
    level, nodes = 0, size
    while nodes:
        for number in range(-(-nodes // WIDTH)):
            yield level, number, min(WIDTH, nodes - WIDTH * number)
        level, nodes = level + 1, nodes // WIDTH


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _forget_partial(full: Path, width: int) -> None:
    """Remove the partial tiles of one that is full now."""
    partial = full.with_name(f"{full.name}.p")
    if width == WIDTH and partial.is_dir():
        for one in partial.iterdir():
            one.unlink()
        partial.rmdir()


def _there(data: bytes | None, path: Path) -> bytes:
    if data is None:
        raise Unavailable(
            "log-broken",
            f"the log cannot give {path.name} of a checkpoint that it signed",
            remedy="Run `caspian verify`; `caspian rebuild --projections` makes the tree anew.",
        )
    return data
