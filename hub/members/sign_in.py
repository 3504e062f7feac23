"""Sign in with name, password and code: the same answer, after the same time, to every mistake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from sqlalchemy import select, update

from hub.errors import Rejected, Unavailable
from hub.log.store import Log
from hub.log.tables import ACCOUNTS
from hub.members import attempts, passwords, totp
from hub.members.accounts import take_recovery_code, take_step
from hub.members.oidc import Flow, Provider, refused
from hub.members.sessions import Sessions
from hub.members.sign_on import SignOn
from hub.telemetry import process_metrics

__all__ = ["Offered", "SignIn"]

_AT_ONCE: Final = 2
_WAITING: Final = 20
_log = structlog.get_logger("sign_in")


@dataclass(frozen=True, slots=True, repr=False)
class Offered:
    """What somebody shows, and where they come from."""

    name: str
    password: str
    code: str
    address: str
    agent: str


class SignIn:
    """The door of one process. Passwords are compared in threads, two at a time.

    A comparison takes 64 MiB and a tenth of a second by design: more at once would
    starve the messages.
    """

    def __init__(
        self, log: Log, sessions: Sessions, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._log = log
        self._sessions = sessions
        self._clock = clock
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def enter(self, offered: Offered) -> str:
        """Return the key of a new session.

        Raises:
            Rejected: ``sign-in-refused``, whatever was wrong; ``code-required`` where all but
                the code is right.
            Unavailable: ``locked``, ``sign-in-busy``, ``log-unavailable``.
        """
        try:
            key = await self._enter(offered)
        except (Rejected, Unavailable) as e:
            process_metrics().sign_ins.labels(e.code).inc()
            _log.info("sign_in.refused", code=e.code, address=offered.address)
            raise
        process_metrics().sign_ins.labels("ok").inc()
        _log.info("session.opened", account=offered.name, address=offered.address)
        return key

    async def by_sign_on(
        self,
        provider: Provider,
        answer: Mapping[str, str],
        flow: Flow,
        *,
        redirect: str,
        address: str,
        agent: str,
    ) -> str:
        """Return the key of a new session for whom a state's own sign-on names.

        The account must be of that state, and name that person with that issuer.

        Raises:
            Rejected: ``sign-on-refused``.
            Unavailable: ``sign-on-unavailable``, ``sign-in-busy``, ``log-unavailable``.
        """
        state = provider.sign_on.state
        try:
            async with self._turn():
                subject = await provider.person(answer, flow, redirect=redirect)
            name, key = await asyncio.to_thread(
                self._admit, provider.sign_on, subject, address, agent
            )
        except (Rejected, Unavailable) as e:
            process_metrics().sign_ins.labels(e.code).inc()
            _log.info("sign_in.refused", code=e.code, address=address, state=state)
            raise
        process_metrics().sign_ins.labels("ok").inc()
        _log.info("session.opened", account=name, address=address, state=state)
        return key

    def _admit(self, sign_on: SignOn, subject: str, address: str, agent: str) -> tuple[str, str]:
        with self._log.writing() as c:
            name = c.execute(
                select(ACCOUNTS.c.name).where(
                    ACCOUNTS.c.issuer == sign_on.issuer,
                    ACCOUNTS.c.subject == subject,
                    ACCOUNTS.c.state == sign_on.state,
                    ACCOUNTS.c.disabled_us.is_(None),
                )
            ).scalar_one_or_none()
            if name is None:
                raise refused()
            return name, self._sessions.open(c, name, way="oidc", address=address, agent=agent)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= _WAITING:
            raise Unavailable(
                "sign-in-busy", "too many people sign in at this moment", retry_after_s=2
            )
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _enter(self, offered: Offered) -> str:
        async with self._turn():
            attempt = await asyncio.to_thread(
                attempts.begin,
                self._log,
                name=offered.name,
                address=offered.address,
                now=self._now(),
            )
            async with self._turns:
                return await asyncio.to_thread(self._compare, offered, attempt)

    def _compare(self, offered: Offered, attempt: attempts.Attempt) -> str:
        with self._log.reading() as c:
            row = c.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == offered.name)).one_or_none()
        right = passwords.matches(row.password if row is not None else "", offered.password)
        if row is None or not right or row.disabled_us is not None:
            raise _refused()
        if row.totp is not None and not offered.code:
            attempts.forgive(self._log, attempt, succeeded=False)
            raise Rejected(
                "code-required",
                "the account has a second factor, and there is no code",
                remedy="Send the code that the authenticator app shows, or a recovery code.",
            )
        key = self._open(row, offered)
        attempts.forgive(self._log, attempt, succeeded=True)
        return key

    def _open(self, row: Any, offered: Offered) -> str:
        newer = (
            passwords.hashed(offered.password) if passwords.outdated(row.password) else row.password
        )
        with self._log.writing() as c:
            # The account may have been changed since its password was compared.
            still = c.execute(
                update(ACCOUNTS)
                .where(
                    ACCOUNTS.c.name == row.name,
                    ACCOUNTS.c.password == row.password,
                    ACCOUNTS.c.totp.is_not_distinct_from(row.totp),
                    ACCOUNTS.c.disabled_us.is_(None),
                )
                .values(password=newer)
            )
            if still.rowcount != 1 or (row.totp is not None and not self._second(c, row, offered)):
                raise _refused()
            return self._sessions.open(
                c, row.name, way="password", address=offered.address, agent=offered.agent
            )

    def _second(self, c: Any, row: Any, offered: Offered) -> bool:
        code = offered.code.replace(" ", "")
        if not (code.isascii() and code.isdigit()):
            return take_recovery_code(c, row.name, code)
        step = totp.step_of(row.totp, code, at_s=self._clock(), after=row.totp_step)
        return step is not None and take_step(c, row.name, step)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _refused() -> Rejected:
    return Rejected(
        "sign-in-refused",
        "name, password or code is not right",
        remedy="Try again; the operator can give you a new password or second factor.",
    )
