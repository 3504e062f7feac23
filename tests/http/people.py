"""Persons with accounts, and browsers to sign in with."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from hub.log.store import Log
from hub.members import accounts
from hub.members.totp import STEP_S, code_at
from tests.hubkit import Hub

__all__ = ["PASSWORD", "Browser", "Person", "add_person", "browser"]

PASSWORD = "dampf schuh laterne"


@dataclass
class Person:
    """Somebody with an account, and what they keep in their head and on their telephone."""

    name: str
    password: str
    secret: bytes = b""
    recovery_codes: list[str] = field(default_factory=list)
    used: int = 0

    def code(self) -> str:
        """Return a code that was not used yet; the telephone's clock may be a step ahead."""
        now = int(time.time()) // STEP_S
        self.used = max(self.used + 1, now - 1)
        assert self.used <= now + 1, "codes are used up for half a minute"
        return code_at(self.secret, self.used)


@dataclass
class Browser:
    """A browser that shows the hub's own page: it keeps the cookie and sends the page's token."""

    http: httpx.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """What it sends: all cookies, as one header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @cookie.setter
    def cookie(self, header: str) -> None:
        pairs = (pair.partition("=") for pair in header.split("; ") if pair)
        self.cookies = {name: value for name, _, value in pairs}

    async def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        headers = {**self.headers, **given.pop("headers", {})}
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
        if self.csrf:
            headers.setdefault("Caspian-Csrf", self.csrf)
        answer = await self.http.request(method, path, headers=headers, **given)
        self.http.cookies.clear()
        for kept in answer.headers.get_list("set-cookie"):
            name, _, value = kept.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in kept:
                del self.cookies[name]
        return answer

    async def sign_in(self, person: Person, **given: str) -> httpx.Response:
        body = {"name": person.name, "password": person.password}
        if person.secret and "code" not in given:
            body["code"] = person.code()
        answer = await self.ask("POST", "/v1/session", json=body | given)
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf"]
        return answer


async def add_person(hub: Hub, name: str, *, totp: bool = False, **given: Any) -> Person:
    """Give somebody an account."""
    return await asyncio.to_thread(_add, hub.log, name, totp=totp, **given)


def _add(log: Log, name: str, *, totp: bool, **given: Any) -> Person:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {"person": name.title(), "roles": ("officer",), "agency": "ir-ndmo"}
    accounts.add(log, name=name, password=PASSWORD, now=now, **(facts | given))
    person = Person(name, PASSWORD)
    if totp:
        made = accounts.set_totp(log, name, issuer="test", now=now)
        secret = parse_qs(urlsplit(made.otpauth).query)["secret"][0]
        person.secret = base64.b32decode(secret)
        person.recovery_codes = list(made.recovery_codes)
    return person


@asynccontextmanager
async def browser(hub: Hub, **headers: str) -> AsyncIterator[Browser]:
    """Open a browser that sends these headers with everything."""
    async with hub.http() as http:
        yield Browser(http, headers=headers)
