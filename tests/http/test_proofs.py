"""Over HTTP: an entry is in the log, the log only grew, and nothing else is proven."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from hub.core.merkle import leaf_hash
from hub.core.proofs import verify_consistency, verify_inclusion
from tests.hubkit import Hub, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(hub: Hub, path: str, who: str = "ir-ndmo") -> Any:
    async with hub.http(who) as http:
        return await http.get(path)


def unhex(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in proof]


async def test_an_entry_is_proven_to_be_in_the_log(hub: Hub) -> None:
    index = await hub.publish()
    told = (await ask(hub, f"/v1/log/inclusion/{index}")).json()
    entry = (await ask(hub, f"/v1/log/entries/{index}", "auditor")).json()
    leaf = leaf_hash(base64.b64decode(entry["entry"]))

    assert bytes.fromhex(told["leaf"]) == leaf
    assert verify_inclusion(
        unhex(told["proof"]),
        index=index,
        size=told["size"],
        leaf=leaf,
        root=bytes.fromhex(told["root"]),
    )


async def test_the_log_is_proven_to_have_grown_from_what_one_kept(hub: Hub) -> None:
    kept = (await ask(hub, "/v1/log")).json()
    await hub.publish()
    told = (await ask(hub, f"/v1/log/consistency?old={kept['size']}")).json()
    grew = {"old": kept["size"], "size": told["size"], "root": bytes.fromhex(told["root"])}

    assert told["size"] > kept["size"]
    proof = unhex(told["proof"])
    assert verify_consistency(proof, old_root=bytes.fromhex(kept["root"]), **grew)
    assert not verify_consistency(proof, old_root=bytes(32), **grew)


async def test_a_proof_of_an_earlier_size_comes_to_the_root_of_then(hub: Hub) -> None:
    kept = (await ask(hub, "/v1/log")).json()
    await hub.publish()
    told = (await ask(hub, f"/v1/log/inclusion/0?size={kept['size']}")).json()

    assert told["root"] == kept["root"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/log/inclusion/999999", 404, "entry-unknown"),
        ("/v1/log/inclusion/-1", 404, "entry-unknown"),
        ("/v1/log/inclusion/5?size=5", 404, "entry-unknown"),
        ("/v1/log/inclusion/0?size=999999", 422, "cursor-invalid"),
        ("/v1/log/inclusion/0?size=0", 422, "request-invalid"),
        ("/v1/log/consistency?old=999999", 422, "cursor-invalid"),
        ("/v1/log/consistency?old=0", 422, "request-invalid"),
        ("/v1/log/consistency?old=3&size=2", 422, "cursor-invalid"),
    ],
)
async def test_what_there_is_not_is_refused(hub: Hub, path: str, status: int, code: str) -> None:
    answer = await ask(hub, path)
    problem(answer, status, code)
