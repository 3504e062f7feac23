"""How fast a log is verified, beside the least that it could take.

    python bench/verify.py [--rounds 9] [--entries 20000]

The log's messages are signed by their agency. All take turns in one run, and time of the processor
is counted, of all processes, not of the clock: a busy machine slows them alike. Printed is the
median, a second of one core. The parts are what each process that `caspian verify` begins does;
the whole runs are on all cores, with what is decided in order, and with the processes' beginning
(about a second for each: what a large log does not notice).
"""

from __future__ import annotations

import argparse
import base64
import sqlite3
import statistics
import tempfile
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from grow import SECRET, grow
from used import used_s

from hub.core.admission import Rules
from hub.log.examine import Examiner
from hub.log.examining import told_of
from hub.log.leaves import hash_range
from hub.log.projections import read_logged
from hub.log.store import Log
from hub.log.verify import ALONE, stretch, verify_hashes, verify_store
from hub.log.workers import cores, workers
from schemas.dsse import HEADER_TYPE, pae

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 16_384
SIGNATURES = 1_000


def _bare_hashes(file: str, count: int) -> None:
    """Hash leaves and nodes, and look at nothing."""
    connection = sqlite3.connect(file, uri=True)
    query = "SELECT body FROM entries WHERE idx < ? ORDER BY idx"
    row = [sha256(b"\0" + body).digest() for (body,) in connection.execute(query, (count,))]
    while len(row) > 1:
        row = [sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
    connection.close()


def _whole(log: Log, *, decided: bool) -> None:
    """Verify everything; with admission and routing decided again, or without."""
    rules = Rules(future_tolerance=timedelta(days=1000))  # `grow` writes a log of long ago
    with workers(cores()) as crew:
        report = verify_store(log, read=read_logged if decided else None, rules=rules, crew=crew)
    assert report.ok, report.fault


def _part(log: Log, count: int, *, decided: bool) -> None:
    """Do what each process does."""
    rules = Rules(future_tolerance=timedelta(days=1000))
    examiner = Examiner(read=read_logged if decided else None, rules=rules)
    for told in told_of(stretch(log, 0, count), examiner, crew=ALONE):
        assert told.fault is None, told.fault


def _hashes(log: Log) -> None:
    with workers(cores()) as crew:
        assert verify_hashes(log, crew=crew).ok


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--entries", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log.db"
        grow(f"sqlite:///{path}", given.entries, "bench.example/log", ["az-fhn"], signed=True)
        file, log = f"file:{path}?mode=ro", Log.open(f"sqlite:///{path}")
        signed = [r.entry for r in log.rows(limit=SIGNATURES, kinds=["publish"])]
        public = SECRET.verify_key
        bare = [
            (pae(HEADER_TYPE, e["header"].encode()), base64.b64decode(e["signature"]))
            for e in signed
        ]
        count, part = given.entries, min(given.entries, ENTRIES)
        things: dict[str, tuple[int, Callable[[], object]]] = {
            "SHA-256 of leaves and nodes alone": (part, lambda: _bare_hashes(file, part)),
            "verify --hashes, a part": (part, lambda: hash_range(("sqlite", file), (0, part))),
            "verify --hashes, the whole run": (count, lambda: _hashes(log)),
            "PyNaCl alone": (len(bare), lambda: [public.verify(m, s) for m, s in bare]),
            "verify --no-decisions, a part": (part, lambda: _part(log, part, decided=False)),
            "verify, a part": (part, lambda: _part(log, part, decided=True)),
            "verify --no-decisions, the whole run": (count, lambda: _whole(log, decided=False)),
            "verify, the whole run": (count, lambda: _whole(log, decided=True)),
        }
        rates: dict[str, list[float]] = {name: [] for name in things}
        walls: dict[str, list[float]] = {name: [] for name in things}
        for _ in range(given.rounds):
            for name, (done, thing) in things.items():
                start, began = used_s(), time.perf_counter()
                thing()
                rates[name].append(done / (used_s() - start))
                walls[name].append(done / (time.perf_counter() - began))
        log.close()
    print(f"{'':<38}{'of one core':>12}{'by the clock':>14}")
    for name, taken in rates.items():
        print(
            f"{name:<38}{statistics.median(taken):>10,.0f}/s{statistics.median(walls[name]):>12,.0f}/s"
        )


if __name__ == "__main__":
    main()
