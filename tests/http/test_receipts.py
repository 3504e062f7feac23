"""Receipts over HTTP: each level is shown once it is reached, and holds without the hub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.core.levels import prove
from hub.log.checkpoints import add_cosignatures, at_least
from hub.log.log_keys import first_key
from schemas.checkpoint import Checkpoint
from schemas.log_receipt import read_log_receipt
from schemas.notes import read_note
from schemas.policy import Policy, read_policy
from schemas.tlog_proof import read_tlog_proof
from tests.cli import forked
from tests.hubkit import Hub, problem, running_hub, until
from tests.keys import cosign, witness

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIVE = ("az", "ir", "kz", "ru", "tm")
ORIGIN = "test.example/log"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def witnessed(tmp_path_factory: Any) -> AsyncIterator[tuple[Hub, Policy]]:
    """Give a hub with a policy of five witnesses, none of which runs."""
    place = tmp_path_factory.mktemp("witnessed")
    key = first_key([place / "log.key"], ORIGIN)
    lines = [f"log {key}", *(f"witness {n} {witness(n)}" for n in FIVE)]
    text = "\n".join([*lines, f"group states 3 {' '.join(FIVE)}", "quorum states", ""])
    (place / "policy").write_text(text)
    async with running_hub(place, policy=place / "policy") as hub:
        yield hub, read_policy(text.encode())


def cosign_from(hub: Hub, size: int, *names: str) -> int:
    """Cosign the first checkpoint that covers *size* entries; return what it covers."""
    with hub.log.writing() as c:
        one = at_least(c, size)
        assert one is not None
        text = read_note(one.note.encode()).text
        add_cosignatures(c, one.size, [cosign(n, text, 1_700_000_000) for n in names])
        return one.size


async def get(hub: Hub, path: str, who: str = "ir-ndmo") -> Any:
    async with hub.http(who) as http:
        return await http.get(path)


async def level(hub: Hub, index: int) -> str:
    return str((await get(hub, f"/v1/messages/{index}")).json()["level"])


async def until_signed(hub: Hub, index: int) -> None:
    async def there() -> bool:
        return await level(hub, index) != "durable"

    await until(there, "a checkpoint covers the message", 20)


async def test_a_level_is_shown_once_it_is_reached(witnessed: tuple[Hub, Policy]) -> None:
    hub, policy = witnessed
    index = await hub.publish()
    await until_signed(hub, index)
    shown = []
    for names in ((), ("az", "ir"), ("kz",), ("tm",), ("ru",)):
        await asyncio.to_thread(cosign_from, hub, index + 1, *names)
        told = (await get(hub, f"/v1/messages/{index}/receipt")).json()
        receipt = read_log_receipt(json.dumps(told).encode())
        proof = receipt.read_proof()
        assert proof is not None
        assert prove(receipt.body(), proof, policy).level == receipt.level
        assert await level(hub, index) == receipt.level
        shown.append(receipt.level)

    assert shown == ["signed", "signed", "witnessed", "sealed", "sealed"]


async def test_what_is_newer_is_not_witnessed_by_what_was_before(
    witnessed: tuple[Hub, Policy],
) -> None:
    hub, _ = witnessed
    before = await hub.publish()
    await until_signed(hub, before)
    covered = await asyncio.to_thread(cosign_from, hub, before + 1, *FIVE[:3])
    after = await hub.publish()
    await until_signed(hub, after)

    assert covered <= after
    assert await level(hub, before) == "witnessed"
    assert await level(hub, after) == "signed"
    note = (await get(hub, "/log/checkpoint?level=witnessed", "")).content
    newest = (await get(hub, "/log/checkpoint", "")).content
    assert Checkpoint.of(read_note(note).text).size == covered
    assert Checkpoint.of(read_note(newest).text).size > covered


async def test_it_is_told_how_far_the_end_has_come_and_when_each_witness_cosigned(
    witnessed: tuple[Hub, Policy],
) -> None:
    hub, policy = witnessed
    index = await hub.publish()
    await until_signed(hub, index)
    covered = await asyncio.to_thread(cosign_from, hub, index + 1, "az", "kz", "tm", "stranger")
    told = (await get(hub, "/v1/log/levels")).json()

    assert told["durable"]["size"] >= told["signed"]["size"] >= told["witnessed"]["size"] == covered
    assert told["quorum"] == 3
    assert told["policy"] == policy.text
    seen = {one["name"]: one for one in told["witnesses"]}
    assert list(seen)[:5] == list(FIVE)
    assert seen["kz"]["size"] == covered
    assert seen["kz"]["at"] == "2023-11-14T22:13:20Z"
    assert seen["kz"]["newest"] == (covered == told["signed"]["size"])
    stranger = str(witness("stranger")).partition("+")[0]
    assert [one["counts"] for one in seen.values()] == [True] * 5 + [False]
    assert seen[stranger]["size"] == covered


async def test_without_a_policy_no_level_of_witnesses_is_told(hub: Hub) -> None:
    told = (await get(hub, "/v1/log/levels")).json()

    assert (told["witnessed"], told["sealed"], told["quorum"]) == (None, None, 0)
    assert told["policy"] == ""


async def test_a_proof_is_a_file_for_other_peoples_tools(witnessed: tuple[Hub, Policy]) -> None:
    hub, policy = witnessed
    index = await hub.publish()
    await until_signed(hub, index)
    answer = await get(hub, f"/v1/messages/{index}/proof")
    row = await asyncio.to_thread(hub.log.row, index)

    assert row is not None
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert f'filename="message-{index}.tlog-proof"' in answer.headers["content-disposition"]
    assert prove(row.body, read_tlog_proof(answer.content), policy).level == "signed"


@pytest.mark.parametrize("what", ["proof", "receipt"])
async def test_whoever_may_not_read_a_message_gets_no_proof_of_it(hub: Hub, what: str) -> None:
    index = await hub.publish(scope="Private", addresses="kz-mes")

    problem(await get(hub, f"/v1/messages/{index}/{what}"), 404, "unknown-message")


async def test_without_a_policy_nothing_is_shown_as_witnessed(hub: Hub) -> None:
    index = await hub.publish()
    await until_signed(hub, index)
    await asyncio.to_thread(cosign_from, hub, index + 1, *FIVE)

    assert await level(hub, index) == "signed"
    problem(await get(hub, "/log/checkpoint?level=sealed"), 404, "checkpoint-none")
    problem(await get(hub, "/log/checkpoint?level=durable"), 422, "request-invalid")


async def test_what_nobody_signed_is_durable_and_has_no_proof(tmp_path_factory: Any) -> None:
    async with running_hub(tmp_path_factory.mktemp("unsigned"), log_key="") as hub:
        index = await hub.publish()
        told = (await get(hub, f"/v1/messages/{index}/receipt")).json()

        assert (told["level"], told["proof"]) == ("durable", None)
        assert await level(hub, index) == "durable"
        problem(await get(hub, f"/v1/messages/{index}/proof"), 404, "checkpoint-none")


async def test_a_bundle_made_from_afar_bears_the_hubs_policy(
    witnessed: tuple[Hub, Policy], tmp_path: Path
) -> None:
    hub, policy = witnessed
    index = await hub.publish()
    await until_signed(hub, index)

    done = await asyncio.to_thread(
        forked.run,
        ["log", "export", "part.jsonl", "--to", str(index), "--url", hub.url],
        stdin=b"",
        directory=tmp_path,
        environment={"CASPIAN_TOKEN": hub.tokens["auditor"], "HOME": str(tmp_path)},
    )

    assert done.returncode == 0, done.stderr
    first, _, _ = (tmp_path / "part.jsonl").read_text().partition("\n")
    assert json.loads(first)["policy"] == policy.text
