"""What aid messages say now, and which earlier items each of their items is about.

A *statement* is a message as it holds now, with its updates; a *move* is one item of
it. Nothing here depends on the order in which messages are given: a Cancel may come
before what it takes back, an answer before what it answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from schemas.facts import AidFacts, AidItem, MessageFacts

__all__ = ["OFFERS", "AidEntry", "DealKey", "Move", "Statement", "Statements", "Step"]

OFFERS: Final = frozenset({"OfferUnsolicitedResource", "ResponseToRequestResource"})
_GIVES: Final = OFFERS | {"CommitResource"}
"""Whoever sends one of these is the one who gives."""


@dataclass(frozen=True, slots=True)
class AidEntry:
    """One aid message of the log: where it stands there, whose it is, what it says."""

    index: int
    agency: str
    facts: MessageFacts

    @property
    def aid(self) -> AidFacts:
        """What it asks for, offers and promises."""
        if self.facts.aid is None:
            raise ValueError(f"{self.index} is not an aid message")
        return self.facts.aid

    @property
    def state(self) -> str:
        """The state of its agency, ISO 3166-1 alpha-2 (an agency's id begins with it)."""
        return self.agency[:2].upper()


class DealKey(NamedTuple):
    """What a deal is known by."""

    status: str
    message: str
    """The message that began it, by its first id."""
    item: str
    giver: str
    """The agency that gives."""


@dataclass(frozen=True)
class Statement:
    """A message and its updates, of one agency; the latest by ``sent`` holds."""

    id: str
    versions: tuple[AidEntry, ...]
    withdrawn: bool

    @cached_property
    def now(self) -> AidEntry:
        """The version that holds."""
        return max(self.versions, key=lambda e: (e.facts.sent, e.facts.identifier, e.index))

    @cached_property
    def indexes(self) -> frozenset[int]:
        """Where its versions stand in the log."""
        return frozenset(e.index for e in self.versions)

    @property
    def type(self) -> str:
        """The type of message."""
        return self.now.facts.msg_type

    def item(self, wanted: AidItem) -> AidItem | None:
        """Return the item that an item of a later message is about.

        An answer names it. Other messages repeat its id, or it is the only one of
        the type that they state.
        """
        items = self.now.aid.items
        if wanted.answers:
            return next((i for i in items if i.id == wanted.answers), None)
        alike = [i for i in items if not wanted.type or i.type in {"", wanted.type}]
        same = next((i for i in alike if i.id == wanted.id), None)
        return same or (alike[0] if wanted.type and len(alike) == 1 else None)


@dataclass(frozen=True, slots=True)
class Step:
    """One item on the way from a message back to what began the deal.

    *statement* is None where the log does not have the message, *item* where the
    message has no such item.
    """

    message: str
    name: str
    statement: Statement | None
    item: AidItem | None


@dataclass(frozen=True)
class Move:
    """One item of a statement, and the way back from it: the item itself comes first."""

    statement: Statement
    path: tuple[Step, ...]

    @property
    def agency(self) -> str:
        """Whose move it is."""
        return self.statement.now.agency

    @property
    def item(self) -> AidItem:
        """What the item says itself."""
        item = self.path[0].item
        assert item is not None  # noqa: S101  # a move begins with an item that is there
        return item

    @cached_property
    def root(self) -> Step:
        """The item that began the deal."""
        return self.path[-1]

    @cached_property
    def offer(self) -> Statement | None:
        """The offer that it stands on, the nearest; a move that offers is its own."""
        return self._nearest(OFFERS)

    @cached_property
    def request(self) -> Statement | None:
        """The request that it stands on."""
        return self._nearest({"RequestResource"})

    def _nearest(self, types: Iterable[str]) -> Statement | None:
        wanted = frozenset(types)
        return next(
            (
                s.statement
                for s in self.path
                if s.statement and s.item and s.statement.type in wanted
            ),
            None,
        )

    @cached_property
    def giver(self) -> str:
        """The agency that gives: whoever offered or committed first, else whose move it is."""
        given = [s.statement for s in self.path if s.statement and s.statement.type in _GIVES]
        return given[-1].now.agency if given else self.agency

    @property
    def key(self) -> DealKey:
        """Which deal it is a part of."""
        return DealKey(
            self.statement.now.facts.status, self.root.message, self.root.name, self.giver
        )

    @cached_property
    def type(self) -> str:
        """The type of resource: its own, else that of the item it stands on."""
        return next((s.item.type for s in self.path if s.item and s.item.type), "")

    @cached_property
    def name(self) -> str:
        """The resource's name where its type is stated, else the nearest."""
        items = [s.item for s in self.path if s.item]
        typed = next((i.name for i in items if i.type), "")
        return typed or next((i.name for i in items if i.name), "")

    @cached_property
    def measure(self) -> AidItem:
        """The item that says how much: an answer without a quantity is about all of it."""
        said = (s.item for s in self.path if s.item and (s.item.amount or s.item.words))
        return next(said, self.item)

    @cached_property
    def incidents(self) -> tuple[str, ...]:
        """The incidents that what began the deal is about, else the move's own thread."""
        for step in reversed(self.path):
            if step.statement is not None:
                aid = step.statement.now.aid
                named = sorted({" ".join(i.split()).upper() for i in aid.incidents})
                return tuple(named) or (aid.thread,)
        return (self.statement.now.aid.thread,)


class Statements:
    """What messages say now, found by what they are called. Exercises do not see the real thing."""

    def __init__(self, entries: Iterable[AidEntry]) -> None:
        found = sorted({e.index: e for e in entries}.values(), key=lambda e: e.index)
        self._heads: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        cancelled = set()
        shown = []
        for entry in found:
            status, aid = entry.facts.status, entry.aid
            own = (status, entry.agency, entry.facts.identifier)
            if aid.recall == "Cancel":
                cancelled.add((status, entry.agency, aid.recalls))
                continue
            shown.append(entry)
            if aid.recall == "Update":
                self._join(own, (status, entry.agency, aid.recalls))
        versions: dict[tuple[str, str, str], list[AidEntry]] = {}
        for entry in shown:
            own = (entry.facts.status, entry.agency, entry.facts.identifier)
            versions.setdefault(self._head(own), []).append(entry)
        gone = {self._head(name) for name in cancelled}
        self.all: tuple[Statement, ...] = tuple(
            Statement(head[2], tuple(group), head in gone) for head, group in versions.items()
        )
        by_head = dict(zip(versions, self.all, strict=True))
        self._by_id: dict[tuple[str, str], Statement] = {}
        for name in sorted({*self._heads, *versions}):
            head = self._head(name)
            if head in by_head:
                self._by_id.setdefault((name[0], name[2]), by_head[head])
        # A name that a message bears goes before one that is only recalled.
        for entry in reversed(shown):
            own = (entry.facts.status, entry.agency, entry.facts.identifier)
            self._by_id[own[0], own[2]] = by_head[self._head(own)]

    def _head(self, name: tuple[str, str, str]) -> tuple[str, str, str]:
        while (above := self._heads.get(name, name)) != name:
            name = above
        return name

    def _join(self, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
        low, high = sorted((self._head(one), self._head(other)))
        self._heads.setdefault(low, low)
        self._heads.setdefault(one, low)
        self._heads.setdefault(other, low)
        self._heads[high] = low

    def find(self, status: str, message: str) -> Statement | None:
        """Return the statement that a message's id means."""
        return self._by_id.get((status, message))

    def moves(self) -> Iterator[Move]:
        """Yield every item of every statement, of those that were withdrawn as well."""
        for statement in self.all:
            for item in statement.now.aid.items:
                yield Move(statement, tuple(self.path(statement, item)))

    def path(self, statement: Statement, item: AidItem) -> Iterator[Step]:
        """Yield an item, the one that it answers, and so on to the one that began the deal."""
        seen: set[tuple[str, str]] = set()
        step = Step(statement.id, item.id, statement, item)
        while (step.message, step.name) not in seen:
            seen.add((step.message, step.name))
            yield step
            if step.statement is None or step.item is None:
                return
            answers = step.statement.now.aid.answers
            if not answers:
                return
            above = self.find(step.statement.now.facts.status, answers)
            found = above.item(step.item) if above else None
            step = Step(
                above.id if above else answers,
                found.id if found else step.item.answers or step.item.id,
                above,
                found,
            )
