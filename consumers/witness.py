"""Feed the log's checkpoints to its witnesses, each at its own pace, and keep their cosignatures.

Nothing waits for this: messages are receipted and delivered whatever witnesses do. Each
witness gets the newest checkpoint as soon as it has answered for the one before; what lies
between is passed over. One that fails is asked less and less often, and those beside it
never notice.

What a crash loses is where each witness stands; the first answer says it again. Two feeders
started by mistake are harmless: the second meets 409, and takes the size from it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import httpx
import structlog

from hub.client.witness import Answer, Cosigned, Failed, Stale, WitnessAt, hand_in
from hub.errors import Unavailable
from hub.log.checkpoints import SignedCheckpoint, add_cosignatures, latest, stands_at
from hub.log.store import Log
from hub.log.tree import Tree
from hub.tasks import end
from hub.telemetry import process_metrics
from schemas.policy import Policy

__all__ = ["Feeder", "fed_by"]

_LONGEST_S: Final = 60.0
_log = structlog.get_logger("witnesses")


@dataclass
class _Fed:
    """Where the feeder stands with one witness."""

    witness: WitnessAt
    size: int = -1
    """What the witness cosigned last, as far as known; below zero: nothing is known yet."""
    kept: int = 0
    """The largest size of which a cosignature is kept here."""
    failures: int = 0
    again_at: float = 0.0
    task: asyncio.Task[None] | None = field(default=None)

    def waits(self, now: float) -> bool:
        return now < self.again_at or (self.task is not None and not self.task.done())


def fed_by(policy: Policy | None) -> list[WitnessAt]:
    """Return the witnesses that are asked: those of a policy that have an address."""
    witnesses = () if policy is None else policy.witnesses.values()
    return [WitnessAt(one.name, one.key, one.url) for one in witnesses if one.url]


class Feeder:
    """The one who asks all witnesses, as a job of a process."""

    def __init__(
        self,
        log: Log,
        witnesses: Sequence[WitnessAt],
        *,
        within: timedelta,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._log = log
        self._tree = Tree(log)
        self._within = within
        self._fed = [_Fed(one) for one in witnesses]
        self._http = httpx.AsyncClient(
            follow_redirects=False, timeout=within.total_seconds(), transport=transport
        )

    async def look(self) -> None:
        """Hand the newest checkpoint to every witness that has it not; return at once.

        Raises:
            Unavailable: the log cannot be read.
        """
        now = time.monotonic()
        newest = await asyncio.to_thread(self._newest)
        if newest is None:
            return
        for one in self._fed:
            if one.size < 0:
                one.size = one.kept = await asyncio.to_thread(self._known, one)
            self._measure(one, newest)
            if one.kept < newest.size and not one.waits(now):
                one.task = asyncio.create_task(self._feed(one))

    async def close(self) -> None:
        """Ask nobody any more."""
        await end(one.task for one in self._fed if one.task is not None)
        await self._http.aclose()

    def _newest(self) -> SignedCheckpoint | None:
        with self._log.reading() as c:
            return latest(c)

    def _known(self, one: _Fed) -> int:
        with self._log.reading() as c:
            return stands_at(c, one.witness.key)

    def _measure(self, one: _Fed, newest: SignedCheckpoint) -> None:
        m, name = process_metrics(), one.witness.name
        m.feeder_size.labels(name).set(one.kept)
        behind = one.kept < newest.size
        m.feeder_lag.labels(name).set(newest.size - one.kept if behind else 0)

    async def _feed(self, one: _Fed) -> None:
        """Hand the newest checkpoint to one witness; take the size in a 409 once, and try again."""
        try:
            for _ in range(2):
                newest = await asyncio.to_thread(self._newest)
                if newest is None:
                    return
                answer = await self._ask(one, newest)
                if isinstance(answer, Cosigned):
                    await self._keep(one, newest, answer)
                elif isinstance(answer, Failed):
                    self._failed(one, answer)
                elif await self._moved(one, answer):
                    continue
                return
        except Unavailable as e:
            self._failed(one, Failed("log", str(e)))

    async def _ask(self, one: _Fed, newest: SignedCheckpoint) -> Answer:
        proof = await asyncio.to_thread(self._proof, one.size, newest.size)
        return await hand_in(
            self._http,
            one.witness,
            old=one.size,
            proof=proof,
            note=newest.note,
            within=self._within,
        )

    def _proof(self, old: int, size: int) -> Sequence[bytes]:
        return self._tree.consistency(old, size) if 0 < old < size else []

    async def _moved(self, one: _Fed, answer: Stale) -> bool:
        """Take the size that a witness claims; return whether it can be fed from there.

        One above our own is refused: either this hub was restored from an old copy, or the
        witness lies. One below what it cosigned shows that the witness was.
        """
        newest = await asyncio.to_thread(self._newest)
        known = await asyncio.to_thread(self._known, one)
        if newest is None or answer.size > newest.size:
            size = 0 if newest is None else newest.size
            detail = f"it claims {answer.size} entries, and the log has signed {size}"
            self._failed(one, Failed("ahead", detail))
            return False
        if answer.size < known:
            self._tell(
                one, "behind", f"it had cosigned {known} entries, and now claims {answer.size}"
            )
        elif answer.size == one.size:
            self._failed(one, Failed("nonsense", f"a 409 for the size {one.size} that it names"))
            return False
        one.size = answer.size
        return True

    async def _keep(self, one: _Fed, newest: SignedCheckpoint, answer: Cosigned) -> None:
        def keep() -> None:
            with self._log.writing() as c:
                add_cosignatures(c, newest.size, [answer.line])

        await asyncio.to_thread(keep)
        if one.failures:
            _log.info("witness.answers", witness=one.witness.name, size=newest.size)
        one.size = one.kept = newest.size
        one.failures, one.again_at = 0, 0.0
        self._measure(one, newest)

    def _failed(self, one: _Fed, answer: Failed) -> None:
        one.failures += 1
        wait = min(2.0 ** min(one.failures - 1, 10), _LONGEST_S)
        one.again_at = time.monotonic() + wait * (0.75 + random.random() / 2)  # noqa: S311 - it spreads load
        process_metrics().feeder_failures.labels(one.witness.name, answer.why).inc()
        if answer.contradicts or answer.why == "ahead":
            self._tell(one, answer.why, answer.detail)
        elif one.failures in {1, 10} or one.failures % 100 == 0:
            _log.warning(
                "witness.silent",
                witness=one.witness.name,
                why=answer.why,
                detail=answer.detail,
                failures=one.failures,
            )

    def _tell(self, one: _Fed, why: str, detail: str) -> None:
        """Say that a witness and the log contradict each other: a person must look."""
        process_metrics().feeder_contradictions.labels(one.witness.name, why).inc()
        _log.error("witness.contradicts", witness=one.witness.name, why=why, detail=detail)
