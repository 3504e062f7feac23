"""Which alerts a feed or an envelope carries: Atom, RSS, EDXL-DE 1.0, or a mere list of them.

Signatures are over bytes, so an alert comes out as the bytes that it has in the
container. Only what it takes from the elements around it is added: a namespace
that is declared there and used inside.

Expat does this, not libxml2: it knows where in the bytes an element begins, and
it forgets the names it met (`schemas.cap.names`).
"""

from __future__ import annotations

import binascii
import re
from typing import Final
from xml.parsers import expat

from schemas.cap.encoding import refuse, to_utf8
from schemas.cap.layout import NAMESPACE_10, NAMESPACE_11, NAMESPACE_12
from schemas.cap.markup import MAX_DEPTH, refuse_depth
from schemas.cap.names import MARKUP, is_plain

__all__ = ["MAX_CONTAINER_BYTES", "open_container"]

MAX_CONTAINER_BYTES: Final = 1 << 23
"""The default limit of a container, in bytes."""

_ALERTS: Final = frozenset(f"{ns} alert" for ns in (NAMESPACE_10, NAMESPACE_11, NAMESPACE_12))
_ATOM: Final = "http://www.w3.org/2005/Atom"
_EDXL_DE: Final = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
_TEXTS: Final = frozenset(
    [
        f"{_ATOM} content",
        f"{_ATOM} summary",
        "description",
        "http://purl.org/rss/1.0/modules/content/ encoded",
    ]
)
"""Where feeds put a whole document as escaped text."""

_BASE64: Final = f"{_EDXL_DE} contentData"
_EXTRACT: Final = f"{_EDXL_DE} keyXMLContent"
"""Holds fragments for routing, never the message itself (EDXL-DE 1.0, 3.2.3)."""

_DOCUMENT: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s[^>]*>\s*)?<(?:[\w.\-]+:)?alert[\s>]"
)
_DECLARATION: Final = re.compile(r"^\s*<\?xml\s[^>]*>")
_START: Final = re.compile(rb"<[^\s/>!?]+")
_PREFIX: Final = re.compile(rb"[<\s]/?([^\s<>/=:\"']+):[^\s<>/=\"']")
_XMLNS: Final = re.compile(rb"\s(xmlns(?::[^\s=]+)?)\s*=")
_QUOTED: Final = re.compile(rb"\"[^\"]*\"|'[^']*'")


def open_container(data: bytes, *, max_bytes: int = MAX_CONTAINER_BYTES) -> tuple[bytes, ...]:
    """Return the alerts inside *data*, in document order; *data* itself if it is an alert.

    An alert is recognised by its root element alone: `schemas.cap.read_alert`
    judges it. Nothing is fetched: what a feed only links to is not in it.

    Raises:
        Rejected: ``not-xml``, ``xml-forbidden``, ``too-large`` or ``too-deep``.
    """
    text = to_utf8(data, max_bytes=max_bytes)
    is_plain(text)
    search = _Search(text)
    search.run()
    return (data,) if search.is_alert else tuple(search.alerts)


class _Search:
    """One pass over a container in UTF-8."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.alerts: list[bytes] = []
        self.is_alert = False
        """Whether the root is an alert: then there is no container."""
        self._depth = 0
        self._alert_depth = 0
        """The depth of the alert that the search is inside of, or 0."""
        self._extract_depth = 0
        self._start = 0
        self._scopes: dict[str, list[str]] = {}
        """The namespaces that each prefix stands for, innermost last."""
        self._declared: dict[str, str] = {}
        """What the element whose start is next declares."""
        self._text: list[str] | None = None
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")

    def run(self) -> None:
        parser = self._parser
        parser.buffer_text = True
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = self._undeclare
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(self.data, True)  # noqa: FBT003 - expat's own signature
        except expat.ExpatError as error:
            refuse(
                "not-xml",
                "R00",
                f"not well-formed XML: {expat.ErrorString(error.code)}",
                "Send one well-formed XML document in UTF-8.",
                error.lineno,
            )

    def _declare(self, prefix: str | None, uri: str) -> None:
        self._declared[prefix or ""] = uri or ""

    def _undeclare(self, prefix: str | None) -> None:
        self._scopes[prefix or ""].pop()

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse_depth(self._parser.CurrentLineNumber)
        for prefix, uri in self._declared.items():
            self._scopes.setdefault(prefix, []).append(uri)
        self._declared.clear()
        self._text = None
        if self._alert_depth or self._extract_depth:
            return
        if name in _ALERTS:
            self.is_alert = self._depth == 1
            self._alert_depth = self._depth
            self._start = self._parser.CurrentByteIndex
        elif name == _EXTRACT:
            self._extract_depth = self._depth
        elif name in _TEXTS or name == _BASE64:
            self._text = []

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if self._depth == self._alert_depth:
            self._alert_depth = 0
            tag = MARKUP.match(self.data, self._start)
            if tag is not None and not tag[0].endswith(b"/>"):
                tag = MARKUP.match(self.data, self._parser.CurrentByteIndex)
            assert tag is not None  # noqa: S101 - expat was at a tag
            self.alerts.append(_whole(self.data[self._start : tag.end()], self._scopes))
        elif self._depth == self._extract_depth:
            self._extract_depth = 0
        elif self._text is not None:
            self._take_text("".join(self._text), in_base64=name == _BASE64)
        self._text = None
        self._depth -= 1

    def _take_text(self, text: str, *, in_base64: bool) -> None:
        """Take a document that stands in a container as text."""
        if not in_base64:
            # It was text already: what it says of its encoding no longer holds.
            document = _DECLARATION.sub("", text.strip()).encode()
        else:
            try:
                document = binascii.a2b_base64("".join(text.split()), strict_mode=True)
            except ValueError:
                return
        if _DOCUMENT.match(document):
            self.alerts.append(document)


def _whole(alert: bytes, scopes: dict[str, list[str]]) -> bytes:
    """Return *alert* with the namespaces that it uses and does not declare itself."""
    pieces = [_QUOTED.sub(b'""', piece) for piece in MARKUP.findall(alert)]
    used = {prefix.decode() for piece in pieces for prefix in _PREFIX.findall(piece)}
    names = [found[0] for found in map(_START.match, pieces) if found]
    if any(b":" not in name for name in names):
        used.add("")
    start = MARKUP.match(alert)
    assert start is not None  # noqa: S101 - an alert begins with its start tag
    added = b""
    own = set(_XMLNS.findall(_QUOTED.sub(b'""', start[0])))
    for prefix in sorted(used):
        attribute = f"xmlns:{prefix}" if prefix else "xmlns"
        if scopes.get(prefix) and attribute.encode() not in own:
            uri = scopes[prefix][-1]
            quoted = uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
            added += f' {attribute}="{quoted}"'.encode()
    if not added:
        return alert
    at = len(names[0])
    return alert[:at] + added + alert[at:]
