"""Which feed is meant where none is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.cli.exits import usage
from hub.cli.words import t

__all__ = ["main_feed"]


def main_feed(feeds: Sequence[dict[str, Any]]) -> str:
    """Return the one main feed of those that may be read.

    Raises:
        Rejected: ``usage``; there are several, or none.
    """
    found = [one["feed"] for one in feeds]
    main = [feed for feed in found if "." not in feed]
    if len(main) != 1:
        shown = ", ".join(found[:20]) or t("none")
        raise usage(t("which feed?"), remedy=t("Name one: {feeds}.", feeds=shown))
    return str(main[0])
