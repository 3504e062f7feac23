"""Persons sign in by the dozen here: their passwords cost nothing to compare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cheap_passwords import cheap_passwords


@pytest.fixture(scope="module", autouse=True)
def _cheap() -> Iterator[None]:
    with cheap_passwords():
        yield
