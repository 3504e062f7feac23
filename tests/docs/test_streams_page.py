"""What docs/protocol/streams.md shows works, command by command, on a hub that runs."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from consumers.app import JOBS, running
from hub.core.candidate import Candidate
from hub.log.store import Log
from hub.settings import Settings
from hub.streams import keys
from hub.streams.acl import rules
from hub.streams.connect import connect
from hub.streams.embedded import EmbeddedServer
from hub.streams.fields import feed_fields
from hub.streams.submit import propose
from schemas.receipt import read_answer
from tests.docs.pages import bare, blocks, rows, sections, text_of
from tests.log.samples import cap

PAGE = "docs/protocol/streams.md"
_AZ, _IR = "az-fhn", "ir-ndmo"


async def _until(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Return what the condition gives as soon as it is something."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        if found := await condition():
            return found
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
async def redis(server: EmbeddedServer) -> AsyncIterator[Redis]:
    client = connect(server.url)
    await client.flushall()
    await client.execute_command("ACL", "DELUSER", _AZ)  # type: ignore[no-untyped-call]
    yield client
    await client.aclose()


@pytest.fixture
async def hub(server: EmbeddedServer, redis: Redis, tmp_path: Path) -> AsyncIterator[Log]:
    """Run all consumers, with two members."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    async with running(Settings(redis_url=server.url, log_url=url), JOBS):
        log = Log.open(url)
        records = [{"id": a, "state": a[:2].upper(), "name": a} for a in (_AZ, _IR)]
        await propose(redis, [Candidate("member", "", body=record) for record in records])

        async def made() -> bool:
            return bool(await redis.exists(keys.feed(_AZ), keys.feed(_IR)) == 2)

        await _until(made, "both members have their feeds")
        yield log
        log.close()


def _command(line: str) -> tuple[str, list[str]]:
    words = shlex.split(line.partition(" < ")[0].removeprefix("$ redis-cli "))
    reads_stdin = words[0] == "-x"
    words = words[reads_stdin:]
    return ("stdin" if reads_stdin else ""), words


def _shown() -> list[tuple[str, list[str]]]:
    """Return the redis-cli lines of the page in their order."""
    return [
        _command(line)
        for language, body in blocks(text_of(PAGE))
        if language == "console"
        for line in body.splitlines()
        if line.startswith("$ redis-cli ")
    ]


async def test_the_commands_that_are_shown_work_in_their_order(hub: Log, redis: Redis) -> None:
    (publish, answers, read, confirm, pending, acknowledge) = _shown()
    payload = cap("A-1", sent=datetime.now(UTC))

    inbox = await redis.execute_command(*publish[1], payload)
    assert publish[0] == "stdin"

    async def answered() -> Any:
        return await redis.execute_command(*answers[1])

    ((_, ((_, fields),)),) = await _until(answered, "a receipt")
    texts = {name.decode(): value.decode() for name, value in fields.items()}
    receipt = read_answer(texts)
    assert texts["inbox"] == inbox.decode()
    assert receipt.index == 3
    assert set(texts) == _fields_of("A receipt")

    ((_, ((entry_id, fields),)),) = await redis.execute_command(*read[1])
    assert entry_id == b"3-0"
    assert fields[b"payload"] == payload

    assert await redis.execute_command(*pending[1]) != [[b"feed:ir-ndmo", []]]
    assert await redis.execute_command(*confirm[1]) == 1
    assert await redis.execute_command(*pending[1]) == [[b"feed:ir-ndmo", []]]

    await redis.execute_command(*acknowledge[1])

    async def acknowledged() -> bool:
        (message,) = await asyncio.to_thread(hub.find_messages, "A-1")
        return bool(await asyncio.to_thread(hub.acknowledgements, message))

    async def delivered() -> bool:
        return bool(await asyncio.to_thread(hub.delivered_at, [_IR], 3))

    await _until(acknowledged, "the acknowledgement is in the log")
    await _until(delivered, "the delivery is in the log")


async def test_a_refusal_has_the_fields_that_are_documented(hub: Log, redis: Redis) -> None:
    await redis.xadd(keys.inbox(_AZ), {"payload": b"no message"})

    async def answered() -> Any:
        return await redis.xrange(keys.receipts(_AZ))

    ((_, fields),) = await _until(answered, "a refusal")

    assert hub.head().size >= 4
    assert {name.decode() for name in fields} == _fields_of("A refusal")


async def test_a_field_that_there_is_not_is_refused(hub: Log, redis: Redis) -> None:
    allowed = {bare(row[0]) for row in rows(sections(text_of(PAGE), 2)["Publish"])}
    signed = {"header", "signature", "key"}
    assert signed < allowed
    fields = dict.fromkeys(allowed - {"type", "payload", *signed}, "application/cap+xml")
    payload = cap("A-2", sent=datetime.now(UTC))
    await redis.xadd(
        keys.inbox(_AZ), {**fields, "id": "a-2", "type": "message", "payload": payload}
    )
    await redis.xadd(keys.inbox(_AZ), {"payload": payload, "priority": "high"})

    async def answered() -> Any:
        found = await redis.xrange(keys.receipts(_AZ))
        return found if len(found) == 2 else None

    (_, taken), (_, refused) = await _until(answered, "two answers")

    assert hub.head().size >= 5
    assert taken[b"type"] == b"receipt"
    assert refused[b"code"] == b"field-unknown"


async def test_the_python_that_is_shown_publishes_and_reads(
    hub: Log, redis: Redis, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = [body for language, body in blocks(text_of(PAGE)) if language == "python"]
    # One user reads and writes for both: what the page shows needs no more than their rights.
    await redis.execute_command(
        "ACL", "SETUSER", _AZ, "reset", "on", ">pw", *rules(_AZ), *rules(_IR)[-3:]
    )
    monkeypatch.setenv("REDIS_URL", f"redis://{_AZ}:pw@127.0.0.1:{server.port}/0")
    shown: dict[str, Any] = {}
    kept: dict[int, bytes] = {}
    payload = cap("A-3", sent=datetime.now(UTC))

    def run() -> dict[bytes, bytes]:
        exec(compile(source, PAGE, "exec"), shown)
        first = shown["publish"](_AZ, payload)
        again = shown["publish"](_AZ, payload)
        assert again[b"index"] == first[b"index"]
        assert again[b"duplicate"] == b"1"
        while not kept:
            shown["read"](_IR, "desk-1", lambda index, f: kept.setdefault(index, f[b"payload"]))
        shown["r"].close()
        return dict(first)

    receipt = await asyncio.to_thread(run)

    assert kept == {int(receipt[b"index"]): payload}
    assert (await redis.xpending(keys.feed(_IR), keys.READERS))["pending"] == 0
    assert hub.head().size >= 4


def _fields_of(beginning: str) -> set[str]:
    part = sections(text_of(PAGE), 2)["Answers"].split(beginning, 1)[1]
    table = re.split(r"\n\n(?!\|)", part, maxsplit=2)
    return {bare(row[0]) for row in rows(next(t for t in table if "|" in t))}


async def test_the_fields_of_a_feed_are_documented(hub: Log, redis: Redis) -> None:
    await redis.xadd(keys.inbox(_AZ), {"payload": cap("A-4", sent=datetime.now(UTC))})

    async def fed() -> Any:
        return await redis.xrange(keys.feed(_IR))

    ((_, fields),) = await _until(fed, "the message is in the feed")
    documented = {bare(row[0]) for row in rows(sections(text_of(PAGE), 2)["Read a feed"])}
    row = hub.row(0)
    assert row is not None

    assert {name.decode() for name in fields} | {"replay"} == documented
    assert set(feed_fields(row)) < documented


async def test_the_user_that_is_shown_can_do_its_work_and_nothing_else(redis: Redis) -> None:
    (line,) = [body for _, body in blocks(text_of(PAGE)) if body.startswith("ACL SETUSER")]
    # Whatever the user could before is gone.
    await redis.execute_command("ACL", "SETUSER", _AZ, "on", ">old", "(~* +@all)")  # type: ignore[no-untyped-call]
    await redis.execute_command(*line.split())
    await redis.xgroup_create(keys.feed(_AZ), keys.READERS, "0", mkstream=True)
    await redis.xadd(keys.feed(_AZ), {"payload": "x"}, id="1-0")
    await redis.xadd(keys.receipts(_AZ), {"type": "receipt"})
    options = redis.connection_pool.connection_kwargs
    own = Redis(
        host=options["host"],
        port=options["port"],
        username=_AZ,
        password=re.search(r">(\S+)", line)[1],  # type: ignore[index]  # there is one
    )
    async with own:
        await own.ping()
        await own.xadd(keys.inbox(_AZ), {"payload": "x"})
        await own.xread({keys.receipts(_AZ): "0"})
        await own.xinfo_stream(keys.receipts(_AZ))
        await own.xreadgroup(keys.READERS, "desk-1", {keys.feed(_AZ): ">"})
        await own.xack(keys.feed(_AZ), keys.READERS, "1-0")
        await own.xpending(keys.feed(_AZ), keys.READERS)
        with pytest.raises(ResponseError, match="NOGROUP"):
            await own.xreadgroup(keys.READERS, "desk-1", {keys.feed(f"{_AZ}.sea"): ">"})
        for forbidden in (
            own.xadd(keys.inbox(_IR), {"payload": "x"}),
            own.xadd(keys.feed(_AZ), {"payload": "x"}),
            own.xadd(keys.receipts(_AZ), {"type": "receipt"}),
            own.xadd(keys.CANDIDATES, {"kind": "publish"}),
            own.xread({keys.feed(_IR): "0"}),
            own.xread({keys.receipts(_IR): "0"}),
            own.xread({keys.inbox(_AZ): "0"}),
            own.xtrim(keys.feed(_AZ), maxlen=0),
            own.delete(keys.feed(_AZ)),
            own.flushall(),
            own.keys(),
            own.config_get("*"),
        ):
            with pytest.raises(NoPermissionError):
                await forbidden


def test_every_key_is_documented() -> None:
    documented = {bare(row[0]) for row in rows(sections(text_of(PAGE), 2)["Keys"])}

    assert documented == {
        keys.inbox("{agency}"),
        keys.receipts("{agency}"),
        keys.feed("{feed}"),
        keys.CANDIDATES,
        keys.LOG,
        keys.CONFIRMED,
        keys.sandbox("{name}"),
        keys.sandbox_runner("{name}"),
        keys.sandbox_feed("{name}", "{feed}"),
    }
