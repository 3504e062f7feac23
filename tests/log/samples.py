"""Things to put into a log: real CAP messages, members, and the ledger's own way to append."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from xml.sax.saxutils import escape

from hub.core.admission import Decisions, Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.errors import LogMoved
from hub.log.genesis import ensure_genesis
from hub.log.store import Log
from schemas.cap import alert_facts, read_alert
from schemas.entry import micros
from schemas.receipt import findings_json

__all__ = [
    "BEGAN",
    "ORIGIN",
    "Writer",
    "acknowledgement",
    "alert",
    "cap",
    "member",
    "named",
    "refusal",
    "subscription",
    "through_redis",
]

BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ORIGIN = "test.example/log"


def cap(
    identifier: str,
    *,
    sender: str = "centre@az.example",
    sent: datetime = BEGAN,
    status: str = "Actual",
    msg_type: str = "Alert",
    scope: str = "Public",
    restriction: str = "",
    addresses: str = "",
    references: str = "",
    incidents: str = "",
    severity: str = "Severe",
    urgency: str = "Immediate",
    headline: str = "Oil on the water",
) -> bytes:
    """Return a CAP 1.2 message."""
    at = sent.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    until = (sent + timedelta(hours=6)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    optional = "".join(
        f"<{name}>{escape(value)}</{name}>"
        for name, value in (
            ("restriction", restriction),
            ("addresses", addresses),
            ("note", "a test"),
            ("references", references),
            ("incidents", incidents),
        )
        if value
    )
    info = (
        ""
        if msg_type in {"Ack", "Error"}
        else f"""<info><language>en-US</language><category>Env</category><event>Oil spill</event>
<urgency>{urgency}</urgency><severity>{severity}</severity><certainty>Observed</certainty>
<expires>{until}</expires><senderName>Centre</senderName><headline>{escape(headline)}</headline>
<description>Crude oil drifts north</description>
<instruction>Keep away</instruction><area><areaDesc>Absheron</areaDesc>
<polygon>40.1,49.9 40.6,49.9 40.6,50.6 40.1,49.9</polygon></area></info>"""
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{escape(identifier)}</identifier>
<sender>{escape(sender)}</sender><sent>{at}</sent><status>{status}</status>
<msgType>{msg_type}</msgType><scope>{scope}</scope>{optional}{info}</alert>""".encode()


def named(*identifiers: str, sender: str = "centre@az.example", sent: datetime = BEGAN) -> str:
    """Return references to messages of these identifiers."""
    at = sent.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    return " ".join(f"{sender},{identifier},{at}" for identifier in identifiers)


def alert(
    agency: str, identifier: str, *, inbox: str = "", message_id: str = "", **given: Any
) -> Candidate:
    """Return the candidate that intake makes of a CAP message, as the ledger reads it."""
    payload = cap(identifier, **given)
    read = read_alert(payload)
    candidate = Candidate(
        "publish",
        agency,
        via="stream",
        inbox=inbox,
        payload=payload,
        payload_type="application/cap+xml",
        message_id=message_id,
        facts=alert_facts(read.alert),
        warnings=findings_json(read.warnings),
    )
    return through_redis(candidate)


def through_redis(candidate: Candidate) -> Candidate:
    """Return the candidate as the ledger reads it from the stream."""
    fields = candidate.to_fields()
    return Candidate.from_fields(
        {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}
    )


def member(agency: str, **given: Any) -> Candidate:
    """Return the candidate that makes or changes a member."""
    record = {"id": agency, "state": agency[:2].upper(), "name": agency.upper(), **given}
    return Candidate("member", "", body=record)


def subscription(agency: str, name: str, **given: Any) -> Candidate:
    """Return the candidate that makes or changes a subscription."""
    return Candidate("subscription", agency, body={"agency": agency, "name": name, **given})


def acknowledgement(agency: str, message: str, officer: str = "Aysel", note: str = "") -> Candidate:
    """Return the candidate of an officer's acknowledgement."""
    body = {"message": message, "officer": officer, "note": note}
    return Candidate("acknowledgement", agency, via="http", body=body)


def refusal(agency: str, *, inbox: str = "", payload: bytes = b"<no/>") -> Candidate:
    """Return the candidate of a refusal by intake."""
    body = {"code": "not-xml", "detail": "this is no XML", "remedy": "Send XML.", "findings": []}
    return Candidate("refusal", agency, via="stream", inbox=inbox, payload=payload, body=body)


@dataclass
class Writer:
    """Appends as the ledger does: reads what is known, decides, commits, or tries again."""

    log: Log
    now: datetime = BEGAN
    rules: Rules = field(default_factory=Rules)
    moved: int = 0

    def __post_init__(self) -> None:
        self._entropy = count(1)

    def begin(self, *agencies: str) -> Writer:
        """Write the first entry, and one for each member."""
        ensure_genesis(self.log, origin=ORIGIN, version="1", now_us=micros(self.now))
        if agencies:
            self.commit([member(a) for a in agencies])
        return self

    def commit(self, batch: Sequence[Candidate]) -> Decisions:
        """Decide and append a batch; a second later each time."""
        entropy = [next(self._entropy).to_bytes(8) for _ in batch]
        self.now += timedelta(seconds=1)
        while True:
            head = self.log.head()
            decisions = decide(
                batch,
                size=head.size,
                last_at_us=head.at_us,
                now_us=micros(self.now),
                registry=History(self.log.registry_entries()).latest,
                known=self.log.known_for(batch),
                rules=self.rules,
                entropy=entropy,
            )
            try:
                self.log.append(decisions.entries, expect=head)
            except LogMoved:
                self.moved += 1
                continue
            return decisions
