"""What the hub's own words for things are in the reader's language: states, severities, levels.

Programs get the words themselves, and options take them; people read them here.
"""

from __future__ import annotations

from typing import Final

from hub.cli.words import t, told

__all__ = ["sort_name", "term"]

_TERMS: Final = frozenset(
    {
        # CAP 1.2, section 3.2: msgType, status, severity, urgency, certainty, scope
        told("Alert"),
        told("Update"),
        told("Cancel"),
        told("Actual"),
        told("Exercise"),
        told("System"),
        told("Test"),
        told("Draft"),
        told("Extreme"),
        told("Severe"),
        told("Moderate"),
        told("Minor"),
        told("Unknown"),
        told("Immediate"),
        told("Expected"),
        told("Future"),
        told("Past"),
        told("Observed"),
        told("Likely"),
        told("Possible"),
        told("Unlikely"),
        told("Public"),
        told("Restricted"),
        told("Private"),
        # where an alert stands, and each recipient with it
        told("active"),
        told("updated"),
        told("cancelled"),
        told("expired"),
        told("queued"),
        told("delivered"),
        told("acknowledged"),
        told("overdue"),
        told("open"),
        told("late"),
        told("missing"),
        # how far an entry has come
        told("durable"),
        told("signed"),
        told("witnessed"),
        told("sealed"),
        # tokens, accounts, keys, outlets
        told("valid"),
        told("revoked"),
        told("paused"),
        told("failing"),
        told("disabled"),
        told("running"),
        told("ended"),
        told("failed"),
        # what stands in a table for want of a word
        told("yes"),
        told("no"),
        told("all"),
        told("any"),
        told("none"),
        told("never"),
        told("everything"),
    }
)


def term(word: object) -> str:
    """Return one of the words as people of the language say it; any other as it is."""
    return t(str(word)) if word in _TERMS else str(word)


def sort_name(msg_type: str, recall: str = "") -> str:
    """Return what a message is: of its type, and of aid whether it takes back or corrects.

    Such a message bears all that it recalls, and would else be taken for new aid.
    """
    if recall == "Cancel":
        return t("taken back: {what}", what=term(msg_type))
    return t("corrected: {what}", what=term(msg_type)) if recall else term(msg_type)
