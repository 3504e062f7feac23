"""How fast the log is searched on one core, and what an index of words would cost each append.

    python bench/search.py [--rounds 5]

All take turns in one run, and time of the processor is counted, not of the clock. The peer is
the full-text index of SQLite (FTS5), fed with the same texts in the same lots.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grow import grow

from hub.core.search import Query
from hub.log.search import Range, search
from hub.log.store import Log
from schemas.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 20_000
LOT = 500


def _index(file: Path, texts: list[str]) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='')")
    for start in range(0, len(texts), LOT):
        rows = [(start + n, one) for n, one in enumerate(texts[start : start + LOT])]
        with connection:
            connection.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", rows)
    connection.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'log.db'}"
        began = time.process_time()
        grow(url, ENTRIES, "bench.example/log", ["az-fhn", "ir-ndmo"])
        appended = time.process_time() - began
        log = Log.open(url)
        row = log.row(ENTRIES - 1)
        assert row is not None
        texts = [" ".join(texts_of(row.payload_type, row.payload or b""))] * ENTRIES
        files = (Path(directory) / f"{n}.db" for n in range(rounds))

        def looked(query: Query, *, all_of_it: bool = True) -> Callable[[], None]:
            def do() -> None:
                search(log, query, Range(), limit=1, may_read=None if all_of_it else bool)

            return do

        work: dict[str, Callable[[], None]] = {
            "text, by who reads everything": looked(Query.of(text="nowhere")),
            "text, by an auditor of a state": looked(Query.of(text="nowhere"), all_of_it=False),
            "severity, by who reads everything": looked(Query.of(severity="Extreme")),
            "incident, by who reads everything": looked(Query.of(incident="AC-1")),
            "append: an index of words beside it (FTS5)": lambda: _index(next(files), texts),
        }
        took: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(rounds):
            for name, do in work.items():
                began = time.process_time()
                do()
                took[name].append(time.process_time() - began)
        log.close()
    for name, times in took.items():
        print(f"{name:<46} {ENTRIES / statistics.median(times):>12,.0f} entries/s")
    print(f"{'append: the hub, admission and all':<46} {ENTRIES / appended:>12,.0f} entries/s")


if __name__ == "__main__":
    main()
