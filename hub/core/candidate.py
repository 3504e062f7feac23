"""What is proposed for the log: the plain fields that travel from intake to the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from schemas.facts import MessageFacts

__all__ = ["Candidate", "CandidateKind", "Via"]

CandidateKind = Literal[
    "publish",
    "acknowledgement",
    "refusal",
    "delivery",
    "action",
    "escalation",
    "replay",
    "restart",
    "state",
    "member",
    "key",
    "subscription",
    "redaction",
    "retirement",
    "hold",
    "release",
    "export",
    "log-key",
    "dead-letter",
]
Via = Literal["http", "stream", "hub"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposal, already read and checked as far as it can be without the log.

    *inbox* is the id of the inbox entry that it came from, empty where the hub
    itself proposes; the answer on the receipt stream repeats it. *message_id* is
    the sender's own id of the message, empty where it gave none. *body* holds the
    facts of kinds other than ``publish``. Where *header* is given its agency signed it:
    *signature* is base64, *key* a verifier key, and it was verified that they agree.
    """

    kind: CandidateKind
    agency: str
    via: Via = "hub"
    inbox: str = ""
    payload: bytes = b""
    payload_type: str = ""
    message_id: str = ""
    facts: MessageFacts | None = None
    warnings: str = "[]"
    body: Mapping[str, Any] = field(default_factory=dict)
    header: str = ""
    signature: str = ""
    key: str = ""
    person: str = ""
    """The person who does it, by name; empty where it is no person's doing."""
    approved_by: str = ""
    """Who approved a message that *person* wrote, by name; empty where nobody had to."""
    xml_signature: str = ""
    """What intake found of the XML signature inside the alert, as JSON; empty where it has none."""

    def to_fields(self) -> dict[str, str | bytes]:
        """Write the candidate as fields of a stream entry; empty ones are left out."""
        fields: dict[str, str | bytes] = {"kind": self.kind, "agency": self.agency, "via": self.via}
        plain: dict[str, str | bytes] = {
            "inbox": self.inbox,
            "payload": self.payload,
            "payload_type": self.payload_type,
            "id": self.message_id,
            "person": self.person,
            "approved_by": self.approved_by,
            "xml_signature": self.xml_signature,
        }
        fields |= {name: value for name, value in plain.items() if value}
        if self.facts is not None:
            fields["facts"] = self.facts.model_dump_json(exclude_defaults=True)
        if self.warnings != "[]":
            fields["warnings"] = self.warnings
        if self.body:
            fields["body"] = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        if self.header:
            fields |= {"header": self.header, "signature": self.signature, "key": self.key}
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[bytes, bytes]) -> Candidate:
        """Read what `to_fields` wrote.

        Raises:
            ValueError, KeyError: the entry was not written by the hub.
        """
        get = fields.get
        facts = get(b"facts")
        body = get(b"body")
        return cls(
            kind=cast("CandidateKind", fields[b"kind"].decode()),
            agency=fields[b"agency"].decode(),
            via=cast("Via", fields[b"via"].decode()),
            inbox=get(b"inbox", b"").decode(),
            payload=get(b"payload", b""),
            payload_type=get(b"payload_type", b"").decode(),
            message_id=get(b"id", b"").decode(),
            facts=MessageFacts.model_validate_json(facts) if facts else None,
            warnings=get(b"warnings", b"[]").decode(),
            body=json.loads(body) if body else {},
            header=get(b"header", b"").decode(),
            signature=get(b"signature", b"").decode(),
            key=get(b"key", b"").decode(),
            person=get(b"person", b"").decode(),
            approved_by=get(b"approved_by", b"").decode(),
            xml_signature=get(b"xml_signature", b"").decode(),
        )
