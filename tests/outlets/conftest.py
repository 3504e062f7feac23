"""Outlets are looked after often, so that tests do not wait; and what one made no other meets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers import outlets as job
from hub.outlets import store
from tests.hubkit import Hub


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_TICK_S", 0.05)
    monkeypatch.setattr(job, "_LOOK_S", 0.1)


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "hub" in request.fixturenames:
        hub: Hub = request.getfixturevalue("hub")
        for outlet in store.listed(hub.log):
            store.remove(hub.log, outlet.id)
