"""What a publisher's profile asks beyond CAP 1.2, and which warnings it makes errors."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.cap.rulebook import RULES, Severity

if TYPE_CHECKING:
    from schemas.cap.draft import Draft
    from schemas.cap.rulebook import Found

__all__ = ["Profile", "judge_profile", "severity_in"]


class Profile(StrEnum):
    """A set of rules that a publisher holds itself to."""

    PLAIN = "plain"
    WMO = "wmo"
    IPAWS = "ipaws"
    CAP_CP = "cap-cp"


_RAISED: Final[dict[Profile, frozenset[str]]] = {
    Profile.PLAIN: frozenset(),
    Profile.WMO: frozenset(),
    Profile.IPAWS: frozenset(),
    Profile.CAP_CP: frozenset(),
}


def severity_in(profile: Profile, rule: str) -> Severity:
    """Return what *rule* does to a message under *profile*."""
    return "error" if rule in _RAISED[profile] else RULES[rule]


def judge_profile(draft: Draft, profile: Profile, found: Found) -> None:
    """Report what the profile asks and the message does not give."""
