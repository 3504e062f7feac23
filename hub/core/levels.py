"""How far has an entry come? Found from its bytes, a proof and a policy, and nothing else (G4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.merkle import leaf_hash
from hub.core.proofs import verify_inclusion
from schemas.checkpoint import Checkpoint
from schemas.errors import Rejected
from schemas.policy import Level, Policy
from schemas.tlog_proof import TlogProof

__all__ = ["Proven", "prove"]


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry is in a log, as far as these have signed for it."""

    level: Level
    checkpoint: Checkpoint
    cosigned: Mapping[str, int] = field(default_factory=dict)
    """Which witnesses, and when, in seconds since 1970."""

    def existed_by(self, policy: Policy) -> int | None:
        """Return since when at the latest the entry existed, in seconds; None where no quorum says.

        It is the smallest time by which a quorum had cosigned: a clock of its own beside the
        hub's, which fewer than a quorum cannot set back.
        """
        if self.level not in {"witnessed", "sealed"}:
            return None
        by: set[str] = set()
        for name, at in sorted(self.cosigned.items(), key=lambda item: item[1]):
            by.add(name)
            if policy.holds(by):
                return at
        return None


def prove(entry: bytes, proof: TlogProof, policy: Policy) -> Proven:
    """Return how far the *entry* has come by its proof.

    Raises:
        Rejected: ``proof-wrong``: it is not at that index of that log; or no log of the
            policy has signed the checkpoint. ``note-invalid``.
    """
    checkpoint = Checkpoint.of(proof.note.text)
    level = policy.level(proof.note)
    if level is None:
        raise _wrong(f"no log that the policy names has signed for {checkpoint.origin}")
    if not verify_inclusion(
        proof.hashes,
        index=proof.index,
        size=checkpoint.size,
        leaf=leaf_hash(entry),
        root=checkpoint.root,
    ):
        raise _wrong(f"the entry is not at {proof.index} of the {checkpoint.size} that were signed")
    return Proven(level, checkpoint, policy.cosigned(proof.note))


def _wrong(why: str) -> Rejected:
    return Rejected(
        "proof-wrong",
        f"the proof does not hold: {why}",
        remedy="Keep it and tell everybody: it may be evidence of another history.",
    )
