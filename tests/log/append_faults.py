"""Where an append can be broken off, and how a test does it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from aid_samples import request
from samples import BEGAN, Writer, acknowledgement, alert, named, refusal, subscription
from sqlalchemy import Engine, event

from hub.core.candidate import Candidate
from hub.log.store import Log
from schemas.entry import micros, rfc3339

__all__ = ["POINTS", "batch", "begin", "break_at", "die_at"]

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
    "removed payloads": ("UPDATE payloads",),
    "removed facts": ("UPDATE messages",),
}
"""The steps of `Log.append` in their order; each is the statement that begins like this.

PostgreSQL takes many rows by COPY.
"""

LATE = timedelta(minutes=20)
"""When the batch comes: nobody has acknowledged the alert in time."""

OLD = timedelta(days=2)
"""How old the request is: its payload may go."""

POINTS = [(step, when) for step in (*STEPS, "commit") for when in ("before", "after")]


def begin(log: Log) -> None:
    """Write the log before."""
    writer = Writer(log, now=BEGAN - OLD).begin("az-fhn", "ir-ndmo", "kz-mchs")
    writer.commit([request("ir-ndmo", "REQ-0", sent=BEGAN - OLD)])
    writer.now = BEGAN
    writer.commit([alert("az-fhn", "a-0")])


def batch() -> Sequence[Candidate]:
    """Return candidates whose append takes every step, in a log with a request at 4, an alert at 5.

    That log is written by `begin`.
    """
    before = rfc3339(micros(BEGAN))
    return [
        alert("az-fhn", "a-1"),
        alert("az-fhn", "a-2", msg_type="Update", references=named("a-1"), incidents="oil"),
        request("ir-ndmo", "REQ"),
        acknowledgement("ir-ndmo", "6"),
        refusal("az-fhn", inbox="5-1"),
        Candidate("delivery", "", body={"ir-ndmo": 6}),
        Candidate("escalation", "", body={"recipient": "kz-mchs", "step": 1, "messages": [5]}),
        subscription("ir-ndmo", "oil"),
        Candidate("retirement", "", body={"messages": [4], "before": before}),
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
    if engine.dialect.name == "postgresql":

        class Breaking(psycopg.Cursor[Any]):
            @contextmanager
            def copy(self, statement: Any, *_: Any, **__: Any) -> Iterator[psycopg.Copy]:
                here = statement.decode().startswith(f"COPY {step} ")
                if here and when == "before":
                    act()
                with super().copy(statement) as copy:
                    yield copy
                if here and when == "after":
                    act()

        def on_checkout(connection: Any, *_: Any) -> None:
            connection.cursor_factory = Breaking

        event.listen(engine, "checkout", on_checkout)


def die_at(url: str, step: str, when: str) -> None:
    """Append the batch in this process, which is killed at the point."""
    log = Log.open(url)
    writer = Writer(log, now=BEGAN + LATE)
    break_at(log.engine, step, when, lambda: os.kill(os.getpid(), signal.SIGKILL))
    writer.commit(batch())
