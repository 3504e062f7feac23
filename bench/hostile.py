"""What each parser takes at the most: time and memory for the worst that fits under its limit.

    python -m bench.hostile [--worst 2] [--only PARSER]

Each case of tests/schemas/hostile_cases.py is parsed once, at the limit on size that holds
for it. Printed is, for each parser, how many cases there are, and of those that took the
most processor time how long that was and by how much the process grew.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "schemas"))

from hostile_cases import CASES, PARSERS

from schemas.errors import Rejected

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from hostile_cases import Hostile


def measured(case: Hostile) -> tuple[float, str]:
    """Return the processor seconds that a case takes, and what became of it."""
    data = case.make(case.limit)
    began = time.process_time()
    try:
        PARSERS[case.parser](data)
        outcome = "read"
    except Rejected as refusal:
        outcome = refusal.code
    except ValueError:
        outcome = "refused"
    return time.process_time() - began, outcome


def _grown(case: Hostile, result: Connection) -> None:
    data = case.make(case.limit)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(ValueError, Rejected):
        PARSERS[case.parser](data)
    result.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def grown(case: Hostile) -> float:
    """Return by how many MiB a process of its own grows."""
    ours, theirs = get_context("fork").Pipe()
    child = get_context("fork").Process(target=_grown, args=(case, theirs))
    child.start()
    found: Any = ours.recv()
    child.join()
    return float(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--worst", type=int, default=2, help="cases that are shown of each parser")
    parser.add_argument("--only", choices=list(PARSERS), help="one parser")
    given = parser.parse_args()
    worst = given.worst
    print("| parser | cases | worst | bytes | outcome | ms | MiB |\n|---|---|---|---|---|---|---|")
    for name in [given.only] if given.only else PARSERS:
        cases = [case for case in CASES if case.parser == name]
        times = sorted(((*measured(case), case) for case in cases), key=lambda t: -t[0])
        for number, (seconds, outcome, case) in enumerate(times[:worst]):
            first = f"{name} | {len(cases)}" if number == 0 else " | "
            size = f"{len(case.make(case.limit)):,}"
            print(
                f"| {first} | {case.attack} | {size} | {outcome} | {seconds * 1000:,.0f} "
                f"| {grown(case):.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
