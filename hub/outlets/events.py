"""What a webhook carries: an event of Standard Webhooks, and its signature.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final

from hub.core.registry import channel_of
from hub.log.feeding import Entry
from hub.outlets.records import Outlet
from hub.streams.fields import feed_json
from schemas.entry import rfc3339

__all__ = ["event_of", "event_of_test", "id_of", "id_of_test", "signed"]

_TYPES: Final = {
    "publish": "message.published",
    "acknowledgement": "message.acknowledged",
    "redaction": "message.redacted",
    "escalation": "message.escalated",
}


def id_of(outlet: Outlet, index: int) -> str:
    """Return the id of what an outlet brings of a log entry: the same at every attempt."""
    return f"msg_{outlet.id}_{index}"


def id_of_test(outlet: Outlet, at_us: int) -> str:
    """Return the id of a test."""
    return f"msg_{outlet.id}_test_{at_us}"


def event_of(outlet: Outlet, entry: Entry) -> bytes:
    """Return the body for an entry of a feed: ``type``, ``timestamp``, ``data``.

    The data are the entry as readers of the feed get it, the feed, and which reality it
    belongs to.
    """
    shown = feed_json(*entry)
    status = shown.get("status") or shown.get("facts", {}).get("status", "Actual")
    data: dict[str, Any] = {"feed": outlet.feed, **shown}
    if shown["kind"] != "redaction":
        data["channel"] = channel_of(status)
    return _body(_TYPES[shown["kind"]], shown["at"], data)


def event_of_test(outlet: Outlet, at_us: int) -> bytes:
    """Return the body of a test."""
    return _body("outlet.test", rfc3339(at_us), {"feed": outlet.feed, "outlet": outlet.id})


def signed(body: bytes, *, message_id: str, at_s: int, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that say who sent a body: signed with each of the secrets."""
    to_sign = f"{message_id}.{at_s}.".encode() + body
    signatures = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.digest(key, to_sign, hashlib.sha256)
        signatures.append(f"v1,{base64.b64encode(digest).decode()}")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def _body(kind: str, at: str, data: dict[str, Any]) -> bytes:
    event = {"type": kind, "timestamp": at, "data": data}
    # A lone surrogate out of somebody's JSON cannot be written in UTF-8.
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
