"""`Client`: the same promises for code without a loop, from any number of threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hub.client import Client
from hub.errors import Rejected, Unavailable
from hub.streams.embedded import free_port
from schemas.receipt import Receipt
from tests.hubkit import OFFICER, Hub, alert

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_publish_read_and_acknowledge(hub: Hub) -> None:
    payload = alert()

    def work() -> tuple[Receipt, Receipt]:
        with hub.blocking("az-fhn") as sender, hub.blocking("officer") as officer:
            receipt = sender.publish(payload)
            ack = officer.acknowledge(receipt.id, note="Seen")
            life = sender.message(str(receipt.index))
            (mine,) = [r for r in life["recipients"] if r["agency"] == "ir-ndmo"]
            assert mine["acknowledgements"][0]["officer"] == OFFICER
            assert sender.payload(receipt.id) == payload
            page = sender.read(
                "az-fhn", after=receipt.index - 1, limit=1, wait=timedelta(seconds=20)
            )
            assert [e["index"] for e in page["entries"]] == [receipt.index]
            sender.confirm("az-fhn", receipt.index)
            assert "az-fhn" in [f["feed"] for f in sender.feeds()]
            return receipt, ack

    receipt, ack = await asyncio.to_thread(work)

    assert ack.index > receipt.index


async def test_threads_share_a_client(hub: Hub) -> None:
    def work() -> list[Receipt]:
        with hub.blocking("az-fhn") as client, ThreadPoolExecutor(8) as threads:
            return list(threads.map(client.publish, [alert() for _ in range(24)]))

    receipts = await asyncio.to_thread(work)

    assert len({r.index for r in receipts}) == 24


async def test_following_goes_on_through_a_restart_of_the_api(hub: Hub) -> None:
    after = await hub.head()
    first, second = await hub.publish(), await hub.publish()
    client = hub.blocking("kz-mes")
    await asyncio.to_thread(client.__enter__)
    entries = client.follow("kz-mes", after=after)

    seen = [(await asyncio.to_thread(next, entries))["index"]]
    await hub.api.stop()
    await hub.api.start()
    third = await hub.publish()
    seen += [(await asyncio.to_thread(next, entries))["index"] for _ in range(2)]
    await asyncio.to_thread(entries.close)  # type: ignore[attr-defined]  # a generator
    await asyncio.to_thread(client.__exit__, None, None, None)

    assert seen == [first, second, third]


async def test_errors_are_those_of_the_hub(hub: Hub) -> None:
    def refused() -> Rejected:
        with hub.blocking("az-fhn") as client, pytest.raises(Rejected) as e:
            client.publish(b"no message")
        return e.value

    def away() -> Unavailable:
        url = f"http://127.0.0.1:{free_port()}"
        with (
            Client(url, "token", within=timedelta(seconds=0.2)) as client,
            pytest.raises(Unavailable) as e,
        ):
            client.head()
        return e.value

    refusal = await asyncio.to_thread(refused)
    assert (refusal.code, bool(refusal.remedy)) == ("not-xml", True)
    assert (await asyncio.to_thread(away)).code == "hub-unreachable"


async def test_auditors_and_operators_have_their_calls(hub: Hub) -> None:
    def work() -> None:
        with hub.blocking("operator") as client:
            client.add_member({"id": "tm-port", "state": "TM", "name": "The port"})
            client.add_subscription({"agency": "tm-port", "name": "all"})
            assert "tm-port" in [m["id"] for m in client.members()["members"]]
            assert client.head()["size"] > 0
            assert client.entries(kinds=("member",), limit=1)["entries"]
            assert client.dead_letters() == {"entries": [], "next": -1}
            with pytest.raises(Rejected):
                client.retry(0)

    await asyncio.to_thread(work)
