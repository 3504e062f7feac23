"""Which rules aid messages are held to, what breaking each does, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from schemas.cap.structure import MAX_FINDINGS
from schemas.errors import Finding
from schemas.rm.paths import document_order, path_text

if TYPE_CHECKING:
    from schemas.rm.paths import Path

__all__ = ["RULES", "Case", "Severity"]

Severity = Literal["error", "warning"]

RULES: Final[dict[str, Severity]] = {
    "A01": "error",
    "A02": "error",
    "A03": "error",
    "A04": "error",
    "A05": "error",
    "A06": "error",
    "A07": "warning",
    "A08": "error",
    "A09": "warning",
    "A10": "error",
    "A11": "error",
    "A12": "error",
    "A13": "error",
    "A14": "warning",
    "A15": "error",
    "A16": "error",
    "A17": "warning",
    "A18": "error",
    "A19": "error",
    "A20": "error",
    "A21": "error",
    "A22": "error",
    "A23": "error",
    "A24": "error",
    "A25": "warning",
    "A26": "error",
    "A27": "error",
    "A28": "error",
    "A29": "error",
    "A30": "error",
    "A31": "error",
    "A32": "error",
    "A33": "warning",
    "A34": "error",
    "A35": "warning",
    "A36": "warning",
}
"""Each rule's severity. R00, R01 and XSD are those of `schemas.cap.rulebook`."""


@dataclass(slots=True)
class Case:
    """What was found in one message of type *name* while it is judged."""

    name: str
    found_: list[tuple[str, Path, str]] = field(default_factory=list)
    unlisted: int = 0
    """How many codes were found that are not of their list."""

    def found(self, rule: str, path: Path, message: str) -> None:
        """Note that the element at *path* breaks *rule*."""
        self.found_.append((rule, path, message))

    def findings(self) -> tuple[Finding, ...]:
        """Return at most `MAX_FINDINGS`, in document order; errors have precedence."""
        ranked = sorted(
            (RULES[rule], document_order(self.name, path), rule, path_text(self.name, path), text)
            for rule, path, text in self.found_
        )
        del ranked[MAX_FINDINGS:]
        ranked.sort(key=lambda one: one[1])
        return tuple(
            Finding(rule, severity, path, text) for severity, _, rule, path, text in ranked
        )
