"""Fault table of the signer: whatever breaks off, no two checkpoints contradict each other."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from samples import BEGAN, ORIGIN, Writer, member
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from test_tree import fill

from hub.client.signers import make_key_file, open_signer
from hub.core.candidate import Candidate
from hub.core.proofs import verify_consistency
from hub.errors import Unavailable
from hub.log import signer as signing
from hub.log.checkpoints import SignedCheckpoint, at_least, latest
from hub.log.genesis import ensure_genesis
from hub.log.log_keys import first_key, open_log_signers
from hub.log.signer import CheckpointSigner, memory_of
from hub.log.store import Log
from hub.log.tables import CHECKPOINTS, TILES
from hub.log.tree import Tree
from schemas.checkpoint import read_checkpoint
from schemas.ed25519 import VerifierKey
from schemas.entry import micros
from schemas.notes import Note, read_note, signature_line


@dataclass
class Place:
    """A log with a key of its own."""

    log: Log
    url: str
    key: Path

    def signer(self, *keys: Path) -> CheckpointSigner:
        return signer_of(self.log, *(keys or (self.key,)))

    @property
    def public(self) -> VerifierKey:
        return first_key([self.key], ORIGIN)

    def kept(self) -> list[SignedCheckpoint]:
        with self.log.reading() as c:
            rows = c.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size)).all()
        return [SignedCheckpoint(r.size, r.root, r.at_us, r.note) for r in rows]

    def sound(self) -> list[int]:
        """Hold all that was signed against the store; return the sizes."""
        tree, size, root = Tree(self.log), self.log.head().size, self.log.head().root
        for one in self.kept():
            found, _ = read_checkpoint(one.note.encode(), ORIGIN, (self.public,))
            assert (found.size, found.root) == (one.size, one.root)
            proof = tree.consistency(one.size, size)
            assert verify_consistency(proof, old=one.size, size=size, old_root=one.root, root=root)
        return [one.size for one in self.kept()]


def signer_of(log: Log, *keys: Path) -> CheckpointSigner:
    return CheckpointSigner(log, open_log_signers(keys, ORIGIN), memory_of(keys[0]), ORIGIN)


def begin(url: str, key: Path) -> Log:
    log = Log.open(url)
    public = str(first_key([key], ORIGIN))
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=micros(BEGAN), key=public)
    return log


@pytest.fixture
def place(store_url: str, tmp_path: Path) -> Iterator[Place]:
    key = tmp_path / "keys" / "log.key"
    log = begin(store_url, key)
    yield Place(log, store_url, key)
    log.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """Give a log in SQLite, for what does not depend on the store."""
    key, url = tmp_path / "log.key", f"sqlite:///{tmp_path / 'log.db'}"
    log = begin(url, key)
    yield Place(log, url, key)
    log.close()


def refusal(signer: CheckpointSigner) -> Unavailable:
    with pytest.raises(Unavailable) as refused:
        signer.step(9)
    return refused.value


def test_what_is_new_is_signed_once(place: Place) -> None:
    signer = place.signer()
    first = signer.step(5)
    again = signer.step(6)
    fill(place.log, 300)
    second = signer.step(7)

    assert first is not None
    assert again is None
    assert second is not None
    assert (first.size, first.at_us, second.size) == (1, 5, 300)
    assert place.sound() == [1, 300]
    assert place.key.stat().st_mode & 0o077 == memory_of(place.key).stat().st_mode & 0o077 == 0


def test_an_empty_log_has_no_checkpoint(store_url: str, tmp_path: Path) -> None:
    log = Log.open(store_url)
    first_key([tmp_path / "log.key"], ORIGIN)

    assert signer_of(log, tmp_path / "log.key").step(5) is None
    log.close()


# The fault table ------------------------------------------------------------------------------

STEPS = ("sign", "remember", "store")


def break_at(signer: CheckpointSigner, step: str, when: str, act: Any) -> None:
    """Let *act* happen before or after a step of this signer alone."""
    if step == "store":
        dialect: Any = signer._log.engine.dialect
        whole, place, name = dialect.do_commit, dialect, "do_commit"
    else:
        name = {"sign": "_sign", "remember": "_remember"}[step]
        whole, place = getattr(signer, name), signer

    def broken(*given: Any) -> Any:
        if when == "before":
            act()
        done = whole(*given)
        if when == "after":
            act()
        return done

    setattr(place, name, broken)


def die_at(url: str, key: Path, step: str, when: str) -> None:
    """Sign in this process, which is killed at the point."""
    signer = signer_of(Log.open(url), key)
    break_at(signer, step, when, lambda: os.kill(os.getpid(), signal.SIGKILL))
    signer.step(6)


TABLE = [(step, when) for step in STEPS for when in ("before", "after")]


@pytest.mark.parametrize(("step", "when"), TABLE)
def test_a_failure_at_any_step_leaves_nothing_that_is_contradicted(
    place: Place, step: str, when: str
) -> None:
    place.signer().step(5)
    fill(place.log, 300)
    other = Log.open(place.url)
    broken = signer_of(other, place.key)

    def fail() -> None:
        raise OperationalError("injected", {}, Exception("it broke"))

    break_at(broken, step, when, fail)
    with pytest.raises((Unavailable, OperationalError)):
        broken.step(6)
    other.close()

    assert place.sound() == ([1, 300] if (step, when) == ("store", "after") else [1])
    fill(place.log, 600)
    place.signer().step(7)
    assert place.sound()[-1] == 600


@pytest.mark.long
@pytest.mark.parametrize(("step", "when"), TABLE)
def test_sigkill_at_any_step_leaves_nothing_that_is_contradicted(
    place: Place, step: str, when: str
) -> None:
    place.signer().step(5)
    fill(place.log, 300)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["append_faults", "test_signer"])

    child = processes.Process(target=die_at, args=(place.url, place.key, step, when))
    child.start()
    child.join(60)

    assert child.exitcode == -signal.SIGKILL, "the child was killed where it should be"
    assert place.sound() == ([1, 300] if (step, when) == ("store", "after") else [1])
    signed = place.signer().step(7)
    assert (signed is None) == ((step, when) == ("store", "after"))
    assert place.sound() == [1, 300]


def test_a_disk_that_is_full_signs_nothing(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(signing, "write_private", full)
        assert refusal(own.signer()).code == "log-key-unusable"

    assert own.kept() == []
    assert own.signer().step(6) is not None


# Two signers ------------------------------------------------------------------------------------


def test_two_signers_beside_one_another_never_contradict_each_other(
    place: Place, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "log.key"
    elsewhere.parent.mkdir()
    shutil.copy(place.key, elsewhere)
    start, failed = threading.Barrier(3), list[BaseException]()

    def sign(key: Path) -> None:
        log = Log.open(place.url)
        signer = signer_of(log, key)
        start.wait()
        try:
            while log.head().size < 400:
                signer.step(5)
            signer.step(5)
        except BaseException as e:
            failed.append(e)
            raise
        finally:
            log.close()

    threads = [threading.Thread(target=sign, args=(k,)) for k in (place.key, elsewhere)]
    for thread in threads:
        thread.start()
    start.wait()
    fill(place.log, 400, lot=7)
    for thread in threads:
        thread.join()

    assert not failed
    assert place.sound()[-1] == 400


# What contradicts itself -------------------------------------------------------------------------


def test_a_store_that_was_restored_from_an_older_backup_is_not_signed(own: Place) -> None:
    """Yesterday's backup is whole in itself, and goes on: only the signer's memory knows."""
    signer = own.signer()
    fill(own.log, 10)
    signer.step(5)
    backup = own.key.with_name("backup.db")
    with sqlite3.connect(own.key.with_name("log.db")) as c, sqlite3.connect(backup) as to:
        c.backup(to)
    c.close()
    to.close()
    fill(own.log, 20)
    signer.step(6)
    restored = Log.open(f"sqlite:///{backup}")

    short = refusal(signer_of(restored, own.key))
    Writer(restored, now=BEGAN + timedelta(days=1)).commit([member(f"az-{n}x") for n in range(30)])
    longer = refusal(signer_of(restored, own.key))

    assert short.code == longer.code == "checkpoint-refused"
    assert "restored from a backup" in short.detail
    assert "the history is another" in longer.detail
    with restored.reading() as c2:
        found = latest(c2)
        assert found is not None
        assert found.size == 10
    restored.close()


def test_a_log_that_was_cut_back_or_changed_is_not_signed(own: Place) -> None:
    fill(own.log, 300)
    own.signer().step(5)
    memory_of(own.key).unlink()
    fill(own.log, 310)
    with own.log.writing() as c:
        c.execute(update(CHECKPOINTS).values(root=bytes(32)))
    assert "the history is another" in refusal(own.signer()).detail

    with own.log.writing() as c:
        c.execute(update(CHECKPOINTS).values(size=311))
    assert "entries are lost" in refusal(own.signer()).detail


@pytest.mark.parametrize("damage", ["root", "tile", "no tile"])
def test_a_store_that_contradicts_itself_is_not_signed(own: Place, damage: str) -> None:
    fill(own.log, 300)
    with own.log.writing() as c:
        if damage == "root":
            tile = c.execute(select(TILES.c.hashes).where(TILES.c.number == 1)).scalar_one()
            c.execute(update(TILES).where(TILES.c.number == 1).values(hashes=tile[:-1] + b"x"))
        elif damage == "tile":
            c.execute(update(TILES).where(TILES.c.number == 1).values(hashes=b""))
        else:
            c.execute(delete(TILES))

    assert refusal(own.signer()).code == "checkpoint-refused"
    assert own.kept() == []


@pytest.mark.parametrize("content", [b"", b"not a note\n", b"\xff"])
def test_a_memory_that_cannot_be_believed_is_not_passed_over(own: Place, content: bytes) -> None:
    own.signer().step(5)
    fill(own.log, 10)
    memory_of(own.key).write_bytes(content)

    assert refusal(own.signer()).code == "checkpoint-refused"


def test_a_memory_that_another_key_signed_is_not_believed(own: Place, tmp_path: Path) -> None:
    own.signer().step(5)
    fill(own.log, 10)
    text = read_note(memory_of(own.key).read_bytes()).text
    make_key_file(tmp_path / "other.key", ORIGIN)
    other = open_signer(tmp_path / "other.key", str)
    line = signature_line(other.key, other.sign_note(text))
    memory_of(own.key).write_text(str(Note(text, (line,))))

    assert refusal(own.signer()).code == "checkpoint-refused"


def test_the_signer_goes_on_once_the_store_is_the_right_one_again(own: Place) -> None:
    fill(own.log, 10)
    signer = own.signer()
    signer.step(5)
    fill(own.log, 20)
    tile = select(TILES.c.hashes).where(TILES.c.level == 0)
    with own.log.writing() as c:
        right = c.execute(tile).scalar_one()
        c.execute(update(TILES).values(hashes=bytes(len(right))))
    assert refusal(signer).code == "checkpoint-refused"
    with own.log.writing() as c:
        c.execute(update(TILES).values(hashes=right))

    assert signer.step(8) is not None
    assert own.sound() == [10, 20]


# Keys -------------------------------------------------------------------------------------------


def announce(log: Log, key: VerifierKey, action: str = "add") -> Any:
    body = {"key": str(key), "action": action}
    writer = Writer(log, now=BEGAN + timedelta(hours=1))
    return writer.commit([Candidate("log-key", "", body=body)]).outcomes[0]


def test_a_log_that_began_without_a_key_is_signed_once_it_names_one(
    log: Log, tmp_path: Path
) -> None:
    Writer(log).begin("az-fhn")
    key = tmp_path / "log.key"
    public = first_key([key], ORIGIN)
    signer = signer_of(log, key)

    assert refusal(signer).code == "log-key-unannounced"
    assert announce(log, public).refusal is None
    assert announce(log, public).duplicate
    signed = signer.step(5)

    assert signed is not None
    assert signed.size == log.head().size == 3


def test_a_key_is_changed_and_both_sign_meanwhile(own: Place, tmp_path: Path) -> None:
    new = tmp_path / "new.key"
    make_key_file(new, ORIGIN)
    (public,) = [s.key for s in open_log_signers([new], ORIGIN)]
    both = own.signer(own.key, new)

    def signers() -> list[str]:
        both.step(5)
        with own.log.reading() as c:
            found = latest(c)
        assert found is not None
        return [s.key_id.hex() for s in read_note(found.note.encode()).signatures]

    assert signers() == [own.public.id], "the log does not name the new one yet"
    announce(own.log, public)
    assert signers() == [own.public.id, public.id]
    announce(own.log, own.public, "retire")
    assert signers() == [public.id]
    fill(own.log, 20)
    assert refusal(own.signer()).code == "log-key-unannounced"
    memory_of(own.key).rename(memory_of(new))
    assert own.signer(new).step(6) is not None


def test_the_last_key_cannot_be_retired(own: Place) -> None:
    outcome = announce(own.log, own.public, "retire")

    assert outcome.refusal is not None
    assert outcome.refusal.code == "statement-invalid"


@pytest.mark.parametrize("wrong", ["gone", "open to others", "of another log"])
def test_a_key_that_cannot_be_used_is_told(own: Place, tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "other.key"
    if wrong != "gone":
        make_key_file(path, "other.example/log" if wrong == "of another log" else ORIGIN)
    if wrong == "open to others":
        path.chmod(0o644)

    with pytest.raises(Unavailable) as refused:
        open_log_signers([path], ORIGIN)

    assert refused.value.code == "log-key-unusable"
    assert own.kept() == []


def test_a_name_that_no_key_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        first_key([tmp_path / "log.key"], "ö:8080/log")

    assert refused.value.code == "log-key-unusable"


def test_many_that_make_the_first_key_make_one(tmp_path: Path) -> None:
    start, made = threading.Barrier(6), list[str]()

    def make() -> None:
        start.wait()
        made.append(str(first_key([tmp_path / "keys" / "log.key"], ORIGIN)))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 6
    assert len(set(made)) == 1
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["log.key"]


def test_a_checkpoint_covers_what_it_says(own: Place) -> None:
    fill(own.log, 10)
    own.signer().step(5)
    with own.log.reading() as c:
        assert at_least(c, 11) is None
        found = at_least(c, 10)
    assert found is not None
    assert found.root == own.log.head().root
