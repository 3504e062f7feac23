"""The members, and how an operator adds one: an entry in the log like any other."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from fastapi import APIRouter

from hub.core.candidate import Candidate, CandidateKind
from hub.core.changes import change_of
from hub.core.holds import held
from hub.core.redaction import REDACTED_TYPE, Redaction
from hub.core.registry import History, Registry, read_agency, read_subscription
from hub.errors import Rejected, Unavailable
from hub.http.problems import RESPONSES
from hub.http.state import Asker, Hub, HubState
from hub.members.roles import Principal, require
from hub.streams.submit import propose

__all__ = ["router"]

router = APIRouter(tags=["members"], responses=RESPONSES)
_lines = structlog.get_logger("members")


@router.get("/v1/members", summary="The member agencies")
async def members(hub: HubState, asker: Asker) -> dict[str, Any]:
    """Return all agencies, and the subscriptions that the asker may see."""
    require(asker, "read", "register")
    registry = (await hub.registry(fresh=True)).latest
    return {
        "members": [a.model_dump(mode="json") for a in registry.agencies.values()],
        "subscriptions": [
            {"feed": s.feed, **s.model_dump(mode="json")}
            for s in registry.subscriptions.values()
            if asker.sees(s.agency) or _registers(asker, s.agency)
        ],
    }


@router.post("/v1/members", status_code=201, summary="Add or change a member")
async def add_member(record: dict[str, Any], hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log a member's record; the newest record of an agency holds."""
    require(asker, "register")
    agency = read_agency(record)
    _own_state(asker, agency.id)

    def there(registry: Registry) -> bool:
        return registry.agencies.get(agency.id) == agency

    await _log(hub, asker, "member", agency.model_dump(mode="json"), there)
    return agency.model_dump(mode="json")


@router.post("/v1/subscriptions", status_code=201, summary="Add or change a subscription")
async def add_subscription(record: dict[str, Any], hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log a subscription: a further feed of an agency, filtered."""
    require(asker, "register")
    subscription = read_subscription(record, (await hub.registry(fresh=True)).latest)
    _own_state(asker, subscription.agency)

    def there(registry: Registry) -> bool:
        return registry.subscriptions.get(subscription.feed) == subscription

    await _log(hub, asker, "subscription", subscription.model_dump(mode="json"), there)
    return {"feed": subscription.feed, **subscription.model_dump(mode="json")}


@router.post("/v1/redactions", status_code=201, summary="Remove a payload by law")
async def redact(record: Redaction, hub: HubState, asker: Asker) -> dict[str, Any]:
    """Log that a message's payload is removed, and remove it from everywhere it is kept.

    Only where the log began without roots; else the state's authority signs a statement.
    """
    require(asker, "register")
    _own_state(asker, record.agency)
    body = record.model_dump(mode="json")
    history = await hub.registry(fresh=True)
    change_of("redaction", body, history.latest)
    known = await asyncio.to_thread(hub.log.known_for, [Candidate("redaction", "", body=body)])
    row = known.by_index.get(str(record.message))
    if row is None or row.agency != record.agency:
        raise Rejected(
            "unknown-message",
            f"{record.agency} has no message at {record.message}",
            remedy="Name the message by its log index, and the agency that sent it.",
        )
    if (hold := held(history.latest.holds, row.index, row.facts)) is not None:
        raise Rejected(
            "payload-held",
            f"the message at {row.index} is under the hold at {hold}",
            remedy="Who holds it must release it first: `caspian holds ls`.",
        )
    change = Candidate("redaction", "", via="http", body=body, person=asker.person)
    await propose(hub.redis, [change])
    deadline = asyncio.get_running_loop().time() + hub.settings.receipt_timeout.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        found = await asyncio.to_thread(hub.log.row, record.message)
        if found is not None and found.payload_type == REDACTED_TYPE:
            return record.model_dump(mode="json")
        await asyncio.sleep(0.02)
    raise Unavailable(
        "receipt-pending",
        "the ledger has not logged it in time",
        remedy="Send the same again: what is redacted is not redacted twice.",
    )


def _registers(asker: Principal, agency: str) -> bool:
    of_hub = not asker.state
    return "register" in asker.scopes and (of_hub or agency.startswith(f"{asker.state.lower()}-"))


def _own_state(asker: Principal, agency: str) -> None:
    if not _registers(asker, agency):
        raise Rejected(
            "not-allowed",
            f"a registrar of {asker.state} registers agencies of {asker.state}, not {agency}",
            remedy="Leave it to a registrar of that state, or of the hub.",
        )


async def _log(
    hub: Hub, asker: Principal, kind: CandidateKind, body: dict[str, Any], there: Any
) -> None:
    """Propose a change of the registry and wait until the log has it."""
    history: History = await hub.registry(fresh=True)
    if there(history.latest):
        return
    change_of(kind, body, history.latest)
    _lines.info("registry.change_proposed", kind=kind, by=asker.account or asker.person)
    change = Candidate(kind, "", via="http", body=body, person=asker.person)
    await propose(hub.redis, [change])
    deadline = asyncio.get_running_loop().time() + hub.settings.receipt_timeout.total_seconds()
    while not there((await hub.registry(fresh=True)).latest):
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "receipt-pending",
                "the ledger has not logged it in time",
                remedy="Send the same again: a record that is in the log is not logged twice.",
            )
        await asyncio.sleep(0.02)
