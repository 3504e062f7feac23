"""What the size of the log costs: two logs in turn, a small and a large one, on each store.

    python -m bench.growth [--small 10000] [--large 1000000] [--rounds 5] [--no-backup]
                           [--stores sqlite postgresql] [--directory DIR]

The logs are filled with ready entries of messages of 1,500 bytes, as an append writes them. Then
are measured appends, look-ups, proofs, searches by time, kind, agency and incident, the tree made
anew from all entries on all cores (`caspian verify --hashes`), and a backup; beside bare hashlib.
Of each are printed, as medians, the time of the processor (with that of PostgreSQL's server) and
of the clock. PostgreSQL is a server of one's own that does not wait for the disk (``fsync=off``).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from grow import grow
from sqlalchemy import text

from bench.log import append, moved, ready
from bench.stores import Store, stores
from bench.used import server_s, used_s
from hub.core.admission import NewEntry
from hub.core.search import Query
from hub.log.backup import back_up
from hub.log.scan import scan
from hub.log.search import Range, search
from hub.log.store import Log
from hub.log.tree import Tree
from hub.log.verify import verify_hashes
from hub.log.workers import cores, workers

ORIGIN = "bench.example/log"
READY = 2560
FILL = 5120
LOOK_UPS = 500
SEARCHED = 5_000
INCIDENT = "AC-2026-000001-AZE"


class Took(NamedTuple):
    """How long so many things took: on processors, and by the clock."""

    count: int
    cpu_s: float
    wall_s: float


class Grown:
    """A log of a size, and what is measured of it."""

    def __init__(self, store: Store, name: str, size: int, directory: Path) -> None:
        self.server, self.directory, url = store.server, directory, store.url(name)
        grow(url, 3, ORIGIN, ("az-fhn",))
        self.log = Log.open(url)
        self.pick = random.Random(7)
        self.entries = ready(self.log, READY)
        self.first = self.log.head().size
        message = self.entries[0].message
        assert message is not None
        facts = message.facts.model_copy(update={"incidents": (INCIDENT,)})
        self.entries[0] = replace(self.entries[0], message=replace(message, facts=facts))
        self.took = Took(0, 0.0, 0.0)
        self.fill(size)

    def fill(self, size: int) -> None:
        """Go on to a size."""
        with self.timed(size - self.log.head().size):
            while (left := size - self.log.head().size) > 0:
                append(self.log, self.next(min(left, FILL)), FILL)

    def next(self, count: int, *, scattered: bool = False) -> list[NewEntry]:
        """Return so many entries that go on from the end of the log."""
        by, found = self.log.head().size - self.first, list[NewEntry]()
        while len(found) < count:
            more = self.entries[: count - len(found)]
            found += moved(more, by + len(found), scattered=scattered)
        return found

    @contextmanager
    def timed(self, count: int) -> Iterator[None]:
        """Take how long so many things took."""
        used, began = self.used_s(), time.perf_counter()
        yield
        self.took = Took(count, self.used_s() - used, time.perf_counter() - began)

    def used_s(self) -> float:
        """Return how long processors were at work for this log."""
        return used_s() + (server_s(self.server) if self.server else 0.0)

    def bytes(self) -> int:
        """Return how large the store is on the disk."""
        with self.log.reading() as c:
            if c.dialect.name == "postgresql":
                query = "SELECT pg_database_size(current_database())"
            else:
                query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            return int(c.execute(text(query)).scalar_one())

    def appended(self, batch: int, *, scattered: bool = False) -> None:
        """Append in batches, each a commit."""
        part = self.next(READY if batch > 1 else READY // 10, scattered=scattered)
        with self.timed(len(part)):
            append(self.log, part, batch)

    def looked_up(self) -> None:
        """Read entries at random, each with its payload."""
        size = self.log.head().size
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                assert self.log.row(self.pick.randrange(size)) is not None

    def included(self) -> None:
        """Make proofs of inclusion, each from tiles."""
        size, tree = self.log.head().size, Tree(self.log)
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                tree.inclusion(self.pick.randrange(size), size)

    def consistent(self) -> None:
        """Make proofs of consistency."""
        size, tree = self.log.head().size, Tree(self.log)
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                tree.consistency(self.pick.randrange(1, size), size)

    def by_time(self) -> None:
        """Find the first entry at or after a time."""
        head = self.log.head()
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                self.log.first_index_at(head.at_us - self.pick.randrange(head.size))

    def by_kind(self) -> None:
        """Find the members, in the whole log."""
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                assert len(self.log.rows(kinds=("member",), limit=50)) == 1

    def by_incident(self) -> None:
        """Find the last message about an incident."""
        with self.timed(LOOK_UPS):
            for _ in range(LOOK_UPS):
                assert self.log.latest_about("actual", INCIDENT, limit=1)

    def searched(self) -> None:
        """Go through the last entries for those of an agency that wrote none of them."""
        before = self.log.head().size
        with self.timed(SEARCHED):
            search(self.log, Query.of(agency="ir-ndmo"), Range(before - SEARCHED - 1), limit=1)

    def hashed(self) -> None:
        """Verify the tree, all of it, on all cores."""
        with self.timed(self.log.head().size), workers(cores()) as crew:
            assert verify_hashes(self.log, crew=crew).ok

    def bare(self) -> None:
        """Hash entries twice each, as a tree of them does, and nothing else."""
        bodies = [row.body for row in islice(scan(self.log), SEARCHED)]
        with self.timed(len(bodies)):
            for body in bodies:
                sha256(body).digest()
                sha256(body[:65]).digest()

    def backed_up(self) -> None:
        """Back the store up."""
        with self.timed(self.log.head().size):
            made = back_up(self.log, self.directory / "backup", now_us=1)
        made.path.unlink()


MEASURED: dict[str, Callable[[Grown], None]] = {
    **{f"appended, batches of {n}": partial(Grown.appended, batch=n) for n in (1, 64, 256)},
    "… of random identifiers": partial(Grown.appended, batch=256, scattered=True),
    "looked up at random": Grown.looked_up,
    "proofs of inclusion": Grown.included,
    "proofs of consistency": Grown.consistent,
    "found by time": Grown.by_time,
    "found by kind": Grown.by_kind,
    "found by incident": Grown.by_incident,
    "searched by agency": Grown.searched,
    "bare hashlib": Grown.bare,
}
ONCE: dict[str, Callable[[Grown], None]] = {
    "verify --hashes": Grown.hashed,
    "backed up": Grown.backed_up,
}
"""What goes through the whole log: in one round."""


def tell(what: str, small: list[Took], large: list[Took]) -> None:
    """Print the medians of both, in microseconds for each thing, and how they compare."""
    figures = []
    for took in (small, large):
        cpu = statistics.median(t.cpu_s / t.count for t in took)
        wall = statistics.median(t.wall_s / t.count for t in took)
        figures.append((cpu * 1e6, wall * 1e6))
    (one, one_wall), (two, two_wall) = figures
    ratio = two / one if one else float("nan")
    print(f"{what:<26}{one:>10.1f}{two:>10.1f}{ratio:>7.2f}{one_wall:>12.1f}{two_wall:>10.1f}")


def compare(kind: str, small: Grown, large: Grown, *, rounds: int, backup: bool) -> None:
    """Measure both logs in turn, and print."""
    one, two = small.log.head().size, large.log.head().size
    print(f"{kind}: {one:,} and {two:,} entries")
    print(f"bytes an entry: {small.bytes() / one:,.0f} and {large.bytes() / two:,.0f}")
    count, used, took = large.took
    print(
        f"{count:,} were appended in {took:,.0f} s, at {used * 1e6 / count:.1f} µs of the processor"
    )
    print(f"{'':<26}{'processor, µs each':>20}{'ratio':>7}{'clock, µs each':>22}", flush=True)
    for what, measure in {**MEASURED, **ONCE}.items():
        if what == "backed up" and not backup:
            continue
        taken: tuple[list[Took], list[Took]] = ([], [])
        for _ in range(1 if what in ONCE else rounds):
            for log, found in zip((small, large), taken, strict=True):
                measure(log)
                found.append(log.took)
        tell(what, *taken)
        sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, nargs="+", default=[1_000_000], help="one by one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--no-backup", action="store_true", help="for want of room on the disk")
    parser.add_argument("--directory", type=Path, help="on the disk that is meant")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=given.directory, prefix="bench-growth-") as name,
        stores(given.stores, Path(name)) as kinds,
    ):
        for kind, store in kinds.items():
            small = Grown(store, "small", given.small, Path(name))
            large = Grown(store, "large", 3, Path(name))
            for size in given.large:
                large.fill(size)
                compare(kind, small, large, rounds=given.rounds, backup=not given.no_backup)
            small.log.close()
            large.log.close()


if __name__ == "__main__":
    main()
