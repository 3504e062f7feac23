"""What a person does through the API and no other entry tells is in the log before it is done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from hub.core.actions import ActionName
from hub.core.candidate import Candidate
from hub.core.known import input_key
from hub.errors import Unavailable
from hub.http.state import Hub
from hub.members.roles import Principal
from hub.streams.submit import propose

__all__ = ["log_action", "wait_logged"]


async def log_action(
    hub: Hub, asker: Principal, action: ActionName, *, agency: str = "", **about: Any
) -> int:
    """Log that a person does something, and return where the log has it.

    Raises:
        Unavailable: ``receipt-pending``, ``streams-unavailable``, ``log-unavailable``; nothing is
            to be done then, and the entry, should it still come, says that it was asked for.
    """
    told = {**about, **({"agency": agency} if agency else {})}
    candidate = Candidate(
        "action",
        agency,
        via="http",
        inbox=f"action/{uuid.uuid4().hex}",
        person=asker.person,
        body={"action": action, "about": told},
    )
    await propose(hub.redis, [candidate])
    key = input_key(candidate)
    deadline = asyncio.get_running_loop().time() + hub.settings.receipt_timeout.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        known = await asyncio.to_thread(hub.log.known_for, [candidate])
        if key in known.inputs:
            return known.inputs[key][0]
        await asyncio.sleep(0.02)
    raise Unavailable(
        "receipt-pending",
        "the ledger has not logged it in time, so it was not done",
        remedy="Send the same again.",
    )


async def wait_logged(hub: Hub, logged: Callable[[], Awaitable[int | None]]) -> int:
    """Return the index that *logged* tells, as soon as it tells one.

    Raises:
        Unavailable: ``receipt-pending``; whatever *logged* raises.
    """
    deadline = asyncio.get_running_loop().time() + hub.settings.receipt_timeout.total_seconds()
    while (found := await logged()) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(
                "receipt-pending",
                "the ledger has not logged it in time",
                remedy="Look whether it is in the log by now; else send the same again.",
            )
        await asyncio.sleep(0.02)
    return found
