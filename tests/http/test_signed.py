"""Signed messages over HTTP and the streams, and every way in which somebody could cheat."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hub.core.candidate import Candidate
from hub.core.signing import Chain
from hub.streams import keys as stream_keys
from hub.streams.submit import propose
from schemas.payload import read_payload
from tests.hubkit import Hub, alert, problem, until
from tests.keys import key, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")
AZ, IR = "az-fhn", "ir-ndmo"


async def with_keys(hub: Hub) -> None:
    """Have each agency's key count; it is named as the agency."""
    for agency in (AZ, IR):
        body = {"agency": agency, "key": str(key(agency)), "action": "add"}
        await propose(hub.redis, [Candidate("key", agency, body=body)])

    async def there() -> bool:
        async with hub.http("auditor") as http:
            return len((await http.get("/v1/registry")).json()["keys"]) >= 2

    await until(there, "the keys count", 20)


async def chain(hub: Hub, agency: str = AZ) -> Chain:
    async with hub.http("auditor") as http:
        told = (await http.get(f"/v1/members/{agency}/chain")).json()
    return Chain(told["seq"], told["head"])


def message(payload: bytes, agency: str = AZ) -> Candidate:
    read = read_payload(payload)
    return Candidate(
        "publish", agency, payload=payload, payload_type=read.payload_type, facts=read.facts
    )


def heads(c: Candidate, **changed: str) -> dict[str, str]:
    told = {
        "Caspian-Header": base64.b64encode(c.header.encode()).decode(),
        "Caspian-Signature": c.signature,
        "Caspian-Key": c.key,
    }
    return {**told, **{f"Caspian-{name.capitalize()}": value for name, value in changed.items()}}


async def one(hub: Hub, signer: str = AZ, **changed: Any) -> Candidate:
    """Return the next message of az-fhn, signed."""
    await with_keys(hub)
    at = await chain(hub)
    changed.setdefault("id", f"{at.seq}-{alert()[100:110].hex()}")
    return signed(message(alert()), signer, at, **changed)


async def post(hub: Hub, c: Candidate, who: str = AZ, **given: Any) -> Any:
    given.setdefault("headers", heads(c))
    async with hub.http(who) as http:
        return await http.post("/v1/messages", content=c.payload, **given)


async def test_a_signed_message_is_taken_and_shown_as_signed(hub: Hub) -> None:
    c = await one(hub)
    answer = await post(hub, c)

    assert answer.status_code == 201, answer.text
    async with hub.http(IR) as http:
        shown = (await http.get(f"/v1/messages/{answer.json()['index']}")).json()
    assert (shown["attested"], shown["key"], shown["suspect"]) == ("agency", c.key, False)
    (row,) = [r for r in await hub.rows("publish") if r.index == answer.json()["index"]]
    assert row.entry["header"] == c.header
    assert (await chain(hub)).head == Chain().after(c.header).head


async def test_an_unsigned_message_is_shown_as_the_hubs_word(hub: Hub) -> None:
    index = await hub.publish()
    async with hub.http(IR) as http:
        assert (await http.get(f"/v1/messages/{index}")).json()["attested"] == "hub"


async def test_a_replayed_message_gets_its_first_receipt_and_nothing_more(hub: Hub) -> None:
    c = await one(hub)
    first = await post(hub, c)
    before = await hub.rows("publish")
    again = await post(hub, c)

    assert (again.status_code, again.json()["index"]) == (200, first.json()["index"])
    assert await hub.rows("publish") == before


async def test_what_one_agency_signed_another_cannot_send(hub: Hub) -> None:
    c = await one(hub)

    problem(await post(hub, c, who=IR), 422, "header-mismatch")
    assert (await post(hub, c)).status_code == 201


async def test_the_key_of_another_agency_signs_nothing(hub: Hub) -> None:
    c = await one(hub, IR)

    body = problem(await post(hub, c), 403, "key-unknown")
    assert "counted" not in body


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("header", "signature-invalid"),
        ("signature", "signature-invalid"),
        ("key", "signature-invalid"),
        ("payload", "header-mismatch"),
    ],
)
async def test_nothing_signed_can_be_altered(hub: Hub, field: str, code: str) -> None:
    c = await one(hub)
    given: dict[str, Any] = {"headers": heads(c)}
    if field == "header":
        altered = c.header.replace('"seq": ', '"seq":  ').encode()
        given["headers"] = heads(c, header=base64.b64encode(altered).decode())
    elif field == "signature":
        other = base64.b64encode(bytes(64)).decode()
        given["headers"] = heads(c, signature=other)
    elif field == "key":
        given["headers"] = heads(c, key=str(key(IR)))
    else:
        given["content"] = alert()
    async with hub.http(AZ) as http:
        answer = await http.post("/v1/messages", **{"content": c.payload, **given})

    problem(answer, 422, code)
    # It moved nothing: the true one is still the next.
    assert (await post(hub, c)).status_code == 201


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"header": "%%%"}, "header-invalid"),
        ({"header": "bm8="}, "header-invalid"),
        ({"header": base64.b64encode(b'{"id": "x"}').decode()}, "header-invalid"),
        ({"signature": "AA=="}, "signature-invalid"),
        ({"signature": "no"}, "signature-invalid"),
        ({"key": "az-fhn"}, "key-invalid"),
        ({"key": "az-fhn+00000000+AAAA"}, "key-invalid"),
    ],
)
async def test_what_is_no_signature_is_refused(hub: Hub, told: dict[str, str], code: str) -> None:
    c = await one(hub)

    problem(await post(hub, c, headers=heads(c, **told)), 422, code)


@pytest.mark.parametrize("left_out", ["Header", "Signature", "Key"])
async def test_all_three_or_none(hub: Hub, left_out: str) -> None:
    c = await one(hub)
    told = heads(c)
    del told[f"Caspian-{left_out}"]

    problem(await post(hub, c, headers=told), 422, "field-missing")


async def test_a_second_field_of_the_same_name_is_not_passed_over(hub: Hub) -> None:
    c = await one(hub)
    twice = [*heads(c).items(), ("caspian-key", str(key(IR)))]

    problem(await post(hub, c, headers=twice), 422, "header-invalid")


async def test_a_header_with_a_field_that_there_is_not_is_refused(hub: Hub) -> None:
    problem(await post(hub, await one(hub, alg="none")), 422, "header-invalid")


async def test_an_id_beside_another_in_the_header_is_refused(hub: Hub) -> None:
    c = await one(hub)
    told = {**heads(c), "Caspian-Message-Id": "another"}

    problem(await post(hub, c, headers=told), 422, "header-mismatch")


async def test_a_gap_and_a_fork_are_refused(hub: Hub) -> None:
    await post(hub, await one(hub))
    at = await chain(hub)
    ahead = signed(message(alert()), AZ, Chain(at.seq + 1, at.head), id="ahead")
    beside = signed(message(alert()), AZ, Chain(at.seq, "ab" * 32), id="beside")

    problem(await post(hub, ahead), 409, "sequence-gap")
    problem(await post(hub, beside), 409, "sequence-fork")
    assert await chain(hub) == at


async def test_a_refusal_says_whether_it_was_counted(hub: Hub) -> None:
    await with_keys(hub)
    at = await chain(hub)
    payload = alert(scope="Private", addresses="nobody")
    c = signed(message(payload), AZ, at, id=f"counted-{at.seq}")
    body = problem(await post(hub, c), 422, "no-known-recipient")

    assert body["counted"] is True
    assert (await chain(hub)).seq == at.seq + 1


async def test_whoever_writes_between_the_hubs_parts_cannot_forge(hub: Hub) -> None:
    """As one would who broke into Redis: past intake, straight to the ledger."""
    c = await one(hub)
    forged = signed(message(alert()), AZ, await chain(hub), id="forged")
    stolen = Candidate.from_fields(
        {
            k.encode(): v if isinstance(v, bytes) else v.encode()
            for k, v in {**forged.to_fields(), "signature": c.signature}.items()
        }
    )
    before = await hub.head()
    await propose(hub.redis, [stolen])

    entry = await hub.refused("signature-invalid", agency=AZ, after=before)
    assert "header" not in entry
    assert (await post(hub, c)).status_code == 201


async def test_over_the_streams_a_signed_message_is_three_more_fields(hub: Hub) -> None:
    c = await one(hub)
    fields = {"payload": c.payload, "header": c.header, "signature": c.signature, "key": c.key}
    inbox = (await hub.redis.xadd(stream_keys.inbox(AZ), fields)).decode()

    async def answered() -> bool:
        return any(a["inbox"] == inbox for a in await hub.answers(AZ))

    await until(answered, "there is an answer", 20)
    (answer,) = [a for a in await hub.answers(AZ) if a["inbox"] == inbox]
    assert (answer["type"], answer["id"]) == ("receipt", json.loads(c.header)["id"])


@pytest.mark.parametrize("field", ["header", "signature", "key"])
async def test_over_the_streams_what_is_not_text_is_refused(hub: Hub, field: str) -> None:
    c = await one(hub)
    fields = {"payload": c.payload, "header": c.header, "signature": c.signature, "key": c.key}
    before = await hub.head()
    await hub.redis.xadd(stream_keys.inbox(AZ), {**fields, field: b"\xff\xfe"})

    await hub.refused("field-not-text", agency=AZ, after=before)


async def test_the_count_is_its_agencys_own(hub: Hub) -> None:
    async with hub.http(IR) as http:
        problem(await http.get(f"/v1/members/{AZ}/chain"), 403, "not-allowed")
        assert (await http.get(f"/v1/members/{IR}/chain")).status_code == 200
    async with hub.http("auditor") as http:
        problem(await http.get("/v1/members/az-none/chain"), 403, "unknown-agency")


async def test_a_log_without_roots_says_so_and_takes_statements_from_nobody_else(hub: Hub) -> None:
    async with hub.http("auditor") as http:
        told = (await http.get("/v1/registry")).json()
        answer = await http.post("/v1/statements", json={"statement": "{}", "signatures": []})
    assert (told["signed"], told["states"]) == (False, {})
    problem(answer, 403, "not-allowed")
    async with hub.http("operator") as http:
        answer = await http.post("/v1/statements", json={"statement": "{}", "signatures": []})
    problem(answer, 422, "statement-invalid")
