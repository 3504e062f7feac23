"""How fast the log takes entries and proves them, while its end is signed beside it.

    python -m bench.log [--rounds 5] [--entries 5000] [--directory DIR]

Appends ready entries of messages (1,500 bytes each, with their projections, tiles and all) in
batches of 1, 64 and 256, each batch one durable commit. A signer of its own process signs the end
every 0.2 s meanwhile. The peer is bare SQLite: the same entries and payloads into two tables, with
the same commits and the same durability, and nothing derived from them. Rounds take turns, so a
busy machine slows them alike; printed are medians.

Then proofs of inclusion and consistency of random entries, made from tiles and verified.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path

from bench.work import payload
from hub.core.admission import NewEntry, Rules, decide
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.merkle import leaf_hash
from hub.core.proofs import verify_consistency, verify_inclusion
from hub.core.registry import History
from hub.core.rows import identity
from hub.log.checkpoints import latest
from hub.log.genesis import ensure_genesis
from hub.log.log_keys import first_key, open_log_signers
from hub.log.signer import CheckpointSigner, memory_of
from hub.log.store import Head, Log
from hub.log.tree import Tree
from schemas.cap import alert_facts, read_alert
from schemas.entry import micros
from schemas.header import uuid7

ORIGIN = "bench.example/log"
BATCHES = (1, 64, 256)


def ready(log: Log, count: int) -> list[NewEntry]:
    """Return entries of so many messages, decided for the end of a log."""
    head = log.head()
    data = payload("bench", 0)
    alert = read_alert(data)
    facts = alert_facts(alert.alert)
    batch = [
        Candidate(
            "publish",
            "az-fhn",
            via="http",
            payload=data.replace(b"bench-0<", b"bench-%d<" % number),
            payload_type="application/cap+xml",
            facts=facts.model_copy(update={"identifier": f"bench-{number}"}),
        )
        for number in range(count)
    ]
    decisions = decide(
        batch,
        size=head.size,
        last_at_us=head.at_us,
        now_us=micros(datetime.now(UTC)),
        registry=History(log.registry_entries()).latest,
        known=Known(),
        rules=Rules(),
    )
    assert len(decisions.entries) == count
    assert all(e.message is not None for e in decisions.entries)
    return list(decisions.entries)


def begin(directory: Path) -> Log:
    """Begin a log with one member and a key."""
    log = Log.open(f"sqlite:///{directory / 'log.db'}")
    key = str(first_key([directory / "log.key"], ORIGIN))
    head = ensure_genesis(log, origin=ORIGIN, version="bench", now_us=1, key=key)
    record = {"id": "az-fhn", "state": "AZ", "name": "az-fhn"}
    member = decide(
        [Candidate("member", "", body=record)],
        size=1,
        last_at_us=1,
        now_us=2,
        registry=History(log.registry_entries()).latest,
        known=Known(),
        rules=Rules(),
    )
    log.append(member.entries, expect=head)
    return log


def sign(directory: Path, stop: multiprocessing.synchronize.Event) -> None:
    """Sign the end of the log every 0.2 s, in this process."""
    log = Log.open(f"sqlite:///{directory / 'log.db'}")
    keys = [directory / "log.key"]
    signer = CheckpointSigner(log, open_log_signers(keys, ORIGIN), memory_of(keys[0]), ORIGIN)
    while not stop.wait(0.2):
        signer.step(time.time_ns() // 1000)
    log.close()


@contextmanager
def signing(directory: Path) -> Iterator[None]:
    """Have the end signed by another process."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=sign, args=(directory, stop))
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join()


def batched(entries: Sequence[NewEntry], size: int) -> Iterator[Sequence[NewEntry]]:
    """Yield the entries in batches."""
    source = iter(entries)
    while batch := list(islice(source, size)):
        yield batch


def append(log: Log, entries: Sequence[NewEntry], batch: int) -> float:
    """Append in batches; return entries a second."""
    head: Head = log.head()
    # The index of a message stands in its row: they are appended where they were decided for.
    began = time.perf_counter()
    for part in batched(entries, batch):
        head = log.append(part, expect=head)
    return len(entries) / (time.perf_counter() - began)


def moved(entries: Sequence[NewEntry], by: int, *, scattered: bool = False) -> list[NewEntry]:
    """Return other messages than these, for a log that is longer by so many entries.

    Their ids go up with the time, and their identifiers are counted, or *scattered*: as
    random ones are, which an index takes much worse.
    """
    found = []
    for entry in entries:
        message = entry.message
        assert message is not None
        index, at_us = message.index + by, entry.at_us + by
        name = sha256(str(index).encode()).hexdigest() if scattered else f"bench-{index:012}"
        named = identity(message.agency, message.facts.sender, name)
        row = replace(message, index=index, id=uuid7(at_us), identity=named, at_us=at_us)
        found.append(replace(entry, message=row, at_us=at_us))
    return found


class Bare:
    """Two tables of SQLite, as durable as the log."""

    def __init__(self, directory: Path) -> None:
        self.db = sqlite3.connect(directory / "bare.db", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("CREATE TABLE e (i INTEGER PRIMARY KEY, at INTEGER, body BLOB)")
        self.db.execute("CREATE TABLE p (i INTEGER PRIMARY KEY, body BLOB)")
        self.size = 0

    def append(self, entries: Sequence[NewEntry], batch: int) -> float:
        """Append in batches; return entries a second."""
        began = time.perf_counter()
        for part in batched(entries, batch):
            self.db.execute("BEGIN IMMEDIATE")
            rows = [(self.size + n, e.at_us, e.body) for n, e in enumerate(part)]
            self.db.executemany("INSERT INTO e VALUES (?, ?, ?)", rows)
            rows2 = [(self.size + n, e.payload) for n, e in enumerate(part)]
            self.db.executemany("INSERT INTO p VALUES (?, ?)", rows2)
            self.db.execute("COMMIT")
            self.size += len(part)
        return len(entries) / (time.perf_counter() - began)


def appends(directory: Path, rounds: int, count: int) -> Log:
    """Measure appends; return the log that they made."""
    log, bare = begin(directory), Bare(directory)
    entries = ready(log, count)
    print(f"{'batch':>6} {'log/s':>9} {'bare SQLite/s':>14} {'ratio':>6}")
    with signing(directory):
        for batch in BATCHES:
            few = count if batch > 1 else max(200, count // 20)
            ours, peers = [], []
            for _ in range(rounds):
                part = moved(entries[:few], log.head().size - 2)
                ours.append(append(log, part, batch))
                peers.append(bare.append(part, batch))
            one, other = statistics.median(ours), statistics.median(peers)
            print(f"{batch:>6} {one:>9,.0f} {other:>14,.0f} {one / other:>6.2f}")
    with log.reading() as c:
        found = latest(c)
    print(f"{log.head().size:,} entries; signed up to {found.size if found else 0:,}")
    return log


def timed(many: int, act: Callable[[int], None]) -> float:
    """Return the median of milliseconds that *act* takes."""
    found = []
    for number in range(many):
        began = time.perf_counter()
        act(number)
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def proofs(log: Log, many: int = 500) -> None:
    """Measure proofs, each made anew from tiles."""
    tree, head = Tree(log), log.head()
    pick = random.Random(7)  # the same entries each time
    chosen = [pick.randrange(head.size) for _ in range(many)]
    made = {}

    def include(n: int) -> None:
        made[n] = tree.inclusion(chosen[n], head.size)

    def consist(n: int) -> None:
        made[many + n] = tree.consistency(chosen[n] + 1, head.size)

    one, two = timed(many, include), timed(many, consist)

    def check(n: int) -> None:
        row = log.row(chosen[n])
        assert row is not None
        assert verify_inclusion(
            made[n], index=chosen[n], size=head.size, leaf=leaf_hash(row.body), root=head.root
        )

    three = timed(many, check)
    for n in range(0, many, 50):
        old = chosen[n] + 1
        assert verify_consistency(
            made[many + n], old=old, size=head.size, old_root=tree.root(old), root=head.root
        )
    print(f"proof of inclusion {one:.2f} ms, of consistency {two:.2f} ms, {1000 / one:,.0f}/s")
    print(f"read an entry and verify its proof {three:.2f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=5000, help="in each round")
    parser.add_argument("--directory", type=Path, help="on the disk that is meant")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="bench-log-") as directory:
        log = appends(Path(directory), given.rounds, given.entries)
        proofs(log)
        log.close()


if __name__ == "__main__":
    main()
