"""Which rules there are, and what breaking each does to a message without a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.cap.draft import Path

    Found = Callable[[str, Path, str], None]
    """Takes what was found: the rule's id, the element's path, a sentence for people."""

__all__ = ["RULES", "Found", "Severity"]

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
}
"""Each rule's severity without a profile."""
