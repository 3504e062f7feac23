"""Ledger: decide batches of candidates, commit each at once, answer only then.

Crash table (a candidate leaves its stream last):

=================================  ===================================================
killed                             what is left
=================================  ===================================================
before the commit                  nothing is logged; the batch is read again
between commit and answers         all is logged; read again, the batch is known by its
                                   identities and gets the same receipts
after answers and letting go       nothing is left to do: they are one transaction of Redis
=================================  ===================================================

A second ledger started by mistake loses the race for the log's head, learns of it
(`LogMoved`) and decides again after what the other has written.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis

from consumers.intake import dead_letter_of, refusal_of
from consumers.signatures import without_forgeries
from consumers.worker import StreamEntry
from hub.core.admission import Decision, Decisions, NewEntry, Rules, decide
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.registry import CHANGE_KINDS, History
from hub.core.signing import Chain
from hub.errors import LogMoved, Rejected
from hub.log.escalation_log import last_alive, sign_of_life
from hub.log.store import Head, Log
from hub.streams import keys
from hub.telemetry import process_metrics
from schemas.entry import rfc3339
from schemas.receipt import findings_json

__all__ = ["Ledger", "answer_fields"]

_log = structlog.get_logger("ledger")


class Ledger:
    """The one writer of the log."""

    def __init__(
        self, log: Log, redis: Redis, *, rules: Rules, receipt_retention: timedelta
    ) -> None:
        self._log = log
        self._redis = redis
        self._rules = rules
        self._receipt_retention = receipt_retention
        self._head: Head | None = None
        self._chains: dict[str, Chain] = {}
        self._history = History()

    def begin(self) -> None:
        """Log that the hub was down, if it was, before anything else is decided.

        Deadlines stand still for that time (`hub.core.escalation`).

        Raises:
            Unavailable: call again.
        """
        with self._log.reading() as c:
            seen_us = last_alive(c)
        if seen_us is not None:
            self.commit([Candidate("restart", "", body={"since_us": seen_us})])

    def live(self) -> None:
        """Write down that a ledger is at work.

        Raises:
            Unavailable: call again.
        """
        with self._log.writing() as c:
            sign_of_life(c, time.time_ns() // 1000)

    async def handle(self, entries: Sequence[StreamEntry], last: Any) -> None:
        """Log a batch; *last* answers it."""
        batch = [_read(entry) for entry in entries]
        decisions = await asyncio.to_thread(self._take, batch)
        self._answer(decisions, last)

    def _take(self, batch: Sequence[Candidate]) -> Decisions:
        return self.commit(without_forgeries(batch, _refused))

    def commit(self, batch: Sequence[Candidate]) -> Decisions:
        """Decide and append a batch; return once it is durable.

        Raises:
            Unavailable: nothing is known to be written; the same batch may come again.
        """
        entropy = [secrets.token_bytes(8) for _ in batch]
        while True:
            if self._head is None:
                self._reload()
            head = self._head
            assert head is not None  # noqa: S101  # _reload has just set it
            # Whatever goes wrong below, what was believed of the log's end is no longer sure.
            self._head, chains, self._chains = None, self._chains, {}
            known = self._log.known_for(batch, chains=chains, inputs_of_messages=False)
            decisions = self._decide(batch, head, known, entropy)
            if any(o.refusal and o.candidate.kind == "publish" for o in decisions.outcomes):
                known = self._log.known_for(batch, chains=chains)
                decisions = self._decide(batch, head, known, entropy)
            began = time.perf_counter()
            try:
                self._head = self._log.append(decisions.entries, expect=head)
            except LogMoved as e:
                _log.warning("log.moved", expected=e.expected, actual=e.actual)
                continue
            process_metrics().ledger_commit_seconds.observe(time.perf_counter() - began)
            self._chains = known.chains
            self._committed(head.size, decisions.entries)
            return decisions

    def _decide(
        self, batch: Sequence[Candidate], head: Head, known: Known, entropy: Sequence[bytes]
    ) -> Decisions:
        return decide(
            batch,
            size=head.size,
            last_at_us=head.at_us,
            now_us=time.time_ns() // 1000,
            registry=self._history.latest,
            known=known,
            rules=self._rules,
            entropy=entropy,
        )

    def _reload(self) -> None:
        for index, entry in self._log.registry_entries(after=self._history.last_index):
            self._history.apply(index, entry)
        self._head = self._log.head()

    def _committed(self, start: int, entries: Sequence[NewEntry]) -> None:
        for index, entry in enumerate(entries, start):
            process_metrics().entries_appended.labels(entry.kind).inc()
            for one in entry.escalations:
                process_metrics().escalations.labels(str(one.step)).inc()
            if entry.redacts:
                process_metrics().payloads_removed.labels(entry.kind).inc(len(entry.redacts))
            if entry.kind in CHANGE_KINDS:
                # Read it from the log, as every other process does.
                for at, fact in self._log.registry_entries(after=index - 1):
                    self._history.apply(at, fact)
        process_metrics().ledger_batch_entries.observe(len(entries))
        process_metrics().log_size.set(start + len(entries))

    def _answer(self, decisions: Decisions, pipe: Any) -> None:
        oldest_ms = int((time.time() - self._receipt_retention.total_seconds()) * 1000)
        trimmed = set()
        for outcome in decisions.outcomes:
            fields = answer_fields(outcome)
            if not fields:
                continue
            key = keys.receipts(outcome.candidate.agency)
            if outcome.refusal is not None:
                process_metrics().refusals.labels(outcome.refusal.code).inc()
            pipe.xadd(key, fields)
            trimmed.add(key)
        for key in trimmed:
            pipe.xtrim(key, minid=oldest_ms, approximate=True)
        if decisions.entries:
            last = max(o.index for o in decisions.outcomes)
            pipe.xadd(
                keys.LOG, {"size": last + 1}, id=keys.entry_id(last), maxlen=1000, approximate=True
            )

    @staticmethod
    def passes(error: Exception) -> bool:
        """Tell whether an answer that Redis did not take may be passed over.

        A ledger that lost a race may wake readers out of order: an older id is refused,
        rightly. Any other was refused for the key that it was meant for: what it says is in
        the log, and whoever sends again is told.
        """
        if "equal or smaller" not in str(error):
            _log.error("answer.refused", error=str(error)[:300])
        return True

    async def bury(self, entry: StreamEntry, reason: str) -> None:
        """Log a candidate that cannot be decided as a dead letter."""
        agency = entry.fields.get(b"agency", b"").decode("utf-8", "replace")[:64]
        letter = dead_letter_of(agency, entry, "ledger", reason)
        decisions = await asyncio.to_thread(self.commit, [letter])
        pipe: Any = self._redis.pipeline(transaction=False)
        self._answer(decisions, pipe)
        await pipe.execute(raise_on_error=False)


def _read(entry: StreamEntry) -> Candidate:
    candidate = Candidate.from_fields(entry.fields)
    if not candidate.inbox and candidate.kind in {"refusal", "dead-letter"}:
        # The hub's own proposals have no inbox entry; their place here names them instead.
        return replace(candidate, inbox=f"candidates/{entry.id.decode()}")
    return candidate


def _refused(c: Candidate, refusal: Rejected) -> Candidate:
    return refusal_of(c.agency, refusal, payload=c.payload, via=c.via, inbox=c.inbox)


def answer_fields(outcome: Decision) -> dict[str, str]:
    """Return the entry of the receipt stream that answers a candidate; none where nobody asked."""
    c = outcome.candidate
    if not c.inbox or c.inbox.startswith(("candidates/", "action/")) or not c.agency:
        return {}
    if outcome.refusal is not None:
        refusal = outcome.refusal
        return {
            "type": "refusal",
            "inbox": c.inbox,
            "index": str(outcome.index),
            "code": refusal.code,
            "detail": refusal.detail,
            "remedy": refusal.remedy,
            "findings": findings_json(refusal.findings),
            "at": rfc3339(outcome.at_us),
            "counted": "1" if outcome.counted else "0",
        }
    return {
        "type": "receipt",
        "inbox": c.inbox,
        "index": str(outcome.index),
        "id": outcome.message_id,
        "sha256": outcome.sha256,
        "at": rfc3339(outcome.at_us),
        "duplicate": "1" if outcome.duplicate else "0",
        "warnings": outcome.warnings,
    }
