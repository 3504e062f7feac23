"""Fill a log to a size, as the ledger would have: every entry admitted, chained and hashed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from work import payload

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.log.store import Log
from schemas.payload import read_payload

__all__ = ["grow"]

BATCH = 5_000


def grow(log_url: str, size: int, agency: str = "az-bench") -> float:
    """Append messages until the log has *size* entries; return entries per second."""
    log = Log.open(log_url)
    registry = History(log.registry_entries()).latest
    data = payload("grow", 0)
    facts = read_payload(data).facts
    head = log.head()
    start, began = head.size, time.monotonic()
    while head.size < size:
        batch = [
            Candidate(
                "publish",
                agency,
                payload=data,
                payload_type="application/cap+xml",
                facts=facts.model_copy(
                    update={"identifier": f"grow-{head.size + i}", "sent": datetime.now(UTC)}
                ),
            )
            for i in range(min(BATCH, size - head.size))
        ]
        decisions = decide(
            batch,
            size=head.size,
            last_at_us=head.at_us,
            now_us=time.time_ns() // 1000,
            registry=registry,
            known=log.known_for(batch),
            rules=Rules(),
        )
        head = log.append(decisions.entries, expect=head)
    log.close()
    return (head.size - start) / (time.monotonic() - began)
