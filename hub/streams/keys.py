"""Every key of Redis: its type, who writes it, how long it lives.

==========================  ======  ====================  =====================================
key                         type    written by            lives
==========================  ======  ====================  =====================================
``inbox:{agency}``          stream  the agency, the API   entries until acknowledged, then
                                                          trimmed by age
``candidates``              stream  intake, API           likewise
``log``                     stream  ledger                the last thousand; it only wakes readers
``feed:{feed}``             stream  fan-out               trimmed by age (`feed_retention`)
``receipts:{agency}``       stream  ledger                trimmed by age (`receipt_retention`)
``confirmed``               zset    API                   feed -> highest confirmed log index
``sandbox:{name}:feed:…``   stream  replay                until the sandbox is removed
``sandbox:{name}``          hash    API                   what a replay is to do, and how far it is;
                                                          until the sandbox is removed
``sandbox:{name}:runner``   string  API                   which process plays it; seconds
==========================  ======  ====================  =====================================

None of them is the truth: the log is. Any of them, or all, may be lost at any
moment, and the consumers make them again (guarantee G2). No step needs two keys
to change together, so no key carries a Redis Cluster hash tag: each may lie on a
node of its own.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CANDIDATES",
    "CONFIRMED",
    "INBOX_PATTERN",
    "LOG",
    "READERS",
    "agency_of_inbox",
    "entry_id",
    "feed",
    "inbox",
    "index_of",
    "receipts",
    "sandbox",
    "sandbox_feed",
    "sandbox_runner",
]

CANDIDATES: Final = "candidates"
"""What is proposed for the log, in the order the ledger takes it."""

LOG: Final = "log"
"""One entry per commit, id ``<last index>-0``."""

CONFIRMED: Final = "confirmed"
"""What readers over HTTP have confirmed: member = feed id, score = log index."""

READERS: Final = "agency"
"""The consumer group on each feed by which an agency's own system reads and confirms."""

INBOX_PATTERN: Final = "inbox:*"


def inbox(agency: str) -> str:
    """Return the stream that an agency publishes to."""
    return f"inbox:{agency}"


def agency_of_inbox(key: str) -> str:
    """Return whose inbox a key is."""
    return key.removeprefix("inbox:")


def receipts(agency: str) -> str:
    """Return the stream on which an agency gets its receipts and refusals."""
    return f"receipts:{agency}"


def feed(feed_id: str) -> str:
    """Return the stream of a feed."""
    return f"feed:{feed_id}"


def sandbox_feed(sandbox: str, feed_id: str) -> str:
    """Return the stream of a feed within a replay; no live reader has a name for it."""
    return f"sandbox:{sandbox}:feed:{feed_id}"


def sandbox(name: str) -> str:
    """Return where a replay's state stands."""
    return f"sandbox:{name}"


def sandbox_runner(name: str) -> str:
    """Return where the process stands that plays a replay, while it does."""
    return f"sandbox:{name}:runner"


def entry_id(index: int) -> str:
    """Return the stream id of a log index: ``<index>-0``."""
    return f"{index}-0"


def index_of(stream_id: bytes | str) -> int:
    """Return the log index that a stream id stands for; ids of another form belong to no entry."""
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    return int(text.partition("-")[0])
