"""What the size of the log costs: two logs in turn, a small and a large one, on each store.

    python -m bench.growth [--small 10000] [--large 1000000] [--rounds 5] [--directory DIR]

Appends in batches of 64, look-ups of entries at random, proofs, and the tree made anew from all
entries (the beginning of `caspian verify`), beside bare hashlib over the same bytes. PostgreSQL
is a server of one's own that does not wait for the disk (``fsync=off``): of it only the ratios say
something. Printed are medians.
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
from hashlib import sha256
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from grow import grow
from sqlalchemy import make_url, text

from bench.log import append, moved, ready
from hub.core.merkle import EMPTY, extend
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tree import Tree
from tests.log.postgres_server import postgres_server

ORIGIN = "bench.example/log"
LOOK_UPS = 300
PROOFS = 100
HASHED = 10_000


@contextmanager
def stores(directory: Path) -> Iterator[dict[str, Callable[[str], str]]]:
    """Give for each kind of store what makes the URL of an empty one."""
    with postgres_server() as url:
        admin = Log.open(url)

        def database(name: str) -> str:
            with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
                c.execute(text(f"CREATE DATABASE {name}"))
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        yield {
            "sqlite": lambda name: f"sqlite:///{directory / name}.db",
            "postgresql": database,
        }
        admin.close()


def per_second(count: int, act: Callable[[], object]) -> float:
    """Return how many of *count* things are done in a second."""
    began = time.perf_counter()
    act()
    return count / (time.perf_counter() - began)


class Grown:
    """A log of a size, and what is measured of it."""

    def __init__(self, url: str, size: int) -> None:
        grow(url, size, ORIGIN, ("az-fhn",))
        self.log = Log.open(url)
        self.pick = random.Random(7)
        self.entries = ready(self.log, 640)
        self.first = self.log.head().size

    def appended(self) -> float:
        """Append ten batches of 64."""
        part = moved(self.entries, self.log.head().size - self.first)
        return append(self.log, part, 64)

    def looked_up(self) -> float:
        """Read entries at random, each with its payload."""
        size = self.log.head().size
        return per_second(
            LOOK_UPS, lambda: [self.log.row(self.pick.randrange(size)) for _ in range(LOOK_UPS)]
        )

    def proven(self) -> float:
        """Make proofs of inclusion."""
        size, tree = self.log.head().size, Tree(self.log)
        return per_second(
            PROOFS, lambda: [tree.inclusion(self.pick.randrange(size), size) for _ in range(PROOFS)]
        )

    def hashed(self) -> float:
        """Read entries in order from a random place, and make their tree."""
        start = self.pick.randrange(max(1, self.log.head().size - HASHED))
        rows = islice(scan(self.log, after=start), HASHED)
        return per_second(HASHED, lambda: extend(EMPTY, [row.body for row in rows]))

    def bare(self) -> float:
        """Hash the same bytes twice each, as a tree of them does, and nothing else."""
        bodies = [row.body for row in islice(scan(self.log), HASHED)]
        return per_second(HASHED, lambda: [(sha256(b), sha256(b[:65])) for b in bodies])


MEASURED: dict[str, Callable[[Grown], float]] = {
    "appended, batches of 64": Grown.appended,
    "looked up": Grown.looked_up,
    "proven": Grown.proven,
    "read and hashed": Grown.hashed,
    "bare hashlib": Grown.bare,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="on the disk that is meant")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=given.directory, prefix="bench-growth-") as name,
        stores(Path(name)) as kinds,
    ):
        for kind, url in kinds.items():
            small, large = Grown(url("small"), given.small), Grown(url("large"), given.large)
            print(f"{kind:<26}{given.small:>12,}{given.large:>12,}{'ratio':>7}  a second")
            for what, measure in MEASURED.items():
                rates = [(measure(small), measure(large)) for _ in range(given.rounds)]
                one, other = (statistics.median(found) for found in zip(*rates, strict=True))
                print(f"{what:<26}{one:>12,.0f}{other:>12,.0f}{other / one:>7.2f}")
            small.log.close()
            large.log.close()


if __name__ == "__main__":
    main()
