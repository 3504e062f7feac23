"""Entries by the driver's own cursor: what passes hundreds of thousands a second must be bare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from hub.log.engine import open_to_read

__all__ = ["Ranges", "raw_ranges"]

_BODIES: Final = "SELECT idx, body FROM entries WHERE idx >= {} AND idx < {} ORDER BY idx"
_TILES: Final = "SELECT number, hashes FROM tiles WHERE level = 0 AND number >= {} AND number < {}"


class Ranges:
    """One connection that reads ranges of a log."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def bodies(self, first: int, end: int, lot: int) -> Iterator[list[tuple[int, bytes]]]:
        """Yield index and bytes of the entries from *first* to before *end*, *lot* at a time."""
        self._cursor.execute(_BODIES.format(int(first), int(end)))
        while rows := self._cursor.fetchmany(lot):
            yield rows

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """Return the lowest tiles from number *first* to before *end*."""
        return dict(iter(self._cursor.execute(_TILES.format(int(first), int(end)))))


@contextmanager
def raw_ranges(url: str) -> Iterator[Ranges]:
    """Open a store to read from, and change nothing.

    Raises:
        Unavailable: it cannot be opened. The driver's own errors: it cannot be read.
    """
    engine = open_to_read(url)
    try:
        with closing(engine.raw_connection()) as connection:
            driver: Any = connection.driver_connection
            binary = {"binary": True} if engine.dialect.name == "postgresql" else {}
            yield Ranges(driver.cursor(**binary))
    finally:
        engine.dispose()
