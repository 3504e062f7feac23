"""Sign the log's end as a checkpoint, and never two that contradict each other (G4).

A checkpoint is signed only where the log grew from the last that was signed: from the one
in the store, and from the one in the signer's own memory, a file beside the key. A store that was
restored from an older backup, and went on otherwise, is a fork: the memory knows it.

Crash table (the memory is written first, the store last; each survives a power cut):

=================================  ===================================================
killed                             what is left
=================================  ===================================================
before it signs                    nothing; the next step signs
signed, not yet in the memory      nothing that anybody has seen
in the memory, not in the store    nobody has seen it; what is signed next must grow from it
in the store                       done
=================================  ===================================================
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.client.signers import Signer
from hub.core.proofs import verify_consistency
from hub.core.registry import History, Registry
from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import SignedCheckpoint, latest, put
from hub.log.store import Head, Log
from hub.log.tree import Tree
from hub.private_files import write_private
from schemas.checkpoint import Checkpoint, read_checkpoint
from schemas.ed25519 import VerifierKey
from schemas.notes import Note, signature_line

__all__ = ["CheckpointSigner", "contradiction", "memory_of", "refused", "remembered"]


class CheckpointSigner:
    """What signs the checkpoints of one log. Only one process at a time works beside a memory."""

    def __init__(self, log: Log, signers: Sequence[Signer], memory: Path, origin: str) -> None:
        self._log = log
        self._signers = signers
        self._memory = memory
        self._origin = origin
        self._history = History()
        self._sound: Head | None = None
        """The end that was last found to be signed already."""

    def step(self, now_us: int) -> SignedCheckpoint | None:
        """Sign the log's end, and return it once it is kept; None where nothing is new.

        Raises:
            Unavailable: ``checkpoint-refused``: the store contradicts what was signed, and
                nothing is signed until a person has looked; ``log-key-unannounced``: the log
                does not name a key of ours; ``log-unavailable``, ``log-key-unusable``.
            Rejected: ``signer-failed``.
        """
        if (head := self._log.head()).size == 0 or head == self._sound:
            return None
        with self._alone():
            with self._log.reading() as c:
                last = latest(c)
            known = self._known(last)
            # Read after what was signed: another signer may go on meanwhile, the log with it.
            head = self._log.head()
            wrong = contradiction(self._log, head, known)
            if wrong:
                raise refused(wrong)
            if last is not None and last.size == head.size:
                self._sound = head
                return None
            made = self._sign(head, now_us)
            self._remember(made.note)
            with self._log.writing() as c:
                kept = put(c, made)
            if not kept:
                # Another signer, with a memory of its own, was quicker; look at what it signed.
                return None
            self._sound = head
            return made

    def _known(self, last: SignedCheckpoint | None) -> list[Checkpoint]:
        keys = {s.key for s in self._signers} | set(
            map(VerifierKey.read, self._registry().log_keys)
        )
        own = remembered(self._memory, self._origin, tuple(keys))
        found = [] if own is None else [own]
        if last is not None:
            found.append(Checkpoint(self._origin, last.size, last.root))
        return found

    def _sign(self, head: Head, now_us: int) -> SignedCheckpoint:
        text = Checkpoint(self._origin, head.size, head.root).body()
        lives = self._registry().log_keys
        counting = [
            s for s in self._signers if str(s.key) in lives and lives[str(s.key)].signs(head.size)
        ]
        if not counting:
            raise Unavailable(
                "log-key-unannounced",
                f"the log of {head.size} entries does not name the key "
                f"{', '.join(str(s.key) for s in self._signers)}",
                remedy='Announce it: docs/protocol/log.md, "The log\'s keys".',
            )
        lines = tuple(signature_line(s.key, s.sign_note(text)) for s in counting)
        return SignedCheckpoint(head.size, head.root, now_us, str(Note(text, lines)))

    def _registry(self) -> Registry:
        for index, entry in self._log.registry_entries(after=self._history.last_index):
            self._history.apply(index, entry)
        return self._history.latest

    def _remember(self, note: str) -> None:
        try:
            write_private(self._memory, note)
        except OSError as e:
            raise _unwritable(self._memory, e) from e

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process signs beside the same memory."""
        lock = self._memory.with_name(f"{self._memory.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise _unwritable(lock, e) from e
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def memory_of(key_file: Path) -> Path:
    """Return where a signer keeps the last checkpoint it signed: beside its first key file."""
    return key_file.with_name(f"{key_file.name}.signed")


def remembered(memory: Path, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint | None:
    """Return the last checkpoint that was signed, by the signer's own memory.

    Raises:
        Unavailable: ``checkpoint-refused``; the memory is there, and cannot be believed.
    """
    try:
        data = memory.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise refused(f"{memory} cannot be read: {e.strerror}") from e
    try:
        return read_checkpoint(data, origin, tuple(keys))[0]
    except Rejected as e:
        raise refused(f"{memory} is not what this key signed: {e.detail}") from e


def contradiction(log: Log, head: Head, known: Sequence[Checkpoint]) -> str:
    """Return how the store contradicts itself or what was *known* to be signed; else nothing.

    Made of tiles: a proof that the tree grew from each of them, which is then verified.
    """
    tree = Tree(log)
    try:
        if tree.root(head.size) != head.root:
            return f"the tiles come to another root over {head.size} entries than the log's end"
        for one in known:
            if one.size > head.size:
                return (
                    f"the store has {head.size} entries, and a checkpoint over {one.size} was "
                    "signed: it was restored from a backup, and entries are lost"
                )
            if one.size == 0:
                continue
            proof = tree.consistency(one.size, head.size)
            if not verify_consistency(
                proof, old=one.size, size=head.size, old_root=one.root, root=head.root
            ):
                return (
                    f"the first {one.size} entries are not those of the checkpoint that was "
                    "signed over them: the history is another"
                )
    except Unavailable as e:
        if e.code != "log-broken":
            raise
        return e.detail
    return ""


def refused(why: str) -> Unavailable:
    """Return the error of a signer that finds a contradiction."""
    return Unavailable(
        "checkpoint-refused",
        f"no checkpoint is signed: {why}",
        remedy="Stop the ledger, keep everything as it is, and see docs/operations.md, "
        '"Checkpoints are refused".',
    )


def _unwritable(path: Path, e: OSError) -> Unavailable:
    return Unavailable(
        "log-key-unusable",
        f"the signer cannot write {path}: {e.strerror or e}",
        remedy="The directory of the log's key must be the signer's own, on a disk with room.",
    )
