"""The API does what its own description says, whatever is asked in whatever role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any, Final

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.http.description import described, operations
from tests.hubkit import Hub, another_api

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_ENDLESS: Final = "/v1/feeds/{feed}/events"
_ROLES: Final = (
    "",
    "az-fhn",
    "officer",
    "auditor",
    "auditor of KZ",
    "registrar",
    "registrar of KZ",
    "operator",
    "witness",
    "mirror",
)
OPERATIONS: Final = [name for name in operations() if not name.endswith(_ENDLESS)]
_KNOWN: Final[dict[str, Any]] = {"feed": "az-fhn", "agency": "az-fhn"}


@cache
def _operations() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(described())
    found = {one.label: one for one in (found.ok() for found in schema.get_all_operations())}
    assert set(found) == set(operations())
    return found


def _ways(label: str, index: int) -> list[dict[str, Any]]:
    """Return in which ways an operation is asked: rightly, wrongly, and for what there is."""
    operation = _operations()[label]
    ways: list[dict[str, Any]] = [{}]
    if operation.body or operation.query:
        ways.append({"generation_mode": GenerationMode.NEGATIVE})
    known = {**_KNOWN, "index": index, "name": "alert" if "/schemas" in label else str(index)}
    names = [p.name for p in operation.path_parameters]
    if names and all(name in known for name in names):
        ways.append({"path_parameters": {name: known[name] for name in names}})
    return ways


def _hold(url: str, tokens: Sequence[str], label: str, way: dict[str, Any], examples: int) -> None:
    """Ask the same in each role: to think of something to ask costs far more than to ask it."""
    roles = [{"Authorization": f"Bearer {token}"} if token else {} for token in tokens]

    @given(case=_operations()[label].as_strategy(**way))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def held(case: Any) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # it may be a minute, and nobody publishes meanwhile
        for headers in roles:
            case.call_and_validate(
                base_url=url, headers=headers, checks=_CHECKS, timeout=30, session=session
            )

    with requests.Session() as session:
        held()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def asked(hub: Hub) -> AsyncIterator[tuple[str, list[str], int]]:
    """Serve without quotas; give the address, a token of each role, and a message's index."""
    index = await hub.publish()
    async with another_api(hub, agency_rate=0, address_rate=0) as other:
        tokens = [hub.tokens[who] if who else "" for who in _ROLES]
        yield f"http://{other.host}:{other.port}", tokens, index


async def _in_each_role(asked: tuple[str, list[str], int], label: str, examples: int) -> None:
    url, tokens, index = asked
    for way in _ways(label, index):
        await asyncio.to_thread(_hold, url, tokens, label, way, examples)


@pytest.mark.parametrize("label", OPERATIONS)
async def test_it_answers_as_described(asked: tuple[str, list[str], int], label: str) -> None:
    await _in_each_role(asked, label, 2)


@pytest.mark.soak
@pytest.mark.parametrize("label", OPERATIONS)
async def test_it_answers_as_described_very_often(
    asked: tuple[str, list[str], int], label: str
) -> None:
    await _in_each_role(asked, label, 200)
