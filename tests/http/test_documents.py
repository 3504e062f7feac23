"""The pages that describe the hub: whole, true, and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from lxml import html

from hub.http.asyncapi import asyncapi
from hub.http.documents import CSP
from hub.streams import keys
from tests.docs.pages import bare, rows, sections, text_of
from tests.hubkit import Hub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _page(hub: Hub, path: str) -> Any:
    async with hub.http() as http:
        answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CSP
    return html.fromstring(answer.text)


@pytest.mark.parametrize("path", ["/docs", "/docs/streams"])
async def test_a_page_loads_nothing_and_runs_nothing(hub: Hub, path: str) -> None:
    page = await _page(hub, path)

    assert page.xpath("//script | //link | //img | //iframe | //@style | //@onclick") == []
    (style,) = page.xpath("//style/text()")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CSP
    assert "script-src" not in CSP
    assert "default-src 'none'" in CSP
    for link in page.xpath("//a/@href"):
        assert re.match(r"^(/[a-z]|#)", link), link
        if link.startswith("#"):
            assert page.xpath(f"//*[@id='{link[1:]}']"), link


async def test_every_route_is_on_the_page(hub: Hub) -> None:
    page = await _page(hub, "/docs")
    async with hub.http() as http:
        api = (await http.get("/openapi.json")).json()
    shown = {" ".join(h.text_content().split()) for h in page.xpath("//section/h3")}

    assert shown == {
        f"{method.upper()} {path}" for path, methods in api["paths"].items() for method in methods
    }


async def test_every_field_of_the_streams_is_on_the_page(hub: Hub) -> None:
    page = await _page(hub, "/docs/streams")
    shown = {code.text_content() for code in page.xpath("//td/code")}

    for message in asyncapi()["components"]["messages"].values():
        assert set(message["payload"]["properties"]) <= shown


async def test_the_document_is_served(hub: Hub) -> None:
    async with hub.http() as http:
        answer = await http.get("/asyncapi.json")

    assert answer.json() == asyncapi()
    assert answer.json()["asyncapi"] == "3.0.0"


async def test_the_document_is_one_that_another_implementation_reads() -> None:
    read = ApplicationSchema.model_validate(asyncapi())

    assert set(read.channels) == {"inbox", "receipts", "feed"}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [r for value in node.values() for r in _references(value)]
    if isinstance(node, list):
        return [r for value in node for r in _references(value)]
    return []


async def test_every_reference_leads_somewhere() -> None:
    document = asyncapi()
    references = _references(document)

    assert len(references) > 10
    for reference in references:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


async def test_the_document_says_what_the_page_of_the_streams_says() -> None:
    page = text_of("docs/protocol/streams.md")
    found = sections(page, 2)
    messages = asyncapi()["components"]["messages"]

    def fields(name: str) -> list[str]:
        return list(messages[name]["payload"]["properties"])

    def written(text: str) -> list[str]:
        return [bare(row[0]) for row in rows(text)]

    receipts, refusals = found["Answers"].split("A refusal:")
    assert fields("message") == written(found["Publish"])
    assert fields("receipt") == written(receipts)
    assert fields("refusal") == written(refusals)
    assert fields("entry") == written(found["Read a feed"])
    assert fields("acknowledgement") == written(found["Acknowledge"])
    addresses = {channel["address"] for channel in asyncapi()["channels"].values()}
    assert addresses == {
        keys.inbox("{agency}"),
        keys.receipts("{agency}"),
        keys.feed("{feed}"),
    }
