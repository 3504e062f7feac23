"""Bearer tokens: who holds one, in which role, for which agency.

A token is ``csp_<prefix>_<secret>``. Only the SHA-256 of the secret is kept; the
prefix finds the row, and finds the token in a leak. 256 random bits need no slow
hash: there is nothing to guess.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any, Final, cast

from sqlalchemy import bindparam, insert, or_, select, update

from hub.errors import Rejected, Unavailable
from hub.log.store import Log
from hub.log.tables import CREDENTIALS
from hub.members import actions
from hub.members.certificates import Certificate, prefix_of
from hub.members.roles import (
    ROLES,
    Principal,
    Role,
    Scope,
    place_of,
    scopes_of,
    written_scopes,
)
from schemas.entry import from_micros, micros, rfc3339

__all__ = [
    "ROLES",
    "Authenticator",
    "Credential",
    "Principal",
    "Role",
    "issue",
    "listed",
    "register",
    "revoke",
]


_TOKEN: Final = re.compile(r"csp_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
_AT_ONCE: Final = 500
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Credential:
    """A token as it is kept, without what would let anybody use it."""

    prefix: str
    role: Role
    agency: str
    person: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    state: str
    scopes: frozenset[Scope]
    used: datetime | None
    """When somebody last asked with it, to the minute; None: never."""
    fingerprint: str
    """SHA-256 of a client certificate, in hexadecimal; empty for a token."""


def issue(
    log: Log,
    *,
    role: Role,
    agency: str = "",
    state: str = "",
    person: str = "",
    scopes: Iterable[Scope] = (),
    expires: datetime | None,
    now: datetime,
    by: str = "",
) -> str:
    """Make a token and return it; it cannot be read again.

    Without *scopes* it has all that its role may, now and later. The log will say that the
    person *by* made it; where nobody is named, the hub made it for itself.

    Raises:
        Rejected: ``credential-invalid``.
    """
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    row = {
        **_row(role, agency, state, person, scopes, expires, now),
        "kind": "token",
        "prefix": prefix,
        "sha256": sha256(secret.encode()).digest(),
    }
    with log.writing() as c:
        c.execute(insert(CREDENTIALS).values(row))
        actions.note(c, "token-issued", by=by, now=now, **_about(row))
    return f"csp_{prefix}_{secret}"


def register(
    log: Log,
    certificate: Certificate,
    *,
    agency: str,
    scopes: Iterable[Scope] = (),
    expires: datetime | None,
    now: datetime,
    by: str = "",
) -> str:
    """Let a client certificate stand for an agency's system, until it expires at the latest.

    Returns the prefix under which it is listed and revoked. One that was revoked stays so.

    Raises:
        Rejected: ``credential-invalid``, ``certificate-known``.
    """
    until = min(expires or certificate.expires, certificate.expires)
    prefix = prefix_of(certificate.fingerprint)
    row = {
        **_row("agency", agency, "", "", scopes, until, now),
        "kind": "certificate",
        "prefix": prefix,
        "sha256": certificate.fingerprint,
    }
    with log.writing() as c:
        if c.execute(select(CREDENTIALS.c.kind).where(CREDENTIALS.c.prefix == prefix)).first():
            raise Rejected(
                "certificate-known",
                f"the certificate is registered already, as {prefix}",
                remedy="A certificate stands for one system; make another for another.",
            )
        c.execute(insert(CREDENTIALS).values(row))
        actions.note(c, "certificate-registered", by=by, now=now, **_about(row))
    return prefix


def _about(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the log says of a token: all but what would help whoever guesses."""
    until = row["expires_us"]
    return {
        "token": row["prefix"],
        "person": row["person"],
        "roles": [row["role"]],
        "agency": row["agency"],
        "state": row["state"],
        "scopes": row["scopes"].split(),
        "expires": rfc3339(until) if until is not None else "",
    }


def _row(
    role: Role,
    agency: str,
    state: str,
    person: str,
    scopes: Iterable[Scope],
    expires: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "role": role,
        "agency": agency,
        "person": person.strip(),
        "state": place_of(role, agency, state, person),
        "scopes": written_scopes(role, scopes),
        "created_us": micros(now),
        "expires_us": micros(expires) if expires else None,
        "revoked_us": None,
    }


def revoke(log: Log, prefix: str, *, now: datetime, by: str = "") -> None:
    """Revoke a token by its prefix, for the person *by*; revoking it again changes nothing.

    Raises:
        Rejected: ``token-unknown``.
    """
    with log.writing() as c:
        done = c.execute(
            update(CREDENTIALS)
            .where(CREDENTIALS.c.prefix == prefix, CREDENTIALS.c.revoked_us.is_(None))
            .values(revoked_us=micros(now))
        )
        found = c.execute(select(CREDENTIALS).where(CREDENTIALS.c.prefix == prefix))
        known = found.mappings().one_or_none()
        if done.rowcount and known is not None:
            actions.note(c, "token-revoked", by=by, now=now, **_about(dict(known)))
    if not done.rowcount and known is None:
        raise Rejected("token-unknown", f"no token or certificate is listed as {prefix[:20]}")


def listed(log: Log) -> list[Credential]:
    """Return all tokens ever made, in the order they were made."""
    with log.reading() as c:
        rows = c.execute(select(CREDENTIALS).order_by(CREDENTIALS.c.created_us)).all()
    return [_credential(r) for r in rows]


class Authenticator:
    """Tell who holds a token. What the store said is believed for a few seconds.

    So a revocation takes effect within *remember*; its default is five seconds. When a
    token was used is kept here until `note_use` writes it down.
    """

    def __init__(
        self,
        log: Log,
        *,
        remember: timedelta = timedelta(seconds=5),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._remember_s = remember.total_seconds()
        self._clock = clock
        self._known: dict[str, tuple[float, bytes, Credential] | tuple[float, None, None]] = {}
        self._used: dict[str, float] = {}
        self._lock = Lock()

    def principal(self, token: str) -> Principal:
        """Return who holds *token*. Blocks on the store when it has to ask.

        Raises:
            Rejected: ``token-invalid``, the same for a malformed, unknown, wrong or revoked
                token; ``token-expired``.
            Unavailable: ``log-unavailable``.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise _invalid()
        prefix, secret = match.groups()
        digest, credential = self._find(prefix)
        given = sha256(secret.encode()).digest()
        if (
            digest is None
            or credential is None
            or credential.fingerprint
            or not hmac.compare_digest(digest, given)
            or credential.revoked is not None
        ):
            raise _invalid()
        return self._let_in(credential, f"token csp_{prefix}_…")

    def holder(self, fingerprint: bytes) -> Principal:
        """Return whose client certificate has that SHA-256. Blocks as `principal` does.

        Raises:
            Rejected: ``certificate-unknown``, also for a revoked one; ``token-expired``.
            Unavailable: ``log-unavailable``.
        """
        digest, credential = self._find(prefix_of(fingerprint))
        if digest != fingerprint or credential is None or credential.revoked is not None:
            raise Rejected(
                "certificate-unknown",
                f"no agency has registered the certificate {fingerprint.hex()}",
                remedy="Ask the operator to register it.",
            )
        return self._let_in(credential, f"certificate {credential.prefix}")

    def renew(self, tokens: Iterable[str], fingerprints: Iterable[bytes] = ()) -> None:
        """Ask the store about all of these in one query: what is told of them next is of now.

        Raises:
            Unavailable: ``log-unavailable``.
        """
        matches = (_TOKEN.fullmatch(token) for token in tokens)
        wanted = sorted({m[1] for m in matches if m} | {prefix_of(f) for f in fingerprints})
        if not wanted:
            return
        until = self._clock() + self._remember_s
        rows: dict[str, Any] = {}
        with self._log.reading() as c:
            for start in range(0, len(wanted), _AT_ONCE):
                some = CREDENTIALS.c.prefix.in_(wanted[start : start + _AT_ONCE])
                rows |= {r.prefix: r for r in c.execute(select(CREDENTIALS).where(some))}
        for prefix in wanted:
            r = rows.get(prefix)
            self._known[prefix] = (
                (until, None, None) if r is None else (until, r.sha256, _credential(r))
            )

    def _let_in(self, credential: Credential, what: str) -> Principal:
        now = self._clock()
        if credential.expires is not None and credential.expires.timestamp() <= now:
            raise Rejected(
                "token-expired",
                f"the {what} expired on {credential.expires:%Y-%m-%d %H:%M} UTC",
                remedy="Ask the operator for a new one.",
            )
        with self._lock:
            self._used[credential.prefix] = now
        return Principal(
            credential.role,
            credential.agency,
            credential.person,
            credential.state,
            credential.scopes,
        )

    def note_use(self) -> None:
        """Write down when tokens were last used, all in one commit. Blocks on the store.

        Called about once a minute: a request never waits for it, and a process that dies
        forgets the last minute alone.

        Raises:
            Unavailable: ``log-unavailable``; the next call writes it.
        """
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return
        rows = [{"of": prefix, "at": int(at * 1_000_000)} for prefix, at in used.items()]
        earlier = or_(CREDENTIALS.c.used_us.is_(None), CREDENTIALS.c.used_us < bindparam("at"))
        try:
            with self._log.writing() as c:
                c.execute(
                    update(CREDENTIALS)
                    .where(CREDENTIALS.c.prefix == bindparam("of"), earlier)
                    .values(used_us=bindparam("at")),
                    rows,
                )
        except Unavailable:
            with self._lock:
                self._used = {**used, **self._used}
            raise

    def _find(self, prefix: str) -> tuple[bytes | None, Credential | None]:
        now = self._clock()
        kept = self._known.get(prefix)
        if kept is not None and kept[0] > now:
            return kept[1], kept[2]
        with self._log.reading() as c:
            r = c.execute(select(CREDENTIALS).where(CREDENTIALS.c.prefix == prefix)).one_or_none()
        if len(self._known) > 10_000:
            self._known.clear()  # guesses must not fill the memory
        if r is None:
            self._known[prefix] = (now + self._remember_s, None, None)
            return None, None
        credential = _credential(r)
        self._known[prefix] = (now + self._remember_s, r.sha256, credential)
        return r.sha256, credential


def _credential(r: Any) -> Credential:
    role = cast("Role", r.role)
    return Credential(
        r.prefix,
        role,
        r.agency,
        r.person,
        from_micros(r.created_us),
        from_micros(r.expires_us) if r.expires_us is not None else None,
        from_micros(r.revoked_us) if r.revoked_us is not None else None,
        r.state,
        scopes_of(role, r.scopes),
        from_micros(r.used_us) if r.used_us is not None else None,
        r.sha256.hex() if r.kind == "certificate" else "",
    )


def _invalid() -> Rejected:
    return Rejected(
        "token-invalid",
        "the token is not valid",
        remedy="Send `Authorization: Bearer <token>` with a token from the hub's operator.",
    )
