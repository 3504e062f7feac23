"""Which rules pollution reports are held to, and what was found in one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.errors import Finding

__all__ = ["MAX_FINDINGS", "RULES", "Case"]

MAX_FINDINGS: Final = 20

RULES: Final[dict[str, Literal["error", "warning"]]] = {
    "P01": "error",
    "P02": "error",
    "P03": "error",
    "P04": "error",
    "P05": "error",
    "P06": "error",
    "P07": "error",
    "P08": "error",
    "P09": "error",
    "P10": "warning",
    "P11": "warning",
    "P12": "warning",
    "P13": "warning",
    "P14": "warning",
    "P15": "warning",
    "P16": "warning",
    "P17": "warning",
}
"""Each rule's severity; docs/standards.md says what they ask."""


@dataclass(slots=True)
class Case:
    """What was found in one report."""

    found_: list[Finding] = field(default_factory=list)

    def found(self, rule: str, place: str, line: int | None, message: str) -> None:
        """Note that *place*, a field's number or a name of the introduction, breaks *rule*."""
        path = f"polrep/{place}" if place else "polrep"
        self.found_.append(Finding(rule, RULES[rule], path, message, line))

    def findings(self) -> tuple[Finding, ...]:
        """Return at most `MAX_FINDINGS` in the order of lines; errors have precedence."""
        ranked = sorted(self.found_, key=lambda one: (one.severity, one.line or 0))
        kept = ranked[:MAX_FINDINGS]
        return tuple(sorted(kept, key=lambda one: (one.line or 0, one.path, one.rule)))
