"""The feeder: every witness at its own pace, whatever it does; only what verifies is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from nacl.signing import SigningKey
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from consumers.witness import Feeder
from hub.client.witness import WitnessAt
from hub.streams.embedded import free_port
from hub.witness.app import build_witness
from hub.witness.config import WitnessConfig
from hub.witness.identity import STORE, Identity
from hub.witness.making import init, opened
from hub.witness.store import WitnessStore
from schemas.cosignature import CosignerKey, cosignature, message
from tests.crash.chaos import until
from tests.hubkit import QuietServer
from tests.witness.signed import SignedLog as Hub

pytestmark = pytest.mark.long

WITHIN = timedelta(seconds=0.5)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    yield made
    made.log.close()


@dataclass
class Liar:
    """A witness that does anything but its work."""

    how: str
    secret: SigningKey = field(default_factory=SigningKey.generate)
    asked: int = 0

    @property
    def key(self) -> CosignerKey:
        return CosignerKey(f"witness.example/{self.how}", bytes(self.secret.verify_key))

    def line(self, text: str, secret: SigningKey, key: CosignerKey) -> str:
        return f"{cosignature(key, 7, secret.sign(message(text, 7)).signature)}\n"

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        body = (await request.body()).decode()
        text = body.partition("\n\n")[2].partition("\n\n")[0] + "\n"
        other = SigningKey.generate()
        stranger = CosignerKey(self.key.name, bytes(other.verify_key))
        match self.how:
            case "hangs":
                await asyncio.sleep(60)
            case "drips":
                return StreamingResponse(_drip())
            case "floods":
                return StreamingResponse(_flood())
            case "redirects":
                return RedirectResponse("/honest/add-checkpoint", 307)
            case "garbage":
                return PlainTextResponse("\x00\xff no line\n")
            case "wrong-key":
                return PlainTextResponse(self.line(text, other, stranger))
            case "forged":
                return PlainTextResponse(self.line(text, other, self.key))
            case "another-text":
                return PlainTextResponse(self.line(text + "x\n", self.secret, self.key))
            case "ahead":
                return PlainTextResponse("1000000\n", 409)
            case "in-circles":
                return PlainTextResponse(f"{body.split()[1]}\n", 409)
            case "refuses":
                return PlainTextResponse("no\n", 422)
            case "no-size":
                return PlainTextResponse("none\n", 409)
        return PlainTextResponse("broken\n", 500)


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b"\xe2\x80\x94"
        await asyncio.sleep(0.1)


async def _flood() -> AsyncIterator[bytes]:
    for _ in range(1000):
        yield b"x" * 10_000


HONEST = "witness.example/honest"


@dataclass
class Witnesses:
    url: str
    honest: WitnessAt
    liars: dict[str, Liar]

    def at(self, how: str) -> WitnessAt:
        return WitnessAt(how, self.liars[how].key, f"{self.url}/{how}")


HOWS = {
    "hangs": "timeout",
    "drips": "timeout",
    "floods": "too-long",
    "redirects": "status",
    "garbage": "nonsense",
    "wrong-key": "wrong-key",
    "forged": "wrong-key",
    "another-text": "wrong-key",
    "ahead": "ahead",
    "in-circles": "nonsense",
    "refuses": "refused",
    "no-size": "nonsense",
    "fails": "status",
}


@asynccontextmanager
async def serving(app: Starlette, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, port=port, ws="none", log_config=None, lifespan="off", timeout_graceful_shutdown=0
    )
    server = QuietServer(config)
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started, "the witnesses answer", 20)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def honest(hub: Hub, directory: Path) -> tuple[WitnessConfig, Identity, WitnessStore]:
    if not directory.exists():
        init(directory, name=HONEST, logs=[hub.key], listen="127.0.0.1:0")
    return opened(directory)


@asynccontextmanager
async def witnesses(hub: Hub, directory: Path) -> AsyncIterator[Witnesses]:
    """Serve one witness that does its work, and one of each that does not."""
    config, identity, kept = await asyncio.to_thread(honest, hub, directory)
    liars = {how: Liar(how) for how in HOWS}
    routes = [
        Mount(f"/{how}", routes=[Route("/add-checkpoint", one.answer, methods=["POST"])])
        for how, one in liars.items()
    ]
    app = Starlette(routes=[*routes, Mount("/honest", build_witness(config, identity, kept))])
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with serving(app, port):
        yield Witnesses(url, WitnessAt("honest", identity.key, f"{url}/honest/"), liars)


@asynccontextmanager
async def feeding(hub: Hub, *ones: WitnessAt) -> AsyncIterator[Feeder]:
    feeder = Feeder(hub.log, ones, within=WITHIN)
    try:
        yield feeder
    finally:
        await feeder.close()


def counted(metric: str, witness: str, why: str) -> float:
    return REGISTRY.get_sample_value(metric, {"witness": witness, "why": why}) or 0.0


async def cosigned_by(hub: Hub, feeder: Feeder, key: CosignerKey) -> int:
    """Look again and again, as the job does, until a key has cosigned the newest."""

    async def there() -> bool:
        await feeder.look()
        return await asyncio.to_thread(hub.by, key) > 0

    await until(there, f"{key.name} has cosigned", 20)
    return hub.by(key)


async def test_every_checkpoint_is_fed_from_where_the_witness_stands(
    hub: Hub, tmp_path: Path
) -> None:
    async with witnesses(hub, tmp_path / "w") as w:
        async with feeding(hub, w.honest) as feeder:
            await feeder.look()  # nothing is signed yet
            for count in (1, 1, 300, 7):
                size = hub.grow(count).size
                assert await cosigned_by(hub, feeder, w.honest.key) == size
        hub.grow(5)
        async with feeding(hub, w.honest) as feeder:  # another process: it reads where it stood
            assert await cosigned_by(hub, feeder, w.honest.key) == hub.log.head().size


async def test_a_witness_that_stands_elsewhere_is_fed_from_there(hub: Hub, tmp_path: Path) -> None:
    async with witnesses(hub, tmp_path / "w") as w:
        hub.grow(4)
        async with feeding(hub, w.honest) as feeder, feeding(hub, w.honest) as second:
            await cosigned_by(hub, feeder, w.honest.key)
            hub.grow(4)
            await cosigned_by(hub, second, w.honest.key)
            hub.grow(4)
            await cosigned_by(hub, feeder, w.honest.key)


@pytest.mark.parametrize("how", HOWS)
async def test_one_that_does_not_its_work_holds_up_nobody_and_nothing_of_it_is_kept(
    hub: Hub, tmp_path: Path, how: str
) -> None:
    before = counted("caspian_feeder_failures_total", how, HOWS[how])
    async with witnesses(hub, tmp_path / "w") as w, feeding(hub, w.at(how), w.honest) as feeder:
        hub.grow(3)
        began = time.monotonic()
        await feeder.look()
        assert time.monotonic() - began < WITHIN.total_seconds(), "looking waits for nobody"
        await cosigned_by(hub, feeder, w.honest.key)

        async def failed() -> bool:
            await feeder.look()
            return counted("caspian_feeder_failures_total", how, HOWS[how]) > before

        await until(failed, "it is counted as a failure", 20)
        hub.grow(2)
        await cosigned_by(hub, feeder, w.honest.key)

        assert hub.by(w.liars[how].key) == 0
        assert w.liars[how].asked <= 3, "and is asked less and less often"


@pytest.mark.parametrize(("how", "why"), [("ahead", "ahead"), ("refuses", "refused")])
async def test_a_contradiction_is_told(hub: Hub, tmp_path: Path, how: str, why: str) -> None:
    before = counted("caspian_feeder_contradictions_total", how, why)
    async with witnesses(hub, tmp_path / "w") as w, feeding(hub, w.at(how)) as feeder:
        hub.grow(3)

        async def told() -> bool:
            await feeder.look()
            return counted("caspian_feeder_contradictions_total", how, why) > before

        await until(told, "the contradiction is counted", 20)


async def test_a_hub_that_was_restored_from_an_old_copy_is_told_by_its_witness(
    hub: Hub, tmp_path: Path
) -> None:
    before = counted("caspian_feeder_contradictions_total", "honest", "ahead")
    async with witnesses(hub, tmp_path / "w") as w:
        async with feeding(hub, w.honest) as feeder:
            hub.grow(9)
            await cosigned_by(hub, feeder, w.honest.key)
        (tmp_path / "old").mkdir()
        old = Hub(tmp_path / "old", hub.secret)
        old.grow(2)
        async with feeding(old, w.honest) as feeder:

            async def told() -> bool:
                await feeder.look()
                return counted("caspian_feeder_contradictions_total", "honest", "ahead") > before

            await until(told, "the witness claims more than there is", 20)
            assert old.by(w.honest.key) == 0
            # It grows past what the witness knows, with another history: that is a fork.
            old.grow(30, word="other")
            again = counted("caspian_feeder_contradictions_total", "honest", "refused")

            async def refused() -> bool:
                await feeder.look()
                found = counted("caspian_feeder_contradictions_total", "honest", "refused")
                return found > again

            await until(refused, "the witness refuses the other history", 20)
            assert old.by(w.honest.key) == 0
        old.log.close()


async def test_a_witness_that_was_brought_back_from_a_backup_is_told(
    hub: Hub, tmp_path: Path
) -> None:
    """All of its files at once, so that it cannot know; the cosignatures kept here do."""
    before = counted("caspian_feeder_contradictions_total", "honest", "behind")
    directory = tmp_path / "w"
    async with witnesses(hub, directory) as w, feeding(hub, w.honest) as feeder:
        hub.grow(4)
        await cosigned_by(hub, feeder, w.honest.key)
        files = ("key.json", "mark.json", STORE)
        backup = {name: (directory / name).read_bytes() for name in files}
        hub.grow(4)
        await cosigned_by(hub, feeder, w.honest.key)
    for name, data in backup.items():
        (directory / name).write_bytes(data)
    async with witnesses(hub, directory) as w, feeding(hub, w.honest) as feeder:
        hub.grow(4)
        await cosigned_by(hub, feeder, w.honest.key)

    assert counted("caspian_feeder_contradictions_total", "honest", "behind") > before


async def test_two_histories_shown_to_two_states_are_found_out(hub: Hub, tmp_path: Path) -> None:
    """Each witness cosigns what it is shown; who brings both together has the proof."""
    (tmp_path / "other").mkdir()
    lying = Hub(tmp_path / "other", hub.secret)
    async with (
        witnesses(hub, tmp_path / "az") as az,
        witnesses(hub, tmp_path / "kz") as kz,
        feeding(hub, az.honest) as one,
        feeding(lying, kz.honest) as two,
    ):
        hub.grow(5)
        lying.grow(5, word="B")
        await cosigned_by(hub, one, az.honest.key)
        await cosigned_by(lying, two, kz.honest.key)
        async with feeding(lying, az.honest) as gossip:
            before = counted("caspian_feeder_contradictions_total", "honest", "refused")

            async def refused() -> bool:
                await gossip.look()
                found = counted("caspian_feeder_contradictions_total", "honest", "refused")
                return found > before

            await until(refused, "the second history is refused", 20)

    (kept,) = opened(tmp_path / "az")[2].evidence()
    assert kept.kind == "fork"
    lying.log.close()
