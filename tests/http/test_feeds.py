"""``GET /v1/feeds``: a cursor is a log index, never expires, and shows what one is entitled to."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
import pytest_asyncio

from hub.core.registry import History
from hub.log.feeding import feeds_for
from hub.streams import keys
from hub.streams.feeds import FeedEntry, FeedStreams
from tests.hubkit import Hub, alert, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read(hub: Hub, who: str, feed: str, **params: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get(f"/v1/feeds/{feed}", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def indexes(page: dict[str, Any]) -> list[int]:
    return [entry["index"] for entry in page["entries"]]


async def publish_some(hub: Hub, count: int, **given: Any) -> list[int]:
    return sorted(await asyncio.gather(*(hub.publish(**given) for _ in range(count))))


async def routed(hub: Hub, feed: str) -> list[int]:
    """Return what the log says that a feed holds."""
    history = History(await asyncio.to_thread(hub.log.registry_entries))
    return [r.index for r in await hub.rows() if feed in feeds_for(r, history.at(r.index))]


async def test_an_entry_says_what_was_published_byte_for_byte(hub: Hub) -> None:
    payload = alert()
    index = await hub.publish("az-fhn", payload)
    await hub.fed("kz-mes", index)

    (entry,) = (await read(hub, "kz-mes", "kz-mes", after=index - 1))["entries"]

    row = await asyncio.to_thread(hub.log.row, index)
    assert row is not None
    assert entry["kind"] == "publish"
    assert entry["agency"] == "az-fhn"
    assert entry["id"] == row.message_id
    assert entry["payload"].encode() == payload
    assert entry["payload_sha256"] == hashlib.sha256(payload).hexdigest()
    assert entry["facts"]["severity"] == "Severe"


async def test_pages_follow_one_another_to_the_end(hub: Hub) -> None:
    cursor = await hub.head()
    published = await publish_some(hub, 7)
    await hub.fed("kz-mes", published[-1])

    found: list[int] = []
    while page := indexes(answer := await read(hub, "kz-mes", "kz-mes", after=cursor, limit=3)):
        assert len(page) <= 3
        assert answer["next"] >= page[-1]
        cursor = answer["next"]
        found += page

    assert found == published


async def test_the_default_cursor_is_the_beginning(hub: Hub) -> None:
    last = await hub.publish()
    await hub.fed("kz-mes", last)

    page = await read(hub, "kz-mes", "kz-mes", limit=1000)

    assert indexes(page) == await routed(hub, "kz-mes")
    explicit = await read(hub, "kz-mes", "kz-mes", limit=1000, after=-1)
    assert page["entries"] == explicit["entries"]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"after": -2},
        {"after": 1 << 53},
        {"after": "first"},
        {"wait": -1},
        {"wait": 61},
        {"wait": "nan"},
        {"sandbox": "../live"},
    ],
    ids=str,
)
async def test_what_is_no_cursor_or_limit_is_refused(hub: Hub, params: dict[str, Any]) -> None:
    async with hub.http("kz-mes") as http:
        answer = await http.get("/v1/feeds/kz-mes", params=params)

    body = problem(answer, 422, "request-invalid")
    assert next(iter(params)) in body["detail"]


async def test_a_cursor_beyond_the_end_finds_nothing_and_stays(hub: Hub) -> None:
    beyond = await hub.head() + 1000

    page = await read(hub, "kz-mes", "kz-mes", after=beyond)

    assert page == {"entries": [], "next": beyond}


async def test_waiting_brings_the_first_entry_when_it_comes(hub: Hub) -> None:
    cursor = await hub.head()
    await hub.fed("kz-mes", cursor)

    async with asyncio.TaskGroup() as tasks:
        page = tasks.create_task(read(hub, "kz-mes", "kz-mes", after=cursor, wait=30))
        index = await hub.publish()

    assert indexes(page.result()) == [index]
    assert page.result()["next"] >= index


async def test_a_cursor_over_a_trimmed_stream_is_answered_from_the_log(hub: Hub) -> None:
    cursor = await hub.head()
    published = await publish_some(hub, 5)
    await hub.fed("tm-msfs", published[-1])
    whole = await read(hub, "tm-msfs", "tm-msfs", after=cursor)
    assert indexes(whole) == published

    await hub.redis.xtrim(
        keys.feed("tm-msfs"), minid=keys.entry_id(published[3]), approximate=False
    )

    assert [i for i, _ in await hub.feed("tm-msfs") if i > cursor] == published[3:]
    again = await read(hub, "tm-msfs", "tm-msfs", after=cursor)
    assert again["entries"] == whole["entries"]
    first = await read(hub, "tm-msfs", "tm-msfs", after=cursor, limit=2)
    assert first["entries"] == whole["entries"][:2]
    rest = await read(hub, "tm-msfs", "tm-msfs", after=first["next"])
    assert rest["entries"] == whole["entries"][2:]


async def test_one_sees_the_feeds_of_ones_own_agency(hub: Hub) -> None:
    async def seen(who: str) -> list[str]:
        async with hub.http(who) as http:
            return [f["feed"] for f in (await http.get("/v1/feeds")).json()["feeds"]]

    own = [f"ir-ndmo{end}" for end in ("", ".draft", ".exercise", ".system")]
    assert await seen("ir-ndmo") == own
    assert await seen("officer") == own
    everything = await seen("auditor")
    assert everything == await seen("operator")
    assert set(everything) > {*own, "az-fhn", "kz-mes.exercise"}


@pytest.mark.parametrize("feed", ["az-fhn", "az-fhn.exercise", "kz-mes.nothing", "zz-none", "a b"])
async def test_a_foreign_feed_does_not_exist(hub: Hub, feed: str) -> None:
    """One answer for a feed of another and for none at all."""
    async with hub.http("kz-mes") as http:
        answers = [
            await http.get(f"/v1/feeds/{feed}"),
            await http.get(f"/v1/feeds/{feed}/events"),
            await http.post(f"/v1/feeds/{feed}/confirmations", json={"through": 0}),
        ]

    for answer in answers:
        assert problem(answer, 404, "feed-unknown")["detail"] == f"there is no feed {feed} for you"


async def test_an_auditor_reads_any_feed_and_confirms_none(hub: Hub) -> None:
    index = await hub.publish()
    await hub.fed("kz-mes", index)

    assert indexes(await read(hub, "auditor", "kz-mes", after=index - 1)) == [index]
    for who in ("auditor", "operator"):
        async with hub.http(who) as http:
            answer = await http.post("/v1/feeds/kz-mes/confirmations", json={"through": index})
        problem(answer, 403, "not-allowed")


async def test_a_confirmation_only_goes_on(hub: Hub) -> None:
    index = await hub.publish()
    async with hub.http("ru-mchs") as http:
        for through in (index, 1):
            answer = await http.post("/v1/feeds/ru-mchs/confirmations", json={"through": through})
            assert answer.status_code == 202
            assert answer.json() == {"feed": "ru-mchs", "through": through}

    assert await hub.redis.zscore(keys.CONFIRMED, "ru-mchs") == index


@pytest.mark.parametrize("body", [{}, {"through": -1}, {"through": "x"}, {"through": 1, "more": 1}])
async def test_what_is_no_confirmation_is_refused(hub: Hub, body: dict[str, Any]) -> None:
    async with hub.http("ru-mchs") as http:
        answer = await http.post("/v1/feeds/ru-mchs/confirmations", json=body)

    problem(answer, 422, "request-invalid")


async def test_nobody_confirms_what_the_log_does_not_hold(hub: Hub) -> None:
    beyond = await hub.head() + 100

    async with hub.http("ru-mchs") as http:
        answer = await http.post("/v1/feeds/ru-mchs/confirmations", json={"through": beyond})

    problem(answer, 422, "cursor-invalid")


async def test_a_subscription_is_a_feed_of_what_its_filter_keeps(hub: Hub) -> None:
    record = {"agency": "ru-mchs", "name": "grave", "filter": {"severity": "Severe"}}
    async with hub.http("operator") as http:
        made = await http.post("/v1/subscriptions", json=record)
    assert made.json()["feed"] == "ru-mchs.grave"

    await hub.publish(severity="Minor")
    grave = await hub.publish(severity="Extreme")
    await hub.fed("ru-mchs.grave", grave)

    assert indexes(await read(hub, "ru-mchs", "ru-mchs.grave")) == [grave]
    async with hub.http("kz-mes") as http:
        problem(await http.get("/v1/feeds/ru-mchs.grave"), 404, "feed-unknown")


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "minor extreme unknown ack"),
    ({"state": "az"}, "minor unknown ack"),
    ({"state": ["AZ", "KZ"]}, "minor extreme unknown ack"),
    ({"state": "TM"}, ""),
    ({"kind": "alert"}, "minor extreme unknown"),
    ({"kind": ["ack", "aid"]}, "ack"),
    ({"severity": "Severe"}, "extreme unknown ack"),
    ({"event": "oil SPILL", "kind": "alert"}, "minor extreme unknown"),
    ({"event": "Flood", "kind": "alert"}, ""),
    ({"language": "en", "kind": "alert"}, "minor extreme unknown"),
    ({"language": "fa", "kind": "alert"}, ""),
    ({"bbox": "40,49,41,51", "kind": "alert"}, "minor extreme unknown"),
    ({"bbox": "0,0,1,1", "kind": "alert"}, ""),
    ({"touches": ["AZ-BA", "TM"], "kind": "alert"}, "minor extreme unknown"),
    ({"touches": "TM-coast", "kind": "alert"}, ""),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sorts(hub: Hub) -> dict[str, int]:
    """Publish a message of each sort; return their indexes."""
    sorts = {
        "minor": await hub.publish("az-fhn", severity="Minor"),
        "extreme": await hub.publish("kz-mes", severity="Extreme"),
        "unknown": await hub.publish("az-fhn", severity="Unknown"),
        "ack": await hub.publish(
            "az-fhn", msg_type="Ack", references="x@kz.example,kz-1,2026-01-01T00:00:00-00:00"
        ),
    }
    await hub.fed("ir-ndmo", sorts["ack"])
    return sorts


@pytest.mark.parametrize(("params", "kept"), FILTERS, ids=str)
async def test_a_filter_keeps_what_it_says_and_the_cursor_moves_over_the_rest(
    hub: Hub, sorts: dict[str, int], params: dict[str, Any], kept: str
) -> None:
    page = await read(hub, "ir-ndmo", "ir-ndmo", after=sorts["minor"] - 1, **params)

    assert {name for name, index in sorts.items() if index in indexes(page)} == set(kept.split())
    assert page["next"] >= sorts["ack"]


@pytest.mark.parametrize(
    "params",
    [
        {"bbox": "1,2,3"},
        {"touches": "Baku"},
        {"bbox": "a,b,c,d"},
        {"bbox": "10,0,5,1"},
        {"bbox": "nan,0,5,1"},
        {"severity": "Awful"},
        {"kind": "rumour"},
    ],
    ids=str,
)
async def test_what_is_no_filter_is_refused(hub: Hub, params: dict[str, str]) -> None:
    async with hub.http("ir-ndmo") as http:
        for path in ("/v1/feeds/ir-ndmo", "/v1/feeds/ir-ndmo/events"):
            body = problem(await http.get(path, params=params), 422, "filter-invalid")
            assert body["remedy"]


async def test_a_replay_is_read_from_its_beginning_by_an_auditor_alone(hub: Hub) -> None:
    sandbox = FeedStreams(hub.redis, sandbox="drill")
    index = await hub.publish()
    await hub.fed("kz-mes", index)
    ((_, fields),) = [e for e in await hub.feed("kz-mes") if e[0] == index]
    await sandbox.create("kz-mes", after=0, confirmed=0)
    replayed = {k.decode(): v for k, v in fields.items()} | {"replay": "drill"}
    await sandbox.append({"kz-mes": (0, [FeedEntry(index, replayed)])}, reached=index)

    (entry,) = (await read(hub, "auditor", "kz-mes", sandbox="drill"))["entries"]

    assert (entry["index"], entry["replay"]) == (index, "drill")
    async with hub.http("kz-mes") as http:
        answer = await http.get("/v1/feeds/kz-mes", params={"sandbox": "drill"})
    problem(answer, 403, "not-allowed")
