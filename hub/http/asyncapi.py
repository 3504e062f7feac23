"""The streams as an AsyncAPI 3 document: what an agency's system writes, and what it reads.

docs/protocol/streams.md is the whole of it for people; a test holds the two together.
"""

from __future__ import annotations

from typing import Any, Final

from hub.version import VERSION

__all__ = ["asyncapi"]

_AGENCY: Final = "^[a-z]{2}-[a-z0-9-]{1,40}$"
_TYPES: Final = (
    "application/cap+xml",
    "application/edxl-rm+xml",
    "application/cap+json",
    "application/edxl-rm+json",
)

_PAYLOAD: Final = {
    "payload": ("string", "The message, CAP 1.2 or EDXL-RM 1.0, in XML or JSON, as bytes."),
    "payload_type": ("string", f"One of {', '.join(_TYPES)}."),
}
_MESSAGE: Final = {
    "type": ("string", "message, which is also the default."),
    **_PAYLOAD,
    "id": ("string", "The message's id in the hub; best a UUID of version 7."),
    "person": ("string", "Who sends it, by name, where a person does."),
    "approved_by": ("string", "Who approved it, by name."),
    "via": ("string", "http where the API wrote the entry. Leave it out."),
    "header": ("string", "The message's header as the agency signed it, the exact text."),
    "signature": ("string", "With a header: its signature, 64 bytes in base64."),
    "key": ("string", "With a header: the verifier key that made it."),
}
_ACKNOWLEDGEMENT: Final = {
    "type": ("string", "acknowledgement."),
    "message": ("string", "The message: its log index, or its id."),
    "officer": ("string", "Who, at most 200 characters."),
    "note": ("string", "What they have to say, at most 2,000 characters."),
}
_RECEIPT: Final = {
    "type": ("string", "receipt."),
    "inbox": ("string", "The id of the inbox entry that it answers."),
    "index": ("string", "The place in the log: the id in every feed is <index>-0."),
    "id": ("string", "The message's id."),
    "sha256": ("string", "SHA-256 of the payload as it came, hexadecimal."),
    "at": ("string", "When the hub logged it, RFC 3339 in UTC."),
    "duplicate": ("string", "1 where the log had it already, else 0."),
    "warnings": ("string", "JSON: findings that did not refuse it."),
}
_REFUSAL: Final = {
    "type": ("string", "refusal."),
    "inbox": ("string", "The id of the inbox entry that it answers."),
    "index": ("string", "The place of the refusal in the log."),
    "code": ("string", "The stable code: docs/errors.md."),
    "detail": ("string", "What is wrong, for people."),
    "remedy": ("string", "What to do."),
    "findings": ("string", "JSON: at most 20 findings."),
    "at": ("string", "When it was logged."),
    "counted": ("string", "1 where it keeps its place in the agency's count, else 0."),
}
_ENTRY: Final = {
    "kind": ("string", "publish, acknowledgement, redaction or escalation."),
    "at": ("string", "When the hub logged it, RFC 3339 in UTC."),
    "agency": ("string", "Whose doing it was."),
    "entry": ("string", "The exact bytes of the log entry, as they are hashed."),
    "id": ("string", "Of a message: its id."),
    "facts": ("string", "Of a message: JSON, what lists need, derived from the payload."),
    "payload_type": ("string", f"Of a message: one of {', '.join(_TYPES)}."),
    "payload": ("string", "Of a message: its bytes as its agency sent it."),
    "replay": ("string", "In a replay's sandbox alone: its name."),
}


def asyncapi() -> dict[str, Any]:
    """Return the document (AsyncAPI 3.0.0), from the hub's point of view."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:caspian-hub:streams",
        "info": {
            "title": "Caspian Hub: the streams",
            "version": VERSION,
            "description": "Streams of Redis with plain fields: XADD to publish, XREADGROUP and "
            "XACK to read. docs/protocol/streams.md tells how.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/octet-stream",
        "servers": {
            "streams": {
                "host": "{host}:{port}",
                "pathname": "/0",
                "protocol": "redis",
                "description": "The hub's Redis or Valkey, as the operator gives its address.",
                "variables": {
                    "host": {"default": "redis.invalid"},
                    "port": {"default": "6379"},
                },
                "security": [{"$ref": "#/components/securitySchemes/agency"}],
            }
        },
        "channels": {
            "inbox": _channel(
                "inbox:{agency}",
                "An agency's own inbox. One entry for each message or acknowledgement.",
                "agency",
                "message",
                "acknowledgement",
            ),
            "receipts": _channel(
                "receipts:{agency}",
                "One answer for each inbox entry, after the commit.",
                "agency",
                "receipt",
                "refusal",
            ),
            "feed": _channel(
                "feed:{feed}",
                "What an agency is entitled to, in log order; an entry's id is <log index>-0.",
                "feed",
                "entry",
            ),
        },
        "operations": {
            "publish": _operation("receive", "inbox", "An agency publishes or acknowledges."),
            "answer": _operation("send", "receipts", "The ledger answers, durable or refused."),
            "deliver": _operation("send", "feed", "Fan-out brings what was logged."),
        },
        "components": {
            "securitySchemes": {
                "agency": {
                    "type": "userPassword",
                    "description": "The agency's own user of Redis: its inbox, answers and feeds.",
                }
            },
            "parameters": {
                "agency": {"description": f"An agency's id, {_AGENCY}.", "examples": ["az-fhn"]},
                "feed": {
                    "description": "A feed's id: the agency's own, of its exercises, or of a "
                    "subscription.",
                    "examples": ["az-fhn", "az-fhn.exercise", "az-fhn.oil"],
                },
            },
            "messages": {
                "message": _message("A message to publish", _MESSAGE, "payload"),
                "acknowledgement": _message(
                    "An acknowledgement", _ACKNOWLEDGEMENT, "type", "message", "officer"
                ),
                "receipt": _message("It is in the log, durable", _RECEIPT, *_RECEIPT),
                "refusal": _message("Nothing was published", _REFUSAL, *_REFUSAL),
                "entry": _message("An entry of a feed", _ENTRY, "kind", "at", "agency", "entry"),
            },
        },
    }


def _channel(address: str, description: str, parameter: str, *messages: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "parameters": {parameter: {"$ref": f"#/components/parameters/{parameter}"}},
        "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in messages},
        "servers": [{"$ref": "#/servers/streams"}],
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
    }


def _message(title: str, fields: dict[str, tuple[str, str]], *required: str) -> dict[str, Any]:
    return {
        "title": title,
        "payload": {
            "type": "object",
            "description": "The fields of a stream's entry, all of them texts or bytes.",
            "properties": {
                name: {"type": kind, "description": text} for name, (kind, text) in fields.items()
            },
            "required": list(required),
        },
    }
