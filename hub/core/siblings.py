"""Language siblings: one message that an agency has sent once for each language.

CAP has an ``info`` for each language (1.2, 3.2.2 ``language``); some agencies send a
message for each instead, and tell them apart by the end of the identifier: ``….RU``, ``….EN``.
Siblings are of one agency, sender, type and status. They say the same, and each stands by
itself: what updates or cancels one touches no other (`hub.core.threads`).
"""

from __future__ import annotations

import re
from typing import Final

from schemas.facts import MessageFacts

__all__ = ["are_siblings", "sibling_identifiers", "sibling_language"]

_LANGUAGES: Final = ("az", "en", "fa", "kk", "ru", "tk")
_SUFFIX: Final = re.compile(rf"([._\-])({'|'.join(_LANGUAGES)})$", re.IGNORECASE)


def sibling_language(identifier: str) -> str:
    """Return the language that an identifier ends in, empty where it ends in none."""
    found = _SUFFIX.search(identifier)
    return found[2].lower() if found else ""


def sibling_identifiers(identifier: str) -> tuple[str, ...]:
    """Return the identifiers that siblings of a message would have; none where it has none.

    All are written as its own is: after the same sign, in capitals or not.
    """
    found = _SUFFIX.search(identifier)
    if found is None:
        return ()
    stem, own = identifier[: found.start(2)], found[2].lower()
    written = str.upper if found[2].isupper() else str.lower
    return tuple(stem + written(one) for one in _LANGUAGES if one != own)


def are_siblings(one: MessageFacts, other: MessageFacts) -> bool:
    """Return whether two messages of the same agency say the same in two languages."""
    return (
        (one.kind, one.sender, one.msg_type, one.status)
        == (other.kind, other.sender, other.msg_type, other.status)
        and one.kind == "alert"
        and other.identifier in sibling_identifiers(one.identifier)
    )
