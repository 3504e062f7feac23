"""What a witness answers to a checkpoint (C2SP tlog-witness, add-checkpoint), by what it holds.

Pure: whoever asks reads what is held, judges and writes in one transaction.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.core.merkle import EMPTY_ROOT
from hub.core.proofs import verify_consistency
from schemas.checkpoint import Checkpoint
from schemas.ed25519 import VerifierKey, decode_base64
from schemas.errors import Rejected
from schemas.notes import Note, open_note, read_note

__all__ = ["EMPTY", "Held", "Refused", "Submission", "authentic", "judge", "read_submission"]

MOST_HASHES: Final = 63


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint as it was handed in, with the proof that it grew from *old*."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: Note

    @property
    def body(self) -> bytes:
        """The request's body that says this."""
        lines = "".join(f"{base64.b64encode(h).decode()}\n" for h in self.proof)
        return f"old {self.old}\n{lines}\n{self.note}".encode()


@dataclass(frozen=True, slots=True)
class Held:
    """The latest checkpoint of a log that a witness cosigned."""

    size: int
    root: bytes


EMPTY: Final = Held(0, EMPTY_ROOT)
"""What is held of a log that was never cosigned: every log began empty."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a checkpoint is not cosigned."""

    status: int
    why: str
    suspect: bool = False
    """Whether the log itself signed what does not follow from what is held."""


def read_submission(body: bytes) -> Submission | Refused:
    """Read a request's body; nothing of it is verified yet."""
    head, blank, rest = body.partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or len(lines) > 1 + MOST_HASHES:
        return Refused(400, "the body is not: old size, at most 63 hashes, empty line, checkpoint")
    old = re.fullmatch(rb"old (0|[1-9][0-9]{0,18})", lines[0])
    if old is None:
        return Refused(400, "the first line is not: old <size>")
    proof = []
    for line in lines[1:]:
        one = decode_base64(line.decode("ascii", "replace"))
        if one is None or len(one) != 32:
            return Refused(400, "a line of the proof is not the base64 of a hash")
        proof.append(one)
    try:
        note = read_note(rest)
    except Rejected as e:
        # A note under which stands no signature that can be read is one that nobody signed.
        framed = b"\n\n" in rest and rest.endswith(b"\n")
        return Refused(403 if framed else 400, f"invalid signature: {e.detail}")
    try:
        checkpoint = Checkpoint.of(note.text)
    except Rejected as e:
        return Refused(400, e.detail)
    return Submission(int(old[1]), tuple(proof), checkpoint, note)


def authentic(one: Submission, keys: Sequence[VerifierKey]) -> Refused | None:
    """Return why a submission is not its log's word; *keys* are those trusted for its origin."""
    if not keys:
        return Refused(404, "unknown log")
    try:
        open_note(one.note, keys)
    except Rejected as e:
        return Refused(403, f"invalid signature: {e.detail}")
    return None


def judge(one: Submission, held: Held) -> Refused | None:
    """Return why an authentic checkpoint is not cosigned; None where it follows from *held*.

    What the empty tree grew to needs no proof, so a size of 0 is looked at first: it
    never reaches a verifier.
    """
    size, root = one.checkpoint.size, one.checkpoint.root
    if one.old > size:
        return Refused(400, f"old size {one.old} is above the checkpoint's size {size}")
    forked = size == held.size and root != held.root
    if one.old != held.size:
        return Refused(409, str(held.size), suspect=forked)
    if size == 0 and root != EMPTY_ROOT:
        return Refused(422, "the root is not that of the empty tree", suspect=True)
    if one.old == 0:
        return Refused(422, "of old size 0 there is no consistency proof") if one.proof else None
    if forked:
        return Refused(422, f"another root at size {size} was cosigned before", suspect=True)
    if not verify_consistency(one.proof, old=one.old, size=size, old_root=held.root, root=root):
        return Refused(422, "the consistency proof does not hold", suspect=size != one.old)
    return None
