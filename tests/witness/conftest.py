from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from hub.witness.app import build_witness
from hub.witness.making import init, opened
from tests.witness.logs import NOW, FakeLog


@pytest.fixture
def log() -> FakeLog:
    return FakeLog.of(40)


@pytest.fixture
def directory(tmp_path: Path, log: FakeLog) -> Path:
    made = tmp_path / "az"
    init(made, name="witness.example/az", logs=[log.key], listen="127.0.0.1:0")
    return made


class Asked:
    """A witness behind HTTP, whose clock stands where the test puts it."""

    def __init__(self, directory: Path) -> None:
        self.config, self.identity, self.store = opened(directory)
        self.now = float(NOW)
        self._app = build_witness(self.config, self.identity, self.store, clock=lambda: self.now)

    def ask(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://witness") as http:
                return await http.request(method, path, content=body)

        return asyncio.run(asked())

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def add(self, body: bytes) -> tuple[int, str]:
        answer = self.ask("POST", "/add-checkpoint", body)
        return answer.status_code, answer.text


@pytest.fixture
def ask() -> Callable[[Path], Asked]:
    return Asked


@pytest.fixture
def witness(directory: Path) -> Asked:
    return Asked(directory)
