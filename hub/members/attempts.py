"""Failed attempts to sign in, and how long the next has to wait.

Three counters, each with a delay that doubles from the fifth failure on:

* of an address, over all names, to fifteen minutes: who guesses is stopped;
* of a name, over all addresses that it never signed in from, to thirty seconds: many
  who guess together are slowed down;
* of a name from an address that it did sign in from, to one minute.

The person's own place has a counter of its own, so a stranger can hold nobody out.
While a delay runs nothing is compared and nothing counted: waiting always helps.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from hub.errors import Unavailable
from hub.log.store import Log
from hub.log.tables import ATTEMPTS, SESSIONS
from schemas.entry import micros

__all__ = ["Attempt", "begin", "forgive", "known_addresses", "network_of", "unlock"]

_FREE: Final = 4
"""Failures without any delay: everybody mistypes."""
_FORGOTTEN: Final = timedelta(hours=1)
_KNOWN: Final = timedelta(days=30)
_LONGEST_S: Final = {"address": 900, "name": 30, "own": 60}


class Attempt(NamedTuple):
    """One attempt that was let through: the counters that it raised."""

    keys: tuple[bytes, ...]
    name: bytes


def begin(log: Log, *, name: str, address: str, now: datetime) -> Attempt:
    """Count an attempt as failed, before anything is compared; `forgive` takes it back.

    So a hundred attempts at once are a hundred failures, in any number of processes.

    Raises:
        Unavailable: ``locked``, with how long to wait; then nothing was counted.
    """
    network = network_of(address)
    of = _hash("name", name)
    with log.reading() as c:
        # Whoever is told to wait and does not must not hold up the log's own writer.
        _wait(c, _counters(c, name, network, now), now)
    with log.writing() as c:
        counters = _counters(c, name, network, now)
        if c.dialect.name == "postgresql":
            # SQLite has one writer at a time; here two attempts could count as one.
            for key in sorted(counters.values()):
                c.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key[:4], "big"))))
        rows = _wait(c, counters, now)
        at = micros(now)
        stale = at - _FORGOTTEN // timedelta(microseconds=1)
        c.execute(delete(ATTEMPTS).where(ATTEMPTS.c.at_us < stale))
        for kind, key in counters.items():
            row = rows.get(key)
            kept = row is not None and row.at_us >= stale
            failures = (row.failures if row is not None and kept else 0) + 1
            delay_s = _delay_s(kind, failures)
            values = {
                "failures": failures,
                # Without a delay none, also for an attempt that began just before this one.
                "until_us": at + delay_s * 1_000_000 if delay_s else 0,
                "at_us": at,
            }
            if kept:
                c.execute(update(ATTEMPTS).where(ATTEMPTS.c.key == key).values(values))
            else:
                c.execute(
                    insert(ATTEMPTS).values(key=key, of=b"" if kind == "address" else of, **values)
                )
    return Attempt(tuple(counters.values()), of)


def _counters(c: Connection, name: str, network: str, now: datetime) -> dict[str, bytes]:
    """Return the counters that an attempt raises, by their kind."""
    if network in known_addresses(c, name, now=now):
        return {"own": _hash("own", name, network)}
    return {"address": _hash("address", network), "name": _hash("name", name)}


def _wait(c: Connection, counters: dict[str, bytes], now: datetime) -> dict[bytes, Any]:
    """Return the rows of counters.

    Raises:
        Unavailable: ``locked``, while the delay of any of them runs.
    """
    rows = {
        r.key: r
        for r in c.execute(select(ATTEMPTS).where(ATTEMPTS.c.key.in_(list(counters.values()))))
    }
    wait_us = max((r.until_us for r in rows.values()), default=0) - micros(now)
    if wait_us > 0:
        wait_s = -(-wait_us // 1_000_000)
        raise Unavailable(
            "locked",
            f"too many attempts failed; the next is possible in {wait_s} s",
            remedy="Wait, then try again. Nothing is compared before.",
            retry_after_s=wait_s,
        )
    return rows


def forgive(log: Log, attempt: Attempt, *, succeeded: bool) -> None:
    """Take an attempt back: it was no failure. One that *succeeded* clears the name as well."""
    with log.writing() as c:
        for key in attempt.keys:
            c.execute(
                update(ATTEMPTS)
                .where(ATTEMPTS.c.key == key, ATTEMPTS.c.failures > 0)
                .values(failures=ATTEMPTS.c.failures - 1, until_us=0)
            )
        if succeeded:
            c.execute(
                delete(ATTEMPTS).where(
                    ATTEMPTS.c.of == attempt.name, ATTEMPTS.c.key.in_(attempt.keys)
                )
            )


def unlock(log: Log, name: str) -> None:
    """Forget all failures of a name; those of addresses stay."""
    with log.writing() as c:
        c.execute(delete(ATTEMPTS).where(ATTEMPTS.c.of == _hash("name", name)))


def known_addresses(c: Connection, name: str, *, now: datetime) -> Sequence[str]:
    """Return the networks from which an account has signed in within a month."""
    return (
        c.execute(
            select(SESSIONS.c.address)
            .where(SESSIONS.c.account == name, SESSIONS.c.created_us > micros(now - _KNOWN))
            .distinct()
        )
        .scalars()
        .all()
    )


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 a /64, which one subscriber has to themselves."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
    return str(found)


def _delay_s(kind: str, failures: int) -> int:
    if failures <= _FREE:
        return 0
    return int(min(_LONGEST_S[kind], 1 << min(failures - _FREE - 1, 20)))


def _hash(*parts: str) -> bytes:
    return sha256("\x1f".join(parts).encode()).digest()
