"""What the ledger leaves when it dies between any two of its steps, and when there are two."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from consumers.ledger import Ledger
from consumers.worker import StreamEntry
from hub.core.admission import Rules
from hub.core.candidate import Candidate
from hub.log.genesis import ensure_genesis
from hub.log.store import Log
from hub.streams import keys
from hub.telemetry import process_metrics
from schemas.entry import micros, rfc3339
from tests.hubkit import store
from tests.log.samples import BEGAN, ORIGIN, Writer, acknowledgement, alert, member, refusal


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(store(tmp_path))
    ensure_genesis(log, origin=ORIGIN, version="test", now_us=1)
    yield log
    log.close()


def ledger_of(log: Log, redis: Redis) -> Ledger:
    return Ledger(log, redis, rules=Rules(), receipt_retention=timedelta(days=1))


async def members(log: Log, redis: Redis) -> None:
    """Register az-fhn at 1 and ir-ndmo at 2."""
    await step(ledger_of(log, redis), redis, [member("az-fhn"), member("ir-ndmo")])


async def waiting(redis: Any, batch: Sequence[Candidate]) -> list[StreamEntry]:
    """Add candidates as intake does; return them as the ledger reads them."""
    entries = []
    for candidate in batch:
        fields = candidate.to_fields()
        plain = {
            name.encode(): value.encode() if isinstance(value, str) else value
            for name, value in fields.items()
        }
        entries.append(StreamEntry(await redis.xadd(keys.CANDIDATES, fields), plain))
    return entries


async def step(ledger: Ledger, redis: Any, batch: Sequence[Candidate]) -> None:
    """Take a batch through all steps."""
    pipe = redis.pipeline(transaction=True)
    await ledger.handle(await waiting(redis, batch), pipe)
    await pipe.execute()


async def answers(redis: Any, agency: str = "az-fhn") -> list[dict[str, str]]:
    return [
        {name.decode(): value.decode() for name, value in fields.items()}
        for _, fields in await redis.xrange(keys.receipts(agency))
    ]


KINDS = {
    "message": lambda: alert("az-fhn", "a-1", inbox="5-1"),
    "refused by the ledger": lambda: alert("az-fhn", "a-0", inbox="5-1", headline="Other words"),
    "refused by intake": lambda: refusal("az-fhn", inbox="5-1"),
    "refused at the door": lambda: refusal("az-fhn"),
    "acknowledgement": lambda: acknowledgement("ir-ndmo", "3"),
    "member": lambda: member("kz-mchs"),
    "dead letter": lambda: Candidate(
        "dead-letter", "az-fhn", inbox="5-1", payload=b"x", body={"stage": "intake", "reason": "x"}
    ),
    "delivery": lambda: Candidate("delivery", "", body={"ir-ndmo": 3}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_dies_after_the_commit_logs_nothing_twice_and_gives_the_same_answer(
    log: Log, redis: Redis, kind: str
) -> None:
    await members(log, redis)
    await step(ledger_of(log, redis), redis, [alert("az-fhn", "a-0", inbox="4-1")])
    candidate = KINDS[kind]()
    entries = await waiting(redis, [candidate])
    await redis.delete(keys.receipts("az-fhn"))

    # It dies with its answers in the pipeline: Redis has none of them.
    await ledger_of(log, redis).handle(entries, redis.pipeline(transaction=True))
    committed = log.head()
    assert await answers(redis) == []

    again: Any = redis.pipeline(transaction=True)
    await ledger_of(log, redis).handle(entries, again)
    await again.execute()

    assert log.head() == committed
    assert committed.size == 5
    told = await answers(redis)
    if candidate.inbox:
        assert [(answer["index"], answer["inbox"]) for answer in told] == [("4", "5-1")]
    else:
        assert told == []


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_dies_before_the_commit_leaves_nothing(
    log: Log, redis: Redis, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await members(log, redis)
    await step(ledger_of(log, redis), redis, [alert("az-fhn", "a-0", inbox="4-1")])
    before = log.head()
    entries = await waiting(redis, [KINDS[kind]()])

    class Killed(BaseException):
        pass

    def die(*_args: Any, **_given: Any) -> Any:
        raise Killed

    with monkeypatch.context() as context:
        context.setattr(Log, "append", die)
        with pytest.raises(Killed):
            await ledger_of(log, redis).handle(entries, redis.pipeline())
    assert log.head() == before

    pipe: Any = redis.pipeline(transaction=True)
    await ledger_of(log, redis).handle(entries, pipe)
    await pipe.execute()
    assert log.head().size == before.size + 1


async def test_what_is_removed_is_counted(log: Log, redis: Redis) -> None:
    Writer(log).begin("az-fhn").commit([alert("az-fhn", f"a-{n}") for n in range(3)])  # 2, 3, 4
    counter = process_metrics().payloads_removed.labels("retirement")
    before = counter._value.get()
    body = {"messages": [2, 3], "before": rfc3339(micros(BEGAN + timedelta(hours=1)))}

    for _ in range(2):
        await step(ledger_of(log, redis), redis, [Candidate("retirement", "", body=body)])

    assert counter._value.get() == before + 2


async def test_of_two_ledgers_with_the_same_batches_each_message_is_logged_once(
    log: Log, redis: Redis
) -> None:
    await members(log, redis)
    one, two = ledger_of(log, redis), ledger_of(log, redis)
    batches = [
        await waiting(
            redis, [alert("az-fhn", f"a-{b}-{n}", inbox=f"{b + 1}-{n}") for n in range(4)]
        )
        for b in range(25)
    ]

    async def work(ledger: Ledger, mine: Sequence[list[StreamEntry]]) -> None:
        for batch in mine:
            pipe: Any = redis.pipeline(transaction=True)
            await ledger.handle(batch, pipe)
            for answer in await pipe.execute(raise_on_error=False):
                assert not isinstance(answer, Exception) or ledger.passes(answer)

    await asyncio.gather(work(one, batches), work(two, batches[::-1]))

    rows = log.rows(kinds=["publish"], limit=1000)
    assert len(rows) == 100
    assert len({row.facts.identifier for row in rows if row.facts}) == 100
    by_inbox: dict[str, set[str]] = {}
    for answer in await answers(redis):
        by_inbox.setdefault(answer["inbox"], set()).add(answer["index"])
    assert len(by_inbox) == 100
    assert all(len(indexes) == 1 for indexes in by_inbox.values())


async def test_a_ledger_learns_of_members_that_another_has_logged(log: Log, redis: Redis) -> None:
    one, two = ledger_of(log, redis), ledger_of(log, redis)
    await step(one, redis, [member("az-fhn")])
    await step(two, redis, [member("ir-ndmo")])

    await step(one, redis, [alert("ir-ndmo", "i-1", inbox="5-1")])

    assert (await answers(redis, "ir-ndmo"))[0]["type"] == "receipt"


async def test_an_answer_that_redis_refuses_for_its_key_holds_up_nobody(
    log: Log, redis: Any
) -> None:
    await members(log, redis)
    await redis.delete(keys.receipts("az-fhn"))
    await redis.set(keys.receipts("az-fhn"), "not a stream")
    ledger = ledger_of(log, redis)
    batch = [alert("az-fhn", "a-1", inbox="5-1"), alert("ir-ndmo", "i-1", inbox="5-1")]

    pipe: Any = redis.pipeline(transaction=True)
    await ledger.handle(await waiting(redis, batch), pipe)
    failed = [a for a in await pipe.execute(raise_on_error=False) if isinstance(a, Exception)]

    assert failed
    assert all(map(ledger.passes, failed))
    assert [a["type"] for a in await answers(redis, "ir-ndmo")] == ["receipt"]
