"""The event streams that are open in one process, for whoever has to do something with all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["Ending", "OpenStreams"]


class Ending(Protocol):
    """A stream that can be ended."""

    def end(self) -> None:
        """End it in good order; its reader may come again."""


class OpenStreams:
    """Event streams, from their first byte to their last."""

    def __init__(self) -> None:
        self._open: set[Ending] = set()

    def __iter__(self) -> Iterator[Ending]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, stream: Ending) -> None:
        """Remember a stream that was opened."""
        self._open.add(stream)

    def discard(self, stream: Ending) -> None:
        """Forget a stream that is over."""
        self._open.discard(stream)

    def end(self) -> None:
        """End all of them, because the process ends."""
        for stream in self:
            stream.end()
