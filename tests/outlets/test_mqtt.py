"""Brokers: a notification of each message under its topic, through restarts of the broker."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import jsonschema
import pytest
import pytest_asyncio

from consumers.app import JOBS, running
from tests.http.certificates import made
from tests.hubkit import Hub, alert, running_hub, until
from tests.outlets.broker import Broker, broker
from tests.outlets.test_webhook import act, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

WNM = {
    "type": "object",
    "required": ["id", "conformsTo", "type", "geometry", "properties", "links"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "conformsTo": {"contains": {"const": "http://wis.wmo.int/spec/wnm/1/conf/core"}},
        "type": {"const": "Feature"},
        "geometry": {
            "anyOf": [
                {"type": "null"},
                {"type": "object", "properties": {"type": {"enum": ["Point", "Polygon"]}}},
            ]
        },
        "properties": {
            "type": "object",
            "required": ["pubtime", "data_id", "metadata_id", "datetime"],
            "properties": {
                "pubtime": {"type": "string", "format": "date-time"},
                "datetime": {"type": "string", "format": "date-time"},
                "integrity": {
                    "required": ["method", "value"],
                    "properties": {"method": {"enum": ["sha256", "sha512"]}},
                },
            },
        },
        "links": {"minItems": 1, "items": {"required": ["rel", "href"]}},
    },
}
"""What the WIS2 Notification Message, version 1, asks of each."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    jobs = [job for job in JOBS if job in {"intake", "ledger", "fanout"}]
    given = {"webhook_allow": "127.0.0.0/8", "outlet_retry": timedelta(milliseconds=30)}
    async with running_hub(tmp_path_factory.mktemp("hub"), jobs, **given) as hub:
        yield hub


@asynccontextmanager
async def bringing(hub: Hub, **given: Any) -> AsyncIterator[None]:
    async with running(hub.settings.model_copy(update=given), ["mqtt"]):
        yield


class Heard:
    """A subscriber that stays subscribed over restarts of its broker."""

    def __init__(self, broker: Broker, **options: Any) -> None:
        self.broker, self.options = broker, options
        self.name = uuid.uuid4().hex
        self.messages: list[tuple[str, dict[str, Any], Any]] = []
        self.there = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self.broker.port,
                    identifier=self.name,
                    clean_session=False,
                    **self.options,
                ) as client:
                    await client.subscribe("#", qos=1)
                    self.there.set()
                    async for message in client.messages:
                        body = json.loads(bytes(message.payload))  # type: ignore[arg-type]
                        self.messages.append((str(message.topic), body, message))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)

    @property
    def indexes(self) -> list[int]:
        return [b["properties"]["index"] for _, b, _ in self.messages if "index" in b["properties"]]

    async def heard(self, *indexes: int) -> None:
        async def there() -> bool:
            return list(dict.fromkeys(self.indexes)) == list(indexes)

        await until(there, f"{indexes} are heard", 30)


@asynccontextmanager
async def listening(broker: Broker, **options: Any) -> AsyncIterator[Heard]:
    await broker.ready()
    heard = Heard(broker, **options)
    task = asyncio.create_task(heard.run())
    try:
        async with asyncio.timeout(30):
            await heard.there.wait()
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def add(hub: Hub, url: str, who: str = "az-fhn", **given: Any) -> str:
    record = {"feed": who, "target": {"kind": "mqtt", "url": url}, **given}
    async with hub.http(who) as http:
        answer = await http.post("/v1/outlets", json=record)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_message_is_told_of_under_its_topic_with_a_link_and_its_digest(
    hub: Hub, tmp_path: Path
) -> None:
    payload = alert(severity="Extreme")
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub, public_url="https://hub.example"):
            await add(hub, there.url)
            index = await hub.publish("ir-ndmo", payload)
            async with hub.http("az-fhn") as http:
                await http.post(f"/v1/messages/{index}/acknowledgements", json={"officer": "L"})
            await heard.heard(index)

    ((topic, body, message),) = heard.messages
    jsonschema.validate(body, WNM, format_checker=jsonschema.FormatChecker())
    assert topic == "caspian/a/hub/ir/ir-ndmo/alert/actual/extreme"
    assert message.qos == 1
    assert not message.retain
    digest = base64.b64encode(hashlib.sha256(payload).digest()).decode()
    assert body["properties"]["integrity"] == {"method": "sha256", "value": digest}
    assert body["properties"]["data_id"] == f"test.example/log/{index}"
    (link,) = body["links"]
    assert link == {
        "href": f"https://hub.example/v1/messages/{index}/payload",
        "rel": "canonical",
        "type": "application/cap+xml",
        "length": len(payload),
    }
    assert body["geometry"]["coordinates"][0][0] == [49.9, 40.1]
    async with hub.http("az-fhn") as http:
        assert (await http.get(f"/v1/messages/{index}/payload")).content == payload


async def test_an_exercise_has_topics_of_its_own(hub: Hub, tmp_path: Path) -> None:
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub):
            await add(hub, there.url, feed="az-fhn.exercise")
            index = await hub.publish("ir-ndmo", status="Exercise", severity="Minor")
            await heard.heard(index)

    assert heard.messages[0][0] == "caspian/a/hub/ir/ir-ndmo/alert/exercise/minor"
    assert heard.messages[0][1]["properties"]["status"] == "Exercise"


async def test_a_broker_that_is_restarted_misses_nothing(hub: Hub, tmp_path: Path) -> None:
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub):
            await add(hub, there.url)
            first = [await hub.publish("ir-ndmo") for _ in range(3)]
            await heard.heard(*first)
            there.stop()
            away = [await hub.publish("ir-ndmo") for _ in range(3)]
            heard.there.clear()
            there.start()
            await there.ready()
            later = await hub.publish("ir-ndmo")
            await heard.heard(*first, *away, later)

    ids = [body["id"] for _, body, _ in heard.messages]
    assert len(set(ids)) == len({*first, *away, later})


async def test_an_alert_says_when_it_ends(hub: Hub, tmp_path: Path) -> None:
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub):
            await add(hub, there.url)
            old = datetime.now(UTC) - timedelta(hours=7)
            index = await hub.publish("ir-ndmo", alert(sent=old))
            await heard.heard(index)

    assert heard.messages[0][1]["properties"]["expires"] < datetime.now(UTC).isoformat()


async def test_a_broker_that_takes_a_publication_and_drops_it_is_seen(
    hub: Hub, tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    with broker(tmp_path / "b", f"allow_anonymous true\nacl_file {acl}\n") as there:
        await there.ready()
        async with bringing(hub):
            outlet = await add(hub, there.url)
            await hub.publish("ir-ndmo")

            async def refused() -> bool:
                found = await told(hub, outlet)
                return bool(found["attempts"]) and not found["attempts"][0]["ok"]

            await until(refused, "it is refused", 30)
            found = await told(hub, outlet)

    assert "Not authorized" in found["attempts"][0]["detail"]


async def test_a_test_has_a_topic_of_its_own(hub: Hub, tmp_path: Path) -> None:
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub):
            outlet = await add(hub, there.url)
            await act(hub, outlet, "test")

            async def there_is() -> bool:
                return bool(heard.messages)

            await until(there_is, "the test is heard", 30)

    assert heard.messages[0][0] == "caspian/a/hub/test"
    jsonschema.validate(heard.messages[0][1], WNM)


async def test_a_redaction_is_told_as_a_deletion(hub: Hub, tmp_path: Path) -> None:
    with broker(tmp_path / "b") as there:
        async with listening(there) as heard, bringing(hub):

            async def told(times: int) -> bool:
                return heard.indexes == [index] * times

            await add(hub, there.url, "kz-mes")
            index = await hub.publish("ir-ndmo")
            await until(lambda: told(1), "the message is heard", 30)
            async with hub.http("operator") as http:
                record = {"agency": "ir-ndmo", "message": index, "grounds": "a court"}
                assert (await http.post("/v1/redactions", json=record)).status_code == 201
            await until(lambda: told(2), "both are heard", 30)

    assert heard.messages[1][1]["links"][0]["rel"] == "deletion"
    jsonschema.validate(heard.messages[1][1], WNM)


async def test_over_tls_with_a_password_the_broker_must_be_who_its_name_says(
    hub: Hub, tmp_path: Path
) -> None:
    certificate, key = made("broker").write(tmp_path, "broker")
    passwords = tmp_path / "passwords"
    # What `mosquitto_passwd` makes of "pw": PBKDF2 with SHA-512, 101 rounds, salt of 12 bytes.
    salt = b"0123456789ab"
    hashed = hashlib.pbkdf2_hmac("sha512", b"pw", salt, 101)
    passwords.write_text(
        f"hub:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}\n"
    )
    config = (
        f"certfile {certificate}\nkeyfile {key}\nallow_anonymous false\npassword_file {passwords}\n"
    )
    with broker(tmp_path / "b", config) as there:
        await there.ready()
        by_name = f"mqtts://hub@localhost:{there.port}"
        async with bringing(hub, webhook_ca=Path(certificate)):
            good = await add(hub, by_name, secret="pw")
            other = await add(hub, by_name.replace("localhost", "127.0.0.1"), secret="pw")
            wrong = await add(hub, by_name, secret="no")
            results = {}
            for outlet in (good, other, wrong):
                await act(hub, outlet, "test")

                async def tried(outlet: str = outlet) -> bool:
                    attempts = (await told(hub, outlet))["attempts"]
                    results[outlet] = attempts[0] if attempts else None
                    return bool(attempts)

                await until(tried, "it was tried", 30)

    assert results[good]["ok"], results[good]
    assert not results[other]["ok"]
    assert "certificate" in results[other]["detail"].lower()
    assert not results[wrong]["ok"]
    assert "ot authorized" in results[wrong]["detail"]
