"""A hub that the tests of one module share, and one of a test's own."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from tests.examples import register
from tests.hubkit import Hub, running_hub

register()


def pytest_configure(config: pytest.Config) -> None:
    """Hold properties against few examples, unless another profile is asked for.

    Nothing that is imported or collected is garbage, so there is none to look for meanwhile.
    """
    gc.disable()
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("usual")


_FIRST = ("test_chaos", "test_compose", "test_demo", "test_watch_page", "test_line", "test_parts")
"""The files that take longest."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that it does not run alone at the end."""
    first = {name: place for place, name in enumerate((*_FIRST, "console", "crash", "mirror"))}

    def place(item: pytest.Item) -> int:
        return min(first.get(item.path.stem, 99), first.get(item.path.parent.name, 99))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Look for garbage again, but not in what was collected: it stays until the end."""
    gc.freeze()
    gc.enable()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """Give a hub to the tests of a module, which publish under names of their own."""
    async with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest_asyncio.fixture
async def own_hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """Give a hub to one test, which may do to it what it likes."""
    async with running_hub(tmp_path) as hub:
        yield hub
