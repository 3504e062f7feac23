"""How fast the log takes entries and proves them, while its end is signed beside it.

    python -m bench.log [--rounds 5] [--entries 5120] [--stores sqlite postgresql] [--directory DIR]

Appends ready entries of messages (1,500 bytes each, with their projections, tiles and all) in
batches of 1, 64 and 256, each batch one durable commit. A signer of its own process signs the end
every 0.2 s meanwhile. The peer is the bare driver: the same entries and payloads into two tables
of the same kind of store, with the same commits and durability, and nothing derived from them.
Rounds take turns, so a busy machine slows them alike; printed are medians, of the processor's time
(with that of PostgreSQL's server, which does not wait for the disk here) and of the clock.

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
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from bench.stores import Store, stores
from bench.used import server_s, used_s
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


def begin(directory: Path, url: str) -> Log:
    """Begin a log with one member and a key."""
    log = Log.open(url)
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


def sign(directory: Path, url: str, stop: multiprocessing.synchronize.Event) -> None:
    """Sign the end of the log every 0.2 s, in this process."""
    log = Log.open(url)
    keys = [directory / "log.key"]
    signer = CheckpointSigner(log, open_log_signers(keys, ORIGIN), memory_of(keys[0]), ORIGIN)
    while not stop.wait(0.2):
        signer.step(time.time_ns() // 1000)
    log.close()


@contextmanager
def signing(directory: Path, url: str) -> Iterator[None]:
    """Have the end signed by another process."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=sign, args=(directory, url, stop))
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


def append(log: Log, entries: Sequence[NewEntry], batch: int) -> None:
    """Append in batches."""
    head: Head = log.head()
    # The index of a message stands in its row: they are appended where they were decided for.
    for part in batched(entries, batch):
        head = log.append(part, expect=head)


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
    """Two tables, as durable as the log."""

    def __init__(self, directory: Path, url: str) -> None:
        self.db: Any
        self.size, self.place, number, octets = 0, "?", "INTEGER", "BLOB"
        if url.startswith("sqlite"):
            self.db = sqlite3.connect(directory / "bare.db", isolation_level=None)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=FULL")
        else:
            self.db = psycopg.connect(url, autocommit=True)
            self.place, number, octets = "%s", "BIGINT", "BYTEA"
        self.db.execute(f"CREATE TABLE bare_e (i {number} PRIMARY KEY, at {number}, body {octets})")
        self.db.execute(f"CREATE TABLE bare_p (i {number} PRIMARY KEY, body {octets})")

    def append(self, entries: Sequence[NewEntry], batch: int) -> None:
        """Append in batches."""
        cursor, one = self.db.cursor(), self.place
        for part in batched(entries, batch):
            cursor.execute("BEGIN")
            rows = [(self.size + n, e.at_us, e.body) for n, e in enumerate(part)]
            cursor.executemany(f"INSERT INTO bare_e VALUES ({one}, {one}, {one})", rows)
            rows2 = [(self.size + n, e.payload) for n, e in enumerate(part)]
            cursor.executemany(f"INSERT INTO bare_p VALUES ({one}, {one})", rows2)
            cursor.execute("COMMIT")
            self.size += len(part)


def appends(directory: Path, kind: str, store: Store, rounds: int, count: int) -> Log:
    """Measure appends; return the log that they made."""
    url = store.url("log")
    log, bare = begin(directory, url), Bare(directory, store.url("bare"))
    entries = ready(log, count)
    print(f"{kind:<12}{'entries/s':>22}{'processor, µs each':>28}")
    print(f"{'batch':>12}{'log':>11}{'bare':>11}{'log':>14}{'bare':>8}{'ratio':>6}")
    with signing(directory, url):
        for batch in BATCHES:
            few = count if batch > 1 else max(200, count // 20)
            ours, peers = list[Took](), list[Took]()
            for _ in range(rounds):
                part = moved(entries[:few], log.head().size - 2)
                ours.append(took(partial(append, log, part, batch), few, store.server))
                peers.append(took(partial(bare.append, part, batch), few, store.server))
            one, other = median(ours), median(peers)
            print(
                f"{batch:>12}{1e6 / one.wall_us:>11,.0f}{1e6 / other.wall_us:>11,.0f}"
                f"{one.cpu_us:>14.1f}{other.cpu_us:>8.1f}{one.cpu_us / other.cpu_us:>6.1f}"
            )
    with log.reading() as c:
        found = latest(c)
    print(f"{log.head().size:,} entries; signed up to {found.size if found else 0:,}")
    bare.db.close()
    return log


class Took(NamedTuple):
    """What each of some things took: of processors, and by the clock."""

    cpu_us: float
    wall_us: float


def took(act: Callable[[], None], count: int, server: int | None) -> Took:
    """Do so many things; return what each took."""

    def used() -> float:
        return used_s() + (server_s(server) if server else 0.0)

    cpu, wall = used(), time.perf_counter()
    act()
    wall, cpu = time.perf_counter() - wall, used() - cpu
    return Took(cpu / count * 1e6, wall / count * 1e6)


def median(of: Sequence[Took]) -> Took:
    """Return the medians."""
    return Took(*(statistics.median(one) for one in zip(*of, strict=True)))


def timed(many: int, act: Callable[[int], None]) -> str:
    """Return the medians of milliseconds that *act* takes: of this process, and by the clock."""
    found = []
    for number in range(many):
        cpu, wall = time.process_time(), time.perf_counter()
        act(number)
        found.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = (statistics.median(one) * 1000 for one in zip(*found, strict=True))
    return f"{cpu:.2f} ms of the processor ({wall:.2f} by the clock)"


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
    print(f"proof of inclusion {one}\nproof of consistency {two}")
    print(f"read an entry and verify its proof {three}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=5120, help="in each round")
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--directory", type=Path, help="on the disk that is meant")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=given.directory, prefix="bench-log-") as directory,
        stores(given.stores, Path(directory)) as kinds,
    ):
        for kind, store in kinds.items():
            own = Path(directory) / kind  # each log has a key, and a signer's memory, of its own
            own.mkdir()
            log = appends(own, kind, store, given.rounds, given.entries)
            proofs(log)
            log.close()


if __name__ == "__main__":
    main()
