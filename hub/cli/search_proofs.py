"""The proof of a search's answer: the end of the log that one knows, and the entries up to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub.cli.checkpoints import checkpoint_of
from hub.cli.log_remote import HubSource
from hub.cli.log_source import BundleSource, Selection, StoreSource
from hub.cli.searching import Looked
from hub.cli.terminal import Told
from hub.core.merkle import leaf_hash
from hub.core.search import Query, told
from hub.log.faults import HUB, STORAGE, Wrong
from hub.log.growth import Tiles
from hub.log.scan import scan
from hub.log.search_proof import Answer, Bounds, Leaf, Proven, opened, prove
from hub.log.signed_ends import check_end, read_signed_end
from hub.log.tree import Tree
from schemas.policy import Policy

__all__ = ["Known", "known_end", "proven_of"]

_STEP = 64
_TELL_EVERY = 1024


@dataclass(frozen=True, slots=True)
class Known:
    """The end of the log that a proof leads to, and who stands for it by a policy."""

    size: int
    root: bytes
    level: str = ""
    witnesses: tuple[str, ...] = ()


def known_end(source: StoreSource | BundleSource | HubSource, policy: Policy | None) -> Known:
    """Return the end of the log as it was signed; where nothing was, as it is stated.

    Raises:
        Wrong: ``checkpoint``, ``cosignature``, ``quorum``: it does not hold by the policy.
        Rejected: ``note-invalid``.
    """
    if isinstance(source, BundleSource):  # pragma: no cover - refused before
        raise TypeError(source)
    note = checkpoint_of(source)
    if not note:
        if policy is not None:
            raise Wrong(None, "checkpoint", "the log has signed nothing")
        head = source.end() if isinstance(source, HubSource) else source.log.head()
        return Known(head.size, head.root)
    end = read_signed_end(note)
    size, root = end.checkpoint.size, end.checkpoint.root
    if policy is None:
        return Known(size, root)
    level, witnesses, fault = check_end(end, policy, size=size, root_at=lambda _: root)
    if fault is not None:
        raise Wrong(fault.index, fault.code, fault.detail, culprit=fault.culprit)
    return Known(size, root, level or "", witnesses)


def proven_of(
    source: StoreSource | BundleSource | HubSource,
    found: Looked,
    wanted: Selection,
    query: Query,
    known: Known,
    *,
    newest: bool,
    tell: Told,
) -> Proven:
    """Prove an answer from the entries of its range, fetched for that.

    Raises:
        Wrong: the answer, or what was shown to prove it, is not the truth.
    """
    if isinstance(source, BundleSource):  # pragma: no cover - refused before
        raise TypeError(source)
    if not known.size:
        return Proven()
    asked, answer = _asked(found, wanted, known, newest=newest), _answer(found)
    leaves, tile = _readers(source)
    start, end = found.first, found.end
    if asked.since_us is not None:
        start = _readable(leaves, start, 0, down=True)
    if asked.until_us is not None:
        end = _readable(leaves, end, known.size, down=False)

    def passed() -> Iterator[Leaf]:
        for one in leaves(start, end):
            if one.index % _TELL_EVERY == 0:
                tell(one.index - start, end - start)
            yield one

    tiles = Tiles(tile, known.size)
    try:
        return prove(answer, asked, query, passed(), tiles, root=known.root, start=start)
    except Wrong as wrong:
        fault = wrong.fault
        # Of a store nobody has answered but who keeps it.
        culprit = STORAGE if isinstance(source, StoreSource) else HUB
        raise Wrong(fault.index, fault.code, fault.detail, culprit=culprit) from wrong


def _asked(found: Looked, wanted: Selection, known: Known, *, newest: bool) -> Bounds:
    last = known.size - 1 if wanted.last is None else min(wanted.last, known.size - 1)
    first = min(wanted.first, last + 1)
    if found.done:
        return Bounds(first, last + 1, wanted.since_us, wanted.until_us)
    # A limit was reached: what was looked at by then is all that is claimed.
    if newest:
        return Bounds(found.first, last + 1, None, wanted.until_us)
    return Bounds(first, found.end, wanted.since_us)


def _answer(found: Looked) -> Answer:
    answer = Answer(found.first, found.end, found.withheld)
    for row in found.rows:
        if row.index in answer.hits:
            raise Wrong(row.index, "answer", "it was answered twice")
        message = found.tellings.get(row.index, None if row.facts is None else told(row.facts))
        answer.hits[row.index] = leaf_hash(row.body), message
    return answer


def _readers(
    source: StoreSource | HubSource,
) -> tuple[Callable[[int, int], Iterator[Leaf]], Callable[[int, int, int], bytes | None]]:
    if isinstance(source, HubSource):
        return source.leaves, source.tile
    log = source.log

    def leaves(first: int, end: int) -> Iterator[Leaf]:
        for row in scan(log, after=first - 1, through=end - 1):
            yield opened(row.index, row.body, row.payload, row.payload_type)

    return leaves, Tree(log).tile


def _readable(
    leaves: Callable[[int, int], Iterator[Leaf]], at: int, until: int, *, down: bool
) -> int:
    """Return a range's edge moved outwards, over the next entry that may be read, if there is one.

    Its time shows that the range had to end before it; what lies between is nobody's to search.
    """
    while at != until:
        low, high = (max(until, at - _STEP), at) if down else (at, min(until, at + _STEP))
        lot = list(leaves(low, high))
        for one in reversed(lot) if down else lot:
            if one.row is not None:
                return one.index if down else one.index + 1
        at = low if down else high
    return at
