"""What the log has to say to the sender of a message that it takes: warnings, no refusal.

H2  an Update or Cancel names a message that is not there, has expired or was cancelled
H7  the message was sent over a day ago
H8  it is neither in a language of its agency's own nor in one that neighbours read

Functions of the log before the message and of the log's own time: the same comes out
when projections are made anew. A receipt carries them, and whoever reads the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hub.core.known import Known
from hub.core.registry import Agency, channel_of
from hub.core.rows import MessageRow, identity
from hub.core.siblings import sibling_language
from hub.core.threads import Published, State, Threads, changes_others
from schemas.entry import from_micros
from schemas.errors import Finding
from schemas.facts import MessageFacts, Reference
from schemas.receipt import findings_json

__all__ = ["MOST_NAMERS", "MOST_REFERENCES", "advised"]

MOST_REFERENCES: Final = 20
"""So many references are looked at; to look at each of ten thousand would cost everybody time."""
MOST_NAMERS: Final = 50
"""Of those who named a message before, the last ones say whether it was cancelled."""

_OLD: Final = timedelta(days=1)
_COMMON: Final = frozenset({"en", "ru"})


def advised(warnings: str, facts: MessageFacts, *, agency: Agency, at_us: int, known: Known) -> str:
    """Return a message's *warnings* with what the log adds to them when it is logged at *at_us*.

    *known* holds the log before it, as far as the message names any of it.
    """
    at = from_micros(at_us)
    found = (
        *_aged(facts, at),
        *_references(facts, agency.id, at, known),
        *_languages(facts, agency.languages),
    )
    if not found:
        return warnings
    both = json.loads(warnings) + json.loads(findings_json(found))
    return json.dumps(both, ensure_ascii=False, separators=(",", ":"))


def _aged(facts: MessageFacts, at: datetime) -> Iterator[Finding]:
    age = at - facts.sent
    if age > _OLD:
        yield Finding("H7", "warning", "alert/sent", f"sent {age.days} days ago")


def _references(facts: MessageFacts, agency: str, at: datetime, known: Known) -> Iterator[Finding]:
    """Note what the message cannot change, or need not: people would believe that it does.

    Of Acks and mentions nothing is said: they name messages of others, and whether
    there is one that they may not read nobody must learn by asking.
    """
    if not changes_others(facts):
        return
    for ref in dict.fromkeys(facts.references[:MOST_REFERENCES]):
        why = _why_not(ref, facts, agency, at, known)
        if why:
            yield Finding("H2", "warning", "alert/references", why)


def _why_not(ref: Reference, facts: MessageFacts, agency: str, at: datetime, known: Known) -> str:
    name = identity(agency, ref.sender, ref.identifier)
    named = f"{ref.identifier[:100]} of {ref.sender[:100]}"
    row = known.by_identity.get(name)
    if row is None or row.facts.kind != "alert":
        return f"missing reference: {named} is not in the log, or not yet"
    if row.facts.sent != ref.sent:
        return f"missing reference: {named} was sent at another time"
    if channel_of(row.facts.status) != channel_of(facts.status):
        return f"missing reference: {named} has status {row.facts.status}, and stays as it is"
    namers = sorted(known.named_by.get(name, {}).items())[-MOST_NAMERS:]
    threads = Threads([_published(row), *(_published(m) for _, m in namers if m is not row)])
    standing = threads.standing(row.index, at=at)
    if standing is not None and standing.state is State.CANCELLED:
        return f"cancelled reference: {named} was cancelled before"
    if standing is not None and standing.state is State.EXPIRED:
        return f"expired reference: {named} has expired"
    return ""


def _published(row: MessageRow) -> Published:
    return Published(row.index, row.agency, row.facts)


def _languages(facts: MessageFacts, own: tuple[str, ...]) -> Iterator[Finding]:
    if facts.kind != "alert" or not facts.languages or sibling_language(facts.identifier):
        return
    spoken = {_primary(tag) for tag in facts.languages}
    if not spoken & _COMMON:
        yield Finding("H8", "warning", "alert/info", "there is no info in en or ru for neighbours")
    if own and spoken.isdisjoint(map(_primary, own)):
        wanted = ", ".join(own)[:100]
        yield Finding(
            "H8", "warning", "alert/info", f"there is no info in {wanted}, its agency's own"
        )


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
