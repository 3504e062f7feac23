"""The registry as the log has it, and the signed statements that change it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from hub.core.candidate import Candidate
from hub.core.changes import change_of
from hub.core.known import accepted_key
from hub.core.signing import chain_name
from hub.errors import Rejected, Unavailable
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import require
from hub.streams.submit import propose

__all__ = ["router"]

router = APIRouter(tags=["members"], responses=RESPONSES)
_log = structlog.get_logger("registry")


@router.get("/v1/registry", summary="States, agencies and keys")
async def registry(hub: HubState, _asker: Asker) -> dict[str, Any]:
    """Return who belongs and whose word counts, as of the end of the log."""
    found = (await hub.registry(fresh=True)).latest
    told: dict[str, Any] = found.model_dump(
        mode="json", include={"origin", "states", "agencies", "keys", "log_keys", "versions"}
    )
    return {**told, "signed": found.signed}


@router.get("/v1/members/{agency}/chain", summary="An agency's count of what it signed")
async def chain(agency: str, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return how many messages an agency signed, and the digest of the last header."""
    if not asker.sees(agency):
        raise Rejected("not-allowed", f"the count is {agency}'s own", remedy="Ask for your own.")
    if agency not in (await hub.registry()).latest.agencies:
        raise Rejected("unknown-agency", f"{agency} is not a member")
    found = await asyncio.to_thread(hub.log.chain, chain_name(agency, signed=True))
    return {"agency": agency, "seq": found.seq, "head": found.head}


class _Signature(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=300)
    sig: str = Field(max_length=100)


class Statement(BaseModel):
    """A change of the registry, as text, and who signed it."""

    model_config = ConfigDict(extra="forbid")

    statement: str = Field(max_length=32_768)
    signatures: list[_Signature] = Field(max_length=32)


@router.post("/v1/statements", status_code=201, summary="Submit a signed change")
async def submit(given: Statement, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log a change of the registry that the right ones signed."""
    require(asker, "register")
    signatures = json.dumps([one.model_dump() for one in given.signatures])
    body = {"statement": given.statement, "signatures": signatures}
    # The ledger takes the kind from the statement itself.
    candidate = Candidate("member", "", via="http", body=body, person=asker.person)
    if (there := await _logged(hub, candidate)) is None:
        change_of("member", body, (await hub.registry(fresh=True)).latest)
        _log.info("registry.change_proposed", kind="statement", by=asker.account or asker.person)
        await propose(hub.redis, [candidate])
        there = await _wait(hub, candidate)
    return {"index": there}


async def _logged(hub: Hub, candidate: Candidate) -> int | None:
    key = accepted_key(candidate)
    known = await asyncio.to_thread(hub.log.known_for, [candidate])
    found = known.inputs.get(key)
    return None if found is None else found[0]


async def _wait(hub: Hub, candidate: Candidate) -> int:
    """Wait until the log has a statement; refuse it as soon as it cannot have it any more."""
    deadline = asyncio.get_running_loop().time() + hub.settings.receipt_timeout.total_seconds()
    while True:
        try:
            change_of("member", candidate.body, (await hub.registry(fresh=True)).latest)
            stale = None
        except Rejected as e:
            stale = e
        if (there := await _logged(hub, candidate)) is not None:
            return there
        if stale is not None:
            raise stale
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "receipt-pending",
                "the ledger has not logged it in time",
                remedy="Send the same again: a statement that is in the log is not logged twice.",
            )
        await asyncio.sleep(0.02)
