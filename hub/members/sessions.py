"""Sessions of persons who signed in: kept here, with the browser holding only the key to one.

The key is ``csn_<handle>_<secret>``. As with tokens only the SHA-256 of the secret is
kept; the handle finds the row, and names the session where it is listed.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hub.errors import Rejected, Unavailable
from hub.log.store import Log
from hub.log.tables import ACCOUNTS, SESSIONS
from hub.members.accounts import Account, account_of, principal_of
from hub.members.attempts import network_of
from hub.members.roles import Principal
from schemas.entry import from_micros, micros

__all__ = ["Session", "Sessions", "csrf_of", "end", "listed"]

_KEY: Final = re.compile(r"csn_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_AT_ONCE: Final = 500
_KEPT: Final = timedelta(days=90)
_LONGEST_AGENT: Final = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is kept, without what would let anybody use it."""

    handle: str
    account: str
    way: str
    """How the person signed in: ``password``, or ``oidc``."""
    address: str
    agent: str
    created: datetime
    seen: datetime
    """When the person last did something, to the minute."""
    expires: datetime
    ended: datetime | None


def csrf_of(key: str) -> str:
    """Return the token that a page of this session sends along; it tells nothing of the key."""
    return hmac.new(key.encode(), b"caspian csrf", "sha256").hexdigest()


class Sessions:
    """Open sessions and tell whose they are. What the store said is believed for a few seconds.

    A session ends *idle* after its last use and *lifetime* after its beginning, whichever
    is first; when its person ends it; and when the account is changed or disabled, within
    *remember*.
    """

    def __init__(
        self,
        log: Log,
        *,
        idle: timedelta,
        lifetime: timedelta,
        remember: timedelta = timedelta(seconds=5),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self.idle = idle
        self._lifetime = lifetime
        self._remember_s = remember.total_seconds()
        self._clock = clock
        self._known: dict[str, tuple[float, bytes, Session, Account]] = {}
        self._seen: dict[str, float] = {}
        self._lock = Lock()

    def open(self, c: Connection, account: str, *, way: str, address: str, agent: str) -> str:
        """Write a new session into an open transaction; return its key, which is shown once."""
        handle, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._now()
        c.execute(delete(SESSIONS).where(SESSIONS.c.created_us < micros(now - _KEPT)))
        c.execute(
            insert(SESSIONS).values(
                handle=handle,
                sha256=sha256(secret.encode()).digest(),
                account=account,
                way=way,
                address=network_of(address),
                agent="".join(ch for ch in agent if ch.isprintable())[:_LONGEST_AGENT],
                created_us=micros(now),
                seen_us=micros(now),
                expires_us=micros(now + self._lifetime),
                ended_us=None,
            )
        )
        return f"csn_{handle}_{secret}"

    def whose(self, key: str) -> tuple[Principal, Session, Account]:
        """Return whose session this is. Blocks on the store when it has to ask.

        Raises:
            Rejected: ``session-ended``, the same for one that never was.
            Unavailable: ``log-unavailable``.
        """
        match = _KEY.fullmatch(key)
        found = self._find(match[1]) if match else None
        if match is None or found is None:
            raise _ended()
        digest, session, account = found
        now = self._clock()
        with self._lock:
            seen = max(session.seen.timestamp(), self._seen.get(session.handle, 0.0))
        if (
            not hmac.compare_digest(digest, sha256(match[2].encode()).digest())
            or session.ended is not None
            or account.disabled is not None
            or session.expires.timestamp() <= now
            or seen + self.idle.total_seconds() <= now
        ):
            raise _ended()
        with self._lock:
            self._seen[session.handle] = now
        return principal_of(account, session=session.handle), session, account

    def renew(self, keys: Iterable[str]) -> None:
        """Ask the store about all of these in one query: what is told of them next is of now.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        wanted = sorted({m[1] for m in map(_KEY.fullmatch, keys) if m})
        if not wanted:
            return
        until = self._clock() + self._remember_s
        found: dict[str, tuple[bytes, Session, Account]] = {}
        with self._log.reading() as c:
            for start in range(0, len(wanted), _AT_ONCE):
                some = SESSIONS.c.handle.in_(wanted[start : start + _AT_ONCE])
                rows = c.execute(select(SESSIONS).where(some)).all()
                names = {r.account for r in rows}
                accounts = {
                    a.name: account_of(a)
                    for a in c.execute(select(ACCOUNTS).where(ACCOUNTS.c.name.in_(names)))
                }
                found |= {
                    r.handle: (r.sha256, _session(r), accounts[r.account])
                    for r in rows
                    if r.account in accounts
                }
        with self._lock:
            for handle in wanted:
                self._known.pop(handle, None)
            self._known |= {handle: (until, *one) for handle, one in found.items()}

    def end(self, handle: str, *, account: str) -> bool:
        """End a session of this account at once; False where there is no such one."""
        with self._lock:
            self._known.pop(handle, None)
        return end(self._log, handle, account=account, now=self._now())

    def note_use(self) -> None:
        """Write down when sessions were last used, as `Authenticator.note_use` does for tokens.

        Raises:
            Unavailable: ``log-unavailable``; the next call writes it.
        """
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        rows = [{"of": handle, "at": int(at * 1_000_000)} for handle, at in seen.items()]
        try:
            with self._log.writing() as c:
                c.execute(
                    update(SESSIONS)
                    .where(
                        SESSIONS.c.handle == bindparam("of"),
                        SESSIONS.c.seen_us < bindparam("at"),
                    )
                    .values(seen_us=bindparam("at")),
                    rows,
                )
        except Unavailable:
            with self._lock:
                self._seen = {**seen, **self._seen}
            raise
        with self._lock:
            self._known.clear()  # they hold the older times

    def _find(self, handle: str) -> tuple[bytes, Session, Account] | None:
        now = self._clock()
        with self._lock:
            kept = self._known.get(handle)
        if kept is not None and kept[0] > now:
            return kept[1:]
        with self._log.reading() as c:
            r = c.execute(select(SESSIONS).where(SESSIONS.c.handle == handle)).one_or_none()
            a = r and c.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == r.account)).one_or_none()
        if r is None or a is None:
            return None
        found = (r.sha256, _session(r), account_of(a))
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[handle] = (now + self._remember_s, *found)
        return found

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def listed(log: Log, account: str, *, now: datetime, idle: timedelta) -> list[Session]:
    """Return the sessions of an account that are open, the newest first."""
    with log.reading() as c:
        rows = c.execute(
            select(SESSIONS)
            .where(
                SESSIONS.c.account == account,
                SESSIONS.c.ended_us.is_(None),
                SESSIONS.c.expires_us > micros(now),
                SESSIONS.c.seen_us > micros(now - idle),
            )
            .order_by(SESSIONS.c.created_us.desc())
        ).all()
    return [_session(r) for r in rows]


def end(log: Log, handle: str, *, account: str, now: datetime) -> bool:
    """End a session of an account; False where no open one has that handle."""
    with log.writing() as c:
        done = c.execute(
            update(SESSIONS)
            .where(
                SESSIONS.c.handle == handle,
                SESSIONS.c.account == account,
                SESSIONS.c.ended_us.is_(None),
            )
            .values(ended_us=micros(now))
        )
    return done.rowcount == 1


def _session(r: Any) -> Session:
    return Session(
        r.handle,
        r.account,
        r.way,
        r.address,
        r.agent,
        from_micros(r.created_us),
        from_micros(r.seen_us),
        from_micros(r.expires_us),
        from_micros(r.ended_us) if r.ended_us is not None else None,
    )


def _ended() -> Rejected:
    return Rejected(
        "session-ended",
        "you are not signed in, or not any more",
        remedy="Sign in: POST /v1/session.",
    )
