"""What of the log an auditor of one state or agency may read, and what stands for the rest."""

from __future__ import annotations

import base64
from typing import Any, Final

from hub.core.merkle import leaf_hash
from hub.core.registry import History
from hub.core.routing import entitled
from hub.core.rows import MessageRow
from hub.log.store import LogRow
from hub.members.roles import Principal
from schemas.entry import from_micros

__all__ = ["PUBLIC", "may_read", "may_read_message", "shown"]

PUBLIC: Final = frozenset(
    {"genesis", "restart", "state", "member", "key", "log-key", "hold", "release"}
)
"""Kinds of entries that whoever may read the log at all may read."""


def may_read(asker: Principal, row: LogRow, history: History) -> bool:
    """Return whether an entry is theirs to read, given who was a member when it was logged."""
    if asker.sees_all or row.kind in PUBLIC:
        return True
    if row.agency and asker.sees(row.agency):
        return True
    if row.kind == "action" and not row.agency and asker.state and not asker.agency:
        return "audit" in asker.scopes and row.entry["about"].get("state") == asker.state
    if row.kind == "escalation":
        entry = row.entry
        return asker.sees_any((entry["recipient"], entry["of"]))
    return row.facts is not None and asker.sees_any(
        entitled(row.facts, row.agency, history.at(row.index))
    )


def may_read_message(asker: Principal, row: MessageRow, history: History) -> bool:
    """Return whether a message is theirs to read, given who was a member when it was logged."""
    return asker.sees_all or asker.sees_any(
        {row.agency, *entitled(row.facts, row.agency, history.at(row.index))}
    )


def shown(asker: Principal, row: LogRow, history: History) -> dict[str, Any]:
    """Return an entry for an auditor: its exact bytes, or only their leaf hash.

    The leaf hash (RFC 6962, section 2.1) is enough to make the root again: also who sees
    only a part of the log can hold the hub to the whole of it.
    """
    base = {"index": row.index, "at": from_micros(row.at_us)}
    leaf = leaf_hash(row.body).hex()
    if not may_read(asker, row, history):
        return {**base, "leaf": leaf, "entry": None}
    return {
        **base,
        "kind": row.kind,
        "agency": row.agency,
        "leaf": leaf,
        "entry": base64.b64encode(row.body).decode(),
        "payload_type": row.payload_type,
        "payload": None if row.payload is None else base64.b64encode(row.payload).decode(),
    }
