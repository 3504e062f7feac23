"""A mirror with real processes and sockets: a hub loses everything, and its log comes back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.cli import main
from hub.client.signers import read_key
from hub.client.witness import Cosigned, WitnessAt, hand_in
from hub.core.merkle import leaf_hash
from hub.core.proofs import verify_inclusion
from hub.log.checkpoints import latest
from hub.log.store import Log
from hub.log.verify import verify_store
from hub.members.credentials import Role, issue
from hub.mirror.config import read_mirror
from hub.mirror.following import Follower
from hub.mirror.making import init, opened_mirror, restore
from hub.streams.embedded import free_port
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey
from tests.crash.chaos import until
from tests.hubkit import NO_TLS, Hub, alert, running_hub, store

_WITHIN = timedelta(seconds=20)


def token(hub: Hub, directory: Path, role: Role, **of: str) -> Path:
    now = datetime.now(UTC)
    given = {"agency": "", "person": "P", **of}
    path = directory / f"{role}-{of.get('state', '')}.token"
    path.write_text(issue(hub.log, role=role, now=now, expires=None, **given))
    return path


def log_key(hub: Hub) -> VerifierKey:
    return read_key(hub.settings.log_keys[0])


@asynccontextmanager
async def signing_hub(directory: Path, key: Path, **given: Any) -> AsyncIterator[Hub]:
    async with running_hub(directory, log_key=str(key), **given) as hub:

        async def signed() -> bool:
            with hub.log.reading() as c:
                one = latest(c)
            return one is not None and one.size == hub.log.head().size

        await until(signed, "the log is signed", 30)
        yield hub


def mirror(hub: Hub, directory: Path, state: str, tokens: Path) -> CosignerKey:
    return init(
        directory / state,
        url=hub.url,
        name=f"mirror.example/{state.lower()}",
        logs=[log_key(hub)],
        token_file=token(hub, tokens, "mirror", state=state),
        payload_token_file=token(hub, tokens, "auditor", state=state),
    )


def follow(directory: Path, size: int) -> None:
    """Let a mirror take steps until it holds so many entries."""
    with opened_mirror(directory) as one, one.source() as source:
        follower = Follower(one.log, source, one.config.logs)
        for _ in range(200):
            if one.step(follower) >= size:
                return
    pytest.fail("the mirror does not come so far")


async def test_a_hub_that_lost_its_disk_goes_on_from_its_mirrors(tmp_path: Path) -> None:
    disk, key, tokens = tmp_path / "disk", tmp_path / "log.key", tmp_path / "tokens"
    tokens.mkdir()
    disk.mkdir()
    port = free_port()
    async with signing_hub(disk, key, port=port) as hub:
        public = await hub.publish("az-fhn")
        private = await hub.publish(
            "kz-mes", scope="Private", addresses="ru-mchs", sender="duty@kz-mes.example"
        )
        body = hub.log.row(public)
        assert body is not None
        size = hub.log.head().size
        async with hub.http("az-fhn") as http:
            proof = (await http.get(f"/v1/log/inclusion/{public}?size={size}")).json()
        for state in ("AZ", "KZ"):
            await asyncio.to_thread(mirror, hub, tmp_path, state, tokens)
            await asyncio.to_thread(follow, tmp_path / state, size)
        shutil.rmtree(disk)  # while it runs

    copies = [tmp_path / "AZ", tmp_path / "KZ"]
    az = Log.open(read_mirror(copies[0]).store)
    hidden = az.row(private)
    assert hidden is not None
    assert hidden.payload is None, "what its state may not read a mirror does not have"
    az.close()

    new = tmp_path / "new"
    new.mkdir()
    with pytest.raises(Exception, match="have no payload"):
        restore(copies[:1], store(new), incomplete=False)
    shutil.rmtree(new)
    new.mkdir()
    made = restore(copies, store(new), incomplete=False)
    assert made.size >= size
    assert made.withheld == ()

    async with signing_hub(new, key, members=False, port=port) as hub:
        index = await hub.publish("az-fhn")
        assert index >= made.size
        assert verify_store(hub.log).ok
        now = hub.log.head().size
        async with hub.http("az-fhn") as http:
            grown = await http.get(f"/v1/log/consistency?old={size}&size={now}")
            assert grown.status_code == 200
            assert (await http.get(f"/v1/messages/{public}")).status_code == 200
        assert verify_inclusion(
            [bytes.fromhex(h) for h in proof["proof"]],
            index=public,
            size=size,
            leaf=leaf_hash(body.body),
            root=bytes.fromhex(proof["root"]),
        )
        for role in ("mirror", "auditor"):
            token(hub, tokens, role, state="AZ")  # tokens are in no mirror
        await asyncio.to_thread(follow, copies[0], now)  # and the mirrors go on, with no fork


@asynccontextmanager
async def running_mirror(directory: Path, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-m", "hub.cli", "mirror", "run", str(directory), "--port", str(port)],
        env={k: v for k, v in os.environ.items() if not k.startswith("CASPIAN_")},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def _size(port: int) -> int:
    try:
        async with httpx.AsyncClient(timeout=5) as http:
            return int((await http.get(f"http://127.0.0.1:{port}/healthz")).json()["size"])
    except httpx.TransportError:
        return -1


@pytest.mark.long
async def test_a_mirror_follows_cosigns_and_is_followed(tmp_path: Path) -> None:
    key, port = tmp_path / "log.key", free_port()
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    (tmp_path / "hub").mkdir()
    async with signing_hub(tmp_path / "hub", key) as hub:
        cosigner = await asyncio.to_thread(mirror, hub, tmp_path, "AZ", tokens)
        directory = tmp_path / "AZ"
        for round_ in range(2):
            async with running_mirror(directory, port) as process:
                index = await hub.publish("az-fhn", payload=alert())

                async def there(index: int = index) -> bool:
                    return await _size(port) > index

                await until(there, "the mirror holds it", 60)
                if round_ == 0:
                    process.send_signal(signal.SIGKILL)
                    continue

                async def signed() -> bool:
                    async with httpx.AsyncClient(timeout=5, verify=NO_TLS) as http:
                        note = (await http.get(f"http://127.0.0.1:{port}/log/checkpoint")).text
                    return cosigner.name in note

                await until(signed, "it serves what it has cosigned", 30)
                with hub.log.reading() as c:
                    newest = latest(c)
                assert newest is not None
                async with httpx.AsyncClient() as http:
                    at = WitnessAt("az", cosigner, f"http://127.0.0.1:{port}/witness")
                    answer: Any = None
                    for old in (0, newest.size):
                        answer = await hand_in(
                            http, at, old=old, proof=[], note=newest.note, within=_WITHIN
                        )
                    assert isinstance(answer, Cosigned), answer
                    assert (await http.get(f"http://127.0.0.1:{port}/v1/log")).status_code == 401
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 30) == 0


@pytest.mark.parametrize("call", [("run", "nowhere"), ("restore",), ("restore", "nowhere")])
def test_what_is_called_wrongly_is_told(
    call: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mirror", *call]) in {2, 5}
    assert "what to do" in capsys.readouterr().err
