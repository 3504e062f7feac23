"""Drafts that wait for a second officer, where their agency's policy asks for one.

They are in the log's store and not in the log: what is not sent is nobody's to read. Whoever
approves is another person of the same agency, and what is published are the bytes that both saw.

Crash table. An approval is written before the message is put into the inbox. Between the two, or
before the receipt is written down, the draft stays approved without an index: approving it again
sends the same bytes, and the ledger knows a twin.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update

from hub.errors import Rejected
from hub.log.store import Log
from hub.log.tables import DRAFTS
from hub.members.roles import Principal
from schemas.entry import from_micros, micros

__all__ = ["KEPT", "MOST", "Draft", "add", "approve", "find", "listed", "reject", "settle"]

KEPT: Final = timedelta(days=90)
"""How long a draft that was decided is kept."""
MOST: Final = 100
"""So many drafts of one agency may wait."""
_SHOWN: Final = 100
_D = DRAFTS.c


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that waits for approval, or what became of it."""

    id: str
    agency: str
    payload: bytes
    payload_type: str
    headline: str
    msg_type: str
    status: str
    account: str
    person: str
    created: datetime
    state: str
    """``waiting``, ``approved`` (sent, or about to be), ``rejected``, or ``refused`` by the log."""
    decided_account: str
    decided_by: str
    decided: datetime | None
    note: str
    index: int | None
    """Where the message is in the log."""

    def is_by(self, asker: Principal) -> bool:
        """Return whether the asker wrote it: by account, and by name where there is none."""
        return _same(asker, self.account, self.person)


def add(log: Log, asker: Principal, *, now: datetime, **facts: Any) -> Draft:
    """Keep a draft until somebody has decided about it.

    The same bytes of the same agency are one draft as long as they wait.

    Raises:
        Rejected: ``draft-limit``.
        Unavailable: ``log-unavailable``.
    """
    row = {
        "id": secrets.token_hex(8),
        "agency": asker.agency,
        "account": asker.account,
        "person": asker.person,
        "created_us": micros(now),
        "state": "waiting",
        "decided_account": "",
        "decided_by": "",
        "decided_us": None,
        "note": "",
        "idx": None,
        **facts,
    }
    waits = (_D.agency == asker.agency) & (_D.state == "waiting")
    with log.writing() as c:
        c.execute(delete(DRAFTS).where(_D.decided_us < micros(now - KEPT)))
        same = c.execute(select(_D.id).where(waits & (_D.payload == facts["payload"]))).scalar()
        if same is None:
            if c.execute(select(func.count()).where(waits)).scalar_one() >= MOST:
                raise Rejected(
                    "draft-limit",
                    f"{MOST} drafts of {asker.agency} wait for approval",
                    remedy="Approve or reject some of them first.",
                )
            c.execute(insert(DRAFTS).values(row))
    return find(log, asker.agency, str(same or row["id"]))


def find(log: Log, agency: str, draft: str) -> Draft:
    """Return a draft of an agency.

    Raises:
        Rejected: ``draft-unknown``.
        Unavailable: ``log-unavailable``.
    """
    with log.reading() as c:
        row = c.execute(select(DRAFTS).where((_D.id == draft) & (_D.agency == agency))).first()
    if row is None:
        raise Rejected(
            "draft-unknown",
            f"{agency} has no draft {draft[:40]}",
            remedy="GET /v1/drafts lists them.",
        )
    return _draft(row)


def listed(log: Log, agency: str) -> list[Draft]:
    """Return an agency's drafts, those that wait first, the newest of the others then."""
    query = (
        select(DRAFTS)
        .where(_D.agency == agency)
        .order_by((_D.state != "waiting"), _D.created_us.desc())
        .limit(_SHOWN)
    )
    with log.reading() as c:
        return [_draft(row) for row in c.execute(query)]


def approve(log: Log, asker: Principal, draft: str, *, now: datetime) -> Draft:
    """Write down that a second officer approves; whoever did so may try again until it is sent.

    Raises:
        Rejected: ``draft-unknown``, ``own-draft`` or ``draft-decided``.
        Unavailable: ``log-unavailable``.
    """
    one = find(log, asker.agency, draft)
    if one.is_by(asker):
        raise Rejected(
            "own-draft",
            f"{asker.person} wrote this draft",
            remedy="Let another officer of the agency approve it.",
        )
    if one.state == "approved" and _same(asker, one.decided_account, one.decided_by):
        return one
    return _decide(log, asker, one, "approved", "", now)


def reject(log: Log, asker: Principal, draft: str, note: str, *, now: datetime) -> Draft:
    """Write down that it is not sent, and why; whoever wrote it may take it back so.

    Raises:
        Rejected: ``draft-unknown`` or ``draft-decided``.
        Unavailable: ``log-unavailable``.
    """
    return _decide(log, asker, find(log, asker.agency, draft), "rejected", note, now)


def settle(log: Log, draft: str, *, index: int | None, refused: str = "") -> None:
    """Write down where an approved draft is in the log, or why the log refused it."""
    changed: dict[str, Any] = {"idx": index}
    if refused:
        changed |= {"state": "refused", "note": refused[:2000]}
    with log.writing() as c:
        c.execute(update(DRAFTS).where(_D.id == draft).values(changed))


def _decide(log: Log, asker: Principal, one: Draft, state: str, note: str, now: datetime) -> Draft:
    values = {
        "state": state,
        "decided_account": asker.account,
        "decided_by": asker.person,
        "decided_us": micros(now),
        "note": note,
    }
    with log.writing() as c:
        done = c.execute(
            update(DRAFTS).where((_D.id == one.id) & (_D.state == "waiting")).values(values)
        )
    if done.rowcount != 1:
        again = find(log, one.agency, one.id)
        raise Rejected(
            "draft-decided",
            f"the draft {one.id} is {again.state}, by {again.decided_by}",
            remedy="Look at what became of it: GET /v1/drafts.",
        )
    return find(log, one.agency, one.id)


def _same(asker: Principal, account: str, person: str) -> bool:
    # One person may have an account and a token: the name in the log is what must differ.
    return bool(asker.account and asker.account == account) or (
        asker.person.strip().casefold() == person.strip().casefold()
    )


def _draft(row: Any) -> Draft:
    return Draft(
        row.id,
        row.agency,
        bytes(row.payload),
        row.payload_type,
        row.headline,
        row.msg_type,
        row.status,
        row.account,
        row.person,
        from_micros(row.created_us),
        row.state,
        row.decided_account,
        row.decided_by,
        None if row.decided_us is None else from_micros(row.decided_us),
        row.note,
        row.idx,
    )
