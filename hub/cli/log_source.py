"""Where the log is read from: the hub's own store, a bundle, a hub over HTTP; and which part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from hub.cli.exits import usage
from hub.cli.times import read_place
from hub.cli.words import t
from hub.core.registry import REGISTRY_KINDS
from hub.log.bundle import Bundle, open_bundle
from hub.log.projections import read_logged
from hub.log.store import Log, LogRow
from schemas.entry import ENTRY_KINDS, micros
from schemas.errors import Rejected

__all__ = [
    "BundleSource",
    "Selection",
    "Source",
    "StoreSource",
    "opened_bundle",
    "select",
    "with_facts",
]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted; both ends of both ranges belong to it."""

    first: int = 0
    last: int | None = None
    since_us: int | None = None
    until_us: int | None = None
    kinds: tuple[str, ...] = ()
    agency: str | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing at all is left out."""
        return self == Selection()

    def holds(self, row: LogRow) -> bool:
        """Whether an entry belongs to it."""
        return (
            row.index >= self.first
            and (self.last is None or row.index <= self.last)
            and (self.since_us is None or row.at_us >= self.since_us)
            and (self.until_us is None or row.at_us <= self.until_us)
            and (not self.kinds or row.kind in self.kinds)
            and self.agency in {None, row.agency}
        )


class Source(Protocol):
    """A log to read."""

    @property
    def size(self) -> int:
        """How many entries the log has, whether or not all of them are here."""

    def indexed(self, wanted: Selection) -> Selection:
        """Return the same part of the log with a first index that is as high as can be told."""

    def rows(self, wanted: Selection) -> Iterator[LogRow]:
        """Yield the wanted entries in order."""

    def changes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entries that changed the registry.

        Raises:
            Rejected: ``bundle-partial``; not all of them are here.
        """


@dataclass(frozen=True, slots=True)
class StoreSource:
    """The log in the hub's own store."""

    log: Log

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.log.head().size

    def indexed(self, wanted: Selection) -> Selection:
        """Return the same part of the log by indexes alone."""
        first, last = wanted.first, wanted.last
        if wanted.since_us is not None:
            first = max(first, self.log.first_index_at(wanted.since_us))
        if wanted.until_us is not None:
            until = self.log.first_index_at(wanted.until_us + 1) - 1
            last = until if last is None else min(last, until)
        return replace(wanted, first=first, last=last, since_us=None, until_us=None)

    def rows(self, wanted: Selection) -> Iterator[LogRow]:
        """Yield the wanted entries in order, with the facts of messages."""
        wanted = self.indexed(wanted)
        after = wanted.first - 1
        while rows := self.log.rows(
            after=after, through=wanted.last, kinds=wanted.kinds, agency=wanted.agency
        ):
            yield from rows
            after = rows[-1].index

    def changes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entries that changed the registry."""
        yield from self.log.registry_entries()


@dataclass(frozen=True, slots=True)
class BundleSource:
    """The log, or a part of it, in a file."""

    bundle: Bundle

    @property
    def size(self) -> int:
        """How many entries the log had when the bundle was made."""
        return self.bundle.header.size

    def rows(self, wanted: Selection) -> Iterator[LogRow]:
        """Yield the wanted entries in order, with facts where the payload is there."""
        for row in self.bundle.rows():
            if wanted.holds(row):
                yield with_facts(row)

    def indexed(self, wanted: Selection) -> Selection:
        """Return the same part: what a bundle holds is known only when it has been read."""
        return wanted

    def changes(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entries that changed the registry.

        Raises:
            Rejected: ``bundle-partial``; the bundle is itself a part of the log.
        """
        header = self.bundle.header
        if header.filtered or header.first > 0:
            raise Rejected(
                "bundle-partial",
                t("the bundle does not tell who was a member: it is itself a part of the log"),
                remedy=t("Replay all of it, or a bundle of the whole log."),
            )
        for row in self.bundle.rows():
            if row.kind in REGISTRY_KINDS:
                yield row.index, row.entry


def with_facts(row: LogRow) -> LogRow:
    """Return a message with the facts that its payload says, where it is there and can be read."""
    if row.kind != "publish" or row.payload is None:
        return row
    try:
        return replace(row, facts=read_logged(row.payload, row.payload_type).facts)
    except Rejected:
        return row  # `verify` says what is wrong with it; here it is shown as far as it can be


def opened_bundle(path: Path) -> Bundle:
    """Open a bundle that a person named.

    Raises:
        Rejected: ``usage`` where the file cannot be read, ``bundle-broken``.
    """
    try:
        return open_bundle(path)
    except OSError as e:
        raise usage(
            f"{path}: {e.strerror or e}", remedy=t("Name a file made by `caspian log export`.")
        ) from e


def select(
    from_: str | None, to: str | None, kinds: tuple[str, ...], agency: str | None
) -> Selection:
    """Return the selection that the options mean.

    Raises:
        Rejected: ``usage``; a place or a kind that there is not, or a range that ends
            before it begins.
    """
    for kind in kinds:
        if kind not in ENTRY_KINDS:
            raise usage(
                t("there is no kind {kind}", kind=repr(kind)),
                remedy=t("Kinds are {kinds}.", kinds=", ".join(ENTRY_KINDS)),
            )
    now = datetime.now(UTC)
    wanted = Selection(kinds=kinds, agency=agency)
    if from_ is not None:
        start = read_place(from_, now=now)
        if isinstance(start, int):
            wanted = replace(wanted, first=start)
        else:
            wanted = replace(wanted, since_us=micros(start))
    if to is not None:
        end = read_place(to, now=now)
        if isinstance(end, int):
            wanted = replace(wanted, last=end)
        else:
            wanted = replace(wanted, until_us=micros(end))
    if (wanted.last is not None and wanted.last < wanted.first) or (
        wanted.since_us is not None
        and wanted.until_us is not None
        and wanted.until_us < wanted.since_us
    ):
        raise usage(t("the range ends before it begins"), remedy=t("Exchange --from and --to."))
    return wanted
