"""Fill a log to a size, as the ledger would have: every entry admitted, chained and hashed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from work import payload

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import History, Registry
from hub.log.genesis import ensure_genesis
from hub.log.store import Head, Log
from schemas.payload import read_payload

__all__ = ["grow"]

BATCH = 5_000
AGO_US = 90 * 86_400 * 1_000_000
"""How old the log is: older than what feeds still hold, so that the log alone is large."""


def grow(log_url: str, size: int, origin: str, agencies: Sequence[str]) -> float:
    """Make a log of *size* entries, all but the first few messages; return entries per second."""
    log = Log.open(log_url)
    began_us = time.time_ns() // 1000 - AGO_US
    ensure_genesis(log, origin=origin, version="bench", now_us=began_us)
    members = [
        Candidate("member", "", body={"id": a, "state": a[:2].upper(), "name": a}) for a in agencies
    ]
    data = payload("grow", 0)
    facts = read_payload(data).facts
    head = _append(log, members, began_us, Registry())
    registry = History(log.registry_entries()).latest
    start, began = head.size, time.monotonic()
    while head.size < size:
        batch = [
            Candidate(
                "publish",
                agencies[0],
                payload=data,
                payload_type="application/cap+xml",
                facts=facts.model_copy(update={"identifier": f"grow-{head.size + i}"}),
            )
            for i in range(min(BATCH, size - head.size))
        ]
        head = _append(log, batch, began_us, registry)
    log.close()
    return (head.size - start) / (time.monotonic() - began)


def _append(log: Log, batch: Sequence[Candidate], now_us: int, registry: Registry) -> Head:
    head = log.head()
    decisions = decide(
        batch,
        size=head.size,
        last_at_us=head.at_us,
        now_us=now_us,
        registry=registry,
        known=log.known_for(batch),
        rules=Rules(future_tolerance=timedelta(days=1000)),
    )
    assert not any(outcome.refusal for outcome in decisions.outcomes)
    return log.append(decisions.entries, expect=head)
