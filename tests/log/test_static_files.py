"""The log as files: what a stranger makes the root of, and what never changes once it is full."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import Writer, alert
from sqlalchemy import delete

from hub.core.merkle import leaf_hash, root_of
from hub.core.tiles import WIDTH, entries_path, tile_path
from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import SignedCheckpoint, put
from hub.log.static_files import write_files
from hub.log.store import Log
from hub.log.tables import TILES


def signed(log: Log) -> SignedCheckpoint:
    head = log.head()
    made = SignedCheckpoint(head.size, head.root, head.at_us, f"over {head.size}\n")
    with log.writing() as c:
        assert put(c, made)
    return made


def grow(log: Log, name: str, count: int) -> SignedCheckpoint:
    Writer(log).begin("az-fhn").commit([alert("az-fhn", f"{name}-{n}") for n in range(count)])
    return signed(log)


def entries_in(directory: Path, size: int) -> list[bytes]:
    found = []
    for number in range(-(-size // WIDTH)):
        data = (directory / entries_path(number, min(WIDTH, size - WIDTH * number))).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found


def files(directory: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p.relative_to(directory)): (p.stat().st_ino, p.stat().st_size)
        for p in directory.rglob("*")
        if p.is_file()
    }


def test_a_stranger_finds_the_log_in_the_files(log: Log, tmp_path: Path) -> None:
    made, told = grow(log, "a", 300), list[tuple[int, int]]()
    directory = tmp_path / "files"
    assert write_files(log, directory, progress=lambda *n: told.append(n)) == made

    bodies = entries_in(directory, made.size)
    assert root_of(bodies) == made.root
    lowest = (directory / tile_path(0, 0)).read_bytes()
    assert lowest == b"".join(map(leaf_hash, bodies[:WIDTH]))
    assert (directory / "checkpoint").read_text() == made.note
    assert told[-1][0] == told[-1][1]


def test_only_what_is_new_is_written_and_what_is_full_stays(
    sqlite_log: Log, tmp_path: Path
) -> None:
    grow(sqlite_log, "a", 300)
    directory = tmp_path / "files"
    write_files(sqlite_log, directory)
    before = files(directory)
    made = grow(sqlite_log, "b", 300)
    write_files(sqlite_log, directory)

    after = files(directory)
    full = {name: at for name, at in before.items() if name.endswith("000")}
    assert set(full) == {"tile/0/000", "tile/entries/000"}
    assert full.items() <= after.items()
    assert not [name for name in after if "/001.p/" in name and "tile/0" in name]
    assert root_of(entries_in(directory, made.size)) == made.root


def test_a_checkpoint_is_never_written_before_what_it_speaks_of(
    sqlite_log: Log, tmp_path: Path
) -> None:
    first = grow(sqlite_log, "a", 10)
    write_files(sqlite_log, tmp_path / "files")
    grow(sqlite_log, "b", 10)
    with sqlite_log.writing() as c:
        c.execute(delete(TILES))

    with pytest.raises(Unavailable) as failed:
        write_files(sqlite_log, tmp_path / "files")

    assert failed.value.code == "log-broken"
    assert (tmp_path / "files" / "checkpoint").read_text() == first.note


def test_a_log_that_signed_nothing_has_no_files(sqlite_log: Log, tmp_path: Path) -> None:
    Writer(sqlite_log).begin("az-fhn")

    with pytest.raises(Rejected) as refused:
        write_files(sqlite_log, tmp_path / "files")

    assert refused.value.code == "checkpoint-none"
    assert not (tmp_path / "files").exists()
