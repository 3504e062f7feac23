"""Where an alert stands, in a word and a colour, and what made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.text import Text

from hub.cli.terminal import styled
from hub.cli.terms import term
from hub.cli.words import t

__all__ = ["numbers", "standing"]

_STYLE: Final = {
    "active": "bold green",
    "updated": "cyan",
    "cancelled": "red",
    "expired": "yellow",
}


def standing(of: Mapping[str, Any] | None) -> Text:
    """Return a standing: ``updated by #12``; empty for what has none."""
    if of is None:
        return Text()
    said = term(of["state"])
    if of["by"]:
        said = t("{state} by {messages}", state=said, messages=numbers(of["by"]))
    return styled(said, _STYLE.get(of["state"], ""))


def numbers(indexes: list[int]) -> str:
    """Return log indexes as they name messages: ``#12 #15``."""
    return " ".join(f"#{index}" for index in indexes)
