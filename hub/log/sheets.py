"""Tables of one kind of entry, for whoever counts and joins, with columns of their own.

They join by the log index: ``index`` of the messages is ``message`` of the acknowledgements, and
a feed has what it was routed up to ``through``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub.core.incidents import incidents_of
from hub.core.merkle import leaf_hash
from hub.log.store import LogRow
from schemas.entry import from_micros

__all__ = ["SHEETS", "Sheet"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: which entries stand in it, and what of them."""

    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    numbers: frozenset[str]
    """The columns that hold whole numbers; all others are text."""
    records: Callable[[LogRow], Iterator[dict[str, Any]]]
    """The rows of an entry; a column that is missing there is empty."""


_FACTS: Final = (
    "kind",
    "sender",
    "identifier",
    "status",
    "scope",
    "severity",
    "urgency",
    "certainty",
    "headline",
)


def _base(row: LogRow) -> dict[str, Any]:
    at = from_micros(row.at_us).isoformat()
    return {"index": row.index, "at": at, "agency": row.agency, "leaf": leaf_hash(row.body).hex()}


def _message(row: LogRow) -> Iterator[dict[str, Any]]:
    entry = row.entry
    header, facts = json.loads(entry["header"]), row.facts
    found = _base(row) | {
        "message_id": header["id"],
        "seq": header["seq"],
        "attested": entry["attested"],
        "key": entry.get("key"),
        "payload_type": header["payload_type"],
        "payload_sha256": header["payload_sha256"],
        "payload_size": header["payload_size"],
    }
    if facts is not None:
        found |= {name: getattr(facts, name) for name in _FACTS}
        found |= {
            "type": facts.msg_type,
            "sent": facts.sent.isoformat(),
            "expires": facts.expires and facts.expires.isoformat(),
            "addresses": " ".join(facts.addresses),
            "languages": " ".join(facts.languages),
            "categories": " ".join(facts.categories),
            "events": "; ".join(facts.events),
            "areas": "; ".join(area.description for area in facts.areas),
            "references": " ".join(f"{r.sender},{r.identifier}" for r in facts.references),
            "incidents": " ".join(incidents_of(facts)),
        }
    yield found


def _acknowledgement(row: LogRow) -> Iterator[dict[str, Any]]:
    entry = row.entry
    names = ("message", "message_id", "message_agency", "status", "officer", "note", "via")
    yield _base(row) | {name: entry.get(name) for name in names}


def _delivery(row: LogRow) -> Iterator[dict[str, Any]]:
    for feed, through in row.entry["feeds"].items():
        yield _base(row) | {"agency": feed.partition(".")[0], "feed": feed, "through": through}


SHEETS: Final[dict[str, Sheet]] = {
    "messages": Sheet(
        ("publish",),
        (
            *("index", "at", "agency", "message_id", "seq", "attested", "key"),
            *_FACTS,
            *("type", "sent", "expires", "addresses", "languages", "categories", "events"),
            *("areas", "references", "incidents"),
            *("payload_type", "payload_sha256", "payload_size", "leaf"),
        ),
        frozenset({"index", "seq", "payload_size"}),
        _message,
    ),
    "acknowledgements": Sheet(
        ("acknowledgement",),
        (
            *("index", "at", "agency", "message", "message_id", "message_agency", "status"),
            *("officer", "note", "via", "leaf"),
        ),
        frozenset({"index", "message"}),
        _acknowledgement,
    ),
    "deliveries": Sheet(
        ("delivery",),
        ("index", "at", "agency", "feed", "through", "leaf"),
        frozenset({"index", "through"}),
        _delivery,
    ),
}
"""By name. `hub.log.columns` has the table of all entries."""
