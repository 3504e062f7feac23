"""Does a live feed hold what the log says it must? Nothing missing, nothing more, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from hub.log.deliveries import Kept
from hub.log.faults import Fault

__all__ = ["check_feeds"]

Read = Callable[[str, int], Mapping[str, Any]]
"""Feed and cursor → a page: ``entries``, and ``next`` to go on from."""


def check_feeds(
    kept: Mapping[str, Kept], feeds: Mapping[str, int], size: int, read: Read
) -> tuple[dict[str, int], Fault | None]:
    """Hold live feeds against what was made of the first *size* entries.

    *feeds* are those that are written to, each with the index that it begins after. Returns
    how far each was read, and the first fault. A feed that is behind the log is no
    fault: it is told how far it is.
    """
    reached: dict[str, int] = {}
    for feed, since in sorted(feeds.items()):
        due = kept.get(feed, Kept())
        reached[feed], fault = _check(feed, due, since, size, read)
        if fault is not None:
            return reached, fault
    return reached, None


def _check(feed: str, due: Kept, since: int, size: int, read: Read) -> tuple[int, Fault | None]:
    at, cursor = 0, since
    while at < len(due.indexes) and due.indexes[at] <= since:
        at += 1
    while cursor < size - 1:
        page = read(feed, cursor)
        for entry in page["entries"]:
            index = int(entry["index"])
            if index >= size:
                return size - 1, _ends(feed, due, at, size - 1)
            if at == len(due.indexes) or index != due.indexes[at]:
                return cursor, _other(feed, due, at, index)
            if not _same(due, at, entry):
                return cursor, Fault(index, "feed", f"{feed} holds another payload at {index}")
            at += 1
        if int(page["next"]) <= cursor:
            break
        cursor = int(page["next"])
        if (fault := _ends(feed, due, at, min(cursor, size - 1))) is not None:
            return cursor, fault
    return min(cursor, size - 1), None


def _ends(feed: str, due: Kept, at: int, through: int) -> Fault | None:
    """Return the fault of a feed that has come so far, and has not what stands before that."""
    if at < len(due.indexes) and due.indexes[at] <= through:
        index = due.indexes[at]
        return Fault(index, "feed", f"entry {index} was kept back from {feed}")
    return None


def _other(feed: str, due: Kept, at: int, index: int) -> Fault:
    if at < len(due.indexes) and due.indexes[at] < index:
        missing = due.indexes[at]
        return Fault(missing, "feed", f"entry {missing} was kept back from {feed}")
    return Fault(index, "feed", f"{feed} holds entry {index}, which is not for it")


def _same(due: Kept, at: int, entry: Mapping[str, Any]) -> bool:
    if entry["kind"] != "publish":
        return True
    digest = str(entry["payload_sha256"])
    text = str(entry["payload"])
    # A payload that is not UTF-8 comes as text that cannot be its bytes again.
    whole = "\ufffd" in text or sha256(text.encode()).hexdigest() == digest
    return due.fits(at, digest) and whole
