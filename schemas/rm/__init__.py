"""EDXL-RM 1.0: reading, judging and writing aid messages.

`read_aid` is the door: bytes in, an `AidMessage` with its warnings out, or one
`schemas.errors.Rejected` that says what to change. docs/standards.md lists the
rules, `schemas.rm.layout` which elements each message has.
"""

from schemas.rm.facts import aid_facts
from schemas.rm.layout import NAMESPACE_HUB, NAMESPACE_MSG, NAMESPACE_RM
from schemas.rm.model import MESSAGE_TYPES, AidMessage
from schemas.rm.read import Reading, check_aid, read_aid, read_aid_json
from schemas.rm.write import write_aid, write_aid_json

__all__ = [
    "MESSAGE_TYPES",
    "NAMESPACE_HUB",
    "NAMESPACE_MSG",
    "NAMESPACE_RM",
    "AidMessage",
    "Reading",
    "aid_facts",
    "check_aid",
    "read_aid",
    "read_aid_json",
    "write_aid",
    "write_aid_json",
]
