"""``/v1/log/search``: what of the log is searched for, for whoever may read it and no further."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from hub.core.merkle import leaf_hash
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class There:
    """What was published: a word that only these messages say, and their indexes."""

    word: str
    public: int
    to_ir: int
    to_kz: int
    mild: int


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def there(hub: Hub) -> There:
    word = f"W{uuid.uuid4().hex}"
    given = {"headline": f"Нефть {word}", "incidents": f"AC-{word}"}
    private = {**given, "scope": "Private"}
    return There(
        word,
        await hub.publish("az-fhn", **given),
        await hub.publish("az-fhn", **private, addresses="ir-ndmo"),
        await hub.publish("az-fhn", **private, addresses="kz-mes"),
        await hub.publish("az-fhn", headline=word, severity="Minor"),
    )


async def search(hub: Hub, who: str = "auditor", **params: Any) -> dict[str, Any]:
    async with hub.http(who) as http:
        answer = await http.get("/v1/log/search", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def indexes(page: dict[str, Any]) -> list[int]:
    return [one["index"] for one in page["entries"]]


async def test_what_is_found_is_told_with_its_bytes_and_the_range(hub: Hub, there: There) -> None:
    page = await search(hub, text=f"НЕФТЬ {there.word.upper()}")

    assert indexes(page) == [there.public, there.to_ir, there.to_kz]
    assert (page["first"], page["end"]) == (0, page["size"])
    assert (page["withheld"], page["next"]) == (0, None)
    one = page["entries"][0]
    body = base64.b64decode(one["entry"])
    assert leaf_hash(body).hex() == one["leaf"]
    assert json.loads(body)["kind"] == one["kind"] == "publish"
    assert one["message"]["headline"] == f"Нефть {there.word}"
    assert one["message"]["incidents"] == [f"AC-{there.word}"]
    assert "payload" not in one


async def test_every_filter_counts(hub: Hub, there: There) -> None:
    text = there.word
    for params, expected in (
        ({"severity": "Severe"}, [there.public, there.to_ir, there.to_kz]),
        ({"incident": f"ac-{text}", "newest": True}, [there.to_kz, there.to_ir, there.public]),
        ({"kind": ["refusal"]}, []),
        ({"agency": "ir-ndmo"}, []),
        ({"agency": "az-fhn", "limit": 1}, [there.public]),
        ({"after": there.public, "before": there.to_kz}, [there.to_ir]),
        ({"touches": "KZ"}, []),
        ({"bbox": "40.3,50.2,40.3,50.2", "after": there.to_kz}, [there.mild]),
        ({"since": "2100-01-01T00:00:00Z"}, []),
        ({"until": "2020-01-01T00:00:00Z"}, []),
    ):
        assert indexes(await search(hub, text=text, **params)) == expected, params


async def test_nobody_finds_what_they_may_not_read(hub: Hub, there: There) -> None:
    hidden = {"auditor of KZ": there.to_ir, "auditor of ir-ndmo": there.to_kz}
    for who, index in hidden.items():
        theirs = [there.public, {*hidden.values()}.difference({index}).pop(), there.mild]
        page = await search(hub, who, text=there.word)
        assert indexes(page) == sorted(theirs)
        assert page["withheld"] >= 1
        for params in ({"incident": f"AC-{there.word}"}, {"kind": "publish"}):
            assert index not in indexes(await search(hub, who, **params, newest=True))
        only = {"after": index - 1, "before": index + 1}
        said, unsaid = [await search(hub, who, text=t, **only) for t in (there.word, "nothing")]
        for one in (said, unsaid):
            del one["size"], one["root"]
        assert said == unsaid


async def test_the_search_is_for_who_reads_the_log(hub: Hub) -> None:
    for who in ("az-fhn", "officer", "registrar", "mirror"):
        async with hub.http(who) as http:
            problem(await http.get("/v1/log/search"), 403, "not-allowed")
    async with hub.http() as http:
        problem(await http.get("/v1/log/search"), 401, "token-missing")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"severity": "Grave"}, "filter-invalid"),
        ({"bbox": "1,2,3"}, "filter-invalid"),
        ({"bbox": "a,b,c,d"}, "filter-invalid"),
        ({"bbox": "50,0,40,1"}, "filter-invalid"),
        ({"touches": "Atlantis"}, "filter-invalid"),
        ({"since": "yesterday"}, "request-invalid"),
        ({"limit": 0}, "request-invalid"),
        ({"limit": 201}, "request-invalid"),
        ({"before": -1}, "request-invalid"),
        ({"text": "x" * 501}, "request-invalid"),
    ],
)
async def test_what_is_no_filter_is_refused(hub: Hub, params: dict[str, Any], code: str) -> None:
    async with hub.http("auditor") as http:
        problem(await http.get("/v1/log/search", params=params), 422, code)


async def test_what_no_text_can_hold_is_not_found(hub: Hub) -> None:
    for params in ({"text": "\x00"}, {"incident": "\x00"}, {"agency": "\x00"}, {"kind": "\x00"}):
        assert indexes(await search(hub, **params)) == []
