"""Which pages there are. A new page is a line here, a template, and a script of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.i18n import told

__all__ = ["PAGES", "Page"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its address, what it is called, and who finds it in the menu."""

    name: str
    """Of its template ``<name>.html`` and its script ``<name>.js``."""
    path: str
    title: str
    """In English, in `told`."""
    scopes: tuple[str, ...] = ()
    """Who has one of these finds it in the menu. Empty: it is not there."""
    bare: bool = False
    """Whether it stands alone, without menu and header."""
    mark: str = ""
    """What stands across the page, in English, in `told`: nothing on it is happening now."""


PAGES: Final = (
    Page("sign-in", "/console/sign-in", told("Sign in"), bare=True),
    Page("watch", "/console/watch", told("Watch"), ("read",)),
    Page("wall", "/console/wall", told("Wall screen"), bare=True),
    Page("compose", "/console/compose", told("New message"), ("publish",)),
    Page("drafts", "/console/drafts", told("Approval"), ("publish",)),
    Page("message", "/console/messages/{name}", told("Message")),
    Page("aid", "/console/aid", told("Aid board"), ("read",)),
    Page("handover", "/console/handover", told("Handover"), ("read",)),
    Page("log", "/console/log", told("The log"), ("audit",)),
    Page("search", "/console/search", told("Search"), ("audit",)),
    Page("replays", "/console/replays", told("Replays"), ("audit",)),
    Page("replay", "/console/replays/{name}", told("Replay"), mark=told("REPLAY")),
    Page("reports", "/console/reports", told("Reports"), ("audit",)),
    Page("exports", "/console/exports", told("Exports"), ("audit",)),
    Page("witnesses", "/console/witnesses", told("Witnesses"), ("audit",)),
    Page("operations", "/console/operations", told("Operations"), ("operate",)),
    Page("account", "/console/account", told("My sessions")),
)
