"""Which rules there are, what breaking each does, and what is known while judging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.cap.draft import Path
    from schemas.cap.values import Ring

__all__ = ["RULES", "Case", "Severity"]

Severity = Literal["error", "warning"]

RULES: Final[dict[str, Severity]] = {
    "R00": "error",
    "R01": "error",
    "XSD": "error",
    "R02": "error",
    "R03": "error",
    "R04": "error",
    "R04u": "warning",
    "R06": "error",
    "R06b": "warning",
    "R07": "error",
    "R08": "error",
    "R09": "warning",
    "R10": "warning",
    "R11": "error",
    "R12": "error",
    "R13": "error",
    "R14": "error",
    "R15": "error",
    "R16": "error",
    "R17": "warning",
    "R18": "warning",
    "R19": "warning",
    "R20": "warning",
    "R21": "warning",
    "R22": "error",
    "R23": "warning",
    "R24": "warning",
    "R25": "error",
    "R26": "error",
    "R27": "error",
    "R28": "error",
    "R29": "error",
    "R30": "error",
    "R31": "warning",
    "R32": "warning",
    "R33": "warning",
    "R34": "error",
    "R35": "error",
    "R36": "error",
    "R37": "error",
    "R38": "warning",
    "R39": "warning",
    "R40": "error",
    "R41": "warning",
    "R42": "error",
    "R43": "error",
    "R44": "warning",
    "R45": "warning",
    "R46": "warning",
    "R47": "warning",
    "R48": "warning",
    "R49": "warning",
    "R50": "warning",
    "R51": "warning",
    "R52": "warning",
    "R53": "warning",
    "R54": "warning",
    "WMO1": "warning",
    "IPAWS1": "error",
    "IPAWS2": "error",
    "IPAWS3": "warning",
    "IPAWS4": "warning",
    "IPAWS5": "warning",
    "IPAWS6": "warning",
    "IPAWS7": "error",
    "CP02": "error",
    "CP03": "error",
    "CP05": "error",
    "CP06": "error",
    "CP08": "error",
    "CP09": "error",
    "CP15": "warning",
    "CP16": "error",
    "CP17": "error",
    "CP18": "warning",
}
"""Each rule's severity; a profile may make an error of a warning (`schemas.cap.profiles`)."""


@dataclass(slots=True)
class Case:
    """What is known of one message while it is judged, and what was found."""

    lenient: bool = False
    """Whether dates are read as CAP 1.1 allows them."""
    sent: datetime | None = None
    public: bool = False
    findings: list[tuple[str, Path, str]] = field(default_factory=list)
    """The rule's id, the element's path, a sentence for people."""
    unlisted: int = 0
    """How many codes were found that are not of their list."""
    rings: dict[str, tuple[Ring, str, str]] = field(default_factory=dict)
    """Polygons judged before: a message in five languages repeats each five times."""

    crossing_pairs: int = 2_000_000
    """How many pairs of a polygon's sides may still be looked at for crossings; what is
    beyond would take longer than a message is worth."""

    def found(self, rule: str, path: Path, message: str) -> None:
        """Note that the element at *path* breaks *rule*."""
        self.findings.append((rule, path, message))
