"""Where outlets are kept: made and changed by people, and moved on by the job that serves them.

They are in the log's store and not in the log: an address and a secret are nobody else's to
read for ever. What people must not overlook, an outlet that was given up, is a dead letter of
the log besides (`consumers.outlets`).

A change from outside raises ``version``. A job writes only for the version that it had read,
and only while it holds the outlet, so no cursor is moved by who worked from something older.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, delete, func, insert, or_, select, update

from hub.errors import Rejected
from hub.log.store import Log
from hub.log.tables import OUTLET_ATTEMPTS, OUTLETS
from hub.outlets.records import (
    Attempt,
    Kind,
    MailTarget,
    MqttTarget,
    Outlet,
    State,
    WebhookTarget,
    new_id,
    new_secret,
    read_target,
)
from schemas.entry import micros

__all__ = [
    "KEPT_ATTEMPTS",
    "MOST",
    "ROTATION",
    "Progress",
    "add",
    "ask_test",
    "attempts",
    "claim",
    "find",
    "let_go",
    "listed",
    "move",
    "note",
    "remove",
    "rotate",
    "set_state",
    "unknown",
]

KEPT_ATTEMPTS: Final = 500
"""So many attempts of each outlet are kept."""

MOST: Final = 50
"""So many outlets may one feed have."""

ROTATION: Final = timedelta(hours=24)
"""How long both secrets sign after one was replaced."""

_O = OUTLETS.c


def add(
    log: Log,
    *,
    feed: str,
    target: WebhookTarget | MailTarget | MqttTarget,
    secret: str,
    confirms: bool,
    through: int,
    by: str,
    now: datetime,
) -> Outlet:
    """Make an outlet that goes on after the log index *through*.

    A webhook gets a secret of its own where none is given.

    Raises:
        Rejected: ``outlet-limit``.
        Unavailable: ``log-unavailable``.
    """
    row: dict[str, Any] = {
        "id": new_id(),
        "feed": feed,
        "kind": target.kind,
        "target": target.model_dump_json(),
        "secret": secret or (new_secret() if target.kind == "webhook" else ""),
        "secret_before": "",
        "secret_before_until_us": 0,
        "confirms": int(confirms),
        "state": "active",
        "reason": "",
        "through": through,
        "place": "{}",
        "failures": 0,
        "failing_since_us": None,
        "next_us": 0,
        "attempts": 0,
        "delivered_us": None,
        "test_us": None,
        "created_us": micros(now),
        "created_by": by,
        "version": 1,
        "holder": "",
        "held_until_us": 0,
    }
    with log.writing() as c:
        count = c.execute(select(func.count()).where(_O.feed == feed)).scalar_one()
        if count >= MOST:
            raise Rejected(
                "outlet-limit",
                f"{feed} has {count} outlets already",
                remedy="Remove one that nobody needs.",
            )
        c.execute(insert(OUTLETS).values(row))
    return find(log, row["id"])


def find(log: Log, outlet: str) -> Outlet:
    """Return an outlet.

    Raises:
        Rejected: ``outlet-unknown``.
        Unavailable: ``log-unavailable``.
    """
    with log.reading() as c:
        row = c.execute(select(OUTLETS).where(_O.id == outlet)).one_or_none()
    if row is None:
        raise unknown(outlet)
    return _outlet(row)


def unknown(outlet: str) -> Rejected:
    """Return the refusal of an outlet that there is not, or not for who asks."""
    return Rejected(
        "outlet-unknown", f"there is no outlet {outlet[:20]}", remedy="GET /v1/outlets lists them."
    )


def listed(log: Log, *, kind: Kind | None = None) -> list[Outlet]:
    """Return all outlets, by feed and age."""
    query = select(OUTLETS).order_by(_O.feed, _O.created_us, _O.id)
    with log.reading() as c:
        return [
            _outlet(r) for r in c.execute(query if kind is None else query.where(_O.kind == kind))
        ]


def attempts(log: Log, outlet: str, *, limit: int) -> list[Attempt]:
    """Return the latest attempts of an outlet, newest first."""
    a = OUTLET_ATTEMPTS.c
    query = select(OUTLET_ATTEMPTS).where(a.outlet == outlet).order_by(a.number.desc()).limit(limit)
    with log.reading() as c:
        return [
            Attempt(r.idx, r.at_us, r.took_ms, bool(r.ok), r.status, r.detail, r.number)
            for r in c.execute(query)
        ]


def set_state(log: Log, outlet: str, state: State, reason: str = "") -> Outlet:
    """Pause an outlet, or have it go on where it stands, at once and as if it had never failed."""
    return _change(
        log,
        outlet,
        {"state": state, "reason": reason, "failures": 0, "failing_since_us": None, "next_us": 0},
    )


def move(log: Log, outlet: str, through: int) -> Outlet:
    """Have an outlet go on after another log index: everything above it is sent (again)."""
    return _change(
        log,
        outlet,
        {
            "through": through,
            "place": "{}",
            "failures": 0,
            "failing_since_us": None,
            "next_us": 0,
        },
    )


def ask_test(log: Log, outlet: str, *, now: datetime) -> Outlet:
    """Ask for a test, which the job makes within a second, also where it is paused."""
    return _change(log, outlet, {"test_us": micros(now)})


def rotate(log: Log, outlet: str, *, now: datetime) -> Outlet:
    """Give a webhook another secret; for a day both sign, so that no message is refused."""
    before = find(log, outlet)
    return _change(
        log,
        outlet,
        {
            "secret": new_secret(),
            "secret_before": before.secret,
            "secret_before_until_us": micros(now + ROTATION),
        },
    )


def remove(log: Log, outlet: str) -> None:
    """Remove an outlet and what is known of its attempts; removing it again changes nothing."""
    with log.writing() as c:
        c.execute(delete(OUTLETS).where(_O.id == outlet))
        c.execute(delete(OUTLET_ATTEMPTS).where(OUTLET_ATTEMPTS.c.outlet == outlet))


def _change(log: Log, outlet: str, values: dict[str, Any]) -> Outlet:
    with log.writing() as c:
        done = c.execute(
            update(OUTLETS).where(_O.id == outlet).values(**values, version=_O.version + 1)
        )
    if not done.rowcount:
        raise unknown(outlet)
    return find(log, outlet)


# What the jobs do.


def claim(log: Log, kind: Kind, *, holder: str, now: datetime, lease: timedelta) -> list[Outlet]:
    """Take the outlets of a kind that nobody else serves, or has not for a while; return one's own.

    Those that one holds are held anew. Writes only where that is needed: about once in a
    third of *lease*.
    """
    now_us, until = micros(now), micros(now + lease)
    free = or_(
        and_(_O.holder == holder, _O.held_until_us < until - (until - now_us) // 3),
        and_(_O.holder != holder, _O.held_until_us < now_us),
    )
    with log.reading() as c:
        due = c.execute(select(func.count()).where(_O.kind == kind, free)).scalar_one()
    if due:
        with log.writing() as c:
            c.execute(
                update(OUTLETS)
                .where(_O.kind == kind, free)
                .values(holder=holder, held_until_us=until)
            )
    with log.reading() as c:
        mine = select(OUTLETS).where(_O.kind == kind, _O.holder == holder)
        return [_outlet(r) for r in c.execute(mine.order_by(_O.id))]


def let_go(log: Log, kind: Kind, *, holder: str) -> None:
    """Let others serve at once what one has served."""
    with log.writing() as c:
        c.execute(
            update(OUTLETS).where(_O.kind == kind, _O.holder == holder).values(held_until_us=0)
        )


@dataclass
class Progress:
    """How far one outlet has come since that was last written down."""

    id: str
    version: int
    through: int
    place: str
    state: State
    reason: str
    failures: int
    failing_since_us: int | None
    next_us: int
    attempts: int
    delivered_us: int | None
    tested_us: int | None = None
    made: list[Attempt] = field(default_factory=list)


def note(log: Log, progress: Sequence[Progress], *, holder: str) -> set[str]:
    """Write down how far outlets have come, all in one commit; return those that it was true of.

    Of the others somebody has changed, removed or taken over the outlet meanwhile.

    Raises:
        Unavailable: ``log-unavailable``; nothing was written, or all of it.
    """
    taken = set()
    with log.writing() as c:
        for p in progress:
            done = c.execute(
                update(OUTLETS)
                .where(_O.id == p.id, _O.version == p.version, _O.holder == holder)
                .values(
                    through=p.through,
                    place=p.place,
                    state=p.state,
                    reason=p.reason[:500],
                    failures=p.failures,
                    failing_since_us=p.failing_since_us,
                    next_us=p.next_us,
                    attempts=p.attempts,
                    delivered_us=p.delivered_us,
                )
            )
            if not done.rowcount:
                continue
            taken.add(p.id)
            if p.tested_us is not None:
                c.execute(
                    update(OUTLETS)
                    .where(_O.id == p.id, _O.test_us <= p.tested_us)
                    .values(test_us=None)
                )
            if p.made:
                c.execute(insert(OUTLET_ATTEMPTS), [_attempt_row(p.id, a) for a in p.made])
                oldest = p.made[-1].number - KEPT_ATTEMPTS
                c.execute(
                    delete(OUTLET_ATTEMPTS).where(
                        OUTLET_ATTEMPTS.c.outlet == p.id, OUTLET_ATTEMPTS.c.number <= oldest
                    )
                )
    return taken


def _attempt_row(outlet: str, a: Attempt) -> dict[str, Any]:
    return {
        "outlet": outlet,
        "number": a.number,
        "idx": a.index,
        "at_us": a.at_us,
        "took_ms": a.took_ms,
        "ok": int(a.ok),
        "status": a.status,
        "detail": a.detail[:500],
    }


def _outlet(r: Any) -> Outlet:
    return Outlet(
        id=r.id,
        feed=r.feed,
        target=read_target(json.loads(r.target)),
        secret=r.secret,
        secret_before=r.secret_before,
        secret_before_until_us=r.secret_before_until_us,
        confirms=bool(r.confirms),
        state=r.state,
        reason=r.reason,
        through=r.through,
        place=r.place,
        failures=r.failures,
        failing_since_us=r.failing_since_us,
        next_us=r.next_us,
        attempts=r.attempts,
        delivered_us=r.delivered_us,
        test_us=r.test_us,
        created_us=r.created_us,
        created_by=r.created_by,
        version=r.version,
    )
