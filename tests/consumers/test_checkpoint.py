"""The checkpoint job: it signs what is new, announces a first key, and tells what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from sqlalchemy import update

from consumers import checkpoint
from consumers.checkpoint import Checkpoints
from hub.core.candidate import Candidate
from hub.core.identities import State
from hub.errors import Unavailable
from hub.log.checkpoints import latest
from hub.log.genesis import ensure_genesis
from hub.log.log_keys import first_key
from hub.log.store import Log
from hub.log.tables import TILES
from hub.settings import Settings
from hub.streams import keys
from hub.telemetry import process_metrics
from tests.hubkit import running_hub, store, until
from tests.keys import key
from tests.log.samples import ORIGIN, Writer, member


@pytest.fixture(autouse=True)
def _fresh_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have its lines captured, also where a hub in this process has set up logging before."""
    monkeypatch.setattr(checkpoint, "_log", structlog.get_logger("checkpoint"))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(store(tmp_path))
    yield log
    log.close()


def job(log: Log, redis: Redis, tmp_path: Path) -> Checkpoints:
    return Checkpoints(log, redis, keys=[tmp_path / "log.key"], origin=ORIGIN)


def size(log: Log) -> int:
    with log.reading() as c:
        found = latest(c)
    return 0 if found is None else found.size


async def proposed(redis: Any) -> list[Candidate]:
    return [Candidate.from_fields(f) for _, f in await redis.xrange(keys.CANDIDATES)]


async def test_a_log_without_a_key_has_its_first_announced_once(
    log: Log, redis: Redis, tmp_path: Path
) -> None:
    writer = Writer(log).begin("az-fhn")
    signing = job(log, redis, tmp_path)
    await signing.look()
    await signing.look()
    (candidate,) = await proposed(redis)
    writer.commit([candidate])
    await signing.look()

    assert candidate.body == {
        "key": str(first_key([tmp_path / "log.key"], ORIGIN)),
        "action": "add",
    }
    assert size(log) == 3


async def test_in_a_log_with_roots_the_states_announce_it(
    log: Log, redis: Redis, tmp_path: Path
) -> None:
    roots = [State(id="AZ", name="AZ", authority=str(key("AZ")))]
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, roots=roots)
    with structlog.testing.capture_logs() as told:
        await job(log, redis, tmp_path).look()

    assert await proposed(redis) == []
    assert [line["code"] for line in told] == ["log-key-unannounced"]
    assert size(log) == 0


async def test_a_key_that_was_lost_is_not_replaced_in_silence(
    log: Log, redis: Redis, tmp_path: Path
) -> None:
    public = str(first_key([tmp_path / "log.key"], ORIGIN))
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, key=public)
    (tmp_path / "log.key").unlink()
    with structlog.testing.capture_logs() as told:
        await job(log, redis, tmp_path).look()

    assert [line["code"] for line in told] == ["log-key-unusable"]
    assert not (tmp_path / "log.key").exists()
    assert await proposed(redis) == []


async def test_a_contradiction_is_told_loudly_until_it_is_gone(
    log: Log, redis: Redis, tmp_path: Path
) -> None:
    public = str(first_key([tmp_path / "log.key"], ORIGIN))
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, key=public)
    signing = job(log, redis, tmp_path)
    await signing.look()
    Writer(log).commit([member("az-fhn")])
    with log.reading() as c:
        right = c.execute(TILES.select()).one().hashes
    with log.writing() as c:
        c.execute(update(TILES).values(hashes=bytes(64)))
    with structlog.testing.capture_logs() as told:
        await signing.look()
        await signing.look()

    assert [line["code"] for line in told] == ["checkpoint-refused"], "told once, not at each look"
    assert process_metrics().checkpoint_refused._value.get() == 1
    with log.writing() as c:
        c.execute(update(TILES).values(hashes=right))
    await signing.look()
    assert process_metrics().checkpoint_refused._value.get() == 0
    assert size(log) == 2


async def test_a_log_that_is_away_is_waited_for(
    log: Log, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = str(first_key([tmp_path / "log.key"], ORIGIN))
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, key=public)
    signing = job(log, redis, tmp_path)

    def away(*_: Any) -> None:
        raise Unavailable("log-unavailable", "away")

    with monkeypatch.context() as broken:
        broken.setattr(Log, "head", away)
        with pytest.raises(Unavailable):
            await signing.look()
    await signing.look()

    assert size(log) == 1


async def test_a_hub_signs_what_it_logs(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        index = await hub.publish()

        async def signed() -> bool:
            return await asyncio.to_thread(size, hub.log) > index

        await until(signed, "the message is signed", 20)


def test_several_key_files_stand_between_colons() -> None:
    assert Settings(log_key="a.key:b.key").log_keys == (Path("a.key"), Path("b.key"))
    assert Settings().log_keys == ()


@pytest.mark.parametrize("interval", ["0", "3601"])
def test_an_interval_that_signs_nothing_or_always_is_refused(interval: str) -> None:
    with pytest.raises(Unavailable):
        Settings.from_environment({"CASPIAN_CHECKPOINT_INTERVAL": interval})
