"""What went to which feed, made anew from the log; and how much of it has arrived."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Deliveries", "FeedState", "Kept"]


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where one feed stands at the end of the log."""

    routed: int
    """Entries that the log says must be in it."""
    through: int
    """The index through which its reader has confirmed it; -1 where never."""
    waiting: int
    """Entries of it that are not confirmed."""


class Kept:
    """What must be in a feed: indexes, and the beginnings of the payloads' digests."""

    def __init__(self) -> None:
        self.indexes = array("q")
        self._digests = array("Q")

    def add(self, index: int, digest: str) -> None:
        """Take in an entry."""
        self.indexes.append(index)
        self._digests.append(_short(digest))

    def fits(self, at: int, digest: str) -> bool:
        """Tell whether the entry at a place of the feed has a payload of this digest."""
        return self._digests[at] == _short(digest)


def _short(digest: str) -> int:
    return int(digest[:16] or "0", 16)


class Deliveries:
    """Feeds as the log makes them. Memory: 8 bytes for each entry that is not confirmed.

    With *keep*, 16 bytes more for every entry of every feed, to hold live feeds against.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self.kept: dict[str, Kept] | None = {} if keep else None
        self._waiting: dict[str, array[int]] = {}
        self._routed: dict[str, int] = {}
        self.through: dict[str, int] = {}
        self.unknown = False
        """Whether some message could not be routed, because its payload is withheld."""

    def route(self, index: int, feeds: Iterable[str], digest: str = "") -> None:
        """Take in an entry and the feeds that it goes to; *digest* is its payload's."""
        for feed in feeds:
            if self.kept is not None:
                self.kept.setdefault(feed, Kept()).add(index, digest)
            self._waiting.setdefault(feed, array("q")).append(index)
            self._routed[feed] = self._routed.get(feed, 0) + 1

    def confirm(self, feed: str, through: int) -> None:
        """Take in that a feed has arrived through an index."""
        self.through[feed] = through
        waiting = self._waiting.get(feed)
        if waiting is not None:
            del waiting[: bisect_right(waiting, through)]

    @property
    def routed(self) -> int:
        """How many (entry, feed) there are."""
        return sum(self._routed.values())

    def feeds(self) -> dict[str, FeedState]:
        """Return where every feed stands."""
        return {
            feed: FeedState(
                self._routed.get(feed, 0),
                self.through.get(feed, -1),
                len(self._waiting.get(feed, ())),
            )
            for feed in sorted({*self._routed, *self.through})
        }
