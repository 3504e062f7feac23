"""How fast signed messages are verified at intake, beside PyNaCl's verification alone.

    python -m bench.signatures [--rounds 15]

All take turns in one run, so a busy machine slows them alike. The median of the
rounds is printed, in messages a second, and the ratio to bare PyNaCl on one core.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from nacl.signing import SigningKey, VerifyKey

from bench.parse import ALERT
from consumers.intake import candidate_of
from consumers.signatures import opened
from consumers.worker import StreamEntry
from schemas.dsse import HEADER_TYPE, pae
from schemas.ed25519 import VerifierKey
from schemas.header import header_text
from schemas.signed import SignedMessage, verify_all

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 512
"""As many as intake reads at once."""


def entries() -> list[StreamEntry]:
    """Return inbox entries as an agency sends them, signed."""
    secret = SigningKey(sha256(b"bench").digest())
    key = VerifierKey("az-fhn-2026", bytes(secret.verify_key))
    digest, found = sha256(ALERT).hexdigest(), []
    for number in range(BATCH):
        header = header_text(
            message_id=f"bench-{number}",
            agency="az-fhn",
            seq=number + 1,
            prev=sha256(str(number).encode()).hexdigest(),
            type_="alert",
            created="2026-11-23T10:00:00+00:00",
            expires="2026-11-24T08:00:00+04:00",
            audience=("members",),
            payload_type="application/cap+xml",
            payload_sha256=digest,
            payload_size=len(ALERT),
        ).encode()
        signature = secret.sign(pae(HEADER_TYPE, header)).signature
        fields = {
            b"payload": ALERT,
            b"header": header,
            b"signature": base64.b64encode(signature),
            b"key": str(key).encode(),
        }
        found.append(StreamEntry(f"{number}-0".encode(), fields))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    batch = entries()
    signed = [m for m in opened("az-fhn", batch).values() if isinstance(m, SignedMessage)]
    bare = [
        (VerifyKey(m.key.public), pae(HEADER_TYPE, m.text.encode()), m.signature) for m in signed
    ]

    def whole() -> None:
        found = opened("az-fhn", batch)
        for entry in batch:
            candidate_of("az-fhn", entry, max_payload_bytes=1 << 20, signed=found[entry.id])

    things: dict[str, Callable[[], object]] = {
        "PyNaCl alone, one core": lambda: [key.verify(m, s) for key, m, s in bare],
        "the strict rule, one core": lambda: verify_all(signed, threads=1),
        f"the strict rule, {os.cpu_count()} cores": lambda: verify_all(signed),
        "intake: header, digest, signature": lambda: opened("az-fhn", batch),
        "intake: the message with all rules, too": whole,
    }
    rates: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, thing in things.items():
            start = time.perf_counter()
            thing()
            rates[name].append(BATCH / (time.perf_counter() - start))
    medians = {name: statistics.median(taken) for name, taken in rates.items()}
    first = next(iter(medians.values()))
    for name, rate in medians.items():
        print(f"{name:<42}{rate:>9.0f}/s  {rate / first:5.2f}")


if __name__ == "__main__":
    main()
