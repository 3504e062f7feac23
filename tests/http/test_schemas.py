"""The JSON Schemas: for everybody, as they lie in the package, and kept by who has them."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from hub.http.problems import PROBLEM
from schemas.cap import read_alert, write_alert_json
from schemas.json_schemas import NAMES, schema_text
from tests.hubkit import Hub, alert

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_whoever_asks_gets_the_list_and_each_schema_in_it(hub: Hub) -> None:
    async with hub.http() as http:
        listed = await http.get("/schemas")
        assert listed.status_code == 200
        told = listed.json()["schemas"]
        for one in told:
            answer = await http.get(one["path"])
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == "application/schema+json"
            assert answer.text == schema_text(one["name"])
            assert answer.json()["description"] == one["description"]

    assert [one["name"] for one in told] == list(NAMES)


@pytest.mark.parametrize("path", ["/schemas", "/schemas/Alert"])
async def test_who_has_it_does_not_get_it_again(hub: Hub, path: str) -> None:
    async with hub.http() as http:
        first = await http.get(path)
        tag = first.headers["ETag"]
        known = [
            await http.get(path, headers={"If-None-Match": have})
            for have in (tag, f"W/{tag}", f'"other", {tag}', "*")
        ]
        other = await http.get(path, headers={"If-None-Match": '"other"'})

    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert [answer.status_code for answer in known] == [304] * 4
    assert all(answer.content == b"" and answer.headers["ETag"] == tag for answer in known)
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "name", ["alert", "Nope", "Alert.schema.json", "..%2F..%2Fpyproject.toml", "%00", "a" * 5000]
)
async def test_there_is_nothing_else(hub: Hub, name: str) -> None:
    async with hub.http() as http:
        answer = await http.get(f"/schemas/{name}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["code"] == "route-unknown"
    assert len(answer.content) < 1000


async def test_an_alert_that_is_valid_by_the_schema_is_taken(hub: Hub) -> None:
    written = write_alert_json(read_alert(alert()).alert)
    async with hub.http() as http:
        schema = (await http.get("/schemas/Alert")).json()
    Draft202012Validator(schema).validate(json.loads(written))

    await hub.publish(payload=written)
