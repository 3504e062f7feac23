"""Checkpoint: sign the log's end while it grows; where something contradicts itself, say so loudly.

What a crash leaves is told in `hub.log.signer`. A second one started by mistake is harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from redis.asyncio import Redis

from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import prune
from hub.log.log_keys import first_key, open_log_signers
from hub.log.signer import CheckpointSigner, memory_of
from hub.log.store import Log
from hub.streams.submit import propose
from hub.telemetry import process_metrics

__all__ = ["Checkpoints"]

_PRUNE_S = 600.0
_ANNOUNCE_S = 5.0
_TELL_S = 60.0
_log = structlog.get_logger("checkpoint")


class Checkpoints:
    """The signer of one log's checkpoints, as a job of a process."""

    def __init__(self, log: Log, redis: Redis, *, keys: Sequence[Path], origin: str) -> None:
        self._log = log
        self._redis = redis
        self._keys = keys
        self._origin = origin
        self._signer: CheckpointSigner | None = None
        self._announced_at = self._pruned_at = self._told_at = float("-inf")
        self._told = ""

    async def look(self) -> None:
        """Sign what is new. A key that the log does not name is announced where that is ours to do.

        Raises:
            Unavailable: the log cannot be read or written now.
        """
        try:
            await asyncio.to_thread(self._step)
        except Unavailable as e:
            if e.code == "log-unavailable":
                raise
            self._tell(e)
            if e.code == "log-key-unannounced":
                await self._announce()
        except Rejected as e:  # the program that holds the key did not sign
            self._tell(e)
        else:
            self._told = ""
            process_metrics().checkpoint_refused.set(0)

    def _step(self) -> None:
        if self._signer is None:
            self._signer = self._opened()
        signed = self._signer.step(time.time_ns() // 1000)
        if signed is not None:
            process_metrics().checkpoints.inc()
            process_metrics().checkpoint_size.set(signed.size)
            _log.debug("checkpoint.signed", size=signed.size)
        if time.monotonic() - self._pruned_at > _PRUNE_S:
            self._pruned_at = time.monotonic()
            with self._log.writing() as c:
                prune(c, time.time_ns() // 1000)

    def _opened(self) -> CheckpointSigner:
        if not History(self._log.registry_entries()).latest.log_keys:
            first_key(self._keys, self._origin)
        signers = open_log_signers(self._keys, self._origin)
        return CheckpointSigner(self._log, signers, memory_of(self._keys[0]), self._origin)

    def _tell(self, e: Unavailable | Rejected) -> None:
        """Write down what is wrong, at once when it is new and then once a minute."""
        now = time.monotonic()
        if e.code == "checkpoint-refused":
            process_metrics().checkpoint_refused.set(1)
        if str(e) != self._told or now - self._told_at > _TELL_S:
            self._told, self._told_at = str(e), now
            _log.error("checkpoint.refused", code=e.code, detail=e.detail, remedy=e.remedy)

    async def _announce(self) -> None:
        """Propose our key for a log that names none, where nobody has to sign for it.

        Any other key is for people to announce: a key that changed by itself proves nothing.
        """
        registry = History(await asyncio.to_thread(self._log.registry_entries)).latest
        now = time.monotonic()
        if registry.log_keys or registry.signed or now - self._announced_at < _ANNOUNCE_S:
            return
        self._announced_at = now
        key = await asyncio.to_thread(first_key, self._keys, self._origin)
        record = {"key": str(key), "action": "add"}
        await propose(self._redis, [Candidate("log-key", "", body=record)])
        _log.info("log_key.proposed", key=str(key))
