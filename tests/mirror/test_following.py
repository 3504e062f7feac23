"""A mirror keeps nothing unproven, and names who is to blame for what it refuses."""

from __future__ import annotations

import base64
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from sqlalchemy import event, select

from hub.core.candidate import Candidate
from hub.core.redaction import REDACTED_TYPE
from hub.core.tiles import WIDTH
from hub.errors import Rejected
from hub.log.checkpoints import cosigned, latest
from hub.log.projections import read_logged, rebuild
from hub.log.store import Log
from hub.log.tables import PROJECTIONS
from hub.log.tiles import bundle
from hub.log.tree import Tree
from hub.log.verify import verify_store
from hub.mirror.following import Follower, Forked
from hub.mirror.source import Source
from schemas.ed25519 import VerifierKey
from schemas.entry import micros, rfc3339
from tests.hubkit import store
from tests.log.samples import ORIGIN, acknowledgement, alert, refusal
from tests.witness.signed import SignedLog

LIST = list[int]


class Served(Source):
    """What a hub serves, straight out of its store; a test may alter any of it."""

    def __init__(self, of: SignedLog) -> None:
        self.of = of
        self.withheld: set[int] = set()
        self.altered: dict[str, Any] = {}
        self.asked: list[str] = []

    def checkpoint(self) -> bytes:
        with self.of.log.reading() as c:
            one = latest(c)
            assert one is not None
            return str(self.altered.get("checkpoint", cosigned(c, one))).encode()

    def tile(self, level: int, number: int, width: int = WIDTH) -> bytes:
        found = Tree(self.of.log).tile(level, number, width)
        assert found is not None
        where = self.altered.get("tile")
        if where == (level, number):
            found = found[:-32] + bytes(32)
        return found

    def entries(self, number: int, width: int = WIDTH) -> list[bytes]:
        self.asked.append(f"entries {number} {width}")
        with self.of.log.reading() as c:
            data = bundle(c, number, width)
        assert data is not None
        found, at = [], 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : end])
            at = end
        first = WIDTH * number
        for index, body in self.altered.get("entries", {}).items():
            if first <= index < first + len(found):
                found[index - first] = body
        return found

    def payloads(self, first: int, last: int) -> Iterator[tuple[int, bytes, str]]:
        for row in self.of.log.rows(after=first - 1, through=last, limit=5000):
            if row.payload is not None and row.index not in self.withheld:
                other = self.altered.get("payloads", {}).get(row.index)
                yield row.index, other or row.payload, row.payload_type


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SignedLog]:
    (tmp_path / "hub").mkdir()
    made = SignedLog(tmp_path / "hub")
    yield made
    made.log.close()


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Log]:
    (tmp_path / "copy").mkdir()
    made = Log.open(store(tmp_path / "copy"))
    yield made
    made.close()


def following(copy: Log, served: Served) -> Follower:
    return Follower(copy, served, [served.of.key])


def same(copy: Log, hub: SignedLog) -> None:
    assert copy.head() == hub.log.head()
    with copy.reading() as c, hub.log.reading() as h:
        mine, theirs = latest(c), latest(h)
    assert mine is not None
    assert theirs is not None
    assert (mine.size, mine.root, mine.note) == (theirs.size, theirs.root, theirs.note)


def test_all_is_copied_and_verifies_as_the_log_does(hub: SignedLog, copy: Log) -> None:
    served = Served(hub)
    hub.grow(3)
    hub.writer.commit([acknowledgement("az-fhn", "3"), refusal("az-fhn")])
    hub.sign()
    follower = following(copy, served)
    first = follower.step()
    assert (first.size, first.added, first.withheld) == (hub.log.head().size,) * 2 + (0,)
    same(copy, hub)
    for count in (1, 300, 260, 5):
        hub.grow(count)
        follower.step()
        same(copy, hub)
    assert follower.step().added == 0

    assert verify_store(copy).ok
    assert [r.payload for r in copy.rows(limit=9999)] == [
        r.payload for r in hub.log.rows(limit=9999)
    ]


def test_what_may_not_be_read_is_withheld_and_the_rest_verifies(hub: SignedLog, copy: Log) -> None:
    served = Served(hub)
    hub.grow(9)
    served.withheld = {4, 5}

    assert following(copy, served).step().withheld == 2

    assert verify_store(copy, withheld=True).ok
    assert verify_store(copy, withheld=True).withheld == 2
    assert not verify_store(copy).ok
    same(copy, hub)


def projections(log: Log) -> list[list[str]]:
    with log.reading() as c:
        return [sorted(map(repr, c.execute(select(table)))) for table in PROJECTIONS]


def _redact(hub: SignedLog) -> None:
    body = {"agency": "az-fhn", "message": 2, "grounds": "court order 7"}
    hub.writer.commit([Candidate("redaction", "", via="http", body=body)])


def _retire(hub: SignedLog) -> None:
    hub.writer.now += timedelta(days=9)
    before = rfc3339(micros(hub.writer.now - timedelta(days=7)))
    hub.writer.commit([Candidate("retirement", "", body={"messages": [2], "before": before})])


@pytest.mark.parametrize("remove", [_redact, _retire])
@pytest.mark.parametrize("late", [False, True], ids=["follows", "comes later"])
def test_what_the_hub_removes_the_mirror_removes(
    hub: SignedLog, copy: Log, tmp_path: Path, remove: Callable[[SignedLog], None], *, late: bool
) -> None:
    """Whether it had the payload or begins afterwards; what is left is the same as in the hub."""
    hub.writer.commit([alert("az-fhn", "a-1", headline="the name of a patient")])
    hub.sign()
    follower = following(copy, Served(hub))
    if not late:
        follower.step()
        assert b"the name of a patient" in (copy.row(2) or pytest.fail("gone")).payload
    remove(hub)
    hub.sign()
    follower.step()

    same(copy, hub)
    assert copy.rows(limit=99) == hub.log.rows(limit=99)
    assert (copy.row(2) or pytest.fail("gone")).payload_type == REDACTED_TYPE
    assert verify_store(copy, read=read_logged).ok
    before = projections(copy)
    rebuild(copy)
    assert projections(copy) == before
    for file in (tmp_path / "copy").iterdir():
        assert b"the name of a patient" not in file.read_bytes(), file


@pytest.mark.parametrize("index", [2, 300])
def test_an_altered_entry_is_refused_and_named(hub: SignedLog, copy: Log, index: int) -> None:
    served = Served(hub)
    hub.grow(400)
    row = hub.log.row(index)
    assert row is not None
    served.altered["entries"] = {index: row.body.replace(b"az-fhn", b"az-fhm")}

    with pytest.raises(Rejected, match=f"at {index} is not the one") as refused:
        following(copy, served).step()

    assert refused.value.code == "source-wrong"
    assert copy.head().size == 0
    served.altered.clear()
    following(copy, served).step()
    same(copy, hub)


def test_a_hidden_entry_is_noticed(hub: SignedLog, copy: Log) -> None:
    """The hub leaves one out of what it serves, and moves those behind it up."""
    served = Served(hub)
    hub.grow(20)
    bodies = [r.body for r in hub.log.rows(limit=100)]
    served.altered["entries"] = {n: bodies[n + 1] for n in range(7, len(bodies) - 1)}

    with pytest.raises(Rejected, match="at 7 is not"):
        following(copy, served).step()


@pytest.mark.parametrize("tile", [(0, 0), (0, 1), (1, 0)])
def test_an_altered_tile_is_refused(hub: SignedLog, copy: Log, tile: tuple[int, int]) -> None:
    served = Served(hub)
    hub.grow(400)
    served.altered["tile"] = tile
    if tile == (1, 0):
        following(copy, served).step()  # the hashes of entries alone are asked for
        same(copy, hub)
        return
    with pytest.raises(Rejected, match="tile"):
        following(copy, served).step()
    assert copy.head().size == 0


def test_an_altered_payload_is_refused(hub: SignedLog, copy: Log) -> None:
    served = Served(hub)
    hub.grow(9)
    served.altered["payloads"] = {4: b"<alert/>"}

    with pytest.raises(Rejected, match="payload that is served at 4"):
        following(copy, served).step()


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(hub: SignedLog, copy: Log) -> None:
    served = Served(hub)
    note = hub.grow(9).note
    text, line = note.split("\n\n")
    for wrong in (
        note.replace("\n11\n", "\n12\n"),
        f"{text}\n\n{line.replace(line.split()[2], base64.b64encode(bytes(68)).decode())}",
        "nothing",
    ):
        served.altered["checkpoint"] = wrong
        with pytest.raises(Rejected):
            following(copy, served).step()
    assert copy.head().size == 0


def test_another_history_is_kept_as_evidence(hub: SignedLog, copy: Log, tmp_path: Path) -> None:
    hub.grow(9)
    following(copy, Served(hub)).step()
    (tmp_path / "other").mkdir()
    other = SignedLog(tmp_path / "other", hub.secret)
    for count in (4, 5, 300):
        other.grow(count, word="other")
        with pytest.raises(Forked) as found:
            following(copy, Served(other)).step()
        assert found.value.ours.startswith(other.key.name)
        assert found.value.theirs.startswith(other.key.name)
    same(copy, hub)
    other.log.close()


def test_an_older_checkpoint_is_no_fork(hub: SignedLog, copy: Log) -> None:
    served = Served(hub)
    old = hub.grow(9).note
    hub.grow(9)
    following(copy, served).step()
    served.altered["checkpoint"] = old

    assert following(copy, served).step().added == 0
    with copy.reading() as c:
        held = latest(c)
    assert held is not None
    assert held.size == hub.log.head().size


def _die_at(url: str, hub_url: str, secret: bytes, at: int) -> None:
    log = Log.open(url)
    of = SignedLog.__new__(SignedLog)
    of.log = Log.open(hub_url)
    count = 0

    def step(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(log.engine, "before_cursor_execute", step)
    event.listen(log.engine, "commit", step)
    of.key = VerifierKey(ORIGIN, bytes(SigningKey(secret).verify_key))
    following(log, Served(of)).step()
    os._exit(7)


@pytest.mark.long
@pytest.mark.parametrize("every", [16, pytest.param(2, marks=pytest.mark.soak)])
def test_sigkill_at_any_step_leaves_what_was_proven(
    hub: SignedLog, tmp_path: Path, every: int
) -> None:
    """In a process of its own, at statements and commits all along; the next step goes on."""
    hub.grow(20)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.mirror.test_following"])
    (tmp_path / "empty").mkdir()
    Log.open(store(tmp_path / "empty")).close()
    url = store(tmp_path / "copy")
    done, at = False, 1
    while not done:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(tmp_path / "empty", tmp_path / "copy")
        args = (url, str(hub.log.engine.url), bytes(hub.secret), at)
        child = processes.Process(target=_die_at, args=args)
        child.start()
        child.join(60)
        assert child.exitcode in {-signal.SIGKILL, 7}
        done = child.exitcode == 7
        copy = Log.open(url)
        assert copy.head().size in {0, hub.log.head().size}
        assert verify_store(copy).ok
        following(copy, Served(hub)).step()
        same(copy, hub)
        copy.close()
        at += every
    assert at > 10
