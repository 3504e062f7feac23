"""Where an append can be broken off, and how a test does it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from aid_samples import request
from samples import BEGAN, Writer, acknowledgement, alert, named, refusal, subscription
from sqlalchemy import Engine, event

from hub.core.candidate import Candidate
from hub.log.store import Log

__all__ = ["POINTS", "batch", "break_at", "die_at"]

STEPS = {
    "advance": ("UPDATE head",),
    "entries": ("INSERT INTO entries",),
    "payloads": ("INSERT INTO payloads",),
    "tiles": ("INSERT INTO tiles",),
    "messages": ("INSERT INTO messages",),
    "aid": ("INSERT INTO aid",),
    "refs": ("INSERT INTO refs",),
    "incidents": ("INSERT INTO incidents",),
    "acknowledgements": ("INSERT INTO acknowledgements",),
    "deliveries": ("INSERT INTO deliveries",),
    "escalations": ("INSERT INTO escalations",),
    "inputs": ("INSERT INTO inputs",),
    "chains": ("INSERT INTO chains",),
}
"""The steps of `Log.append` in their order; each is the statement that begins like this."""

LATE = timedelta(minutes=20)
"""When the batch comes: nobody has acknowledged the message in time."""

POINTS = [(step, when) for step in (*STEPS, "commit") for when in ("before", "after")]


def batch() -> Sequence[Candidate]:
    """Return candidates whose append takes every step, in a log with one message at 4."""
    return [
        alert("az-fhn", "a-1"),
        alert("az-fhn", "a-2", msg_type="Update", references=named("a-1"), incidents="oil"),
        request("ir-ndmo", "REQ"),
        acknowledgement("ir-ndmo", "5"),
        refusal("az-fhn", inbox="5-1"),
        Candidate("delivery", "", body={"ir-ndmo": 5}),
        Candidate("escalation", "", body={"recipient": "kz-mchs", "step": 1, "messages": [4]}),
        subscription("ir-ndmo", "oil"),
    ]


def break_at(engine: Engine, step: str, when: str, act: Callable[[], None]) -> None:
    """Let *act* happen before or after a step of the next append."""
    if step == "commit":
        dialect: Any = engine.dialect
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            if when == "before":
                act()
            commit(connection)
            if when == "after":
                act()

        dialect.do_commit = do_commit
        return

    def on_statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(STEPS[step]):
            act()

    event.listen(engine, f"{when}_cursor_execute", on_statement)


def die_at(url: str, step: str, when: str) -> None:
    """Append the batch in this process, which is killed at the point."""
    log = Log.open(url)
    writer = Writer(log, now=BEGAN + LATE)
    break_at(log.engine, step, when, lambda: os.kill(os.getpid(), signal.SIGKILL))
    writer.commit(batch())
