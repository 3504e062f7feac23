"""Verify a hub's log for whoever may read a part of it: all its leaves, and what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from hub.cli.log_remote import HubSource
from hub.cli.log_source import Selection
from hub.core.merkle import EMPTY
from hub.core.proofs import Edge
from hub.core.registry import History
from hub.core.tiles import node_from
from hub.log.bundle_proofs import KEY_KINDS, check_signer
from hub.log.checks import Tip
from hub.log.faults import Fault, Wrong
from hub.log.growth import Tiles, history_before
from hub.log.store import LogRow
from hub.log.verify import Report, verify
from hub.log.workers import Workers

__all__ = ["verify_seen"]


def verify_seen(
    source: HubSource,
    *,
    since: Tip | None = None,
    earlier: Tip | None = None,
    crew: Workers,
    progress: Callable[[int], None],
) -> Report:
    """Verify that all leaves come to the root, and each entry that is shown for itself.

    Of what is shown: the bytes are those of the leaf, payloads are those that the entries name,
    and signatures are of keys that counted. With *since* what came before it is trusted.
    """
    seen = _Seen(source, since, earlier)
    report = verify(
        seen.rows(),
        None,
        first=seen.first,
        contiguous=False,
        counted=False,
        payloads_required=False,
        crew=crew,
        progress=progress,
    )
    fault = report.fault or seen.end_fault()
    return replace(report, unread=seen.unread, root=None if fault else seen.edge.root, fault=fault)


class _Seen:
    """A log as it is shown, entry by entry or hash by hash."""

    def __init__(self, source: HubSource, since: Tip | None, earlier: Tip | None) -> None:
        self.source, self.since, self.earlier = source, since, earlier
        self.end = source.end()
        self.first = 0 if since is None else since.size
        self.edge = Edge()
        self.history = History()
        self.unread = 0

    def rows(self) -> Iterator[LogRow]:
        """Yield what is shown, and build the tree of all.

        Raises:
            Wrong: ``gap``, ``root``, ``signature``, or what `HubSource.leaves` raises.
        """
        if self.since is not None:
            self._before(self.since)
        for one in self.source.leaves(self.first, self.end.size):
            if one.index != self.edge.size:
                raise Wrong(self.edge.size, "gap", f"{one.index} was shown in its place")
            self.edge.put(one.leaf)
            if self.earlier is not None and self.edge.size == self.earlier.size:
                self._same(self.earlier)
            if one.row is None:
                self.unread += 1
                continue
            if one.row.kind in KEY_KINDS:
                self.history.apply(one.index, one.row.entry)
            elif one.row.kind == "publish":
                check_signer(one.row, self.history)
            yield one.row

    def _before(self, since: Tip) -> None:
        tiles = Tiles(self.source.tile, since.size)
        self.edge.fill(node_from(tiles), since.size)
        self._same(since)
        changes = self.source.bare_rows(Selection(last=since.size - 1, kinds=KEY_KINDS))
        self.history = history_before(changes, tiles, since)

    def _same(self, tip: Tip) -> None:
        if self.edge.root != tip.root:
            raise Wrong(
                None,
                "root",
                f"the first {tip.size} entries come to {self.edge.root.hex()}, "
                f"not to {tip.root.hex()}: they were rewritten",
            )

    def end_fault(self) -> Fault | None:
        """Return what is wrong with the end, when all was shown."""
        size = self.edge.size
        if size != self.end.size:
            return Fault(size, "gap", f"the log ends before {size}, not before {self.end.size}")
        if self.earlier is not None and size < self.earlier.size:
            known = self.earlier.size
            return Fault(size, "rollback", f"it was shown with {known} entries before")
        if (self.end.root if size else EMPTY.root) != self.edge.root:
            return Fault(None, "root", "the leaves do not come to the root that the hub states")
        return None
