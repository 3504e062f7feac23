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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal, cast, get_args

from sqlalchemy import insert, select, update

from hub.errors import Rejected
from hub.log.store import Log
from hub.log.tables import CREDENTIALS
from schemas.entry import from_micros, micros

__all__ = ["ROLES", "Authenticator", "Credential", "Principal", "Role", "issue", "listed", "revoke"]

Role = Literal["agency", "officer", "auditor", "operator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_TOKEN: Final = re.compile(r"csp_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a system of an agency, or a person by name."""

    role: Role
    agency: str
    """Empty for an auditor or operator of the hub as a whole."""
    person: str


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


def issue(
    log: Log,
    *,
    role: Role,
    agency: str,
    person: str,
    expires: datetime | None,
    now: datetime,
) -> str:
    """Make a token and return it; it cannot be read again.

    Raises:
        Rejected: ``credential-invalid``.
    """
    if role in {"agency", "officer"} and not agency:
        raise Rejected("credential-invalid", f"a token of role {role} needs an agency")
    if role == "officer" and not person.strip():
        raise Rejected("credential-invalid", "a duty officer acts by name: give the person")
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    with log.writing() as c:
        c.execute(
            insert(CREDENTIALS).values(
                prefix=prefix,
                sha256=sha256(secret.encode()).digest(),
                role=role,
                agency=agency,
                person=person.strip(),
                created_us=micros(now),
                expires_us=micros(expires) if expires else None,
                revoked_us=None,
            )
        )
    return f"csp_{prefix}_{secret}"


def revoke(log: Log, prefix: str, *, now: datetime) -> None:
    """Revoke a token by its prefix; revoking it again changes nothing.

    Raises:
        Rejected: ``token-unknown``.
    """
    with log.writing() as c:
        done = c.execute(
            update(CREDENTIALS)
            .where(CREDENTIALS.c.prefix == prefix, CREDENTIALS.c.revoked_us.is_(None))
            .values(revoked_us=micros(now))
        )
        known = c.execute(
            select(CREDENTIALS.c.prefix).where(CREDENTIALS.c.prefix == prefix)
        ).one_or_none()
    if not done.rowcount and known is None:
        raise Rejected("token-unknown", f"no token begins with csp_{prefix}")


def listed(log: Log) -> list[Credential]:
    """Return all tokens ever made, in the order they were made."""
    with log.reading() as c:
        rows = c.execute(select(CREDENTIALS).order_by(CREDENTIALS.c.created_us)).all()
    return [_credential(r) for r in rows]


class Authenticator:
    """Tell who holds a token. What the store said is believed for a few seconds.

    So a revocation takes effect within *remember*; its default is five seconds.
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
            or not hmac.compare_digest(digest, given)
            or credential.revoked is not None
        ):
            raise _invalid()
        now = self._clock()
        if credential.expires is not None and credential.expires.timestamp() <= now:
            raise Rejected(
                "token-expired",
                f"the token csp_{prefix}_… expired on {credential.expires:%Y-%m-%d %H:%M} UTC",
                remedy="Ask the operator for a new token.",
            )
        return Principal(credential.role, credential.agency, credential.person)

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
    return Credential(
        r.prefix,
        cast("Role", r.role),
        r.agency,
        r.person,
        from_micros(r.created_us),
        from_micros(r.expires_us) if r.expires_us is not None else None,
        from_micros(r.revoked_us) if r.revoked_us is not None else None,
    )


def _invalid() -> Rejected:
    return Rejected(
        "token-invalid",
        "the token is not valid",
        remedy="Send `Authorization: Bearer <token>` with a token from the hub's operator.",
    )
