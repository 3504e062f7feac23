"""The plain fields of a feed's entry, the same from a live feed, the log or a replay.

docs/protocol/streams.md describes them for clients in any language.
"""

from __future__ import annotations

import json
from typing import Any

from hub.log.store import LogRow
from schemas.entry import rfc3339

__all__ = ["FED", "feed_fields", "feed_json"]

FED = frozenset({"publish", "acknowledgement", "redaction", "escalation"})
"""The kinds of log entries that feeds carry."""


def feed_fields(row: LogRow) -> dict[str, str | bytes]:
    """Return the fields under which a log entry stands in a feed.

    ``kind``, ``at``, ``agency``, ``entry`` (the exact bytes of the log entry, as
    hashed) always; for a message also ``id``, ``facts`` (JSON), ``payload_type`` and
    ``payload`` (as it came).
    """
    fields: dict[str, str | bytes] = {
        "kind": row.kind,
        "at": rfc3339(row.at_us),
        "agency": row.agency,
        "entry": row.body,
    }
    if row.facts is not None:
        fields["id"] = row.message_id
        fields["facts"] = row.facts.model_dump_json(exclude_defaults=True)
        fields["payload_type"] = row.payload_type
        fields["payload"] = row.payload or b""
    return fields


def feed_json(index: int, fields: dict[bytes, bytes]) -> dict[str, Any]:
    """Return a feed's entry as the JSON object that HTTP readers get."""
    kind = fields[b"kind"].decode()
    found: dict[str, Any] = {
        "index": index,
        "kind": kind,
        "at": fields[b"at"].decode(),
        "agency": fields[b"agency"].decode(),
    }
    entry = json.loads(fields[b"entry"])
    if kind == "publish":
        found["id"] = fields[b"id"].decode()
        found["attested"] = entry["attested"]
        found["facts"] = json.loads(fields[b"facts"])
        found["payload_type"] = fields[b"payload_type"].decode()
        found["payload_sha256"] = json.loads(entry["header"])["payload_sha256"]
        found["payload"] = fields[b"payload"].decode("utf-8", "replace")
    elif kind == "redaction":
        found["message"] = entry["redaction"]["message"]
        found["message_id"] = entry["message_id"]
        found["message_agency"] = entry["redaction"]["agency"]
        found["grounds"] = entry["redaction"]["grounds"]
        found["payload_sha256"] = entry["payload_sha256"]
    elif kind == "escalation":
        for name in ("recipient", "step", "of", "status", "messages"):
            found[name] = entry[name]
    else:
        for name in (
            "message",
            "message_id",
            "message_agency",
            "status",
            "sender",
            "identifier",
            "officer",
            "note",
        ):
            found[name] = entry[name]
    if b"replay" in fields:
        found["replay"] = fields[b"replay"].decode()
    return found
