"""The log of a hub over HTTP, and the choice between the places where a log may be."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hub.cli.connection import Connection
from hub.cli.exits import usage
from hub.cli.log_source import BundleSource, Selection, StoreSource, opened_bundle, with_facts
from hub.cli.store import open_log
from hub.cli.words import t
from hub.client import Client, calls
from hub.core.registry import REGISTRY_KINDS
from hub.core.tiles import tile_path
from hub.errors import Rejected
from hub.log.engine import open_to_read
from hub.log.search_proof import Leaf, opened
from hub.log.store import Log, LogRow
from hub.settings import Settings
from schemas.entry import micros

__all__ = ["End", "HubSource", "Withheld", "open_source"]

_PAGE: Final = 100
"""A page holds payloads, each of which may have a megabyte."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of a log as somebody states it."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class HubSource:
    """The log of a hub, read with an auditor's token.

    Of one state's auditor the hub withholds what is not theirs. Who can do with a *part* gets
    the rest, and what was passed over is in *withheld*; others are refused.
    """

    client: Client
    part: bool = False
    withheld: list[int] = field(default_factory=list)

    def end(self) -> End:
        """Return the end of the log as the hub states it now."""
        head = self.client.head()
        return End(head["size"], bytes.fromhex(head["root"]))

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.end().size

    def _first_at(self, at_us: int) -> int:
        """Return the first index logged at or after a moment, as `Log.first_index_at` does."""
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            page = self.client.entries(after=middle - 1, limit=1)["entries"]
            if page and _at_us(page[0]) < at_us:
                low = middle + 1
            else:
                high = middle
        return low

    def indexed(self, wanted: Selection) -> Selection:
        """Return the same part of the log by indexes alone."""
        first, last = wanted.first, wanted.last
        if wanted.since_us is not None:
            first = max(first, self._first_at(wanted.since_us))
        if wanted.until_us is not None:
            until = self._first_at(wanted.until_us + 1) - 1
            last = until if last is None else min(last, until)
        return replace(wanted, first=first, last=last, since_us=None, until_us=None)

    def rows(self, wanted: Selection) -> Iterator[LogRow]:
        """Yield the wanted entries in order, with facts where the payload is there."""
        for row in self.bare_rows(self.indexed(wanted)):
            yield with_facts(row)

    def bare_rows(self, wanted: Selection) -> Iterator[LogRow]:
        """Yield the entries of a part that is told by indexes, as they come."""
        after = wanted.first - 1
        last = (1 << 62) if wanted.last is None else wanted.last
        while after < last:
            page = self.client.entries(
                after=after,
                limit=min(_PAGE, last - after),
                kinds=wanted.kinds,
                agency=wanted.agency,
            )
            for record in page["entries"]:
                index = record["index"]
                if index > last:
                    return
                if record["entry"] is not None:
                    yield _row(record)
                elif self.part:
                    self.withheld.append(index)
                else:
                    raise _withheld(index)
            if page["next"] <= after:
                return
            after = page["next"]

    def leaves(self, first: int, end: int) -> Iterator[Leaf]:
        """Yield all entries of a range, of those that are withheld the leaf hashes.

        Raises:
            Wrong: what the hub shows is no entry, or not its payload.
        """
        while first < end:
            page = self.client.entries(after=first - 1, limit=min(_PAGE, end - first))["entries"]
            for record in page:
                yield _leaf(record)
            if not page:
                return
            first = page[-1]["index"] + 1

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """Return a tile of the tree as the hub gives it."""
        found = self.client.call(calls.tile(tile_path(level, number, width)))
        return found if len(found) == 32 * width else None

    def changes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entries that changed the registry."""
        for row in self.bare_rows(Selection(kinds=tuple(sorted(REGISTRY_KINDS)))):
            yield row.index, row.entry


def _row(record: dict[str, Any]) -> LogRow:
    payload = record["payload"]
    return LogRow(
        record["index"],
        _at_us(record),
        record["kind"],
        record["agency"],
        base64.b64decode(record["entry"]),
        None if payload is None else base64.b64decode(payload),
        record["payload_type"],
    )


def _leaf(record: dict[str, Any]) -> Leaf:
    if record["entry"] is None:
        return Leaf(record["index"], bytes.fromhex(record["leaf"]))
    row = _row(record)
    return opened(row.index, row.body, row.payload, row.payload_type)


def _at_us(record: dict[str, Any]) -> int:
    return micros(datetime.fromisoformat(record["at"]))


class Withheld(Rejected):
    """An entry is not the asker's to read: the log is theirs only as far as its hashes go."""


def _withheld(index: int) -> Withheld:
    return Withheld(
        "not-allowed",
        t(
            "entry {index} is not your state's or agency's to read: the hub shows its leaf hash "
            "alone",
            index=index,
        ),
        remedy=t(
            "`caspian log ls` lists what you may read; the whole is for an auditor of the hub."
        ),
    )


@contextmanager
def open_source(
    bundle: Path | None,
    connection: Connection,
    store: str | None = None,
    *,
    part: bool = False,
) -> Iterator[StoreSource | BundleSource | HubSource]:
    """Open the log that is meant: a bundle; another store; a hub; else the settings' own store.

    With *part* it may be of a hub that withholds some of its entries (`HubSource`).

    A hub named by the environment gives way to a store named there: whoever has the
    store need not ask. *store* is a mirror or a backup, and only read.

    Raises:
        Rejected: ``usage``, ``bundle-broken``, or any code of `Connection.bearer`.
        Unavailable: any code of `open_log`.
    """
    has_store = "CASPIAN_LOG_URL" in os.environ or "CASPIAN_LOG_URL_FILE" in os.environ
    named = connection.url or connection.token
    if bundle is not None and store is not None:
        raise usage(t("--bundle and --store exclude one another"), remedy=t("Name one of them."))
    if bundle is not None:
        yield BundleSource(opened_bundle(bundle))
    elif store is not None:
        log = Log(open_to_read(store if "://" in store else f"sqlite:///{store}"))
        try:
            yield StoreSource(log)
        finally:
            log.close()
    elif named or ("CASPIAN_URL" in os.environ and not has_store):
        with connection.client() as client:
            yield HubSource(client, part=part)
    else:
        with open_log(Settings.from_environment()) as log:
            yield StoreSource(log)
