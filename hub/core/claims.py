"""Whose name is whose: no agency is called, or speaks, by what belongs to another state (G9).

An agency's record says by which addresses it is reached and which CAP senders are its
own. A state signs its own agencies' records. Without a bound it could so have private
messages for another state's agency come to its own, or speak in that agency's name.
Within a state it is the state's own affair.
"""

from __future__ import annotations

import re
from typing import Final

from hub.core.registry import AGENCY_ID, Agency, Registry
from schemas.errors import Rejected

__all__ = ["check_claims", "owner_of"]

_RESERVED: Final = re.compile(rf"members|(state:)?[a-z]{{2}}|{AGENCY_ID.strip('^$')}")
"""What the registry itself calls agencies by, also those that are still to come."""


def check_claims(agency: Agency, registry: Registry) -> None:
    """Let a record claim only what no other state's agency is called or speaks by.

    Raises:
        Rejected: ``name-taken``.
    """
    if not agency.active:
        return
    state = agency.state.casefold()
    own = {agency.id, state, f"state:{state}"}
    for name in (*agency.addresses, *(s for s in agency.senders if not s.endswith("*"))):
        if _RESERVED.fullmatch(name.casefold()) and name.casefold() not in own:
            raise _taken(name, "which is no other agency's to be called by")
    for other in registry.agencies.values():
        if other.active and other.state != agency.state:
            _check_against(agency, other)


def owner_of(sender: str, agency: Agency, registry: Registry) -> str:
    """Return the agency of another state that has this CAP ``sender`` in its record, or nothing.

    A gateway, whose record names no senders, may relay for anybody but those.
    """
    if agency.senders:
        return ""  # its record was held against the others' when it was logged
    others = (a for a in registry.agencies.values() if a.active and a.state != agency.state)
    return next((a.id for a in others if a.senders and a.speaks_as(sender)), "")


def _check_against(agency: Agency, other: Agency) -> None:
    called = {name.casefold() for name in (*other.addresses, *other.senders)}
    for name in agency.addresses:
        if name.casefold() in called or any(_overlap(name, s) for s in other.senders):
            raise _taken(name, f"by which {other.id} is called")
    addresses = {name.casefold() for name in other.addresses}
    for sender in agency.senders:
        if sender.casefold() in addresses or any(_overlap(sender, s) for s in other.senders):
            raise _taken(sender, f"which is {other.id}'s")


def _overlap(one: str, other: str) -> bool:
    """Tell whether two senders, each with ``*`` at its end for any rest, may be the same."""
    first, second = one.casefold(), other.casefold()
    short, long = sorted((first.removesuffix("*"), second.removesuffix("*")), key=len)
    if first.endswith("*") and second.endswith("*"):
        return long.startswith(short)
    if first.endswith("*"):
        return second.startswith(first[:-1])
    if second.endswith("*"):
        return first.startswith(second[:-1])
    return first == second


def _taken(name: str, why: str) -> Rejected:
    return Rejected(
        "name-taken",
        f"the record claims {name[:100]!r}, {why}",
        remedy="Leave it out of addresses and senders, or settle with the other state whose it is.",
    )
