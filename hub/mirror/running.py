"""Run a mirror: follow the log, cosign what is held, and serve it to others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from hub.core.witnessing import Refused, Submission
from hub.errors import HubError, Unavailable
from hub.log.checkpoints import add_cosignatures, latest
from hub.log.store import Log
from hub.log.tree import Tree
from hub.mirror.config import MirrorConfig
from hub.mirror.following import Follower, Forked
from hub.mirror.source import Source
from hub.private_files import make_private, write_private
from hub.telemetry import process_metrics
from hub.witness.store import WitnessStore
from schemas.checkpoint import Checkpoint
from schemas.notes import Note, read_note

__all__ = ["EVIDENCE", "Mirror"]

EVIDENCE: Final = "evidence"
_LONGEST_S: Final = 60.0
_log = structlog.get_logger("mirror")


class Mirror:
    """One mirror: its copy of the log, and the witness that vouches for it."""

    def __init__(
        self,
        config: MirrorConfig,
        log: Log,
        witness: WitnessStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.log = log
        self._witness = witness
        self._clock = clock
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._stepped = threading.Condition()

    def follow(self) -> None:
        """Follow until `stop`; what fails is written down, and tried again less and less often."""
        wait_s = self.config.every_s
        with self.source() as source:
            payloads = self.config.payload_token_file is not None
            follower = Follower(self.log, source, self.config.logs, payloads=payloads)
            while not self._stop.is_set():
                try:
                    self.step(follower)
                    wait_s = self.config.every_s
                except Forked as fork:
                    self._keep(fork)
                    wait_s = _LONGEST_S
                except HubError as e:
                    process_metrics().mirror_failures.labels(e.code).inc()
                    _log.warning("mirror.waiting", code=e.code, detail=e.detail)
                    wait_s = min(2 * wait_s, _LONGEST_S)
                self._asked.wait(wait_s)
                self._asked.clear()

    def step(self, follower: Follower) -> int:
        """Take the newest checkpoint, and cosign it; return its size.

        Raises:
            Forked, Rejected, Unavailable: see `Follower.step`.
        """
        done = follower.step(witnesses=self.config.witnesses)
        self.cosign()
        process_metrics().mirror_size.set(self.log.head().size)
        if done.added:
            _log.info("mirror.copied", size=done.size, entries=done.added, withheld=done.withheld)
        with self._stepped:
            self._stepped.notify_all()
        return done.size

    def cosign(self) -> None:
        """Cosign the newest checkpoint that is held whole, by the rules of every witness.

        Raises:
            Unavailable: the witness's store or the log cannot be used.
        """
        with self.log.reading() as c:
            newest = latest(c)
        if newest is None or newest.size > self.log.head().size:
            return
        note = read_note(newest.note.encode())
        held = {one.origin: one.size for one in self._witness.latest()}
        old = held.get(self.config.logs[0].name, 0)
        if old >= newest.size:
            return
        proof = Tree(self.log).consistency(old, newest.size) if old else []
        one = Submission(old, tuple(proof), Checkpoint.of(note.text), note)
        answer = self._witness.add(one, keys=self.config.logs, now_s=int(self._clock()))
        if isinstance(answer, Note):
            with self.log.writing() as c:
                add_cosignatures(c, newest.size, answer.signatures)

    def holds(self, one: Submission) -> Refused | None:
        """Cosign for others only what is held whole; what is not yet is fetched first.

        Raises:
            Unavailable: ``mirror-behind``.
        """
        size, root = one.checkpoint.size, one.checkpoint.root
        deadline = time.monotonic() + 5
        while self.log.head().size < size:
            self._asked.set()
            with self._stepped:
                left = deadline - time.monotonic()
                if left <= 0 or not self._stepped.wait(left):
                    break
        if self.log.head().size < size:
            raise Unavailable(
                "mirror-behind",
                f"this mirror does not hold {size} entries yet",
                remedy="Hand it in again a little later.",
            )
        if size and Tree(self.log).root(size) != root:
            return Refused(422, f"the mirror holds another root at size {size}", suspect=True)
        return None

    def source(self) -> Source:
        """Return where it copies from.

        Raises:
            Rejected: ``mirror-unusable``.
        """
        c = self.config
        return Source(
            c.url,
            token=c.secret(c.token_file),
            payload_token=c.secret(c.payload_token_file),
            within_s=c.within_s,
        )

    def stop(self) -> None:
        """End `follow` after the step that it is at."""
        self._stop.set()
        self._asked.set()

    def _keep(self, fork: Forked) -> None:
        """Keep both checkpoints where no later run overwrites them."""
        text = f"{fork.why}\n\nheld here:\n\n{fork.ours}\nsigned now:\n\n{fork.theirs}"
        directory = self.config.directory / EVIDENCE
        make_private(directory)
        path = directory / f"{sha256(fork.theirs.encode()).hexdigest()[:16]}.txt"
        if not path.exists():
            write_private(path, text)
        process_metrics().mirror_forks.set(len(list(Path(directory).glob("*.txt"))))
        _log.error("mirror.forked", why=fork.why, evidence=str(path))
