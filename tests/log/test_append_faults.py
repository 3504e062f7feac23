"""Fault table: an append that is broken off anywhere leaves all of it or nothing."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from append_faults import LATE, POINTS, batch, begin, break_at, die_at
from samples import BEGAN, Writer
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from hub.errors import Unavailable
from hub.log.projections import read_logged, rebuild
from hub.log.store import Log
from hub.log.tables import METADATA, PROJECTIONS
from hub.log.verify import verify_store
from tests.examples import mostly_soak

SIZE = 6
"""Of the log before: the first entry, three members and two messages."""
GROWN = SIZE + len(batch())


@pytest.fixture
def begun(store_url: str) -> Iterator[Log]:
    log = Log.open(store_url)
    begin(log)
    yield log
    log.close()


def everything(log: Log) -> dict[str, list[Any]]:
    with log.engine.connect() as c:
        return {
            t.name: sorted(map(tuple, c.execute(select(t))), key=repr)
            for t in METADATA.tables.values()
        }


def all_or_nothing(log: Log, before: dict[str, list[Any]]) -> int:
    """Hold what is there against what may be; return the size of the log."""
    size = log.head().size
    assert size in {SIZE, GROWN}
    report = verify_store(log, read=read_logged)
    assert report.fault is None
    now = everything(log)
    if size == SIZE:
        assert now == before
    else:
        assert len(now["messages"]) == 5
        assert len(now["acknowledgements"]) == len(now["deliveries"]) == 1
        assert len(now["inputs"]) == 2, "of the refusal, and of the payload that went"
        assert len(now["escalations"]) == 1
    rebuild(log)
    assert everything(log) == now, "projections are those of the entries"
    return size


def goes_on(log: Log) -> None:
    """Append the batch again, as the ledger reads it again: all is there once at the end."""
    Writer(log, now=BEGAN + LATE + timedelta(minutes=1)).commit(batch())
    assert log.head().size == GROWN
    assert verify_store(log, read=read_logged).ok


OFTEN = {("entries", "after"), ("chains", "after"), ("commit", "before"), ("commit", "after")}
"""Where the order matters most; the other steps are taken in the long run."""
SOMETIMES = mostly_soak(POINTS, lambda point: point in OFTEN)


@pytest.mark.parametrize(("step", "when"), SOMETIMES)
def test_a_failure_at_any_step_leaves_all_or_nothing(
    begun: Log, store_url: str, step: str, when: str
) -> None:
    before = everything(begun)
    broken = Log.open(store_url)

    def fail() -> None:
        raise OperationalError("injected", {}, Exception("the connection broke"))

    break_at(broken.engine, step, when, fail)
    with pytest.raises(Unavailable) as failed:
        Writer(broken, now=BEGAN + LATE).commit(batch())
    broken.close()

    assert failed.value.code == "log-unavailable"
    size = all_or_nothing(begun, before)
    assert (size == GROWN) == ((step, when) == ("commit", "after"))
    goes_on(begun)


@pytest.mark.parametrize(("step", "when"), SOMETIMES)
def test_sigkill_at_any_step_leaves_all_or_nothing(
    begun: Log, store_url: str, step: str, when: str
) -> None:
    before = everything(begun)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["append_faults"])

    child = processes.Process(target=die_at, args=(store_url, step, when))
    child.start()
    child.join(60)

    assert child.exitcode == -signal.SIGKILL, "the child was killed where it should be"
    size = all_or_nothing(begun, before)
    assert (size == GROWN) == ((step, when) == ("commit", "after"))
    goes_on(begun)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_bug_in_the_middle_of_an_append_leaves_nothing(
    begun: Log, store_url: str, when: str
) -> None:
    before = everything(begun)
    broken = Log.open(store_url)

    def fail() -> None:
        raise ZeroDivisionError

    break_at(broken.engine, "chains", when, fail)
    with pytest.raises(ZeroDivisionError):
        Writer(broken).commit(batch())

    assert everything(begun) == before
    broken.close()
    goes_on(begun)


def test_the_batch_takes_every_step(begun: Log) -> None:
    """Or the tables above would prove less than they say."""
    before = everything(begun)

    Writer(begun, now=BEGAN + LATE).commit(batch())

    now = everything(begun)
    assert now["payloads"][0] != before["payloads"][0], "the request went"
    assert [t.name for t in PROJECTIONS if now[t.name] == before[t.name]] == []
