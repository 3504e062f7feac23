"""Read a payload of any format the hub takes, and say what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas import cap, rm
from schemas.errors import Finding, Rejected
from schemas.facts import MessageFacts

__all__ = ["ReadPayload", "read_payload"]

_CAP_XML: Final = "application/cap+xml"
_RM_XML: Final = "application/edxl-rm+xml"
_CAP_JSON: Final = "application/cap+json"
_RM_JSON: Final = "application/edxl-rm+json"


@dataclass(frozen=True, slots=True)
class ReadPayload:
    """What the payload says, as facts, and which of the hub's payload types it is."""

    facts: MessageFacts
    warnings: tuple[Finding, ...]
    payload_type: str


def read_payload(
    payload: bytes, payload_type: str = "", *, max_bytes: int = 1 << 20
) -> ReadPayload:
    """Read CAP or EDXL-RM, in XML or JSON.

    The bytes decide, not the label: a general label (``application/xml``,
    ``application/json``, none) is fine, and one of the hub's own that contradicts
    the bytes is refused.

    Raises:
        Rejected: any code of the format's reader; ``wrong-namespace`` where it is
            neither format; ``payload-type-mismatch``.
    """
    if not payload.strip():
        raise Rejected(
            "empty-payload", "there are no bytes", remedy="Send a CAP or EDXL-RM message."
        )
    found = _read(payload, max_bytes)
    label = payload_type.partition(";")[0].strip().lower()
    if label in {_CAP_XML, _RM_XML, _CAP_JSON, _RM_JSON} and label != found.payload_type:
        raise Rejected(
            "payload-type-mismatch",
            f"labelled {label}, but it is {found.payload_type}",
            remedy="Correct the payload type, or leave it out.",
        )
    return found


def _read(payload: bytes, max_bytes: int) -> ReadPayload:
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        # The two JSON forms have no member in common but what both models name.
        if b'"identifier"' in payload or b'"msgType"' in payload:
            alert = cap.read_alert_json(payload, max_bytes=max_bytes)
            return ReadPayload(cap.alert_facts(alert.alert), alert.warnings, _CAP_JSON)
        aid = rm.read_aid_json(payload, max_bytes=max_bytes)
        return ReadPayload(rm.aid_facts(aid.message), aid.warnings, _RM_JSON)
    # A look at the beginning chooses which reader goes first; UTF-16 may hide the namespace,
    # and an alert may speak of EDXL-RM.
    if b"EDXL:RM" in payload[:8192] or b"edxl-rm" in payload[:8192].lower():
        first, second = _read_rm, _read_cap
    else:
        first, second = _read_cap, _read_rm
    try:
        return first(payload, max_bytes)
    except Rejected as refusal:
        if refusal.code != "wrong-namespace":
            raise
        try:
            return second(payload, max_bytes)
        except Rejected as other:
            raise (refusal if other.code == "wrong-namespace" else other) from None


def _read_cap(payload: bytes, max_bytes: int) -> ReadPayload:
    alert = cap.read_alert(payload, max_bytes=max_bytes)
    return ReadPayload(cap.alert_facts(alert.alert), alert.warnings, _CAP_XML)


def _read_rm(payload: bytes, max_bytes: int) -> ReadPayload:
    aid = rm.read_aid(payload, max_bytes=max_bytes)
    return ReadPayload(rm.aid_facts(aid.message), aid.warnings, _RM_XML)
