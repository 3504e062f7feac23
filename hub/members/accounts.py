"""Accounts of persons: who they are, what they may, and what they sign in with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast

from sqlalchemy import Connection, delete, func, insert, select, update

from hub.core.actions import ActionName
from hub.errors import Rejected
from hub.log.store import Log
from hub.log.tables import ACCOUNTS, RECOVERY_CODES, SESSIONS
from hub.members import actions, passwords, totp
from hub.members.roles import MAY, Principal, Role, Scope, place_of
from schemas.entry import from_micros, micros

__all__ = [
    "PERSONAL",
    "Account",
    "Secrets",
    "account_of",
    "add",
    "bind",
    "disable",
    "enable",
    "found",
    "listed",
    "note",
    "principal_of",
    "set_password",
    "set_totp",
    "take_recovery_code",
    "take_step",
]

PERSONAL: Final[tuple[Role, ...]] = ("officer", "auditor", "registrar", "operator")
"""The roles that persons have; systems and witnesses have tokens."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}[a-z0-9]")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_RECOVERY_CODES: Final = 10
_LONGEST_PERSON: Final = 200


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account, without what would let anybody use it."""

    name: str
    person: str
    roles: tuple[Role, ...]
    agency: str
    state: str
    language: str
    has_password: bool
    has_totp: bool
    issuer: str
    subject: str
    created: datetime
    disabled: datetime | None
    signed_in: datetime | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the person may know, shown once."""

    password: str = ""
    otpauth: str = ""
    recovery_codes: tuple[str, ...] = ()


def add(
    log: Log,
    *,
    name: str,
    person: str,
    roles: Sequence[Role],
    agency: str = "",
    state: str = "",
    language: str = "en",
    password: str = "",
    issuer: str = "",
    subject: str = "",
    now: datetime,
    by: str = "",
) -> Account:
    """Make an account; one without a password signs in with its state's own sign-on alone.

    As with all that changes accounts, the log will say that the person *by* did it.

    Raises:
        Rejected: ``credential-invalid``, ``account-exists``, ``password-weak``.
    """
    person = person.strip()
    if not _NAME.fullmatch(name):
        raise Rejected(
            "credential-invalid",
            "a name to sign in with has 3 to 64 of the characters a-z 0-9 . _ @ -",
        )
    if not person or len(person) > _LONGEST_PERSON or not person.isprintable():
        raise Rejected("credential-invalid", "an account is a person's: give the person's name")
    if not _LANGUAGE.fullmatch(language) or len(language) > 35:
        raise Rejected("credential-invalid", f"{language[:40]} is no language tag, such as kk")
    state = _place(roles, agency, state, person)
    if password:
        passwords.check(password, about=_about(name, person, agency))
    kept = passwords.hashed(password) if password else ""
    same_person = (ACCOUNTS.c.subject != "") & (
        (ACCOUNTS.c.issuer == issuer) & (ACCOUNTS.c.subject == subject)
    )
    with log.writing() as c:
        taken = c.execute(
            select(ACCOUNTS.c.name).where((ACCOUNTS.c.name == name) | same_person)
        ).first()
        if taken is not None:
            raise Rejected(
                "account-exists",
                f"there is an account {name}, or one of the same person of that sign-on",
                remedy="Choose another name; `caspian accounts ls` lists them.",
            )
        c.execute(
            insert(ACCOUNTS).values(
                name=name,
                person=person,
                roles=" ".join(dict.fromkeys(roles)),
                agency=agency,
                state=state,
                language=language,
                password=kept,
                totp=None,
                totp_step=0,
                issuer=issuer,
                subject=subject,
                created_us=micros(now),
                disabled_us=None,
            )
        )
        _note(c, name, "account-added", by=by, now=now)
    return found(log, name)


def _place(roles: Sequence[Role], agency: str, state: str, person: str) -> str:
    if not roles or set(roles) - set(PERSONAL):
        raise Rejected("credential-invalid", f"a person's roles are {', '.join(PERSONAL)}")
    if "operator" in roles and len(set(roles)) > 1:
        raise Rejected("credential-invalid", "whoever operates the hub has no other role in it")
    places = {place_of(role, agency, state, person) for role in roles}
    return places.pop()


def found(log: Log, name: str) -> Account:
    """Return the account of that name.

    Raises:
        Rejected: ``account-unknown``.
    """
    with log.reading() as c:
        row = c.execute(_query().where(ACCOUNTS.c.name == name)).one_or_none()
    if row is None:
        raise Rejected(
            "account-unknown",
            f"there is no account {name[:64]}",
            remedy="`caspian accounts ls` lists them.",
        )
    return account_of(row)


def listed(log: Log) -> list[Account]:
    """Return all accounts by name."""
    with log.reading() as c:
        return [account_of(r) for r in c.execute(_query().order_by(ACCOUNTS.c.name))]


def set_password(log: Log, name: str, password: str, *, now: datetime, by: str = "") -> None:
    """Give an account another password, and end all its sessions.

    Raises:
        Rejected: ``account-unknown``, ``password-weak``.
    """
    account = found(log, name)
    passwords.check(password, about=_about(name, account.person, account.agency))
    _change(log, name, now, "password-changed", by, password=passwords.hashed(password))


def set_totp(
    log: Log, name: str, *, issuer: str, on: bool = True, now: datetime, by: str = ""
) -> Secrets:
    """Give an account a new second factor with new recovery codes, or take it away.

    What was before is worth nothing from then on, and all sessions end.

    Raises:
        Rejected: ``account-unknown``.
    """
    found(log, name)
    secret = totp.new_secret() if on else None
    codes = tuple(_recovery_code() for _ in range(_RECOVERY_CODES if on else 0))
    action: ActionName = "second-factor-changed" if on else "second-factor-removed"
    _change(log, name, now, action, by, codes=codes, totp=secret, totp_step=0)
    if secret is None:
        return Secrets()
    return Secrets(otpauth=totp.uri(secret, name=name, issuer=issuer), recovery_codes=codes)


def bind(log: Log, name: str, *, issuer: str, subject: str, now: datetime, by: str = "") -> None:
    """Let a person sign in with their own state's sign-on; both empty: not any more.

    Raises:
        Rejected: ``account-unknown``, ``account-exists``: another account is that person's.
    """
    found(log, name)
    with log.reading() as c:
        other = c.execute(
            select(ACCOUNTS.c.name).where(
                ACCOUNTS.c.issuer == issuer,
                ACCOUNTS.c.subject == subject,
                ACCOUNTS.c.subject != "",
                ACCOUNTS.c.name != name,
            )
        ).scalar()
    if other is not None:
        raise Rejected("account-exists", f"{other} is the account of that person already")
    action: ActionName = "sign-on-bound" if subject else "sign-on-unbound"
    _change(log, name, now, action, by, issuer=issuer, subject=subject)


def disable(log: Log, name: str, *, now: datetime, by: str = "") -> None:
    """Let nobody in with this account any more, and end its sessions; its name stays in the log.

    Raises:
        Rejected: ``account-unknown``.
    """
    found(log, name)
    _change(log, name, now, "account-disabled", by, disabled_us=micros(now))


def enable(log: Log, name: str, *, now: datetime, by: str = "") -> None:
    """Let the person in again.

    Raises:
        Rejected: ``account-unknown``.
    """
    found(log, name)
    _change(log, name, now, "account-enabled", by, disabled_us=None)


def take_step(c: Connection, name: str, step: int) -> bool:
    """Use up a time step; False where it, or a later one, was used before, by any process."""
    done = c.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.name == name, ACCOUNTS.c.totp_step < step)
        .values(totp_step=step)
    )
    return done.rowcount == 1


def take_recovery_code(c: Connection, name: str, code: str) -> bool:
    """Use up a recovery code; False where it is none, or was used before."""
    done = c.execute(
        delete(RECOVERY_CODES).where(
            RECOVERY_CODES.c.account == name, RECOVERY_CODES.c.sha256 == _code_hash(code)
        )
    )
    return done.rowcount == 1


def principal_of(account: Account, *, session: str = "") -> Principal:
    """Return who an account's person is to the hub: all that its roles may, in its place."""
    scopes: frozenset[Scope] = frozenset().union(*(MAY[role] for role in account.roles))
    return Principal(
        account.roles[0],
        account.agency,
        account.person,
        account.state,
        scopes,
        account=account.name,
        session=session,
    )


def account_of(row: Any) -> Account:
    """Return the account in a row that holds the columns of `ACCOUNTS`."""
    signed_in = getattr(row, "signed_in_us", None)
    return Account(
        row.name,
        row.person,
        cast("tuple[Role, ...]", tuple(row.roles.split())),
        row.agency,
        row.state,
        row.language,
        bool(row.password),
        row.totp is not None,
        row.issuer,
        row.subject,
        from_micros(row.created_us),
        from_micros(row.disabled_us) if row.disabled_us is not None else None,
        from_micros(signed_in) if signed_in is not None else None,
    )


def _query() -> Any:
    last = (
        select(func.max(SESSIONS.c.created_us))
        .where(SESSIONS.c.account == ACCOUNTS.c.name)
        .scalar_subquery()
    )
    return select(ACCOUNTS, last.label("signed_in_us"))


def _note(c: Connection, name: str, action: ActionName, *, by: str, now: datetime) -> None:
    row = c.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one()
    # Not the name to sign in with: it is half of what whoever guesses needs.
    actions.note(
        c,
        action,
        by=by,
        agency=row.agency,
        now=now,
        person=row.person,
        roles=row.roles.split(),
        state=row.state,
    )


def note(log: Log, name: str, action: ActionName, *, by: str, now: datetime) -> None:
    """Note that the person *by* did something else with an account."""
    with log.writing() as c:
        _note(c, name, action, by=by, now=now)


def _change(
    log: Log,
    name: str,
    now: datetime,
    action: ActionName,
    by: str,
    *,
    codes: Iterable[str] | None = None,
    **values: Any,
) -> None:
    """Change an account and end its sessions, in one commit."""
    with log.writing() as c:
        _note(c, name, action, by=by, now=now)
        c.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))
        c.execute(
            update(SESSIONS)
            .where(SESSIONS.c.account == name, SESSIONS.c.ended_us.is_(None))
            .values(ended_us=micros(now))
        )
        if codes is not None:
            c.execute(delete(RECOVERY_CODES).where(RECOVERY_CODES.c.account == name))
            for code in codes:
                c.execute(insert(RECOVERY_CODES).values(account=name, sha256=_code_hash(code)))


def _about(name: str, person: str, agency: str) -> tuple[str, ...]:
    return (name, person, agency)


def _recovery_code() -> str:
    """Return 80 random bits as people can copy them."""
    return passwords.invented()


def _code_hash(code: str) -> bytes:
    return sha256(re.sub(r"[\s-]", "", code).lower().encode()).digest()
