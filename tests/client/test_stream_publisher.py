"""Publishing with XADD: the answer comes on the receipt stream, whatever happens to Redis."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.app import running
from hub.client import StreamPublisher
from hub.client.stream import read_feed
from hub.errors import Rejected
from hub.streams import keys
from tests.hubkit import Hub, alert, running_hub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def publisher(hub: Hub, agency: str = "az-fhn") -> StreamPublisher:
    return StreamPublisher(hub.settings.redis_url, agency, resend_after=timedelta(milliseconds=500))


async def answer(hub: Hub, agency: str, fields: dict[str, str | bytes]) -> dict[str, str]:
    """Put fields into an inbox as any client in any language does; return the answer's fields."""
    inbox = (await hub.redis.xadd(keys.inbox(agency), fields)).decode()
    found: list[dict[str, str]] = []

    async def there() -> bool:
        found[:] = [a for a in await hub.answers(agency) if a["inbox"] == inbox]
        return bool(found)

    await until(there, "the answer is there", 20)
    return found[0]


async def test_an_answer_has_plain_fields(hub: Hub) -> None:
    payload = alert()

    first = await answer(hub, "az-fhn", {"payload": payload})
    again = await answer(hub, "az-fhn", {"payload": payload})

    assert first["type"] == "receipt"
    assert first["sha256"] == hashlib.sha256(payload).hexdigest()
    row = await asyncio.to_thread(hub.log.row, int(first["index"]))
    assert row is not None
    assert (row.payload, row.entry["via"]) == (payload, "stream")
    assert again["duplicate"] == "1"
    same = {"index", "id", "at", "sha256"}
    assert {n: again[n] for n in same} == {n: first[n] for n in same}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"payload": b"no message"}, "not-xml"),
        ({"payload": b""}, "empty-payload"),
        ({"id": "x"}, "field-missing"),
        ({"payload": alert(), "colour": "red"}, "field-unknown"),
        ({"payload": alert(), "id": "a b"}, "id-invalid"),
        ({"payload": alert(), "id": b"\xff"}, "field-not-text"),
        ({"payload": alert(), "type": "rumour"}, "unknown-type"),
        ({"type": "acknowledgement", "message": "none", "officer": "Aysel"}, "unknown-message"),
        ({"type": "acknowledgement", "message": "none"}, "field-missing"),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
async def test_a_refusal_says_why_and_is_in_the_log(
    hub: Hub, fields: dict[str, str | bytes], code: str
) -> None:
    found = await answer(hub, "kz-mes", fields)

    assert (found["type"], found["code"]) == ("refusal", code)
    assert found["detail"]
    row = await asyncio.to_thread(hub.log.row, int(found["index"]))
    assert row is not None
    assert (row.kind, row.agency, row.entry["code"]) == ("refusal", "kz-mes", code)


async def test_many_at_once_get_each_their_own_receipt(hub: Hub) -> None:
    payloads = [alert() for _ in range(200)]

    async with publisher(hub) as stream:
        receipts = await asyncio.gather(*(stream.publish(p) for p in payloads))

    assert len({r.index for r in receipts}) == len(payloads)
    assert [r.sha256 for r in receipts] == [hashlib.sha256(p).hexdigest() for p in payloads]


async def test_the_same_bytes_bring_the_same_receipt(hub: Hub) -> None:
    payload = alert()

    async with publisher(hub) as stream:
        first = await stream.publish(payload, message_id="own-stream-id")
    async with publisher(hub) as stream:
        again = await stream.publish(payload)

    assert first.id == "own-stream-id"
    assert again == first.model_copy(update={"duplicate": True})


async def test_a_refusal_is_raised_with_its_findings(hub: Hub) -> None:
    broken = alert().replace(b"40.1,49.9</polygon>", b"41.0,49.9</polygon>")

    async with publisher(hub) as stream:
        with pytest.raises(Rejected) as e:
            await stream.publish(broken)

    assert e.value.code == "rule-broken"
    assert e.value.remedy
    assert "polygon" in e.value.findings[0].path


async def test_an_acknowledgement_goes_the_same_way(hub: Hub) -> None:
    async with publisher(hub) as sender, publisher(hub, "kz-mes") as recipient:
        receipt = await sender.publish(alert())
        ack = await recipient.acknowledge(str(receipt.index), officer="Aida", note="Seen")
        again = await recipient.acknowledge(receipt.id, officer="Aida")
        with pytest.raises(Rejected) as e:
            await sender.acknowledge(receipt.id, officer="Aysel")

    assert again == ack.model_copy(update={"duplicate": True})
    assert e.value.code == "not-to-acknowledge"
    row = await asyncio.to_thread(hub.log.row, ack.index)
    assert row is not None
    assert (row.entry["officer"], row.entry["note"]) == ("Aida", "Seen")


async def test_what_is_no_answer_on_the_receipt_stream_harms_nobody(hub: Hub) -> None:
    async with publisher(hub) as stream:
        await hub.redis.xadd(keys.receipts("az-fhn"), {"inbox": "0-1", "type": "of a later hub"})
        await hub.redis.xadd(keys.receipts("az-fhn"), {b"\xff": b"\xff"})
        receipt = await stream.publish(alert())
        await hub.redis.xtrim(keys.receipts("az-fhn"), maxlen=0, approximate=False)

    assert receipt.index > 0


async def test_who_stops_waiting_may_ask_again(hub: Hub) -> None:
    payload = alert()

    async with publisher(hub) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await stream.publish(payload)
        receipt = await stream.publish(payload)

    rows = [r.index for r in await hub.rows("publish") if r.payload == payload]
    assert rows == [receipt.index]


async def test_what_is_sent_while_redis_is_away_is_receipted_when_it_is_back(hub: Hub) -> None:
    payload = alert()
    async with publisher(hub) as stream:
        await stream.publish(alert())
        await asyncio.to_thread(hub.valkey.kill)
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(stream.publish(payload))
            await asyncio.to_thread(hub.valkey.start)

    rows = [r.index for r in await hub.rows("publish") if r.payload == payload]
    assert rows == [publishing.result().index]


@pytest.mark.asyncio(loop_scope="function")
async def test_what_redis_lost_before_anybody_read_it_is_sent_again(tmp_path: Path) -> None:
    """Nobody takes the inbox in here until it has been lost and has come again."""
    payload = alert()
    async with running_hub(tmp_path, ("ledger", "fanout")) as hub, publisher(hub) as stream:

        async def sent() -> bool:
            return bool(await hub.redis.xlen(keys.inbox("az-fhn")))

        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(stream.publish(payload))
            await until(sent, "it is in the inbox", 20)
            await hub.redis.flushall()
            await until(sent, "it is in the inbox again", 20)
            async with running(hub.settings, ("intake",)):
                receipt = await publishing
        rows = [r.index for r in await hub.rows("publish") if r.payload == payload]

    assert rows == [receipt.index]


async def test_a_feed_is_read_in_order_and_what_was_not_confirmed_comes_again(hub: Hub) -> None:
    async def take(consumer: str, through: int) -> AsyncIterator[int]:
        batches = read_feed(hub.settings.redis_url, "tm-msfs", consumer=consumer, batch=2)
        try:
            async for batch in batches:
                for message in batch:
                    yield message.index
                    if message.index >= through:
                        return
        finally:
            await batches.aclose()  # type: ignore[attr-defined]  # a generator

    async with publisher(hub) as stream:
        published = [(await stream.publish(alert())).index for _ in range(5)]
    await hub.fed("tm-msfs", published[-1])

    first = [i async for i in take("one", published[2]) if i >= published[0]]
    again = [i async for i in take("one", published[-1]) if i >= published[0]]

    assert first == published[:3]
    assert again == sorted(again)
    assert set(again) >= set(published[2:])


async def test_facts_of_a_feed_entry_are_plain_json(hub: Hub) -> None:
    async with publisher(hub) as stream:
        receipt = await stream.publish(alert(severity="Extreme"))
    await hub.fed("ru-mchs", receipt.index)

    (fields,) = [f for i, f in await hub.feed("ru-mchs") if i == receipt.index]

    assert json.loads(fields[b"facts"])["severity"] == "Extreme"
    assert hashlib.sha256(fields[b"payload"]).hexdigest() == receipt.sha256
