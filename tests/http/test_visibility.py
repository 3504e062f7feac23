"""Who sees a message: its sender and those it is for. For everybody else there is none."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.hubkit import AGENCIES, Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


ABOVE = {"auditor", "operator"}
EVERYBODY = frozenset(AGENCIES)
AUDIENCES: dict[str, tuple[dict[str, Any], set[str] | frozenset[str]]] = {
    "public": ({"scope": "Public"}, EVERYBODY),
    "to an agency": ({"scope": "Private", "addresses": "ir-ndmo"}, {"az-fhn", "ir-ndmo"}),
    "to states": (
        {"scope": "Private", "addresses": "KZ state:TM"},
        {"az-fhn", "kz-mes", "tm-msfs"},
    ),
    "to an agency and a stranger": (
        {"scope": "Private", "addresses": "ir-ndmo nobody@x.example"},
        {"az-fhn", "ir-ndmo"},
    ),
    "restricted": (
        {"scope": "Restricted", "restriction": "kz-mes, RU"},
        {"az-fhn", "kz-mes", "ru-mchs"},
    ),
    "restricted to the circle": (
        {"scope": "Restricted", "restriction": "for official use"},
        EVERYBODY,
    ),
    "exercise": ({"status": "Exercise"}, EVERYBODY),
    "private exercise": (
        {"status": "Exercise", "scope": "Private", "addresses": "ir-ndmo"},
        {"az-fhn", "ir-ndmo"},
    ),
    "test": ({"status": "Test"}, EVERYBODY),
    "system": ({"status": "System"}, EVERYBODY),
    "draft": ({"status": "Draft"}, {"az-fhn"}),
}
ENDINGS = {"Actual": "", "Exercise": ".exercise", "Test": ".exercise", "System": ".system"}


@dataclass
class Published:
    """What was published once for all tests of this module, and what then stood in which feed."""

    identifiers: dict[str, str]
    indexes: dict[str, int]
    acknowledgements: dict[str, int]
    feeds: dict[str, set[int]]

    def holders(self, index: int) -> set[str]:
        return {feed for feed, held in self.feeds.items() if index in held}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def published(hub: Hub) -> Published:
    """Publish one message for each audience; let ir-ndmo acknowledge those of each reality."""
    identifiers = {name: uuid.uuid4().hex for name in AUDIENCES}
    indexes = {
        name: await hub.publish("az-fhn", identifier=identifiers[name], **given)
        for name, (given, _) in AUDIENCES.items()
    }
    acknowledgements = {}
    async with hub.http("officer") as http:
        for name in ("public", "exercise", "test", "system"):
            answer = await http.post(f"/v1/messages/{indexes[name]}/acknowledgements")
            assert answer.status_code == 201, answer.text
            acknowledgements[name] = answer.json()["index"]
    feeds: dict[str, set[int]] = {}
    for agency in AGENCIES:
        async with hub.http(agency) as http:
            for channel in ("", ".exercise", ".system", ".draft"):
                feed = f"{agency}{channel}"
                await hub.fed(feed, max(acknowledgements.values()))
                page = (await http.get(f"/v1/feeds/{feed}", params={"limit": 1000})).json()
                feeds[feed] = {e["index"] for e in page["entries"]}
    return Published(identifiers, indexes, acknowledgements, feeds)


@pytest.mark.parametrize("name", AUDIENCES)
async def test_a_message_is_on_the_feeds_of_its_audience_and_reality_alone(
    published: Published, name: str
) -> None:
    given, audience = AUDIENCES[name]
    end = {**ENDINGS, "Draft": ".draft"}[given.get("status", "Actual")]

    assert published.holders(published.indexes[name]) == {f"{a}{end}" for a in audience}


@pytest.mark.parametrize("name", ["public", "exercise", "test", "system"])
async def test_an_acknowledgement_keeps_to_the_reality_of_its_message(
    published: Published, name: str
) -> None:
    end = ENDINGS[AUDIENCES[name][0].get("status", "Actual")]

    holders = published.holders(published.acknowledgements[name])
    assert holders == {f"az-fhn{end}", f"ir-ndmo{end}"}


@pytest.mark.parametrize("who", [*AGENCIES, "officer", "auditor", "operator"])
async def test_a_message_is_there_for_its_audience_and_for_nobody_else(
    hub: Hub, published: Published, who: str
) -> None:
    """By each of its names, facts and bytes; all others get what they get for no message at all."""
    agency = {"officer": "ir-ndmo"}.get(who, who)
    async with hub.http(who) as http:
        for name, (_, audience) in AUDIENCES.items():
            for called in (published.identifiers[name], str(published.indexes[name])):
                facts = await http.get(f"/v1/messages/{called}")
                payload = await http.get(f"/v1/messages/{called}/payload")
                if agency in audience | ABOVE:
                    assert facts.json()["index"] == published.indexes[name]
                    assert published.identifiers[name].encode() in payload.content
                else:
                    for answer in (facts, payload):
                        body = problem(answer, 404, "unknown-message")
                        assert body["detail"] == f"there is no message {called}"


async def test_a_stranger_cannot_acknowledge_and_learns_nothing(hub: Hub) -> None:
    index = await hub.publish("az-fhn", scope="Private", addresses="ir-ndmo")
    nothing = await hub.head() + 10_000

    async with hub.http("kz-mes") as http:
        answers = [
            await http.post(f"/v1/messages/{name}/acknowledgements", json={"officer": "Somebody"})
            for name in (index, nothing)
        ]

    hidden, none = (problem(a, 404, "unknown-message") for a in answers)
    assert hidden["detail"].replace(str(index), "N") == none["detail"].replace(str(nothing), "N")
    assert hidden["remedy"] == none["remedy"]


async def test_a_name_that_is_several_messages_is_not_guessed(hub: Hub) -> None:
    identifier = uuid.uuid4().hex
    first = await hub.publish("az-fhn", identifier=identifier, scope="Private", addresses="ir-ndmo")
    second = await hub.publish(
        "kz-mes", identifier=identifier, sender="x@kz.example", scope="Private", addresses="ru-mchs"
    )

    async def named(who: str) -> httpx.Response:
        async with hub.http(who) as http:
            return await http.get(f"/v1/messages/{identifier}")

    body = problem(await named("auditor"), 409, "ambiguous-message")
    assert str(first) in body["detail"]
    assert str(second) in body["detail"]
    assert (await named("ir-ndmo")).json()["index"] == first
    assert (await named("ru-mchs")).json()["index"] == second


@pytest.mark.parametrize(
    "name", ["0", "-1", "9" * 30, "%00", "%FF", "..%2F..%2Flog", "x" * 2000, "%25", "_", "1e3", "٣"]
)
async def test_what_names_nothing_is_no_message(hub: Hub, name: str) -> None:
    await hub.publish()

    async with hub.http("auditor") as http:
        answers: list[Any] = [
            await http.get(f"/v1/messages/{name}"),
            await http.get(f"/v1/messages/{name}/payload"),
        ]

    for answer in answers:
        assert problem(answer, 404, answer.json()["code"])["code"] in {
            "unknown-message",
            "route-unknown",
        }


async def test_the_bytes_come_as_they_were_sent_with_their_digest(hub: Hub) -> None:
    index = await hub.publish()
    row = await asyncio.to_thread(hub.log.row, index)
    assert row is not None

    async with hub.http("kz-mes") as http:
        life = (await http.get(f"/v1/messages/{index}")).json()
        answer = await http.get(f"/v1/messages/{index}/payload")

    assert answer.content == row.payload
    assert answer.headers["etag"] == f'"{life["sha256"]}"'
    assert answer.headers["content-type"] == "application/cap+xml"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
