"""How fast a log is verified on one core, beside the least that it could take.

    python bench/verify.py [--rounds 9]

All take turns in one run, and time of the processor is counted, not of the clock: a busy
machine slows them alike. Printed is the median, a second of one core; each process that
`caspian verify` begins does as much.
"""

from __future__ import annotations

import argparse
import base64
import sqlite3
import statistics
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from grow import grow
from nacl.signing import SigningKey

from hub.log.leaves import hash_range
from hub.log.look import Task, look_at
from schemas.dsse import HEADER_TYPE, pae
from schemas.ed25519 import VerifierKey

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 16_384
SIGNATURES = 1_000


def _bare_hashes(file: str) -> None:
    """Hash leaves and nodes, and look at nothing."""
    connection = sqlite3.connect(file, uri=True)
    query = "SELECT body FROM entries WHERE idx < ? ORDER BY idx"
    row = [sha256(b"\0" + body).digest() for (body,) in connection.execute(query, (ENTRIES,))]
    while len(row) > 1:
        row = [sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    connection.close()


def _signed() -> list[tuple[str, bytes]]:
    secret = SigningKey(sha256(b"bench").digest())
    headers = [f'{{"agency":"az-fhn","seq":{n},"prev":"{"0" * 64}"}}' for n in range(SIGNATURES)]
    return [(h, secret.sign(pae(HEADER_TYPE, h.encode())).signature) for h in headers]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log.db"
        grow(f"sqlite:///{path}", ENTRIES, "bench.example/log", ["az-fhn", "ir-ndmo"])
        file = f"file:{path}?mode=ro"
        signed = _signed()
        public = SigningKey(sha256(b"bench").digest()).verify_key
        key = str(VerifierKey("az-fhn-2026", bytes(public)))
        tasks = [Task(None, "", h, key, base64.b64encode(s).decode()) for h, s in signed]
        bare = [(pae(HEADER_TYPE, h.encode()), s) for h, s in signed]
        things: dict[str, tuple[int, Callable[[], object]]] = {
            "SHA-256 of leaves and nodes alone": (ENTRIES, lambda: _bare_hashes(file)),
            "verify --hashes": (ENTRIES, lambda: hash_range(("sqlite", file), (0, ENTRIES))),
            "PyNaCl alone": (SIGNATURES, lambda: [public.verify(m, s) for m, s in bare]),
            "verify: signatures": (SIGNATURES, lambda: look_at(None, tasks)),
        }
        rates: dict[str, list[float]] = {name: [] for name in things}
        for _ in range(rounds):
            for name, (count, thing) in things.items():
                start = time.process_time()
                thing()
                rates[name].append(count / (time.process_time() - start))
    for name, taken in rates.items():
        print(f"{name:<36}{statistics.median(taken):>9.0f}/s")


if __name__ == "__main__":
    main()
