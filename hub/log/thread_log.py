"""The messages of the log that hang together: by references, and by incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select

from hub.core.advice import MOST_NAMERS, MOST_REFERENCES
from hub.core.rows import MessageRow, identity
from hub.core.siblings import are_siblings, sibling_identifiers
from hub.core.threads import changes_others
from hub.log.derived import UNWRITABLE, message_of, target_of
from hub.log.statements import among
from hub.log.tables import INCIDENTS, MESSAGES, REFS
from schemas.facts import MessageFacts

__all__ = [
    "changes_of",
    "incident_messages",
    "incidents",
    "latest_about",
    "mentions_of",
    "referred_to",
    "threads_of",
]

_IN: Final = 500
"""How many values one IN list holds; SQLite has a limit on variables."""
_MENTIONS: Final = 200
"""So many are looked at: who names an alert often must not make it slow to read."""

_TARGETS: Final[Any] = bindparam("values", expanding=True)
_BY_OWN_AGENCY: Final = select(REFS.c.idx).where(
    REFS.c.target.in_(_TARGETS), REFS.c.agency == bindparam("agency")
)
_BY_ANYBODY: Final = (
    select(REFS.c.idx)
    .distinct()
    .where(REFS.c.target.in_(_TARGETS))
    .order_by(REFS.c.idx)
    .limit(bindparam("limit"))
)

_RANKED: Final = (
    select(
        REFS.c.idx,
        func.row_number()
        .over(partition_by=REFS.c.target, order_by=REFS.c.idx.desc())
        .label("place"),
    )
    .where(REFS.c.target.in_(_TARGETS), REFS.c.agency == bindparam("agency"))
    .subquery()
)
_LAST_BY_OWN_AGENCY: Final = select(_RANKED.c.idx).distinct().where(_RANKED.c.place <= MOST_NAMERS)


def referred_to(c: Connection, said: Iterable[tuple[str, MessageFacts]]) -> list[MessageRow]:
    """Return what messages that agencies are about to send would change, and who named that last.

    Only Updates and Cancels ask anything; a batch without them costs nothing.
    """
    targets: dict[str, set[str]] = {}
    names: set[str] = set()
    for agency, facts in said:
        if changes_others(facts):
            for ref in facts.references[:MOST_REFERENCES]:
                target = target_of(ref.sender, ref.identifier)
                if not UNWRITABLE.search(target):
                    targets.setdefault(agency, set()).add(target)
                    names.add(identity(agency, ref.sender, ref.identifier))
    found: set[int] = set()
    for agency, wanted in targets.items():
        for part in _parts(sorted(wanted)):
            given = {"values": part, "agency": agency}
            found |= set(c.execute(_LAST_BY_OWN_AGENCY, given).scalars())
    rows = _messages(c, MESSAGES.c.identity, sorted(names))
    return rows + _messages(c, MESSAGES.c.idx, sorted(found - {m.index for m in rows}))


def threads_of(c: Connection, seeds: Sequence[MessageRow]) -> list[MessageRow]:
    """Return *seeds* and all that hang together with them, in order.

    By Updates and Cancels, and as the same in another language. Only messages of a seed's own
    agency are followed: nobody else can make a thread longer. Two or three queries for each
    step, however many messages there are in it.
    """
    found = {m.index: m for m in seeds}
    waiting = [m for m in seeds if m.facts.kind == "alert"]
    while waiting:
        near = [
            *_that_name(c, waiting, found),
            *_that_are_named(c, waiting),
            *_in_other_languages(c, waiting),
        ]
        waiting = []
        for m in near:
            if m.index not in found and m.facts.kind == "alert":
                found[m.index] = m
                waiting.append(m)
    return [found[i] for i in sorted(found)]


def changes_of(c: Connection, messages: Sequence[MessageRow]) -> list[MessageRow]:
    """Return the Updates and Cancels of their own agencies that name one of these."""
    return _that_name(c, messages, {m.index: m for m in messages})


def mentions_of(c: Connection, messages: Sequence[MessageRow]) -> list[MessageRow]:
    """Return the first messages that name one of these and are none of them, in order."""
    own, targets = {m.index for m in messages}, _targets(messages)
    found: set[int] = set()
    for part in _parts(targets):
        given = {"values": part, "limit": _MENTIONS + len(own)}
        found |= set(c.execute(_BY_ANYBODY, given).scalars()) - own
    return _messages(c, MESSAGES.c.idx, sorted(found)[:_MENTIONS])


def incidents(
    c: Connection, channel: str, *, before: int | None, limit: int
) -> list[tuple[int, str]]:
    """Return log indexes of messages and the incidents that they are about, newest first."""
    query = select(INCIDENTS.c.idx, INCIDENTS.c.incident).where(INCIDENTS.c.channel == channel)
    if before is not None:
        query = query.where(INCIDENTS.c.idx < before)
    query = query.order_by(INCIDENTS.c.idx.desc(), INCIDENTS.c.incident).limit(limit)
    return [(r.idx, r.incident) for r in c.execute(query)]


def incident_messages(
    c: Connection, channel: str, incident: str, *, after: int, limit: int
) -> list[MessageRow]:
    """Return the first messages about an incident with an index above *after*, in order."""
    query = _about(channel, incident).where(INCIDENTS.c.idx > after).order_by(INCIDENTS.c.idx)
    return [message_of(r) for r in c.execute(query.limit(limit))]


def latest_about(
    c: Connection, channel: str, incident: str, *, before: int | None, limit: int
) -> list[MessageRow]:
    """Return the last messages about an incident with an index below *before*, in order."""
    query = _about(channel, incident).order_by(INCIDENTS.c.idx.desc())
    if before is not None:
        query = query.where(INCIDENTS.c.idx < before)
    return [message_of(r) for r in c.execute(query.limit(limit))][::-1]


def _about(channel: str, incident: str) -> Any:
    return (
        select(MESSAGES)
        .join(INCIDENTS, INCIDENTS.c.idx == MESSAGES.c.idx)
        .where(INCIDENTS.c.channel == channel, INCIDENTS.c.incident == incident)
    )


def _that_name(
    c: Connection, messages: Sequence[MessageRow], known: dict[int, MessageRow]
) -> list[MessageRow]:
    """Return what the same agency has sent that names one of these."""
    found: set[int] = set()
    for agency in {m.agency for m in messages}:
        for part in _parts(_targets(m for m in messages if m.agency == agency)):
            given = {"values": part, "agency": agency}
            found |= set(c.execute(_BY_OWN_AGENCY, given).scalars())
    rows = _messages(c, MESSAGES.c.idx, sorted(found - known.keys()))
    return [m for m in rows if changes_others(m.facts)]


def _that_are_named(c: Connection, messages: Sequence[MessageRow]) -> list[MessageRow]:
    """Return what these Updates and Cancels name of their own agency's."""
    names = {
        identity(m.agency, ref.sender, ref.identifier)
        for m in messages
        if changes_others(m.facts)
        for ref in m.facts.references
    }
    return _messages(c, MESSAGES.c.identity, sorted(names - {m.identity for m in messages}))


def _in_other_languages(c: Connection, messages: Sequence[MessageRow]) -> list[MessageRow]:
    """Return the language siblings of these."""
    of = {
        identity(m.agency, m.facts.sender, name): m
        for m in messages
        for name in sibling_identifiers(m.facts.identifier)
    }
    return [
        found
        for found in _messages(c, MESSAGES.c.identity, sorted(of))
        if are_siblings(of[found.identity].facts, found.facts)
    ]


def _targets(messages: Any) -> list[str]:
    return sorted({target_of(m.facts.sender, m.facts.identifier) for m in messages})


def _messages(c: Connection, column: Any, values: Sequence[Any]) -> list[MessageRow]:
    rows = (c.execute(among(column), {"values": part}) for part in _parts(values))
    return [message_of(r) for found in rows for r in found]


def _parts(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _IN):
        yield list(values[start : start + _IN])
