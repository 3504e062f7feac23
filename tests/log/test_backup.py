"""The whole store goes into one file while the hub goes on; it comes out whole, or not at all.

SQLite and a real PostgreSQL, in every pair.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from samples import BEGAN, Writer, alert
from sqlalchemy import delete, select
from test_migrations import run
from test_projections import busy

from hub.errors import Rejected, Unavailable
from hub.log import backup as backup_module
from hub.log import copying
from hub.log import restoring as restoring_module
from hub.log.backup import back_up, read_backup, verify_backup
from hub.log.checkpoints import SignedCheckpoint, put
from hub.log.engine import open_engine
from hub.log.moving import move
from hub.log.restoring import restore
from hub.log.store import Log
from hub.log.tables import ENTRIES, METADATA, PAYLOADS
from hub.log.verify import verify_store
from hub.members.credentials import issue

NOW_US = 1_790_000_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of another empty store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'target' / 'log.db'}"
    url: str = request.getfixturevalue("another_postgres_store_url")
    return url


each_into_each = pytest.mark.parametrize(
    ("store_url", "target_url"),
    [
        ("sqlite", "sqlite"),
        ("sqlite", "postgresql"),
        ("postgresql", "sqlite"),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.long),
    ],
    indirect=True,
)


@pytest.fixture
def filled(log: Log) -> Log:
    """Fill a log with every kind of entry, and what stands beside it."""
    busy(log)
    issue(log, role="operator", agency="", person="P", expires=None, now=datetime.now(UTC))
    with log.writing() as c:
        head = log.head()
        put(c, SignedCheckpoint(head.size, head.root, head.at_us, "a note\n"))
    return log


@dataclass(frozen=True)
class Made:
    """A backup that was made once, for tests that only read it."""

    path: Path
    holds: dict[str, list[Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    directory = tmp_path_factory.mktemp("made")
    log = Log.open(f"sqlite:///{directory / 'log.db'}")
    busy(log)
    with log.writing() as c:
        head = log.head()
        put(c, SignedCheckpoint(head.size, head.root, head.at_us, "a note\n"))
    found = back_up(log, directory / "b", now_us=NOW_US)
    holds = everything(log)
    log.close()
    return Made(found.path, holds)


def everything(log: Log) -> dict[str, list[Any]]:
    with log.engine.connect() as c:
        return {
            t.name: sorted(map(tuple, c.execute(select(t))), key=repr)
            for t in METADATA.tables.values()
        }


def opened(url: str) -> dict[str, list[Any]]:
    log = Log.open(url)
    try:
        assert verify_store(log).fault is None
        return everything(log)
    finally:
        log.close()


@each_into_each
def test_what_is_restored_is_what_was_backed_up(
    filled: Log, target_url: str, tmp_path: Path
) -> None:
    before, told = everything(filled), list[tuple[int, int]]()
    made = back_up(filled, tmp_path / "b", now_us=NOW_US, progress=lambda *n: told.append(n))
    found = read_backup(tmp_path / "b")
    report = verify_backup(found)
    aside = restore(found, target_url, now_us=NOW_US)

    assert found == made
    assert (report.entries, report.root) == (filled.head().size, filled.head().root)
    assert told[-1] == (made.size, made.size)
    assert opened(target_url) == before == everything(filled)
    assert aside == ""


def test_it_is_one_file_that_its_owner_alone_may_read(filled: Log, tmp_path: Path) -> None:
    made = back_up(filled, tmp_path, now_us=NOW_US)

    assert made.path.parent == tmp_path
    assert made.path.name.startswith("caspian-2026")
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [p for p in tmp_path.iterdir() if p.name.startswith(made.path.name)] == [made.path]


def test_it_is_of_one_moment_while_the_ledger_goes_on(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(200)])
    monkeypatch.setattr(backup_module, "_PAGES", 4)
    monkeypatch.setattr(copying, "_BATCH", 20)
    sizes = [log.head().size]

    def append(_done: int, _total: int) -> None:
        if len(sizes) < 6:
            w.commit([alert("az-fhn", f"b-{len(sizes)}-{n}") for n in range(20)])
            sizes.append(log.head().size)

    made = back_up(log, tmp_path / "b", now_us=NOW_US, progress=append)

    assert len(sizes) == 6
    assert made.size == sizes[0]
    assert verify_backup(read_backup(tmp_path / "b")).entries == sizes[0]
    assert verify_store(log).entries == sizes[-1]


def test_the_ledger_waits_for_no_backup(log: Log, tmp_path: Path) -> None:
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(50)])
    under_way, go_on = threading.Event(), threading.Event()

    def hold(_done: int, _total: int) -> None:
        under_way.set()
        assert go_on.wait(60)

    thread = threading.Thread(
        target=lambda: back_up(log, tmp_path / "b", now_us=NOW_US, progress=hold)
    )
    thread.start()
    assert under_way.wait(60)
    w.commit([alert("az-fhn", "b-1")])  # returns while the backup stands still
    go_on.set()
    thread.join()

    assert read_backup(tmp_path / "b").size == log.head().size - 1


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"urn:oasis", len(data) // 2)
    data[at] ^= 1
    path.write_bytes(data)


def _of_another_kind(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 400)


def _sql(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as c:
            c.execute(statement)
        c.close()

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _flipped,
        _of_another_kind,
        lambda path: path.write_bytes(b""),
        _sql("DROP TABLE backup"),
        _sql("UPDATE backup SET size = size + 1"),
        _sql("UPDATE backup SET root = 'x'"),
        _sql("DELETE FROM entries WHERE idx = 9"),
        _sql("DELETE FROM payloads WHERE idx = 9"),
        _sql("UPDATE checkpoints SET root = zeroblob(32)"),
        _sql("UPDATE head SET size = 3"),
    ],
)
def test_a_broken_backup_is_refused(
    made: Made, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "b"
    shutil.copy(made.path, path)
    damage(path)

    with pytest.raises(Rejected) as refused:
        verify_backup(read_backup(path))

    assert refused.value.code == "backup-broken"
    assert refused.value.detail.startswith("b: ")


def test_a_damaged_log_is_not_backed_up_as_a_whole_one(log: Log, tmp_path: Path) -> None:
    busy(log)
    with log.writing() as c:
        c.execute(PAYLOADS.update().where(PAYLOADS.c.idx == 9).values(body=b"another"))

    with pytest.raises(Unavailable) as failed:
        back_up(log, tmp_path / "b", now_us=NOW_US)

    assert failed.value.code == "log-broken"
    assert not (tmp_path / "b").exists()


def other(url: str, *, close: bool = True) -> dict[str, list[Any]]:
    """Begin another log at a URL."""
    log = Log.open(url)
    Writer(log).begin("kz-mchs").commit([alert("kz-mchs", "other")])
    found = everything(log)
    if close:
        log.close()
    return found


def test_a_log_that_is_there_is_not_overwritten(made: Made, target_url: str) -> None:
    before = other(target_url)

    with pytest.raises(Rejected) as refused:
        restore(read_backup(made.path), target_url, now_us=NOW_US)

    assert refused.value.code == "log-present"
    assert opened(target_url) == before


def test_a_log_that_is_replaced_is_put_aside(made: Made, target_url: str) -> None:
    before = other(target_url)

    aside = restore(read_backup(made.path), target_url, now_us=NOW_US, replace=True)

    assert opened(target_url) == made.holds
    if target_url.startswith("sqlite"):
        assert opened(f"sqlite:///{aside}") == before
    else:
        schema = aside.removeprefix("schema ")
        engine = open_engine(f"{target_url}&options=-csearch_path%3D{schema}")
        assert everything(Log(engine)) == before
        engine.dispose()


def test_a_store_that_is_in_use_is_not_replaced(made: Made, target_url: str) -> None:
    before = other(target_url)
    hub = Log.open(target_url)
    size = hub.head().size

    with pytest.raises(Rejected) as refused:
        restore(read_backup(made.path), target_url, now_us=NOW_US, replace=True)

    assert refused.value.code == "log-in-use"
    assert hub.head().size == size
    hub.close()
    assert opened(target_url) == before


def test_a_store_without_a_row_is_no_log(made: Made, target_url: str) -> None:
    Log.open(target_url).close()

    restore(read_backup(made.path), target_url, now_us=NOW_US)

    assert opened(target_url) == made.holds


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    made: Made, target_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "b"
    shutil.copy(made.path, path)
    engine = open_engine(f"sqlite:///{tmp_path / 'b'}")
    run(engine, "downgrade", "0007")
    engine.dispose()

    found = read_backup(path)
    verify_backup(found)
    restore(found, target_url, now_us=NOW_US)

    found_again = opened(target_url)
    assert found_again.pop("checkpoints") == []
    assert found_again == {k: v for k, v in made.holds.items() if k != "checkpoints"}


def _dying(point: str, work: Callable[[Callable[[int, int], None]], object]) -> None:
    """Do the work in this process, which is killed at a point of it."""
    backup_module._PAGES = restoring_module._PAGES = 8
    copying._BATCH = 10
    calls = 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def told(_done: int, _total: int) -> None:
        nonlocal calls
        calls += 1
        if point == f"step {calls}":
            die()

    replace = Path.replace

    def replacing(self: Path, target: Path) -> Path:
        if point == "before the end":
            die()
        found = replace(self, target)
        if point == "after the end":
            die()
        return found

    Path.replace = replacing  # type: ignore[method-assign, assignment]
    if point == "after the end":
        work(told)
        die()
    work(told)


def _back_up(url: str, path: Path, point: str) -> None:
    log = Log.open(url)
    _dying(point, lambda told: back_up(log, path, now_us=NOW_US, progress=told))


def _restore(path: Path, url: str, point: str) -> None:
    found = read_backup(path)
    _dying(point, lambda told: restore(found, url, now_us=NOW_US, replace=True, progress=told))


def _move(source_url: str, url: str, point: str) -> None:
    log = Log.open(source_url)
    _dying(point, lambda told: move(log, url, progress=told))


def killed(target: Callable[..., None], *given: Any) -> None:
    process = multiprocessing.get_context("fork").Process(target=target, args=given)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.fixture
def closed_url(store_url: str) -> str:
    """Give the URL of a filled store that this process has closed."""
    log = Log.open(store_url)
    busy(log)
    log.close()
    return store_url


@pytest.mark.long
@pytest.mark.parametrize("point", ["step 5", "before the end", "after the end"])
def test_sigkill_while_a_backup_is_made_leaves_nothing_that_looks_whole(
    closed_url: str, tmp_path: Path, point: str
) -> None:
    path = tmp_path / "b"
    killed(_back_up, closed_url, path, point)

    assert path.exists() == (point == "after the end")
    if not path.exists():
        log = Log.open(closed_url)
        back_up(log, path, now_us=NOW_US)
        log.close()
    verify_backup(read_backup(path))
    assert not (tmp_path / "b.part").exists()


@pytest.mark.long
@pytest.mark.parametrize("there", [pytest.param(False, marks=pytest.mark.soak), True])
@pytest.mark.parametrize("point", ["step 5", "before the end", "after the end"])
def test_sigkill_while_a_store_is_made_leaves_all_or_what_was(
    made: Made, target_url: str, tmp_path: Path, point: str, *, there: bool
) -> None:
    if point == "before the end" and not target_url.startswith("sqlite"):
        pytest.skip("a database has its commit there, and no file that takes a name")
    before = other(target_url) if there else None
    killed(_restore, made.path, target_url, point)

    if point == "after the end":
        assert opened(target_url) == made.holds
        return
    if before is not None:
        assert opened(target_url) == before
    elif target_url.startswith("sqlite"):
        assert not (tmp_path / "target" / "log.db").exists()
    else:
        assert not any(opened(target_url).values())
    restore(read_backup(made.path), target_url, now_us=NOW_US, replace=True)
    assert opened(target_url) == made.holds


@each_into_each
def test_a_log_is_moved_with_all_that_it_is(filled: Log, target_url: str) -> None:
    told = list[tuple[int, int]]()
    head = move(filled, target_url, progress=lambda *n: told.append(n))

    assert head == filled.head()
    assert told[-1] == (head.size, head.size)
    assert opened(target_url) == everything(filled)


@each_into_each
def test_who_moved_goes_on_where_the_log_was(filled: Log, target_url: str) -> None:
    move(filled, target_url)
    moved = Log.open(target_url)
    w = Writer(moved, now=BEGAN + timedelta(days=1))
    repeated = w.commit([alert("az-fhn", "a-1", headline="Нефть 1")]).outcomes[0]
    w.commit([alert("ir-ndmo", "after")])

    assert repeated.duplicate
    assert moved.head().size == filled.head().size + 1
    assert verify_store(moved, earlier=filled.head()).ok
    moved.close()


@each_into_each
def test_only_an_empty_store_is_moved_into(filled: Log, target_url: str) -> None:
    before = other(target_url)

    with pytest.raises(Rejected) as refused:
        move(filled, target_url)

    assert refused.value.code == "log-present"
    assert opened(target_url) == before


@each_into_each
def test_a_store_with_accounts_alone_is_not_empty(filled: Log, target_url: str) -> None:
    log = Log.open(target_url)
    issue(log, role="operator", agency="", person="P", expires=None, now=datetime.now(UTC))
    log.close()

    with pytest.raises(Rejected) as refused:
        move(filled, target_url)

    assert "credentials" in refused.value.detail


@each_into_each
def test_a_damaged_log_is_not_moved(filled: Log, target_url: str) -> None:
    with filled.writing() as c:
        c.execute(delete(ENTRIES).where(ENTRIES.c.idx == 9))

    with pytest.raises(Unavailable) as failed:
        move(filled, target_url)

    assert failed.value.code == "log-broken"
    assert not any(opened(target_url).values())


@pytest.mark.long
@pytest.mark.parametrize("point", ["step 5", pytest.param("step 12", marks=pytest.mark.soak)])
def test_sigkill_while_a_log_is_moved_leaves_an_empty_store(
    closed_url: str, target_url: str, point: str
) -> None:
    killed(_move, closed_url, target_url, point)
    assert not any(opened(target_url).values())
    log = Log.open(closed_url)
    move(log, target_url)

    assert opened(target_url) == everything(log)
    log.close()
