"""Entries that are examined in several processes, in lots, say the same as one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samples import Writer, acknowledgement, alert, member, subscription
from sqlalchemy import event

from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.core.signing import Chain
from hub.errors import Unavailable
from hub.log.examine import Examiner, Reader
from hub.log.examining import SHAPES, Stretch, told_of
from hub.log.projections import read_logged
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.verify import Report, stretch, verify, verify_store
from hub.log.workers import Workers, workers
from tests.keys import key, signed

OLD, NEW = "az-fhn/2026", "az-fhn/2027"


def key_change(name: str, action: str) -> Candidate:
    body = {"agency": "az-fhn", "key": str(key(name)), "action": action}
    return Candidate("key", "az-fhn", body=body)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a log of 707 entries: keys and members change within it."""
    file = tmp_path_factory.mktemp("long") / "log.db"
    log = Log.open(f"sqlite:///{file}")
    w = Writer(log).begin("az-fhn", "ir-ndmo")  # 0; 1, 2
    w.commit([key_change(OLD, "add")])  # 3
    chain = signed_alerts(w, 300, OLD, Chain())  # 4 to 303
    w.commit([key_change(NEW, "add"), key_change(OLD, "revoke")])  # 304, 305
    chain = signed_alerts(w, 300, NEW, chain)  # 306 to 605
    w.commit([member("kz-mchs"), subscription("kz-mchs", "oil")])  # 606, 607
    w.commit([acknowledgement("ir-ndmo", "4"), alert("kz-mchs", "k-1")])  # 608, 609
    signed_alerts(w, 97, NEW, chain)  # 610 to 706
    assert log.head().size == 707
    log.close()
    return file


def signed_alerts(w: Writer, count: int, by: str, chain: Chain) -> Chain:
    batch = []
    for _ in range(count):
        name = f"s-{chain.seq + 1}"
        batch.append(signed(alert("az-fhn", name, message_id=f"id-{name}"), by, chain))
        chain = chain.after(batch[-1].header)
    w.commit(batch)
    return chain


@pytest.fixture
def log(long: Path, tmp_path: Path) -> Iterator[Log]:
    file = tmp_path / "log.db"
    file.write_bytes(long.read_bytes())
    log = Log.open(f"sqlite:///{file}")
    yield log
    log.close()


@pytest.fixture(scope="module")
def crew() -> Iterator[Workers]:
    with workers(2) as crew:
        yield crew


def ways(log: Log, crew: Workers, read: Reader | None = None) -> list[Report]:
    """Verify a log in each way: by one process and two, from the store and from rows sent."""
    head = log.head()
    return [
        verify_store(log, read=read),
        verify_store(log, read=read, crew=crew),
        verify(scan(log), head, read=read),
        verify(scan(log), head, read=read, crew=crew),
    ]


def test_all_ways_find_the_same(log: Log, crew: Workers) -> None:
    one, *others = ways(log, crew, read_logged)

    assert one.ok
    assert (one.messages, one.signatures, one.acknowledged) == (698, 697, 1)
    assert one.decided == 698 + 7 + 1
    assert one.feeds["kz-mchs.oil"].routed == 98
    assert others == [one, one, one]


@pytest.mark.parametrize(
    ("statement", "index", "code"),
    [
        ("UPDATE entries SET kind = 'delivery' WHERE idx = 304", 304, "column"),
        ("UPDATE entries SET kind = 'key' WHERE idx = 500", 500, "column"),
        ("UPDATE entries SET body = X'00' WHERE idx = 304", 304, "entry"),
        ("DELETE FROM entries WHERE idx = 256", 256, "gap"),
        ("DELETE FROM entries WHERE idx BETWEEN 250 AND 600", 250, "gap"),
        ("DELETE FROM payloads WHERE idx IN (300, 700)", 300, "payload"),
        ("UPDATE payloads SET body = X'3C' WHERE idx IN (255, 256)", 255, "payload"),
        ("UPDATE entries SET at_us = 1 WHERE idx IN (511, 513)", 511, "column"),
    ],
)
def test_the_first_fault_is_told_whoever_meets_it_first(
    log: Log, crew: Workers, statement: str, index: int, code: str
) -> None:
    with log.writing() as c:
        c.exec_driver_sql(statement)

    faults = [report.fault for report in ways(log, crew)]

    assert [(f.index, f.code) for f in faults if f] == [(index, code)] * 4


def test_a_revoked_key_signs_nothing_in_any_lot(log: Log, crew: Workers) -> None:
    """The hub takes a message with a key that had been revoked two lots before."""
    head = log.head()
    w = Writer(log)
    chain = log.chain("az-fhn#signed")
    late = signed(alert("az-fhn", "late", message_id="id-late"), NEW, chain)
    w.commit([late])
    with log.writing() as c:
        (body,) = c.exec_driver_sql("SELECT body FROM entries WHERE idx = 707").one()
        other = signed(alert("az-fhn", "late", message_id="id-late"), OLD, chain)
        forged = body.replace(late.key.encode(), other.key.encode()).replace(
            late.signature.encode(), other.signature.encode()
        )
        c.exec_driver_sql("UPDATE entries SET body = ? WHERE idx = 707", (forged,))

    faults = [r.fault for r in ways(log, crew)]

    assert [(f.index, f.code) for f in faults if f] == [(707, "signature")] * 4
    assert log.head().size == head.size + 1


def test_what_was_added_is_read_from_there_on(log: Log, crew: Workers) -> None:
    part = stretch(log, 700, 707)

    assert part == Stretch(part.place, 700, 707, ())
    assert [t.index for t in told_of(part, examiner(), crew=crew)] == list(range(700, 707))


def test_an_empty_log_has_nothing_to_be_examined(tmp_path: Path, crew: Workers) -> None:
    log = Log.open(f"sqlite:///{tmp_path / 'empty.db'}")

    assert list(told_of(stretch(log, 0, 0), examiner(), crew=crew)) == []
    assert verify_store(log, crew=crew).ok
    log.close()


def test_a_store_that_is_gone_is_told_as_such(log: Log, tmp_path: Path, crew: Workers) -> None:
    part = stretch(log, 0, 10)
    gone = Stretch(("sqlite", f"file:{tmp_path / 'gone.db'}?mode=ro"), 0, 10, part.changes)

    with pytest.raises(Unavailable, match="cannot be read"):
        list(told_of(gone, examiner(), crew=crew))


def examiner() -> Examiner:
    return Examiner(History(), governed=False)


def test_what_changed_the_registry_is_found_without_going_through_the_messages(log: Log) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        asked.append((statement, given))

    event.listen(log.engine, "before_cursor_execute", note)
    found = [row.index for row in scan(log, kinds=SHAPES)]
    event.remove(log.engine, "before_cursor_execute", note)

    assert found == [0, 1, 2, 3, 304, 305, 606, 607]
    queries = [(s, given) for s, given in asked if "FROM entries" in s]
    assert queries
    with log.reading() as c:
        for statement, given in queries:
            plan = str(c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all())
            assert "entries_by_kind" in plan
            assert "TEMP B-TREE" not in plan
