"""The life of an alert: which messages belong together, and what people should act on.

An agency changes what it has said by a CAP Update or Cancel that names the earlier
messages (CAP 1.2, 3.2.1 ``msgType``, ``references``). One of them *changes* a message if

* it names it by sender, identifier and sent, the three together;
* both are of the same agency: no agency can silence another (rule H3);
* both are of the same channel: an exercise cancels nothing that is real (G8);
* it was not sent before it.

It touches what it names and nothing else: of an alert that was sent once for each
language, an Update that names two has the third stand. Messages that are joined by
changes, or say the same in two languages (`hub.core.siblings`), over any steps, are a
*thread*. Whatever else names one of them only mentions it.

All of it is a function of the set of messages: the order in which they came, their
places in the log and repetitions make no difference. A Cancel may come before the
Update that it cancels, and that before its Alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush
from typing import Final

from hub.core.registry import channel_of
from hub.core.siblings import are_siblings, sibling_identifiers
from schemas.facts import MessageFacts, Reference

__all__ = ["Part", "Published", "Standing", "State", "Threads", "changes_others"]

_WARNS: Final = frozenset({"Alert", "Update"})
_CHANGES: Final = frozenset({"Update", "Cancel"})


class State(StrEnum):
    """Whether people should act on an alert; the first of these that is true of it.

    `CANCELLED` is for good: a Cancel that is itself cancelled brings nothing back.
    `UPDATED` is for good too, also when the Update has expired or was cancelled: the
    alert was said anew, and that has ended.
    """

    CANCELLED = "cancelled"
    UPDATED = "updated"
    EXPIRED = "expired"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Published:
    """A message of the log."""

    index: int
    agency: str
    facts: MessageFacts


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands at some moment."""

    state: State
    by: tuple[int, ...] = ()
    """The log indexes of the Cancels or Updates that made it so, in the order they were sent."""


@dataclass(frozen=True, slots=True)
class Part:
    """A message as a part of its thread."""

    message: Published
    standing: Standing | None
    """None of what warns of nothing by itself: a Cancel, an Ack, an Error, an aid message."""
    changes: tuple[int, ...]
    """The log indexes of what it updates or cancels, in the order they were sent."""
    siblings: tuple[int, ...]
    """The log indexes of what says the same in another language, in the order they were sent."""
    elsewhere: tuple[Reference, ...]
    """What it names and does not change: not there, another agency's, of another channel."""


_Key = tuple[str, str, str]
"""Agency, sender, identifier: the identity of a message."""


def changes_others(facts: MessageFacts) -> bool:
    """Return whether a message is one that can change others: an Update or a Cancel."""
    return facts.kind == "alert" and facts.msg_type in _CHANGES


class Threads:
    """What a set of messages says together."""

    def __init__(self, messages: Iterable[Published]) -> None:
        self._of: dict[_Key, Published] = {}
        for m in messages:
            # The log has each identity once; were it not so, the order still would not matter.
            known = self._of.setdefault(_key(m), m)
            if m.index < known.index:
                self._of[_key(m)] = m
        self._at = {m.index: key for key, m in self._of.items()}

    def standing(self, index: int, *, at: datetime) -> Standing | None:
        """Return where the message with this log index stands at a moment.

        None for what warns of nothing by itself: a Cancel, an Ack, an Error, an aid message.
        """
        key = self._at[index]
        facts = self._of[key].facts
        if facts.kind != "alert" or facts.msg_type not in _WARNS:
            return None
        by = [self._of[k] for k in self._changed_by.get(key, ())]
        if cancels := [m for m in by if m.facts.msg_type == "Cancel"]:
            return Standing(State.CANCELLED, _ordered(cancels))
        if updates := [m for m in by if (_key(m), key) not in self._circular]:
            return Standing(State.UPDATED, _ordered(updates))
        if facts.expires is not None and facts.expires <= at:
            return Standing(State.EXPIRED)
        return Standing(State.ACTIVE)

    def in_force(self, *, at: datetime) -> frozenset[int]:
        """Return the log indexes of the alerts that people should act on at a moment."""
        found = ((index, self.standing(index, at=at)) for index in self._at)
        return frozenset(i for i, s in found if s is not None and s.state is State.ACTIVE)

    def thread(self, index: int, *, at: datetime) -> tuple[Part, ...]:
        """Return the thread of the message with this log index, in the order it was sent.

        What was sent in one second stands behind what it changes.
        """
        seen, waiting = {self._at[index]}, [self._at[index]]
        while waiting:
            key = waiting.pop()
            for other in (
                *self._changes.get(key, ()),
                *self._changed_by.get(key, ()),
                *self._siblings(key),
            ):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return tuple(self._part(key, at) for key in self._said_in_order(seen))

    def mentions(self, thread: Collection[int]) -> dict[int, tuple[int, ...]]:
        """Return who names messages of a thread without being part of it, and which it names.

        Acks, other agencies' messages, and those of another channel. They change nothing.
        """
        named = {_name(self._of[self._at[index]]): index for index in thread}
        found = {}
        for m in self._of.values():
            if m.index not in thread:
                of = {i for r in m.facts.references if (i := named.get(_named(r))) is not None}
                if of:
                    found[m.index] = tuple(sorted(of))
        return {i: found[i] for i in _ordered(self._of[self._at[i]] for i in found)}

    def _said_in_order(self, keys: Collection[_Key]) -> Iterator[_Key]:
        def changes(key: _Key) -> Iterator[_Key]:
            return (k for k in self._changes.get(key, ()) if (key, k) not in self._circular)

        open_ = {key: sum(1 for _ in changes(key)) for key in keys}
        ready = [(self._of[key].facts.sent, key) for key, count in open_.items() if not count]
        heapify(ready)
        while ready:
            _, key = heappop(ready)
            yield key
            for by in self._changed_by.get(key, ()):
                if (by, key) not in self._circular:
                    open_[by] -= 1
                    if not open_[by]:
                        heappush(ready, (self._of[by].facts.sent, by))

    def _part(self, key: _Key, at: datetime) -> Part:
        m = self._of[key]
        changed = [self._of[k] for k in self._changes.get(key, ())]
        inside = {_name(c) for c in changed}
        names = {_named(r): r for r in m.facts.references}
        return Part(
            m,
            self.standing(m.index, at=at),
            _ordered(changed),
            _ordered(self._of[k] for k in self._siblings(key)),
            tuple(r for name, r in names.items() if name not in inside),
        )

    def _siblings(self, key: _Key) -> Iterator[_Key]:
        agency, sender, identifier = key
        for name in sibling_identifiers(identifier):
            other = (agency, sender, name)
            if other in self._of and are_siblings(self._of[key].facts, self._of[other].facts):
                yield other

    @cached_property
    def _changes(self) -> Mapping[_Key, frozenset[_Key]]:
        """Which messages each Update and Cancel changes."""
        found = {}
        for key, m in self._of.items():
            if changed := frozenset(self._changed(m)):
                found[key] = changed
        return found

    def _changed(self, m: Published) -> Iterator[_Key]:
        if not changes_others(m.facts):
            return
        for ref in m.facts.references:
            key = (m.agency, ref.sender, ref.identifier)
            earlier = self._of.get(key)
            if (
                earlier is not None
                and earlier.facts.kind == "alert"
                and earlier.facts.sent == ref.sent <= m.facts.sent
                and channel_of(earlier.facts.status) == channel_of(m.facts.status)
            ):
                yield key

    @cached_property
    def _changed_by(self) -> Mapping[_Key, frozenset[_Key]]:
        found: dict[_Key, set[_Key]] = {}
        for by, changed in self._changes.items():
            for key in changed:
                found.setdefault(key, set()).add(by)
        return {key: frozenset(by) for key, by in found.items()}

    @cached_property
    def _circular(self) -> frozenset[tuple[_Key, _Key]]:
        """The changes by messages of one second that name each other in a circle.

        Such Updates replace nothing: were each of them replaced, nothing would be left
        to act on. Only where all were sent in the same second can there be a circle.
        """
        together = {
            (by, key)
            for by, changed in self._changes.items()
            for key in changed
            if self._of[by].facts.sent == self._of[key].facts.sent
        }
        knot = _behind_circles(together) & _behind_circles({(key, by) for by, key in together})
        return frozenset((by, key) for by, key in together if by in knot and key in knot)


def _behind_circles(edges: Collection[tuple[_Key, _Key]]) -> frozenset[_Key]:
    """Return what is on a circle, or is reached from one."""
    sorter = TopologicalSorter[_Key]()
    for begin, end in edges:
        sorter.add(end, begin)
    try:
        sorter.prepare()
    except CycleError:
        done: set[_Key] = set()
        while ready := sorter.get_ready():
            done.update(ready)
            sorter.done(*ready)
        return frozenset(key for edge in edges for key in edge) - done
    return frozenset()


def _key(m: Published) -> _Key:
    return m.agency, m.facts.sender, m.facts.identifier


def _name(m: Published) -> tuple[str, str, datetime]:
    return m.facts.sender, m.facts.identifier, m.facts.sent


def _named(reference: Reference) -> tuple[str, str, datetime]:
    return reference.sender, reference.identifier, reference.sent


def _ordered(messages: Iterable[Published]) -> tuple[int, ...]:
    """Return log indexes in the order in which the messages were sent, wherever they stand."""
    return tuple(m.index for m in sorted(messages, key=lambda m: (m.facts.sent, *_key(m))))
