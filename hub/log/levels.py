"""How far has an entry come? Told from the checkpoints in the store, under a policy (G4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hub.errors import Rejected, Unavailable
from hub.log.checkpoints import (
    SignedCheckpoint,
    at_least,
    cosigned,
    last_of_each,
    latest,
    latest_where,
)
from hub.log.signed_ends import read_signed_end
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.log_receipt import LogReceipt
from schemas.notes import read_note
from schemas.policy import LEVELS, Level, Policy, read_policy
from schemas.tlog_proof import TlogProof

__all__ = ["Levels", "Standing", "WitnessSeen", "read_policy_file"]

_COSIGNED: Final[tuple[Level, ...]] = ("sealed", "witnessed")


@dataclass(frozen=True, slots=True)
class WitnessSeen:
    """A witness, and the largest tree that it has cosigned, as far as the store keeps it."""

    name: str
    """What the policy calls it; of one that is not in it, the name of its key."""
    counts: bool
    """Whether it is in the policy."""
    size: int
    """0: none is kept."""
    at_s: int | None
    """When it did so by its own clock, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the log's end has come."""

    sizes: Mapping[Level, SignedCheckpoint | None]
    """The newest checkpoint of each level but ``durable``."""
    quorum: int
    """How many witnesses the policy asks for at least; 0 without one."""
    witnesses: tuple[WitnessSeen, ...]
    policy: str
    """As it is written; empty without one."""


class Levels:
    """The levels of a log's entries. What was reached is never taken back."""

    def __init__(self, log: Log, policy: Policy | None) -> None:
        self._log = log
        self._policy = policy
        self.tree = Tree(log)
        """The tree that they are proven by, with what was computed of it."""
        self._reached: dict[Level, int] = {}
        """For each level the largest size that is known to have reached it."""

    def of(self, index: int) -> Level:
        """Return how far the entry at *index* has come.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        for level in _COSIGNED:
            if index < self._reached.get(level, 0):
                return level
        with self._log.reading() as c:
            return self._best(c, index)[0]

    def standing(self) -> Standing:
        """Return the newest checkpoint of each level, and what each witness cosigned last.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        with self._log.reading() as c:
            sealed = self._newest(c, "sealed", 0)
            witnessed = self._newest(c, "witnessed", sealed.size if sealed else 0) or sealed
            sizes: dict[Level, SignedCheckpoint | None] = {
                "signed": latest(c),
                "witnessed": witnessed,
                "sealed": sealed,
            }
            last = last_of_each(c)
        policy = self._policy
        seen = []
        for name, one in sorted(policy.witnesses.items()) if policy is not None else ():
            size, at = last.pop((one.key.name, one.key.id), (0, None))
            seen.append(WitnessSeen(name, counts=True, size=size, at_s=at))
        seen += [
            WitnessSeen(name, counts=False, size=size, at_s=at)
            for (name, _), (size, at) in sorted(last.items())
        ]
        if policy is None:
            return Standing(sizes, 0, tuple(seen), "")
        return Standing(sizes, policy.fewest, tuple(seen), policy.text)

    def newest(self, level: Level) -> str | None:
        """Return the note of the newest checkpoint of that *level* or a higher, as it is cosigned.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        with self._log.reading() as c:
            one = latest(c) if level == "signed" else self._newest(c, level, 0)
            return None if one is None else cosigned(c, one)

    def proof(self, index: int) -> TlogProof | None:
        """Return the proof of an entry under the checkpoint that shows its highest level.

        None while no checkpoint covers it.

        Raises:
            Unavailable: ``log-unavailable``, ``log-broken``.
        """
        return self._proof(index)[1]

    def receipt(self, origin: str, index: int, body: bytes) -> LogReceipt:
        """Return the receipt of an entry's bytes, with what is reached by now.

        Raises:
            Unavailable: ``log-unavailable``, ``log-broken``.
        """
        level, proof = self._proof(index)
        return LogReceipt.of(origin, index, body, level, proof)

    def _proof(self, index: int) -> tuple[Level, TlogProof | None]:
        with self._log.reading() as c:
            level, one = self._best(c, index)
            note = "" if one is None else cosigned(c, one)
        if one is None:
            return level, None
        hashes = self.tree.inclusion(index, one.size)
        return level, TlogProof(index, tuple(hashes), read_note(note.encode()))

    def _best(self, c: Connection, index: int) -> tuple[Level, SignedCheckpoint | None]:
        for level in _COSIGNED:
            if (found := self._newest(c, level, index + 1)) is not None:
                return level, found
        one = at_least(c, index + 1)
        return ("durable", None) if one is None else ("signed", latest(c))

    def _newest(self, c: Connection, level: Level, covering: int) -> SignedCheckpoint | None:
        policy = self._policy
        if policy is None or not policy.fewest:
            return None
        wanted = LEVELS.index(level)

        def enough(note: str) -> bool:
            found = policy.level(read_note(note.encode()))
            return found is not None and LEVELS.index(found) >= wanted

        least = policy.fewest + (level == "sealed")
        one = latest_where(c, enough, covering=covering, least=least)
        if one is not None:
            self._reached[level] = max(one.size, self._reached.get(level, 0))
        return one


def best_note(newest: Callable[[Level], str | None], covering: int) -> str:
    """Return the newest checkpoint of the highest level that covers so many entries.

    Where none does, that of the highest level that there is: what came after it is signed soon.
    Empty where nothing is signed.
    """
    found = []
    levels: tuple[Level, ...] = (*_COSIGNED, "signed")
    for level in levels:
        note = newest(level)
        if note and read_signed_end(note.encode()).checkpoint.size >= covering:
            return note
        found.append(note)
    return next(filter(None, found), "") or ""


def read_policy_file(path: Path | None) -> Policy | None:
    """Read the hub's own policy (CASPIAN_POLICY); None where there is none.

    Raises:
        Unavailable: ``settings-invalid``.
    """
    if path is None:
        return None
    try:
        return read_policy(path.read_bytes())
    except (OSError, Rejected) as e:
        why = e.detail if isinstance(e, Rejected) else e.strerror or str(e)
        raise Unavailable(
            "settings-invalid", f"CASPIAN_POLICY: {path}: {why}", remedy="See docs/protocol/log.md."
        ) from e
