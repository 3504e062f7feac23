"""Every answer tells browsers to do nothing with it, whatever was asked and by whom."""

from __future__ import annotations

import httpx
import pytest

from hub.http.guard import HEADERS, HSTS
from tests.http.description import operations
from tests.http.test_refusals import send
from tests.hubkit import Hub, another_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = sorted(tuple(operation.split()) for operation in operations())
EXTRA = [
    ("GET", "/openapi.json"),
    ("GET", "/none"),
    ("PUT", "/v1/messages"),
    ("OPTIONS", "/v1/feeds"),
    ("GET", "/v1/feeds/%00/events"),
]


def held(answer: httpx.Response) -> None:
    """Hold an answer against the headers that all have."""
    for name, value in HEADERS.items():
        given = answer.headers.get_list(name)
        if name == "Cache-Control" and given == ["public, max-age=3600"]:
            assert answer.url.path.startswith("/schemas")
            continue
        if name == "Cache-Control" and given == ["no-cache"] and "etag" in answer.headers:
            continue  # it may be kept, and is asked for again each time
        if name == "Cache-Control" and answer.url.path.startswith("/log/") and answer.is_success:
            continue  # hashes never change; tests/http/test_static_log.py says how they are kept
        assert given == [value], (answer.url, answer.status_code, name)


@pytest.mark.parametrize("who", ["", "az-fhn", "operator"])
async def test_every_answer_has_them(hub: Hub, who: str) -> None:
    async with hub.http(who) as http:
        for method, path in (*ROUTES, *EXTRA):
            filled = path.replace("{feed}", "az-fhn").replace("{agency}", "az-fhn")
            async with http.stream(method, filled) as answer:
                held(answer)
                assert answer.status_code != 500
                assert "strict-transport-security" not in answer.headers
                assert "server" not in answer.headers


async def test_the_parsers_own_refusal_has_them(hub: Hub) -> None:
    answer = await send(hub, b"hello\r\n\r\n")

    assert answer is not None
    answer.request = httpx.Request("GET", hub.url)
    assert answer.status_code == 400
    held(answer)


async def test_over_tls_browsers_are_told_to_come_so_again_and_on_no_strangers_word(
    hub: Hub,
) -> None:
    told = {"X-Forwarded-Proto": "https"}
    async with (
        another_api(hub, trusted_proxies="127.0.0.1") as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):
        paths = ("/healthz", "/none", "/v1/feeds", "/schemas")
        over_tls = [await http.get(path, headers=told) for path in paths]
        plain = [await http.get(path) for path in paths]
    async with hub.http() as http:
        stranger = await http.get("/healthz", headers=told)

    assert [a.headers.get("strict-transport-security") for a in over_tls] == [HSTS] * 4
    assert not any("strict-transport-security" in a.headers for a in (*plain, stranger))
