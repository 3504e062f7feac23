"""Signed ends of a log: whether they hold, are of this log, or contradict each other.

Whoever signed two ends that cannot both be true has shown two histories to two people.
That is proven by the two notes alone: nobody can deny their own signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.log.faults import Fault, witness
from schemas.checkpoint import Checkpoint
from schemas.errors import Rejected
from schemas.notes import Note, read_note
from schemas.policy import Level, Policy

__all__ = ["SignedEnd", "check_end", "contradiction", "open_end", "read_signed_end"]

RootAt = Callable[[int], bytes | None]
"""The root over so many entries; None where it is not known."""


@dataclass(frozen=True, slots=True)
class SignedEnd:
    """A checkpoint and the signatures under it, none of them verified yet."""

    checkpoint: Checkpoint
    note: Note


def read_signed_end(data: bytes) -> SignedEnd:
    """Read a checkpoint's note.

    Raises:
        Rejected: ``note-invalid``.
    """
    note = read_note(data)
    return SignedEnd(Checkpoint.of(note.text), note)


def check_end(
    end: SignedEnd, policy: Policy, *, size: int, root_at: RootAt
) -> tuple[Level | None, tuple[str, ...], Fault | None]:
    """Hold a signed end against a policy and a log of *size* entries.

    Returns how far it has come, which witnesses cosigned it, and what is wrong.
    """
    checkpoint, note = end.checkpoint, end.note
    cosigned = tuple(sorted(policy.cosigned(note)))
    level = policy.level(note)
    if policy.signer(note) is None:
        return level, cosigned, Fault(None, "checkpoint", "no log of the policy has signed it")
    for name, one in policy.witnesses.items():
        if name not in cosigned and any(one.key.signed(line) for line in note.signatures):
            detail = f"the cosignature of {name} does not hold"
            return level, cosigned, Fault(None, "cosignature", detail, witness(name))
    if checkpoint.size > size:
        detail = f"{checkpoint.size} entries were signed for; the log has {size}"
        return level, cosigned, Fault(size, "rollback", detail)
    root = root_at(checkpoint.size)
    if root is not None and root != checkpoint.root:
        detail = f"the first {checkpoint.size} entries come to {root.hex()}, not to what was signed"
        return level, cosigned, Fault(None, "checkpoint", detail)
    if not policy.holds(cosigned):
        detail = f"{len(cosigned)} witnesses have cosigned; a quorum is at least {policy.fewest}"
        return level, cosigned, Fault(None, "quorum", detail)
    return level, cosigned, None


def contradiction(a: SignedEnd | None, b: SignedEnd | None, policy: Policy | None) -> list[str]:
    """Return who signed both of two ends that cannot both be true, by the keys of a policy."""
    if a is None or b is None or policy is None:
        return []
    found = []
    first, second = policy.signer(a.note), policy.signer(b.note)
    if first is not None and second is not None and first.name == second.name:
        found.append("hub")
    both = policy.cosigned(a.note).keys() & policy.cosigned(b.note).keys()
    return found + [witness(name) for name in sorted(both)]


def open_end(data: bytes) -> SignedEnd | None:
    """Return the signed end that a file holds; None where it holds something else."""
    try:
        return read_signed_end(data)
    except Rejected:
        return None
