"""The door: what it costs to knock, for those who have a key and for those who have none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.pwhash import argon2id

from hub.errors import Rejected, Unavailable
from hub.log.store import Log
from hub.log.tables import ACCOUNTS
from hub.members import accounts, passwords
from hub.members.sessions import Sessions
from hub.members.sign_in import Offered, SignIn
from tests.cheap_passwords import cheap_passwords

PASSWORD = "dampf schuh laterne"


@pytest.fixture
def cheap() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(f"sqlite:///{tmp_path / 'log.db'}")
    now = datetime.now(UTC)
    for name, password in (("reza", PASSWORD), ("gone", PASSWORD), ("elsewhere", "")):
        accounts.add(
            log,
            name=name,
            person="P",
            roles=("officer",),
            agency="ir-ndmo",
            password=password,
            now=now,
        )
    accounts.disable(log, "gone", now=now)
    yield log
    log.close()


@pytest.fixture
def door(log: Log) -> SignIn:
    hour = timedelta(hours=1)
    return SignIn(log, Sessions(log, idle=hour, lifetime=hour))


def offered(name: str = "reza", password: str = PASSWORD, address: str = "192.0.2.1") -> Offered:
    return Offered(name, password, "", address, "test")


@pytest.mark.parametrize("name", ["nobody", "reza", "gone", "elsewhere"])
async def test_every_refusal_has_compared_one_password(
    door: SignIn, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time taken would tell who has an account."""
    compared: list[bytes] = []
    verify = argon2id.verify

    def noted(kept: bytes, password: bytes) -> bool:
        compared.append(kept[: kept.rindex(b"$")][:31])
        return bool(verify(kept, password))

    monkeypatch.setattr(argon2id, "verify", noted)
    with pytest.raises(Rejected, match="sign-in-refused"):
        await door.enter(offered(name, "wrong wrong wrong"))

    assert compared == [b"$argon2id$v=19$m=65536,t=3,p=1$"]


@pytest.mark.usefixtures("cheap")
async def test_a_crowd_takes_turns_and_is_bounded(door: SignIn) -> None:
    async def one(n: int) -> str:
        try:
            await door.enter(offered(address=f"192.0.2.{n}"))
        except Unavailable as e:
            return e.code
        except Rejected as e:
            return e.code
        return "in"

    found = await asyncio.gather(*(one(n) for n in range(30)))

    assert found.count("sign-in-busy") == 10
    assert found.count("in") + found.count("locked") == 20
    assert await one(99) in {"in", "locked"}


async def test_a_hash_of_older_costs_is_made_anew_when_its_person_comes(
    door: SignIn, log: Log
) -> None:
    old = argon2id.str(PASSWORD.encode(), opslimit=1, memlimit=1 << 20).decode()
    with log.writing() as c:
        c.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == "reza").values(password=old))

    await door.enter(offered())

    with log.reading() as c:
        kept: Any = c.execute(ACCOUNTS.select().where(ACCOUNTS.c.name == "reza")).one()
    assert not passwords.outdated(kept.password)
    assert passwords.matches(kept.password, PASSWORD)


def test_what_is_offered_is_never_written_out() -> None:
    assert PASSWORD not in repr(offered())
