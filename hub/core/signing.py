"""Whether a signed message may stand in the log here: the key counts, and the count goes on (G9).

The signature itself was verified at intake, where several cores can do it; here is
decided what only the log knows. Every header that an agency rightly signed and that
is the next of its count is in the log, accepted or in the entry that refused it: so an
agency may send its next message before it has the answer to the last, and a gap
in its count always means that something was kept back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from hub.core.candidate import Candidate
from hub.core.registry import Registry
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.header import Header, read_header
from schemas.signed import header_mismatch

__all__ = ["Chain", "audience_of", "chain_name", "check_signed", "step"]


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a count of messages stands (schemas.header: ``seq`` and ``prev``)."""

    seq: int = 0
    head: str = ""
    """SHA-256 of the last header, hexadecimal."""

    def after(self, header: str) -> Chain:
        """Return the count after one more header."""
        return Chain(self.seq + 1, sha256(header.encode()).hexdigest())

    def is_next(self, header: Header) -> bool:
        """Tell whether a header goes on from here."""
        return (header.seq, header.prev) == (self.seq + 1, self.head)


def chain_name(agency: str, *, signed: bool) -> str:
    """Return the name of a count: an agency's own, or the one that the hub keeps for it.

    They are two, for an agency cannot sign a count that others move on.
    """
    return f"{agency}#signed" if signed else agency


def audience_of(facts: MessageFacts) -> tuple[str, ...]:
    """Return what a header says of who is meant to read the message."""
    return ("members",) if facts.scope == "Public" else facts.addresses


def step(
    c: Candidate, registry: Registry, chain: Chain, *, index: int, now: datetime
) -> Chain | None:
    """Return the agency's count after a signed header; None where it does not move on.

    Only a key that counts moves it, and only the next header: nobody else can, by
    sending what will be refused.
    """
    if not c.header or not registry.key_counts(c.agency, c.key, index, now):
        return None
    return chain.after(c.header) if chain.is_next(read_header(c.header)) else None


def check_signed(
    c: Candidate,
    facts: MessageFacts,
    registry: Registry,
    chain: Chain,
    *,
    index: int,
    now: datetime,
    tolerance: timedelta,
) -> None:
    """Hold a signed header against the log before it and the message that it heads.

    Raises:
        Rejected: ``key-unknown``, ``key-expired``, ``key-revoked``, ``sequence-gap``,
            ``sequence-fork``, ``header-mismatch``, ``sent-in-future``.
    """
    _check_key(c, registry, index, now)
    header = read_header(c.header)
    if header.seq > chain.seq + 1:
        raise Rejected(
            "sequence-gap",
            f"this is message {header.seq} of {c.agency}; the log has {chain.seq}",
            remedy=f"Send {chain.seq + 1} first; what was never sent is signed anew from there on.",
        )
    if not chain.is_next(header):
        raise Rejected(
            "sequence-fork",
            f"the log has {chain.seq} messages of {c.agency}, the last with the header "
            f"{chain.head or '-'}; number {header.seq} after {header.prev or '-'} does not follow",
            remedy="Look at `caspian keys chain`: sign the message anew after the last that is "
            "there. If that one is not yours, somebody has your key: revoke it.",
        )
    claims = (
        ("type", header.type, facts.kind),
        ("expires", header.expires, facts.expires),
        ("audience", sorted(header.audience), sorted(audience_of(facts))),
        ("payload_type", header.payload_type, c.payload_type),
        ("payload_size", header.payload_size, len(c.payload)),
        ("payload_sha256", header.payload_sha256, sha256(c.payload).hexdigest()),
    )
    for name, said, true in claims:
        if said != true:
            raise header_mismatch(name, said, true)
    if header.created - now > tolerance:
        raise Rejected(
            "sent-in-future",
            f"the header was made at {header.created.isoformat()}, ahead of the hub's clock",
            remedy="Set the clock of the signing system.",
        )


def _check_key(c: Candidate, registry: Registry, index: int, now: datetime) -> None:
    life = registry.keys.get(c.key)
    if life is None or life.agency != c.agency:
        raise Rejected(
            "key-unknown",
            f"the key is not one of {c.agency}",
            remedy="Use a key that the log has: `caspian keys ls`.",
        )
    if life.expires is not None and life.expires <= now:
        raise Rejected(
            "key-expired",
            f"the key expired at {life.expires.isoformat()}",
            remedy="Have a new key signed in: `caspian keys rotate`.",
        )
    if not life.counts_at(index, now):
        raise Rejected(
            "key-revoked",
            f"the key was revoked at {life.until}",
            remedy="Sign with a key that counts: `caspian keys ls`. If you did not send this, "
            "somebody still has the old key.",
        )
