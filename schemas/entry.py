"""An entry of the log: the exact bytes that are hashed, kept and verified.

An entry is one JSON object in UTF-8 without white space, its keys in the order
that `encode` writes. It is never parsed and written again: what the log keeps is
what was hashed. Every entry has

``v``       1, the version of this format
``kind``    what happened (`EntryKind`)
``at``      the hub's time, RFC 3339 in UTC with microseconds; strictly increasing along the log
``agency``  whose doing it was; empty where it was the hub's own

and the facts of its kind, listed in docs/protocol/entries.md. The log index is
not in the entry: it is the entry's place. A payload is not in the entry either,
only its SHA-256: a payload may be withheld from those not entitled, or redacted
by law, and the entry still verifies.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

__all__ = [
    "ENTRY_KINDS",
    "MAX_ENTRY_BYTES",
    "EntryKind",
    "decode",
    "encode",
    "from_micros",
    "micros",
    "rfc3339",
]

EntryKind = Literal[
    "genesis",
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
    "publish",
    "acknowledgement",
    "delivery",
    "action",
    "escalation",
    "refusal",
    "dead-letter",
    "restart",
    "replay",
]
ENTRY_KINDS: Final[tuple[str, ...]] = get_args(EntryKind)

MAX_ENTRY_BYTES: Final = 65_535
"""An entry bundle writes the length of an entry in two bytes (C2SP tlog-tiles)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(kind: EntryKind, at_us: int, agency: str, facts: dict[str, Any]) -> bytes:
    """Return the bytes of an entry; *at_us* is microseconds since 1970 in UTC.

    Raises:
        ValueError: the entry would be longer than `MAX_ENTRY_BYTES`, or a text in it
            holds a lone surrogate. The caller bounds what it puts in.
    """
    body = _encode({"v": 1, "kind": kind, "at": rfc3339(at_us), "agency": agency, **facts})
    data = body.encode()
    if len(data) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry of {len(data)} bytes is over {MAX_ENTRY_BYTES}")
    return data


def decode(data: bytes) -> dict[str, Any]:
    """Return the facts of an entry as a dictionary.

    Raises:
        ValueError: these are not the bytes of an entry.
    """
    try:
        entry = json.loads(data)
    except RecursionError:
        raise ValueError("an entry is not so deep") from None
    if not isinstance(entry, dict) or entry.get("v") != 1 or entry.get("kind") not in ENTRY_KINDS:
        raise ValueError("not an entry of version 1")
    return entry


def rfc3339(at_us: int) -> str:
    """Write microseconds since 1970 as ``2026-11-23T14:10:48.123456Z``."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def micros(at: datetime) -> int:
    """Return the microseconds from 1970 to *at*, which must know its time zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_micros(at_us: int) -> datetime:
    """Return the moment *at_us* microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)
