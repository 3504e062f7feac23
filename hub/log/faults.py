"""What can be wrong with a log, and who is to blame for it.

A fault is laid at somebody's door by what it shows. What the hub put under its tree, it
stands for: an entry there that no honest hub would have written is the hub's doing. What
is not what the tree says was changed after the commit, by whoever keeps this copy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["FAULTS", "HUB", "STORAGE", "Fault", "Wrong", "agency", "witness"]

HUB: Final = "hub"
"""Whoever runs the hub: it wrote, left out or signed what it must not."""
STORAGE: Final = "storage"
"""Whoever keeps this copy: it was changed, cut or damaged after the hub wrote it."""

FAULTS: Final[dict[str, tuple[str, str]]] = {
    "gap": ("an entry is missing, or stands where another should", STORAGE),
    "entry": ("these are not the bytes of an entry that can stand here", STORAGE),
    "column": ("what is kept beside the entry does not say what the entry says", STORAGE),
    "payload": ("the payload is missing, or is not the one that the entry names", STORAGE),
    "head": ("the end that the copy states contradicts itself", STORAGE),
    "tree": ("the tree's tiles are not those of the entries", STORAGE),
    "time": ("the time is not after that of the entry before", HUB),
    "chain": ("an agency's count has a gap: a message of it was left out or removed", HUB),
    "twin": ("a message is in the log twice", HUB),
    "decision": ("decided again from the log before it, something else comes out", HUB),
    "signature": ("nobody whose word counts here signed this", HUB),
    "root": ("the log is not the one that somebody kept the root of: it was rewritten", HUB),
    "rollback": ("the log is shorter than what it was shown to be: it was set back", HUB),
    "fork": ("two histories of one log were signed", HUB),
    "checkpoint": ("the signed end is not one of this log", HUB),
    "cosignature": ("what a witness signed does not hold, or is not of this log", "witness"),
    "quorum": ("too few witnesses have signed, by the policy", HUB),
    "answer": ("a search's answer is not what its range of the log says", HUB),
    "feed": ("a live feed does not hold what the log says it must", HUB),
    "delivery": ("a delivery is claimed that its reader never confirmed", HUB),
}
"""By code: what it means, and who is to blame where nothing shows otherwise."""


def agency(name: str) -> str:
    """Return how an agency is named as the culprit."""
    return f"agency {name}"


def witness(name: str) -> str:
    """Return how a witness is named as the culprit."""
    return f"witness {name}"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong, and whose doing it must be.

    *index* is the first entry that cannot be right; None where it is the whole that
    does not agree, and no single entry can be named. *code* is one of `FAULTS`.
    *culprit* is ``hub``, ``storage``, ``agency …`` or ``witness …``.
    """

    index: int | None
    code: str
    detail: str
    culprit: str = ""

    def __post_init__(self) -> None:
        if not self.culprit:
            object.__setattr__(self, "culprit", FAULTS[self.code][1])

    def blamed(self, culprit: str) -> Fault:
        """Return the same fault, laid at another's door."""
        return replace(self, culprit=culprit)

    def __str__(self) -> str:
        where = "the log" if self.index is None else f"entry {self.index}"
        return f"{where}: {self.code}: {self.detail} ({self.culprit})"


class Wrong(Exception):
    """Carries the first fault out of the checks."""

    def __init__(self, index: int | None, code: str, detail: str, *, culprit: str = "") -> None:
        super().__init__(detail)
        self.fault = Fault(index, code, detail, culprit)

    @classmethod
    def of(cls, fault: Fault) -> Wrong:
        """Return what carries this fault."""
        return cls(fault.index, fault.code, fault.detail, culprit=fault.culprit)
