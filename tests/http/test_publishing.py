"""``POST /v1/messages``: what is taken is durable, what is refused says why and is in the log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest

from schemas.payload import read_payload
from tests.hubkit import Hub, alert, another_api, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = {"Content-Type": "application/cap+xml"}


async def test_a_message_is_taken_and_the_log_has_its_bytes(hub: Hub) -> None:
    payload = alert()

    async with hub.http("az-fhn") as http:
        answer = await http.post("/v1/messages", content=payload, headers=CAP)

    assert answer.status_code == 201
    receipt = answer.json()
    assert answer.headers["location"] == f"/v1/messages/{receipt['id']}"
    assert receipt["level"] == "durable"
    assert receipt["duplicate"] is False
    assert receipt["sha256"] == hashlib.sha256(payload).hexdigest()
    row = await asyncio.to_thread(hub.log.row, receipt["index"])
    assert row is not None
    assert (row.kind, row.agency, row.payload) == ("publish", "az-fhn", payload)
    assert row.entry["via"] == "http"


async def test_the_same_bytes_again_bring_the_same_receipt(hub: Hub) -> None:
    payload = alert()

    async with hub.http("az-fhn") as http:
        first = await http.post("/v1/messages", content=payload)
        again = await http.post("/v1/messages", content=payload)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "duplicate": True}


async def test_other_bytes_under_a_used_identifier_are_refused(hub: Hub) -> None:
    identifier = uuid.uuid4().hex

    async with hub.http("az-fhn") as http:
        await http.post("/v1/messages", content=alert(identifier))
        other = await http.post("/v1/messages", content=alert(identifier, headline="Other"))

    body = problem(other, 409, "conflicting-replay")
    row = await asyncio.to_thread(hub.log.row, body["index"])
    assert row is not None
    assert (row.kind, row.entry["code"]) == ("refusal", "conflicting-replay")


async def test_an_id_of_the_senders_own_is_kept(hub: Hub) -> None:
    message_id = f"own.{uuid.uuid4()}"
    payload = alert()

    async with hub.http("az-fhn") as http:
        taken = await http.post(
            "/v1/messages", content=payload, headers={"Caspian-Message-Id": message_id}
        )
        found = await http.get(f"/v1/messages/{message_id}")
        other = await http.post(
            "/v1/messages", content=payload, headers={"Caspian-Message-Id": "another"}
        )

    assert taken.json()["id"] == message_id
    assert found.json()["index"] == taken.json()["index"]
    problem(other, 409, "conflicting-replay")


async def test_a_message_may_come_as_json(hub: Hub) -> None:
    identifier = uuid.uuid4().hex
    facts: dict[str, Any] = {
        "identifier": identifier,
        "sender": "centre@az.example",
        "sent": "2026-11-01T10:00:00+04:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "category": ["Env"],
                "event": "Oil spill",
                "urgency": "Immediate",
                "severity": "Severe",
                "certainty": "Observed",
                "area": [{"areaDesc": "Absheron"}],
            }
        ],
    }
    payload = json.dumps(facts).encode()

    async with hub.http("az-fhn") as http:
        taken = await http.post(
            "/v1/messages", content=payload, headers={"Content-Type": "application/json"}
        )
        kept = await http.get(f"/v1/messages/{identifier}/payload")

    assert taken.status_code == 201, taken.text
    assert kept.content == payload
    assert "json" in kept.headers["content-type"]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b']><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&m;</identifier></alert>'
)
XXE = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&x;</identifier></alert>'
)


@pytest.mark.parametrize(
    ("payload", "headers", "status", "code"),
    [
        pytest.param(b"this is no XML", CAP, 422, "not-xml", id="no xml"),
        pytest.param(b"", CAP, 422, "empty-payload", id="nothing"),
        pytest.param(LAUGHS, CAP, 422, "xml-forbidden", id="entities within entities"),
        pytest.param(XXE, CAP, 422, "xml-forbidden", id="a file of the server"),
        pytest.param(
            alert("x").replace(b"emergency:cap:1.2", b"emergency:cap:9.9"),
            CAP,
            422,
            "wrong-namespace",
            id="another namespace",
        ),
        pytest.param(
            alert("x"),
            {"Content-Type": "application/edxl-rm+xml"},
            415,
            "payload-type-mismatch",
            id="another type",
        ),
        pytest.param(
            alert("x"), {"Caspian-Message-Id": "a b"}, 422, "id-invalid", id="an id with a space"
        ),
        pytest.param(
            alert("x"),
            {"Caspian-Message-Id": "a" * 129},
            422,
            "id-invalid",
            id="an id that is too long",
        ),
        pytest.param(
            alert("x").replace(b"<status>Actual", b"<status>Real"),
            CAP,
            422,
            "structure-invalid",
            id="a value that there is not",
        ),
        pytest.param(
            alert("x").replace(b"40.1,49.9</polygon>", b"41.0,49.9</polygon>"),
            CAP,
            422,
            "rule-broken",
            id="a broken rule",
        ),
        pytest.param(
            alert("x", scope="Private", addresses="nobody-here"),
            CAP,
            422,
            "no-known-recipient",
            id="to nobody",
        ),
    ],
)
async def test_what_is_refused_says_why_and_is_in_the_log(
    hub: Hub, payload: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with hub.http("kz-mes") as http:
        answer = await http.post("/v1/messages", content=payload, headers=headers)

    body = problem(answer, status, code)
    assert body["remedy"]
    row = await asyncio.to_thread(hub.log.row, body["index"])
    assert row is not None
    assert (row.kind, row.agency, row.entry["code"]) == ("refusal", "kz-mes", code)


async def test_what_breaks_a_rule_is_told_where(hub: Hub) -> None:
    payload = alert().replace(b"40.1,49.9</polygon>", b"41.0,49.9</polygon>")

    async with hub.http("az-fhn") as http:
        body = problem(await http.post("/v1/messages", content=payload), 422, "rule-broken")

    (finding,) = [f for f in body["findings"] if "polygon" in f["path"]]
    assert finding["severity"] == "error"
    assert finding["line"] > 0
    assert finding["rule"]


async def test_a_body_that_is_too_long_is_not_kept(hub: Hub) -> None:
    before = await hub.head()

    async with hub.http("ru-mchs") as http:
        answer = await http.post("/v1/messages", content=b"x" * 10_000_000, headers=CAP)

    problem(answer, 413, "too-large")
    refusal = await hub.refused("too-large", agency="ru-mchs", after=before)
    assert refusal["payload_size"] == 0


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "token-missing"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "token-missing"),
        ({"Authorization": "Bearer"}, "token-missing"),
        ({"Authorization": "Bearer nonsense"}, "token-invalid"),
        ({"Authorization": f"Bearer csp_abcdefgh_{'x' * 43}"}, "token-invalid"),
        ({"who": "revoked"}, "token-invalid"),
        ({"who": "expired"}, "token-expired"),
    ],
)
async def test_without_a_valid_token_nothing_is_taken(
    hub: Hub, header: dict[str, str], code: str
) -> None:
    before = await hub.head()
    if who := header.get("who"):
        header = {"Authorization": f"Bearer {hub.tokens[who]}"}

    async with hub.http() as http:
        answer = await http.post("/v1/messages", content=alert(), headers=header)

    body = problem(answer, 401, code)
    assert body["remedy"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    await hub.refused(code, after=before)
    assert not await hub.rows("publish", after=before)


async def test_a_wrong_secret_is_answered_as_an_unknown_one(hub: Hub) -> None:
    prefix = hub.tokens["az-fhn"].rpartition("_")[0][:12]
    wrong = {"Authorization": f"Bearer {prefix}_{'A' * 43}"}
    unknown = {"Authorization": f"Bearer csp_aaaaaaaa_{'A' * 43}"}

    async with hub.http() as http:
        one = await http.get("/v1/feeds", headers=wrong)
        other = await http.get("/v1/feeds", headers=unknown)

    assert problem(one, 401, "token-invalid") == problem(other, 401, "token-invalid")


async def test_a_role_that_may_not_publish_is_refused(hub: Hub) -> None:
    before = await hub.head()

    for who in ("auditor", "operator"):
        async with hub.http(who) as http:
            answer = await http.post("/v1/messages", content=alert())
        assert problem(answer, 403, "not-allowed")["remedy"]

    await hub.refused("not-allowed", after=before)


async def test_an_agency_that_is_no_member_is_refused(hub: Hub) -> None:
    """Its answer cannot come by the receipts of a member, and comes all the same."""
    async with hub.http("stranger") as http:
        answer = await http.post("/v1/messages", content=alert())

    problem(answer, 403, "unknown-agency")
    await hub.refused("unknown-agency", agency="az-unknown")


async def test_many_wrong_tokens_are_counted_together(hub: Hub) -> None:
    await hub.api.flush()
    before = await hub.publish()  # what other tests did stands before it in the log
    flood = 60

    async with (
        # Their wrong tokens are counted apart: the other tests share an address.
        another_api(hub, trusted_proxies="127.0.0.1") as settings,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http,
    ):
        answers = [
            await http.get(
                "/v1/feeds",
                headers={
                    "Authorization": f"Bearer guess-{i}",
                    "X-Forwarded-For": f"192.0.2.{i // 20}",
                },
            )
            for i in range(flood)
        ]

    assert {a.status_code for a in answers} == {401}
    counts: list[int] = []

    async def counted() -> bool:
        rows = await hub.rows("refusal", after=before)
        counts[:] = [r.entry["count"] for r in rows if r.entry["code"] == "token-invalid"]
        return sum(counts) >= flood

    await until(counted, "all are counted")
    assert sum(counts) == flood
    assert len(counts) < flood / 2


async def test_a_fault_of_the_hub_with_one_message_is_a_dead_letter_and_can_be_tried_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError("a fault of the hub")

    payload = alert()
    monkeypatch.setattr("consumers.intake.read_payload", broken)
    async with hub.http("tm-msfs") as http:
        answer = await http.post("/v1/messages", content=payload)
    monkeypatch.setattr("consumers.intake.read_payload", read_payload)

    index = problem(answer, 422, "dead-letter")["index"]
    async with hub.http("operator") as http:
        letters = (await http.get("/v1/dead-letters")).json()["entries"]
        (letter,) = [e for e in letters if e["index"] == index]
        assert (letter["agency"], letter["stage"]) == ("tm-msfs", "intake")
        assert "a fault of the hub" in letter["reason"]
        first = await http.post(f"/v1/dead-letters/{index}/retry")
        again = await http.post(f"/v1/dead-letters/{index}/retry")
    assert (first.status_code, again.status_code) == (202, 202)

    async def published() -> bool:
        return any(r.payload == payload for r in await hub.rows("publish", agency="tm-msfs"))

    await until(published, "the dead letter is published")
    both = {first.json()["inbox"], again.json()["inbox"]}

    async def answered() -> bool:
        return both <= {a["inbox"] for a in await hub.answers("tm-msfs")}

    await until(answered, "both tries are answered")
    rows = await hub.rows("publish", agency="tm-msfs")
    assert [r.payload for r in rows].count(payload) == 1


async def test_only_an_operator_tries_a_dead_letter_again(hub: Hub) -> None:
    async with hub.http("auditor") as http:
        assert (await http.get("/v1/dead-letters")).status_code == 200
        problem(await http.post("/v1/dead-letters/0/retry"), 403, "not-allowed")
    async with hub.http("az-fhn") as http:
        problem(await http.get("/v1/dead-letters"), 403, "not-allowed")
    async with hub.http("operator") as http:
        problem(await http.post("/v1/dead-letters/0/retry"), 404, "entry-unknown")
        problem(await http.post("/v1/dead-letters/999999/retry"), 404, "entry-unknown")
        problem(await http.post(f"/v1/dead-letters/{1 << 60}/retry"), 404, "entry-unknown")
