"""How grave, how urgent and how certain what a message tells of is: CAP 1.2, 3.2.2."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = [
    "CERTAINTIES",
    "SEVERITIES",
    "URGENCIES",
    "Certainty",
    "KnownSeverity",
    "Severity",
    "Urgency",
    "is_as_grave",
]

KnownSeverity = Literal["Extreme", "Severe", "Moderate", "Minor"]
Severity = Literal[KnownSeverity, "Unknown"]
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
URGENCIES: Final[tuple[Urgency, ...]] = get_args(Urgency)
CERTAINTIES: Final[tuple[Certainty, ...]] = get_args(Certainty)
"""What is gravest, most urgent, most certain stands first; what nobody knows last."""

_GRAVITY: Final[tuple[Severity, ...]] = ("Minor", "Moderate", "Severe", "Extreme", "Unknown")


def is_as_grave(severity: Severity, mildest: Severity) -> bool:
    """Tell whether who wants messages from *mildest* on wants this; Unknown may be anything."""
    return _GRAVITY.index(severity) >= _GRAVITY.index(mildest)
