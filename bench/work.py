"""The work that the hub and its peer are measured on, the same for both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["WORK", "Work", "payload", "sent_ns"]


@dataclass(frozen=True, slots=True)
class Work:
    """One publisher, its receipts, and five members that read and acknowledge everything."""

    payload_bytes: int = 1500
    window: int = 512
    """Messages that the publisher has under way at once."""
    batch: int = 256
    """Messages that a member reads, and acknowledges, at once."""
    members: int = 5
    paced_per_s: int = 200
    paced_s: int = 10


WORK = Work()
_MARK = b"<note>sent "


def payload(run: str, number: int) -> bytes:
    """Return a CAP alert of 1,500 bytes that carries the moment it was made."""
    sent = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{run}-{number}</identifier><sender>duty@hydromet.example</sender>"
        f"<sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>"
        f"<note>sent {time.monotonic_ns():020d}</note>"
        "<info><language>en</language><category>Met</category><event>Storm surge</event>"
        "<responseType>Prepare</responseType><urgency>Expected</urgency>"
        "<severity>Severe</severity><certainty>Likely</certainty>"
        "<eventCode><valueName>OET:v1.2</valueName><value>OET-189</value></eventCode>"
        "<expires>2099-01-01T00:00:00-00:00</expires><senderName>Hydromet</senderName>"
        "<headline>Storm surge on the northern coast</headline><description>"
    )
    tail = (
        "</description><instruction>Keep away from the shore.</instruction>"
        "<area><areaDesc>Northern coast</areaDesc><polygon>46.10,48.90 46.90,49.60 47.00,51.80 "
        "46.30,52.90 45.40,51.20 45.60,49.40 46.10,48.90</polygon></area></info></alert>"
    )
    filler = "The sea will rise up to 1.2 m above its usual level. "
    room = WORK.payload_bytes - len(head) - len(tail)
    return (head + (filler * (room // len(filler) + 1))[:room] + tail).encode()


def sent_ns(data: bytes) -> int:
    """Return when a payload was made, by the clock that all processes of a machine share."""
    start = data.index(_MARK) + len(_MARK)
    return int(data[start : start + 20])
