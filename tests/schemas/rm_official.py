"""The official schemas of EDXL-RM, where they lie beside this checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from schemas.errors import Rejected
from schemas.rm import MESSAGE_TYPES, AidMessage, read_aid

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCHEMAS = SHARED / "standards" / "external" / "edxl-rm" / "1.0"
WHY_NOT = "the official EDXL-RM schemas are not beside this checkout"

STANDARD = tuple(name for name in MESSAGE_TYPES if name != "AidOfferResponse")
"""The sixteen types of the standard."""


@cache
def official_schema(name: str) -> etree.XMLSchema:
    """Compile the schema that the standard publishes for the messages *name*."""
    path = SCHEMAS / f"EDXL-RM{name}.xsd"
    if not path.is_file():
        pytest.skip(WHY_NOT)
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True)))


def official_faults(data: bytes) -> list[str]:
    """Return what the official schema of its type has against a message."""
    root = etree.fromstring(data)
    schema = official_schema(etree.QName(root).localname)
    return [] if schema.validate(root) else [entry.message for entry in schema.error_log]


def our_verdict(data: bytes) -> bool | str:
    """Tell whether our schema takes a message, whatever the rules say of it."""
    try:
        read_aid(data)
    except Rejected as refusal:
        verdicts = {"structure-invalid": False, "rule-broken": True}
        return verdicts.get(refusal.code, refusal.code)
    return True


def message_of(data: bytes) -> AidMessage | None:
    """Return the message that *data* is, or None where it is refused."""
    try:
        return read_aid(data).message
    except Rejected:
        return None
