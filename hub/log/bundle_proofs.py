"""What makes a part of the log as good as the whole: proofs of its entries, and a signed end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hub.core.merkle import leaf_hash
from hub.core.proofs import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from hub.core.registry import History
from hub.core.tiles import node_from
from hub.log.faults import Fault, Wrong
from hub.log.growth import GetTile, Tiles
from hub.log.signed_ends import check_end, read_signed_end
from hub.log.store import LogRow
from schemas.entry import from_micros
from schemas.errors import Rejected
from schemas.policy import Policy

__all__ = ["KEY_KINDS", "Prover", "check_signer", "proven_under", "signed_end_fault"]

KEY_KINDS: Final = ("genesis", "key", "log-key", "member", "state")
"""What says whose keys counted, and who may read what: everybody may read these."""

_MOST_TILES: Final = 4096
"""Of 8 KiB each."""


class Prover:
    """Proves the entries of a log of *size* from its tiles, in bounded memory."""

    def __init__(self, tile: GetTile, size: int) -> None:
        self._tile = tile
        self._tiles = Tiles(tile, size)
        self._node = node_from(self._tiles)

    def of(self, index: int) -> list[bytes]:
        """Return the proof that the entry at *index* is in the log.

        Raises:
            Wrong: ``tree``; a tile is missing.
        """
        if len(self._tiles) > _MOST_TILES:
            self._tiles.clear()
        return inclusion_proof(self._node, index, self._tiles.size)

    def between(self, reach: int, checkpoint: str) -> tuple[bytes, ...]:
        """Return what leads between a checkpoint and the log as far as a bundle shows it.

        Raises:
            Wrong: ``tree``. Rejected: ``note-invalid``.
        """
        if not checkpoint:
            return ()
        size = read_signed_end(checkpoint.encode()).checkpoint.size
        old, new = sorted((reach, size))
        if not 0 < old < new:
            return ()
        # The log may have been signed anew since the bundle's end was read.
        return tuple(consistency_proof(node_from(Tiles(self._tile, new)), old, new))


def proven_under(
    lines: Iterable[tuple[LogRow, tuple[bytes, ...] | None, bool]], size: int, root: bytes
) -> tuple[int, Fault | None]:
    """Prove a part's entries under a root, and its signatures by the keys that counted.

    Returns how many have been proven. A bundle of before has no proofs: of it none are.
    """
    history, proven, bare = History(), 0, 0
    try:
        for row, proof, _ in lines:
            if proof is None:
                bare += 1
                continue
            _prove(row, proof, size, root)
            proven += 1
            if row.kind in KEY_KINDS:
                history.apply(row.index, row.entry)
            elif row.kind == "publish":
                check_signer(row, history)
    except Wrong as wrong:
        return proven, wrong.fault
    except (ValueError, KeyError, TypeError) as e:
        return proven, Fault(None, "entry", f"the entries that say whose keys counted: {e!r}")
    if bare and proven:
        return proven, Fault(None, "root", f"{bare} of its entries have no proof")
    return proven, None


def _prove(row: LogRow, proof: tuple[bytes, ...], size: int, root: bytes) -> None:
    leaf = leaf_hash(row.body)
    if not verify_inclusion(proof, index=row.index, size=size, leaf=leaf, root=root):
        raise Wrong(row.index, "root", "it is not in the log whose root the bundle states")


def check_signer(row: LogRow, history: History) -> None:
    """See that a message that an agency signed is signed by a key that counted there.

    Raises:
        Wrong: ``signature``.
    """
    entry = row.entry
    if entry["attested"] == "agency" and not history.at(row.index).key_counts(
        row.agency, entry["key"], row.index, from_micros(row.at_us)
    ):
        raise Wrong(row.index, "signature", f"{entry['key']} is no key of {row.agency} here")


def signed_end_fault(
    note: str,
    consistency: tuple[bytes, ...],
    policy: Policy | None,
    *,
    size: int,
    root: bytes,
    root_at: Callable[[int], bytes | None],
) -> tuple[str, tuple[str, ...], Fault | None]:
    """Hold a bundle's checkpoint against the log of *size* that it shows, and against a policy.

    Returns how far it has come by the policy, who cosigned it, and what is wrong.
    """
    if not note:
        return "", (), Fault(None, "checkpoint", "the bundle has no checkpoint")
    try:
        end = read_signed_end(note.encode())
    except Rejected as e:
        return "", (), Fault(None, "checkpoint", e.detail)
    told = end.checkpoint
    if told.size <= size and (found := root if told.size == size else root_at(told.size)):
        same = found == told.root
    elif not min(told.size, size):
        same = True
    else:
        (old, old_root), (new, new_root) = sorted(((told.size, told.root), (size, root)))
        same = verify_consistency(consistency, old=old, size=new, old_root=old_root, root=new_root)
    if not same:
        return "", (), Fault(None, "checkpoint", f"it is not that of the log of {size} entries")
    if policy is None:
        return "", (), None
    level, witnesses, fault = check_end(
        end, policy, size=max(size, told.size), root_at=lambda _: None
    )
    return level or "", witnesses, fault
