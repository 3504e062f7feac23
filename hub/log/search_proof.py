"""Was a search's answer the truth? Decided from the entries of its range, under a root one trusts.

Whoever asked gets every entry of the range, or the leaf hash of one that is not theirs to
read. With the tiles around them they must come to the root: then nothing of the range is
left out, doubled or altered. What is searched for is decided again from their bytes, and held
against the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from hub.core.merkle import leaf_hash
from hub.core.proofs import root_around
from hub.core.redaction import REDACTED_TYPE
from hub.core.search import Query, told
from hub.core.tiles import node_from
from hub.log.faults import Wrong
from hub.log.growth import Tiles
from hub.log.projections import read_logged
from hub.log.search import judged
from hub.log.store import LogRow
from schemas.entry import decode, micros
from schemas.errors import Rejected
from schemas.texts import may_hold

__all__ = ["Answer", "Bounds", "Leaf", "Proven", "opened", "prove"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry of the range as it was shown: its leaf hash, and the entry where one may read it."""

    index: int
    leaf: bytes
    row: LogRow | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range that was asked for: by indexes, and by times where it was."""

    first: int
    end: int
    since_us: int | None = None
    until_us: int | None = None


@dataclass(slots=True)
class Answer:
    """What was answered: the range looked at, and what was found, by index."""

    first: int
    end: int
    withheld: int = 0
    hits: dict[int, tuple[bytes, Mapping[str, Any] | None]] = field(default_factory=dict)
    """The leaf hash of what was shown, and what was told of a message (`told`)."""


@dataclass(slots=True)
class Proven:
    """What was proven of an answer."""

    entries: int = 0
    """All of the range, under the root."""
    unread: int = 0
    """Of these the ones that were proven by their leaf hash alone, and not searched."""
    rows: list[LogRow] = field(default_factory=list)
    """What was found, in order of the log."""
    untold: list[int] = field(default_factory=list)
    """Messages whose payload is withheld or was removed: nobody can tell by it any more."""


def opened(index: int, body: bytes, payload: bytes | None, payload_type: str) -> Leaf:
    """Return an entry by nothing but its bytes; its payload is the one that it names.

    Raises:
        Wrong: ``entry``, ``payload``.
    """
    try:
        entry = decode(body)
        at_us = micros(datetime.fromisoformat(entry["at"]))
        row = LogRow(index, at_us, entry["kind"], entry["agency"], body, payload, payload_type)
        if row.kind == "publish" and payload is not None and payload_type != REDACTED_TYPE:
            header = json.loads(entry["header"])
            if sha256(payload).hexdigest() != header["payload_sha256"]:
                raise Wrong(index, "payload", "it is not the one that the header names")
            row = replace(row, payload_type=header["payload_type"])
    except (KeyError, TypeError, ValueError) as e:
        raise Wrong(index, "entry", f"cannot be read: {e!r}") from e
    return Leaf(index, leaf_hash(body), row)


def prove(
    answer: Answer,
    asked: Bounds,
    query: Query,
    leaves: Iterable[Leaf],
    tiles: Tiles,
    *,
    root: bytes,
    start: int,
) -> Proven:
    """Hold an answer against the log of ``tiles.size`` entries with this *root*.

    *leaves* begin at *start* and go a little beyond the range on both sides where times were
    asked for: as far as the next entry that may be read, which says when it was logged.

    Raises:
        Wrong: ``answer``, ``tree``, ``entry`` or ``payload``: what the answer, or what was
            shown to prove it, is not.
    """
    _whole(answer, asked)
    proven = Proven()
    seen: set[int] = set()

    def passed() -> Iterator[bytes]:
        for at, one in enumerate(leaves, start):
            if one.index != at:
                raise Wrong(at, "answer", f"entry {one.index} was shown where {at} should be")
            _timed(one, answer, asked)
            if answer.first <= at < answer.end:
                seen.add(at)
                _judge(one, answer, query, proven)
            yield one.leaf

    found = root_around(node_from(tiles), tiles.size, start, passed())
    if found != root:
        raise Wrong(
            None,
            "answer",
            f"the entries {answer.first} to {answer.end - 1} that were shown do not come to the "
            f"root of the log of {tiles.size}",
        )
    if len(seen) != answer.end - answer.first:
        raise Wrong(max(seen, default=answer.first), "answer", "the range was not shown to its end")
    invented = answer.hits.keys() - {row.index for row in proven.rows} - set(proven.untold)
    if invented:
        raise Wrong(min(invented), "answer", "it was answered, and is not what is searched for")
    if answer.withheld != proven.unread:
        detail = f"{answer.withheld} entries were said to be withheld, and {proven.unread} are"
        raise Wrong(None, "answer", detail)
    return proven


def _whole(answer: Answer, asked: Bounds) -> None:
    if answer.first < asked.first or answer.end > max(asked.end, asked.first):
        raise Wrong(None, "answer", f"{answer.first} to {answer.end} is not the range asked for")
    if asked.since_us is None and answer.first > asked.first:
        detail = f"the range was shortened: it began at {answer.first}, not at {asked.first}"
        raise Wrong(asked.first, "answer", detail)
    if asked.until_us is None and answer.end < asked.end:
        detail = f"the range was shortened: it ended before {answer.end}, not before {asked.end}"
        raise Wrong(answer.end, "answer", detail)
    outside = [index for index in answer.hits if not answer.first <= index < answer.end]
    if outside:
        raise Wrong(min(outside), "answer", "it was answered, and is not in the range looked at")


def _timed(one: Leaf, answer: Answer, asked: Bounds) -> None:
    """Hold the edges of the range against the times of the entries at them."""
    if one.row is None:
        return
    at = one.row.at_us
    early = asked.since_us is not None and at < asked.since_us
    late = asked.until_us is not None and at > asked.until_us
    inside = answer.first <= one.index < answer.end
    if inside and (early or late):
        raise Wrong(one.index, "answer", "it is not of the time that was asked for")
    if not inside and asked.first <= one.index < asked.end and not early and not late:
        raise Wrong(one.index, "answer", "the range was shortened: this entry belongs to it")


def _judge(one: Leaf, answer: Answer, query: Query, proven: Proven) -> None:
    proven.entries += 1
    hit = answer.hits.get(one.index)
    if hit is not None and hit[0] != one.leaf:
        raise Wrong(one.index, "answer", "it was answered otherwise than it stands in the log")
    row = one.row
    if row is None:
        proven.unread += 1
        return
    found = _found(row, query)
    if found is None:
        # What is left of it only the hub says: its word is neither proven nor refuted.
        proven.untold.append(one.index)
        return
    if found is False:
        return
    if hit is None:
        raise Wrong(one.index, "answer", "it is what is searched for, and was left out")
    if hit[1] is not None and (found.facts is None or dict(hit[1]) != told(found.facts)):
        raise Wrong(one.index, "answer", "what was told of it is not what it says")
    proven.rows.append(found)


def _found(row: LogRow, query: Query) -> LogRow | Literal[False] | None:
    """Return the entry if it is what is searched for; None where nobody can tell any more."""
    if not query.may_be(row.kind, row.agency):
        return False
    if row.kind != "publish":
        return row
    payload = row.payload
    if payload is None or row.payload_type == REDACTED_TYPE:
        return None if query.of_messages else row
    if query.words and not may_hold(payload, query.words):
        return False
    try:
        row = replace(row, facts=read_logged(payload, row.payload_type).facts)
    except Rejected:
        return None if query.of_messages else row
    return row if judged(row, query) else False
