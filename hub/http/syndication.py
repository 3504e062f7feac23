"""Messages as Atom (RFC 4287) and RSS 2.0, with what CAP feeds of other publishers say of each.

An entry links the message itself, byte by byte; what stands in the feed is for lists. The
elements of CAP (``cap:event``, ``cap:severity``, …) are those that readers of such feeds look for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from lxml import etree

from hub.core.rows import MessageRow
from schemas.cap import NAMESPACE_12
from schemas.entry import from_micros

__all__ = ["ATOM", "RSS", "About", "Item", "atom", "rss"]

ATOM: Final = "application/atom+xml"
RSS: Final = "application/rss+xml"

_ATOM: Final = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class About:
    """A feed as a whole."""

    title: str
    id: str
    """Stays the same for ever, wherever the hub is reached."""
    address: str
    """Where this feed is."""
    site: str
    """Where its hub is."""
    begun: datetime
    """When it was last changed if nothing is in it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message in a feed."""

    row: MessageRow
    id: str
    link: str
    media_type: str
    title: str
    summary: str
    author: str
    language: str = ""

    @property
    def updated(self) -> datetime:
        """When it was logged."""
        return from_micros(self.row.at_us)


def atom(about: About, items: Sequence[Item]) -> bytes:
    """Return a feed in Atom; the same items give the same bytes."""
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM, "cap": NAMESPACE_12})
    _put(feed, "id", about.id)
    _put(feed, "title", about.title)
    _put(feed, "updated", _rfc3339(_updated(about, items)))
    _put(feed, "generator", "Caspian Hub")
    author = _put(feed, "author")
    _put(author, "name", "Caspian Hub")
    _put(feed, "link", rel="self", type=ATOM, href=about.address)
    _put(feed, "link", rel="alternate", href=about.site)
    for item in items:
        entry = _put(feed, "entry")
        _put(entry, "id", item.id)
        _put(entry, "title", item.title)
        _put(entry, "updated", _rfc3339(item.updated))
        _put(entry, "published", _rfc3339(item.row.facts.sent))
        _put(_put(entry, "author"), "name", item.author)
        link = _put(entry, "link", rel="alternate", type=item.media_type, href=item.link)
        if item.language:
            link.set("hreflang", item.language)
        _put(entry, "summary", item.summary)
        for event in item.row.facts.events[:20]:
            _put(entry, "category", term=event)
        _cap(entry, item.row)
    return _written(feed)


def rss(about: About, items: Sequence[Item]) -> bytes:
    """Return a feed in RSS 2.0; each item's link is the CAP message."""
    root = etree.Element("rss", version="2.0", nsmap={"atom": _ATOM, "cap": NAMESPACE_12})
    channel = etree.SubElement(root, "channel")

    def put(parent: etree._Element, name: str, text: str) -> etree._Element:
        element = etree.SubElement(parent, name)
        element.text = _clean(text)
        return element

    put(channel, "title", about.title)
    put(channel, "link", about.site)
    put(channel, "description", about.title)
    put(channel, "lastBuildDate", _rfc822(_updated(about, items)))
    put(channel, "generator", "Caspian Hub")
    itself = etree.SubElement(channel, f"{{{_ATOM}}}link")
    for name, value in (("rel", "self"), ("type", RSS), ("href", about.address)):
        itself.set(name, value)
    for item in items:
        element = etree.SubElement(channel, "item")
        put(element, "title", item.title)
        put(element, "link", item.link)
        put(element, "description", item.summary)
        for event in item.row.facts.events[:20]:
            put(element, "category", event)
        put(element, "guid", item.id).set("isPermaLink", "false")
        put(element, "pubDate", _rfc822(item.updated))
        _cap(element, item.row)
    return _written(root)


def _updated(about: About, items: Sequence[Item]) -> datetime:
    return max((item.updated for item in items), default=about.begun)


def _cap(parent: etree._Element, row: MessageRow) -> None:
    facts = row.facts
    if facts.kind == "aid":
        return

    def put(name: str, text: str) -> None:
        element = etree.SubElement(parent, f"{{{NAMESPACE_12}}}{name}")
        element.text = _clean(text)

    put("identifier", facts.identifier)
    put("sender", facts.sender)
    put("sent", _rfc3339(facts.sent))
    put("status", facts.status)
    put("msgType", facts.msg_type)
    put("scope", facts.scope)
    for category in facts.categories:
        put("category", category)
    if facts.events:
        put("event", facts.events[0])
    put("urgency", facts.urgency)
    put("severity", facts.severity)
    put("certainty", facts.certainty)
    if facts.expires is not None:
        put("expires", _rfc3339(facts.expires))
    for area in facts.areas[:50]:
        if area.description:
            put("areaDesc", area.description)
        for ring in area.polygons[:20]:
            put("polygon", " ".join(f"{lat:.6g},{lon:.6g}" for lat, lon in ring))


def _put(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    if text:
        element.text = _clean(text)
    for key, value in attributes.items():
        element.set(key, _clean(value))
    return element


def _clean(text: str) -> str:
    """Leave out what XML 1.0 cannot hold, which a message in JSON can."""
    return "".join(
        c
        for c in text
        if c in "\t\n\r" or (" " <= c < "\ud800") or ("\ue000" <= c <= "\ufffd") or c > "\uffff"
    )


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _rfc822(at: datetime) -> str:
    return format_datetime(at)


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
