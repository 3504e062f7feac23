"""Aid messages to put into a log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from samples import through_redis

from hub.core.candidate import Candidate
from schemas.receipt import findings_json
from schemas.rm import AidMessage, aid_facts, read_aid, write_aid

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from aid_messages import BOOM, aid_message, item

__all__ = ["aid", "request"]


def aid(agency: str, kind: str, message_id: str, *items: Any, **given: Any) -> Candidate:
    """Return the candidate that intake makes of an aid message."""
    message: AidMessage = aid_message(kind, message_id, items, agency=agency, **given)
    payload = write_aid(message)
    read = read_aid(payload)
    candidate = Candidate(
        "publish",
        agency,
        via="stream",
        payload=payload,
        payload_type="application/edxl-rm+xml",
        facts=aid_facts(read.message),
        warnings=findings_json(read.warnings),
    )
    return through_redis(candidate)


def request(agency: str, message_id: str, **given: Any) -> Candidate:
    """Return the candidate of a request for 2,000 m of boom."""
    return aid(agency, "RequestResource", message_id, item("1", 2000, code=BOOM), **given)
