"""Webhooks: every entry to each receiver, in order, signed, whatever the receiver does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks import WebhookVerificationError

from consumers.app import JOBS, running
from hub.outlets import store
from tests.hubkit import Hub, problem, running_hub, until
from tests.outlets.receiver import Receiver, Request, receiving, status

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOWED = {"webhook_allow": "127.0.0.0/8", "outlet_retry": timedelta(milliseconds=30)}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """Give a hub whose webhooks are brought when a test begins with that."""
    jobs = [job for job in JOBS if job in {"intake", "ledger", "fanout", "delivery"}]
    async with running_hub(tmp_path_factory.mktemp("hub"), jobs, **ALLOWED) as hub:
        yield hub


@asynccontextmanager
async def bringing(hub: Hub, **given: Any) -> AsyncIterator[None]:
    """Run the job."""
    async with running(hub.settings.model_copy(update=given), ["webhook"]):
        yield


async def add(hub: Hub, url: str, who: str = "az-fhn", **given: Any) -> dict[str, Any]:
    """Make an outlet, of one's own feed where none is named."""
    record = {"feed": who, "target": {"kind": "webhook", "url": url}, **given}
    async with hub.http(who) as http:
        answer = await http.post("/v1/outlets", json=record)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def act(hub: Hub, outlet: str, action: str, who: str = "az-fhn", **body: Any) -> Any:
    async with hub.http(who) as http:
        answer = await http.post(f"/v1/outlets/{outlet}/{action}", json=body or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(hub: Hub, outlet: str, who: str = "az-fhn") -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/outlets/{outlet}", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def took(receiver: Receiver, *indexes: int) -> None:
    async def there() -> bool:
        return receiver.indexes == list(indexes)

    await until(there, f"{indexes} are taken", 30)


async def stands(hub: Hub, outlet: str, state: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def there() -> bool:
        found.update(await told(hub, outlet))
        return bool(found["state"] == state)

    await until(there, f"the outlet is {state}", 30)
    return found


async def test_a_receiver_gets_each_entry_once_in_order_and_can_verify_it(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        outlet = await add(hub, receiver.url)
        indexes = [await hub.publish("ir-ndmo", severity="Extreme") for _ in range(5)]
        async with hub.http("az-fhn") as http:
            acked = await http.post(
                f"/v1/messages/{indexes[0]}/acknowledgements", json={"officer": "Leyla"}
            )
        indexes.append(acked.json()["index"])
        await took(receiver, *indexes)
        async with hub.http("az-fhn") as http:
            page = (await http.get("/v1/feeds/az-fhn", params={"after": indexes[0] - 1})).json()

    for request, entry in zip(receiver.taken, page["entries"], strict=True):
        event = request.verified(outlet["secret"])
        assert request.id == f"msg_{outlet['id']}_{entry['index']}"
        assert event["data"] == {"feed": "az-fhn", "channel": "actual", **entry}
        assert event["timestamp"] == entry["at"]
        assert request.headers["content-type"] == "application/json"
    assert [r.event["type"] for r in receiver.taken] == [
        *["message.published"] * 5,
        "message.acknowledged",
    ]
    with pytest.raises(WebhookVerificationError):
        receiver.taken[0].verified("whsec_" + "A" * 43 + "=")


async def test_the_secret_is_shown_once_and_its_address_to_its_own_alone(hub: Hub) -> None:
    outlet = await add(hub, "https://receiver.example/hook?key=1")

    seen = json.dumps([await told(hub, outlet["id"], who) for who in ("az-fhn", "operator")])
    async with hub.http("az-fhn") as http:
        listed = (await http.get("/v1/outlets")).json()["outlets"]
    async with hub.http("ir-ndmo") as http:
        other = await http.get(f"/v1/outlets/{outlet['id']}")
        others = (await http.get("/v1/outlets")).json()["outlets"]

    assert outlet["secret"] not in seen + json.dumps(listed)
    assert outlet["id"] in [o["id"] for o in listed]
    problem(other, 404, "outlet-unknown")
    assert outlet["id"] not in [o["id"] for o in others]


async def test_while_a_secret_is_replaced_both_sign(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        outlet = await add(hub, receiver.url)
        rotated = await act(hub, outlet["id"], "rotate")
        await took(receiver, await hub.publish("ir-ndmo"))

    assert rotated["secret"] != outlet["secret"]
    assert rotated["rotating_until"] is not None
    for secret in (outlet["secret"], rotated["secret"]):
        receiver.taken[0].verified(secret)


async def hang(_request: Request, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def close_early(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


async def babble(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff rubbish\r\n\r\n")
    writer.close()


async def hang_up(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


MISCHIEF = {
    "refuses": status(500, body=b"no \x1b[31m"),
    "hangs": hang,
    "closes early": close_early,
    "babbles": babble,
    "hangs up": hang_up,
    "drips": drip,
    "sends elsewhere": status(302, "Location: http://127.0.0.1:1/"),
    "says see later": status(503, "Retry-After: 0"),
}


@pytest.mark.parametrize("how", MISCHIEF)
async def test_what_is_not_taken_comes_again_under_the_same_id(hub: Hub, how: str) -> None:
    async with (
        receiving() as receiver,
        bringing(hub, webhook_timeout=timedelta(milliseconds=300)),
    ):
        receiver.answers = [MISCHIEF[how], MISCHIEF[how]]
        outlet = await add(hub, receiver.url)
        first, second = await hub.publish("ir-ndmo"), await hub.publish("ir-ndmo")
        await took(receiver, first, second)
        found = await told(hub, outlet["id"])

        async def written() -> bool:
            found.update(await told(hub, outlet["id"]))
            return bool(found["through"] >= second)

        await until(written, "it is written down", 20)

    assert [r.id for r in receiver.seen[:3]] == [f"msg_{outlet['id']}_{first}"] * 3
    tried = [(a["index"], a["ok"]) for a in reversed(found["attempts"])]
    assert tried == [(first, False), (first, False), (first, True), (second, True)]
    failed = found["attempts"][-1]
    assert failed["detail"] or failed["status"]
    assert failed["detail"].isprintable()
    assert (found["state"], found["failures"], found["failing_since"]) == ("active", 0, None)


async def test_a_huge_answer_is_not_read_to_its_end(hub: Hub) -> None:
    sent = 0

    async def pour(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with receiving() as receiver, bringing(hub):
        receiver.answers = [pour]
        await add(hub, receiver.url)
        await hub.publish("ir-ndmo")
        second = await hub.publish("ir-ndmo")
        await took(receiver, second)

    assert sent < 64 << 20


async def test_a_redirect_is_followed_nowhere(hub: Hub) -> None:
    async with receiving() as inner, receiving() as receiver, bringing(hub):
        receiver.answers = [status(code, f"Location: {inner.url}") for code in (301, 302, 307, 308)]
        await add(hub, receiver.url)
        await took(receiver, await hub.publish("ir-ndmo"))

    assert inner.connections == 0


async def test_gone_ends_an_outlet_and_the_log_tells_of_it(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        receiver.answers = [status(410)]
        outlet = await add(hub, receiver.url)
        index = await hub.publish("ir-ndmo")
        await stands(hub, outlet["id"], "disabled")
        letter = await _letter(hub, outlet["id"])
        await act(hub, outlet["id"], "resume")
        await took(receiver, index)

    assert (letter["stage"], letter["index"], letter["feed"]) == ("webhook", index, "az-fhn")
    assert "127.0.0.1" not in json.dumps(letter)


async def _letter(hub: Hub, outlet: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def logged() -> bool:
        rows = await hub.rows("dead-letter")
        found[:] = [r.entry for r in rows if r.entry.get("outlet") == outlet]
        return bool(found)

    await until(logged, "the log tells of it", 30)
    return found[0]


async def test_what_fails_for_too_long_is_given_up_and_goes_on_where_it_stood(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub, outlet_patience=timedelta(milliseconds=200)):
        receiver.always = status(500)
        outlet = await add(hub, receiver.url)
        first, second = await hub.publish("ir-ndmo"), await hub.publish("ir-ndmo")
        found = await stands(hub, outlet["id"], "failing")
        letter = await _letter(hub, outlet["id"])
        tried = len(receiver.seen)
        receiver.always = None
        await act(hub, outlet["id"], "test")
        await until(_tested(receiver), "the test has come", 20)
        assert receiver.indexes == []
        await act(hub, outlet["id"], "resume")
        await took(receiver, first, second)

    assert tried > 1
    assert found["attempts"][0]["status"] == 500
    assert letter["index"] == first
    assert "failing" in letter["reason"]


def _tested(receiver: Receiver) -> Any:
    async def there() -> bool:
        return any(r.event["type"] == "outlet.test" for r in receiver.taken)

    return there


async def test_one_that_hangs_keeps_no_other_waiting(hub: Hub) -> None:
    async with AsyncExitStack() as stack:
        stuck = [await stack.enter_async_context(receiving()) for _ in range(10)]
        good = await stack.enter_async_context(receiving())
        await stack.enter_async_context(bringing(hub, webhook_timeout=timedelta(hours=1)))
        for receiver in stuck:
            receiver.always = hang
            await add(hub, receiver.url, "kz-mes")
        await add(hub, good.url, "kz-mes")
        indexes = [await hub.publish("ir-ndmo") for _ in range(3)]

        await took(good, *indexes)

    assert [len(receiver.seen) for receiver in stuck] == [1] * 10


async def test_a_paused_outlet_waits_and_then_gets_everything(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        outlet = await add(hub, receiver.url)
        await act(hub, outlet["id"], "pause")
        paused = [await hub.publish("ir-ndmo") for _ in range(3)]
        await act(hub, outlet["id"], "test")
        await until(_tested(receiver), "the test has come", 20)
        assert receiver.indexes == []
        await act(hub, outlet["id"], "resume")

        await took(receiver, *paused)


async def test_what_was_sent_is_sent_again_from_any_index(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        outlet = await add(hub, receiver.url)
        sent = [await hub.publish("ir-ndmo") for _ in range(4)]
        await took(receiver, *sent)
        ids = [r.id for r in receiver.taken]
        await act(hub, outlet["id"], "redeliver", after=sent[1])
        await took(receiver, *sent, *sent[2:])

    assert [r.id for r in receiver.taken[4:]] == ids[2:]


async def test_one_begins_in_the_past_where_that_is_asked_for(hub: Hub) -> None:
    first, second = await hub.publish("ir-ndmo"), await hub.publish("ir-ndmo")
    async with receiving() as receiver, bringing(hub):
        await add(hub, receiver.url, after=first - 1)

        await took(receiver, first, second)


async def test_what_the_agencys_own_webhook_has_taken_counts_as_delivered(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        await add(hub, receiver.url, "tm-msfs", confirms=True)
        index = await hub.publish("ir-ndmo")
        async with hub.http("ir-ndmo") as http:

            async def delivered() -> bool:
                life = (await http.get(f"/v1/messages/{index}")).json()["recipients"]
                states = {one["agency"]: one["state"] for one in life}
                assert states["ru-mchs"] == "queued"
                return bool(states["tm-msfs"] == "delivered")

            await until(delivered, "it counts as delivered", 30)


async def test_an_exercise_is_on_no_outlet_of_the_actual_feed(hub: Hub) -> None:
    async with receiving() as receiver, receiving() as drill, bringing(hub):
        await add(hub, receiver.url)
        await add(hub, drill.url, feed="az-fhn.exercise")
        exercise = await hub.publish("ir-ndmo", status="Exercise")
        actual = await hub.publish("ir-ndmo")

        await took(receiver, actual)
        await took(drill, exercise)
    assert drill.taken[0].event["data"]["channel"] == "exercise"


async def test_a_private_message_is_brought_to_its_own_alone(hub: Hub) -> None:
    async with receiving() as own, receiving() as other, receiving() as public, bringing(hub):
        await add(hub, own.url, "az-fhn")
        await add(hub, other.url, "kz-mes")
        await add(hub, public.url, "operator", feed="public")
        private = await hub.publish("ir-ndmo", scope="Private", addresses="az-fhn")
        drill = await hub.publish("ir-ndmo", status="Exercise")
        restricted = await hub.publish("ir-ndmo", scope="Restricted", restriction="members")
        everybody = await hub.publish("ir-ndmo")
        await took(own, private, restricted, everybody)
        await took(other, restricted, everybody)
        await took(public, everybody)

    assert drill < restricted


async def test_who_looks_after_an_outlet_may_not_have_its_secret(hub: Hub) -> None:
    outlet = await add(hub, "https://receiver.example/hook", "kz-mes")

    async with hub.http("registrar of KZ") as http:
        paused = await http.post(f"/v1/outlets/{outlet['id']}/pause")
        rotated = await http.post(f"/v1/outlets/{outlet['id']}/rotate")
        made = await http.post(
            "/v1/outlets",
            json={"feed": "kz-mes", "target": {"kind": "webhook", "url": "https://x.example/"}},
        )
        removed = await http.delete(f"/v1/outlets/{outlet['id']}")

    assert paused.json()["state"] == "paused"
    assert paused.json()["reason"] == "paused by Registrar"
    problem(rotated, 403, "not-allowed")
    problem(made, 403, "not-allowed")
    assert removed.status_code == 204
    async with hub.http("kz-mes") as http:
        problem(await http.get(f"/v1/outlets/{outlet['id']}"), 404, "outlet-unknown")


INVALID: list[dict[str, Any]] = [
    {"target": {"kind": "webhook", "url": "ftp://receiver.example/"}},
    {"target": {"kind": "webhook", "url": "https://user:pw@receiver.example/"}},
    {"target": {"kind": "webhook", "url": "https://receiver.example/#x"}},
    {"target": {"kind": "webhook", "url": "https://receiver.example/a b"}},
    {"target": {"kind": "webhook", "url": "https://receiver.example:99999/"}},
    {"target": {"kind": "webhook", "url": "https:///hook"}},
    {"target": {"kind": "mail", "address": "a@b.example\r\nBcc: c@d.example"}},
    {"target": {"kind": "fax", "url": "https://receiver.example/"}},
]


@pytest.mark.parametrize("given", INVALID, ids=lambda g: str(g["target"]))
async def test_an_address_that_is_none_is_refused(hub: Hub, given: dict[str, Any]) -> None:
    async with hub.http("az-fhn") as http:
        answer = await http.post("/v1/outlets", json={"feed": "az-fhn", **given})

    problem(answer, 422, "request-invalid")


UNFIT: list[tuple[dict[str, Any], int, str]] = [
    ({"target": {"kind": "webhook", "url": "https://10.0.0.1/"}}, 422, "outlet-invalid"),
    ({"target": {"kind": "webhook", "url": "https://[::ffff:10.0.0.1]/"}}, 422, "outlet-invalid"),
    ({"target": {"kind": "mail", "address": "duty@fhn.example"}}, 422, "outlet-invalid"),
    ({"secret": "whsec_short"}, 422, "outlet-invalid"),
    ({"after": 1 << 40}, 422, "cursor-invalid"),
    ({"confirms": True, "after": 0}, 422, "outlet-invalid"),
    ({"feed": "ir-ndmo"}, 404, "feed-unknown"),
    ({"feed": "public"}, 403, "not-allowed"),
]


@pytest.mark.parametrize(("given", "code", "why"), UNFIT, ids=lambda g: str(g)[:60])
async def test_what_cannot_be_an_outlet_is_refused(
    hub: Hub, given: dict[str, Any], code: int, why: str
) -> None:
    record = {"feed": "az-fhn", "target": {"kind": "webhook", "url": "https://r.example/"}}
    async with hub.http("az-fhn") as http:
        answer = await http.post("/v1/outlets", json={**record, **given})

    problem(answer, code, why)


async def test_one_that_confirms_cannot_pass_anything_over(hub: Hub) -> None:
    outlet = await add(hub, "https://receiver.example/", "ru-mchs", confirms=True)
    await hub.publish("ir-ndmo")
    async with hub.http("ru-mchs") as http:
        forward = await http.post(
            f"/v1/outlets/{outlet['id']}/redeliver", json={"after": await hub.head()}
        )
        nowhere = await http.post(f"/v1/outlets/{outlet['id']}/redeliver")

    problem(forward, 422, "outlet-invalid")
    problem(nowhere, 422, "outlet-invalid")


async def test_a_feed_has_no_end_of_outlets(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST", 0)
    async with hub.http("az-fhn") as http:
        answer = await http.post(
            "/v1/outlets",
            json={"feed": "az-fhn", "target": {"kind": "webhook", "url": "https://r.example/"}},
        )

    problem(answer, 409, "outlet-limit")


async def test_an_agency_that_left_gets_nothing_more(hub: Hub) -> None:
    await hub.add_members([{"id": "kz-old", "state": "KZ", "name": "Old"}])
    async with receiving() as receiver, receiving() as other, bringing(hub):
        await add(hub, receiver.url, "operator", feed="kz-old")
        await add(hub, other.url, "kz-mes")
        first = await hub.publish("ir-ndmo")
        await took(receiver, first)
        async with hub.http("operator") as http:
            gone = {"id": "kz-old", "state": "KZ", "name": "Old", "active": False}
            assert (await http.post("/v1/members", json=gone)).status_code == 201
        second = await hub.publish("ir-ndmo")
        await took(other, first, second)

        assert receiver.indexes == [first]


async def test_the_loss_of_redis_loses_no_webhook(hub: Hub) -> None:
    async with receiving() as receiver, bringing(hub):
        await add(hub, receiver.url)
        indexes = [await hub.publish("ir-ndmo") for _ in range(3)]
        await hub.redis.flushall()
        indexes += [await hub.publish("ir-ndmo") for _ in range(3)]

        await took(receiver, *indexes)
