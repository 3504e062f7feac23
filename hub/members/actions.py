"""What the operator does to tokens and accounts, on its way into the log.

It is written in the commit that does it, beside the log: the ledger may not be there, and the
log may not have begun. The ledger's process passes it on (`waiting`, `done`) until the log has it.
A crash between the two leaves it to be passed on again; it is known there by its key.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from hub.core.actions import ABOUT, ActionName
from hub.core.candidate import Candidate
from hub.core.known import input_key
from hub.log.store import Log
from hub.log.tables import ACTIONS
from schemas.entry import micros, rfc3339

__all__ = ["done", "note", "waiting"]

_MOST: Final = 200


def note(
    c: Connection, action: ActionName, *, by: str, agency: str = "", now: datetime, **about: Any
) -> None:
    """Note in an open commit that a person did something; nothing where *by* names nobody.

    *about* are the facts of `hub.core.actions.ABOUT`; empty ones are left out.
    """
    if not by:
        return
    assert set(about) <= set(ABOUT)  # noqa: S101 - the callers are ours
    facts = {name: value for name, value in about.items() if value not in ("", (), [], None)}
    if agency:
        facts["agency"] = agency
    facts["at"] = rfc3339(micros(now))
    c.execute(
        insert(ACTIONS).values(
            key=secrets.token_hex(16),
            at_us=micros(now),
            agency=agency,
            person=by,
            body=json.dumps({"action": action, "about": facts}, ensure_ascii=False),
        )
    )


def waiting(log: Log) -> list[Candidate]:
    """Return what has still to come into the log, in the order in which it was done.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    with log.reading() as c:
        rows = c.execute(select(ACTIONS).order_by(ACTIONS.c.at_us, ACTIONS.c.key).limit(_MOST))
        return [
            Candidate(
                "action",
                r.agency,
                inbox=f"action/{r.key}",
                person=r.person,
                body=json.loads(r.body),
            )
            for r in rows
        ]


def done(log: Log, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Forget those of *candidates* that the log has; return the others.

    Raises:
        Unavailable: ``log-unavailable``.
    """
    batch = list(candidates)
    logged = log.known_for(batch).inputs
    left = [c for c in batch if input_key(c) not in logged]
    if gone := [c.inbox.removeprefix("action/") for c in batch if input_key(c) in logged]:
        with log.writing() as c:
            c.execute(delete(ACTIONS).where(ACTIONS.c.key.in_(gone)))
    return left
