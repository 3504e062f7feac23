"""Other people's verifiers read our log from its static files, and find that it holds.

``tlog-scales`` knows nothing of this project. It gets a URL, a key, and for the entries a token.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tlog_scales import tiles
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import InclusionProofInvalid

from hub.core.admission import NewEntry
from hub.log.genesis import ensure_genesis
from hub.log.log_keys import first_key
from hub.log.store import Log
from hub.log.tree import Tree
from schemas.entry import encode
from tests.hubkit import Hub, running_hub, store, until

ORIGIN = "test.example/log"


def fill(directory: Path, size: int) -> str:
    """Begin a log of so many entries; return the key that signs it."""
    key = str(first_key([directory / "log.key"], ORIGIN))
    log = Log.open(store(directory))
    head = ensure_genesis(log, origin=ORIGIN, version="1", now_us=1, key=key)
    while head.size < size:
        last = min(size, head.size + 4096)
        entries = [
            NewEntry("delivery", t, "", encode("delivery", t, "", {"feeds": {"az-fhn": t}}))
            for t in range(head.size, last)
        ]
        head = log.append(entries, expect=head)
    log.close()
    return key


def look(hub: Hub, key: str, size: int) -> None:
    """Verify the log as a stranger does."""
    backend = HttpBackend(f"{hub.url}/log")
    reader = TilesReader(backend)
    with backend.session as session:
        checkpoint = reader.get_checkpoint()
        assert checkpoint.origin == ORIGIN
        assert checkpoint.size == size
        checkpoint.verify(Vkey.from_string(key))
        assert reader.calculate_root_hash() == checkpoint.root_hash
        session.headers["Authorization"] = f"Bearer {hub.tokens['mirror']}"
        chosen = {0, 1, 255, 256, 257, size // 2, size - 257, size - 2, size - 1}
        for index in sorted(chosen):
            entry = reader.get_entry(index)
            row = hub.log.row(index)
            assert row is not None
            assert entry == row.body
            proof = reader.get_inclusion_proof(index, size)
            proof.check(tiles.leaf_hash(entry), checkpoint.root_hash)
            with pytest.raises(InclusionProofInvalid):
                proof.check(tiles.leaf_hash(entry + b" "), checkpoint.root_hash)
        for old in (1, 2, 255, 256, 257, size // 3, size - 1, size):
            reader.get_consistency_proof(old, size).check(
                Tree(hub.log).root(old), checkpoint.root_hash
            )


async def verified(directory: Path, size: int) -> None:
    key = await asyncio.to_thread(fill, directory, size)
    async with running_hub(directory, ["checkpoint"], members=False) as hub:

        async def signed() -> bool:
            async with hub.http() as http:
                answer: Any = await http.get("/log/checkpoint")
            return answer.status_code == 200 and answer.text.split("\n")[1] == str(size)

        await until(signed, "the end is signed", 60)
        await asyncio.to_thread(look, hub, key, size)


async def test_tlog_scales_verifies_our_log(tmp_path: Path) -> None:
    await verified(tmp_path, 2_100)


@pytest.mark.soak
async def test_tlog_scales_verifies_our_log_of_three_levels_of_tiles(tmp_path: Path) -> None:
    """The example of the specification: 273 full tiles, and a partial one on each level."""
    await verified(tmp_path, 70_000)
