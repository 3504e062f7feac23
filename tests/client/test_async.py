"""`AsyncClient`: every call once more while the hub is away, every error as one of two types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from hub.client import AsyncClient, StreamPublisher
from hub.errors import Rejected, Unavailable
from hub.streams.embedded import free_port
from schemas.receipt import Receipt
from tests.hubkit import OFFICER, Api, Hub, alert, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = timedelta(seconds=0.3)


class LosesAnswers(httpx.AsyncHTTPTransport):
    """A line that breaks after the hub has done what it was asked, before its answer is heard."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and lose its answer."""
        response = await super().handle_async_request(request)
        if self.left:
            self.left -= 1
            await response.aread()
            await response.aclose()
            raise httpx.ReadError("the line broke", request=request)
        return response


@asynccontextmanager
async def impostor(answer: bytes) -> AsyncIterator[str]:
    """Serve the same answer to everything, as a proxy's page does; give its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_receipt_says_that_the_log_has_it(hub: Hub) -> None:
    payload = alert()

    async with hub.client("az-fhn") as client:
        receipt = await client.publish(payload, message_id="own-id-1")
        again = await client.publish(payload)
        kept = await client.payload("own-id-1")

    assert (receipt.level, receipt.duplicate, receipt.id) == ("durable", False, "own-id-1")
    assert again == receipt.model_copy(update={"duplicate": True})
    assert kept == payload
    row = await asyncio.to_thread(hub.log.row, receipt.index)
    assert row is not None
    assert row.payload == payload


async def test_when_the_answer_is_lost_the_next_one_is_the_first_receipt(hub: Hub) -> None:
    payload = alert()

    async with hub.client("az-fhn", transport=LosesAnswers(2)) as client:
        receipt = await client.publish(payload)

    (row,) = [r for r in await hub.rows("publish") if r.payload == payload]
    assert (receipt.index, receipt.duplicate) == (row.index, True)


async def test_a_publish_outlives_a_restart_of_the_hub(hub: Hub) -> None:
    """Its request is under way when Redis goes, then the API; both come back."""
    payload = alert()
    async with hub.client("az-fhn") as client:
        await client.feeds()
        await asyncio.to_thread(hub.valkey.kill)
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(client.publish(payload))
            await client.head()  # the API still answers what needs no Redis
            await hub.api.stop()
            await asyncio.to_thread(hub.valkey.start)
            await hub.api.start()
        again = await client.publish(payload)

    (row,) = [r for r in await hub.rows("publish") if r.payload == payload]
    assert publishing.result().index == again.index == row.index


async def test_following_brings_each_entry_once_and_in_order_through_breaks(hub: Hub) -> None:
    after = await hub.head()
    seen: list[int] = []
    async with hub.client("az-fhn") as sender, hub.client("kz-mes") as reader:
        entries = reader.follow("kz-mes", after=after)
        published: list[int] = []
        for round_ in range(3):
            published += [(await sender.publish(alert())).index for _ in range(3)]
            while not seen or seen[-1] < published[-1 - (round_ == 1)]:  # break off in a round
                seen.append((await anext(entries))["index"])
            await hub.api.stop()
            await hub.api.start()
        await entries.aclose()

    assert seen == published


async def test_following_from_now_on_misses_nothing_after_a_break(hub: Hub) -> None:
    """Not even when the line breaks before a first entry has come."""
    async with hub.client("az-fhn") as sender, hub.client("kz-mes") as reader:
        await sender.publish(alert())
        entries = reader.follow("kz-mes")
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(anext(entries))
            await followed(hub, 1)
            await hub.api.stop()
            published = (await publish_on_the_stream(hub)).index
            await hub.api.start()
        await entries.aclose()

    assert first.result()["index"] == published


async def followed(hub: Hub, readers: int) -> None:
    """Wait until so many readers follow feeds, and know where they stand."""
    tailer = hub.api._app.state.hub.tailer

    async def there() -> bool:
        return sum(len(r) for r in tailer._readers.values()) >= readers

    await until(there, "the feed is followed", 20)
    await hub.fed("kz-mes", await hub.head())


async def publish_on_the_stream(hub: Hub) -> Receipt:
    async with StreamPublisher(hub.settings.redis_url, "az-fhn") as publisher:
        return await publisher.publish(alert())


async def test_following_keeps_what_is_wanted(hub: Hub) -> None:
    after = await hub.head()
    async with hub.client("az-fhn") as client:
        await client.publish(alert(severity="Minor"))
        grave = await client.publish(alert(severity="Extreme"))
        entries = client.follow("az-fhn", after=after, wanted={"severity": "Severe"})
        entry = await anext(entries)
        await entries.aclose()

    assert entry["index"] == grave.index


async def test_a_feed_that_is_not_there_is_not_followed(hub: Hub) -> None:
    async with hub.client("kz-mes") as client:
        with pytest.raises(Rejected) as e:
            await anext(client.follow("az-fhn"))

    assert e.value.code == "feed-unknown"


async def test_a_refusal_says_what_to_change(hub: Hub) -> None:
    broken = alert().replace(b"40.1,49.9</polygon>", b"41.0,49.9</polygon>")

    async with hub.client("az-fhn") as client:
        with pytest.raises(Rejected) as e:
            await client.publish(broken)

    assert e.value.code == "rule-broken"
    assert e.value.remedy
    assert e.value.findings[0].severity == "error"
    assert "polygon" in e.value.findings[0].path
    assert e.value.findings[0].line


@pytest.mark.parametrize(
    ("who", "code"), [("revoked", "token-invalid"), ("expired", "token-expired")]
)
async def test_a_token_that_is_none_is_refused_at_once(hub: Hub, who: str, code: str) -> None:
    async with hub.client(who) as client:
        with pytest.raises(Rejected) as e:
            await client.publish(alert())
        with pytest.raises(Rejected) as other:
            await anext(client.follow("az-fhn"))

    assert e.value.code == other.value.code == code


async def test_a_hub_that_stays_away_is_given_up() -> None:
    async with AsyncClient(f"http://127.0.0.1:{free_port()}", "token", within=SOON) as client:
        with pytest.raises(Unavailable) as e:
            await client.publish(alert())
        with pytest.raises(Unavailable) as other:
            await anext(client.follow("az-fhn"))

    assert e.value.code == other.value.code == "hub-unreachable"


async def test_a_hub_that_cannot_work_is_told_by_its_own_code(hub: Hub) -> None:
    settings = hub.settings.model_copy(
        update={"port": free_port(), "receipt_timeout": timedelta(milliseconds=200)}
    )
    api = Api(settings)
    await api.start()
    await asyncio.to_thread(hub.valkey.stop)
    try:
        async with AsyncClient(
            f"http://127.0.0.1:{settings.port}", hub.tokens["az-fhn"], within=SOON
        ) as client:
            with pytest.raises(Unavailable) as e:
                await client.publish(alert())
    finally:
        await asyncio.to_thread(hub.valkey.start)
        await api.stop()

    assert e.value.code == "receipt-pending"
    assert e.value.remedy


PAGE = b"Content-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
ODD = b'{"code": "odd", "detail": "d", "findings": [{"what": 1}]}'


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (b"HTTP/1.1 200 OK\r\n" + PAGE, Unavailable, "unexpected-answer"),
        (b"HTTP/1.1 502 Bad Gateway\r\n" + PAGE, Unavailable, "unexpected-answer"),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\n" + PAGE, Rejected, "unexpected-answer"),
        (b"HTTP/1.1 404 Not Found\r\n" + PAGE, Rejected, "unexpected-answer"),
        (
            b"HTTP/1.1 422 No\r\nContent-Length: %d\r\n\r\n" % len(ODD) + ODD,
            Rejected,
            "odd",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Unavailable, "unexpected-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]", Unavailable, "hub-unreachable"),
    ],
    ids=["a page", "a gateway", "a login", "a page of none", "odd findings", "a list", "cut off"],
)
async def test_what_is_no_hub_is_told_apart(
    answer: bytes, error: type[Exception], code: str
) -> None:
    async with impostor(answer) as url, AsyncClient(url, "token", within=SOON) as client:
        for step in (
            client.head(),
            client.feeds(),
            client.publish(b"<a/>", message_id="x", content_type="application/xml"),
        ):
            with pytest.raises(error) as e:
                await step
            assert e.value.code == code  # type: ignore[attr-defined]  # both have one


async def test_an_officer_acknowledges_and_the_sender_sees_it(hub: Hub) -> None:
    async with hub.client("az-fhn") as sender, hub.client("officer") as officer:
        receipt = await sender.publish(alert())
        ack = await officer.acknowledge(receipt.id, note="Seen")
        again = await officer.acknowledge(str(receipt.index))
        life = await sender.message(str(receipt.index))

    assert again == ack.model_copy(update={"duplicate": True})
    (mine,) = [r for r in life["recipients"] if r["agency"] == "ir-ndmo"]
    assert mine["state"] == "acknowledged"
    assert [(a["officer"], a["note"]) for a in mine["acknowledgements"]] == [(OFFICER, "Seen")]


async def test_an_agency_reads_confirms_and_lists_its_feeds(hub: Hub) -> None:
    after = await hub.head()
    async with hub.client("az-fhn") as sender, hub.client("kz-mes") as reader:
        receipt = await sender.publish(alert())
        page = await reader.read(
            "kz-mes", after=after, limit=1, wait=timedelta(seconds=20), wanted={"kind": ["alert"]}
        )
        await reader.confirm("kz-mes", receipt.index)
        feeds = [f["feed"] for f in await reader.feeds()]

        async def delivered() -> bool:
            life = await sender.message(str(receipt.index))
            (mine,) = [r for r in life["recipients"] if r["agency"] == "kz-mes"]
            return bool(mine["state"] == "delivered")

        await until(delivered, "it is delivered", 20)

    assert [e["index"] for e in page["entries"]] == [receipt.index]
    assert feeds[0] == "kz-mes"


async def test_an_auditor_reads_the_log(hub: Hub) -> None:
    async with hub.client("auditor") as client:
        page = await client.entries(kinds=("member",), limit=2)
        rest = await client.entries(kinds=("member",), after=page["next"], agency="")
        head = await client.head()
        letters = await client.dead_letters()

    assert [e["kind"] for e in page["entries"]] == ["member", "member"]
    assert rest["entries"][0]["index"] > page["next"]
    assert head["origin"] == "test.example/log"
    assert letters["entries"] == []


async def test_an_operator_keeps_the_members(hub: Hub) -> None:
    async with hub.client("operator") as client:
        member = await client.add_member({"id": "az-port", "state": "AZ", "name": "The port"})
        made = await client.add_subscription({"agency": "az-port", "name": "grave"})
        known = await client.members()
        with pytest.raises(Rejected) as e:
            await client.retry(0)

    assert member["id"] in [m["id"] for m in known["members"]]
    assert made["feed"] == "az-port.grave"
    assert "az-port.grave" in [s["feed"] for s in known["subscriptions"]]
    assert e.value.code == "entry-unknown"
