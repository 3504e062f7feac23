"""What a document is, and whether every message in it keeps the rules.

Where `schemas.payload` takes or refuses one message for the hub, this looks at whatever
somebody has at hand: also at feeds and envelopes, under a publisher's profile, and it
tells what a document was meant to be even where that cannot be read.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from schemas import cap, polrep, rm
from schemas.cap.containers import MAX_CONTAINER_BYTES
from schemas.cap.encoding import to_utf8
from schemas.cap.json_form import parsed
from schemas.cap.names import is_plain
from schemas.errors import Finding, Rejected

if TYPE_CHECKING:
    from schemas.cap import Alert, Profile
    from schemas.polrep import Polrep
    from schemas.rm import AidMessage

__all__ = ["Judgement", "judge"]

_CAP: Final = {
    f"{cap.NAMESPACE_12} alert": "CAP 1.2",
    f"{cap.NAMESPACE_11} alert": "CAP 1.1",
    f"{cap.NAMESPACE_10} alert": "CAP 1.0",
}
_CONTAINERS: Final = {
    "http://www.w3.org/2005/Atom feed": "Atom",
    "http://www.w3.org/2005/Atom entry": "Atom",
    "rss": "RSS",
    "urn:oasis:names:tc:emergency:EDXL:DE:1.0 EDXLDistribution": "EDXL-DE 1.0",
}
_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Judgement:
    """One message, as it was found in a document."""

    kind: str
    """``CAP 1.2``, ``EDXL-RM RequestResource``, … with `` (JSON)`` after it in that form;
    ``POLREP``; ``unknown`` where nothing tells."""
    findings: tuple[Finding, ...]
    """In document order; none is an error where there is no refusal."""
    message: Alert | AidMessage | Polrep | None = None
    refusal: Rejected | None = None
    alert: int | None = None
    """Which alert of a container it is, from 1; None for a document that is the message."""

    @property
    def valid(self) -> bool:
        """Whether the reader of its format takes the message; warnings are fine."""
        return self.refusal is None


def judge(data: bytes, profile: Profile = cap.Profile.PLAIN) -> tuple[Judgement, ...]:
    """Judge the message that *data* is, or each alert in the container that it is.

    At least one judgement comes back. *profile* is for alerts; aid messages have none.
    Under the plain profile a document that is no container is valid exactly where
    `schemas.payload.read_payload` takes it, but for pollution reports: these the hub takes
    only when they were converted. Lines are those of the document; an alert
    that a container carries as text or base64 has none.
    """
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return (_judge_json(data, profile),)
    if polrep.is_polrep(data):
        return (_judge_polrep(data),)
    try:
        text = to_utf8(data, max_bytes=MAX_CONTAINER_BYTES)
        is_plain(text)
    except Rejected as refusal:
        return (_refused("unknown", refusal),)
    root = _root_of(text)
    if root in _CAP:
        return (_judge_alert(data, _CAP[root], profile),)
    space, _, name = root.rpartition(" ")
    if space in rm.RM_NAMESPACES:
        return (_judge_aid(data, f"EDXL-RM {name}"[:100]),)
    return _judge_container(data, text, _CONTAINERS.get(root, "unknown"), profile)


def _root_of(text: bytes) -> str:
    """Return the root element as expat names it, as far as there is one."""
    found: list[str] = []
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: found.append(name)
    with suppress(expat.ExpatError):
        for at in range(0, len(text), _CHUNK):
            parser.Parse(text[at : at + _CHUNK], False)  # noqa: FBT003 - expat's own signature
            if found:
                break
    return found[0] if found else ""


def _refused(kind: str, refusal: Rejected) -> Judgement:
    whole = (Finding("R00", "error", "", refusal.detail),)
    return Judgement(kind, refusal.findings or whole, refusal=refusal)


def _judge_alert(data: bytes, kind: str, profile: Profile) -> Judgement:
    try:
        reading = cap.read_alert(data, profile=profile)
    except Rejected as refusal:
        return _refused(kind, refusal)
    return Judgement(kind, reading.warnings, reading.alert)


def _judge_aid(data: bytes, kind: str) -> Judgement:
    try:
        reading = rm.read_aid(data)
    except Rejected as refusal:
        return _refused(kind, refusal)
    return Judgement(kind, reading.warnings, reading.message)


def _judge_polrep(data: bytes) -> Judgement:
    try:
        reading = polrep.read_polrep(data)
    except Rejected as refusal:
        return _refused("POLREP", refusal)
    return Judgement("POLREP", reading.warnings, reading.report)


def _judge_json(data: bytes, profile: Profile) -> Judgement:
    # As `schemas.payload` chooses: the two forms have no member in common but what both name.
    if b'"identifier"' in data or b'"msgType"' in data:
        kind = "CAP 1.2 (JSON)"
        try:
            reading = cap.read_alert_json(data, profile=profile)
        except Rejected as refusal:
            return _refused(kind, refusal)
        return Judgement(kind, reading.warnings, reading.alert)
    try:
        aid = rm.read_aid_json(data)
    except Rejected as refusal:
        return _refused(_kind_of_json(data), refusal)
    return Judgement(
        f"EDXL-RM {aid.message.message_content_type} (JSON)", aid.warnings, aid.message
    )


def _kind_of_json(data: bytes) -> str:
    with suppress(Rejected):
        value = parsed(data)
        name = value.get("MessageContentType") if isinstance(value, dict) else None
        if isinstance(name, str) and name in rm.MESSAGE_TYPES:
            return f"EDXL-RM {name} (JSON)"
    return "unknown"


def _judge_container(
    data: bytes, text: bytes, kind: str, profile: Profile
) -> tuple[Judgement, ...]:
    try:
        alerts = cap.open_container(data)
    except Rejected as refusal:
        return (_refused(kind, refusal),)
    if not alerts and kind in _CONTAINERS.values():
        detail = f"there is no alert in it: {kind} may only link to alerts"
        empty = Rejected(
            "no-alert", detail, remedy="Fetch what it links to, and check that; nothing is fetched."
        )
        return (_refused(kind, empty),)
    if not alerts:
        # The reader of alerts says best what the root is, and what it should be.
        return (replace(_judge_alert(data, kind, profile), kind=kind),)
    judgements = []
    lines = _Lines(text)
    for number, alert in enumerate(alerts, 1):
        before = lines.before(alert)
        judged = _judge_alert(alert, _CAP.get(_root_of(alert), "unknown"), profile)
        findings = tuple([replace(f, line=_moved(f.line, before)) for f in judged.findings])
        judgements.append(replace(judged, findings=findings, alert=number))
    return tuple(judgements)


class _Lines:
    """In which lines of a container its alerts stand, asked in their order."""

    _MOST_MISSED: Final = 200
    """Whatever is carried as text is looked for in vain, each time through the whole container."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._lines = 0
        self._missed = 0

    def before(self, alert: bytes) -> int | None:
        """Return how many lines stand before an alert; None where it is not there as elements.

        It may have got namespaces into its start tag: it is found by what follows.
        """
        if self._missed > self._MOST_MISSED:
            return None
        rest = alert[alert.find(b">") :]
        found = self._text.find(rest, self._at)
        if found < 0:
            self._missed += 1
            return None
        before = self._lines + self._text.count(b"\n", self._at, found)
        self._at = found + len(rest)
        self._lines = before + rest.count(b"\n")
        return before - alert.count(b"\n", 0, len(alert) - len(rest))


def _moved(line: int | None, before: int | None) -> int | None:
    return None if line is None or before is None else line + before
