"""Payloads that went by age: nothing of them is left, and the log verifies and works as before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.core.candidate import Candidate
from hub.core.redaction import REDACTED_TYPE, residue
from hub.log.bundle import export, open_bundle, verify_bundle
from hub.log.projections import read_logged, rebuild
from hub.log.replay import replay
from hub.log.retention_log import aged, retired_by
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tables import METADATA, PAYLOADS, PROJECTIONS
from hub.log.verify import verify_store
from schemas.entry import micros, rfc3339
from tests.log.samples import Writer, alert, named

SECRET = "the name of a patient"
WEEK = timedelta(days=7)


def begun(log: Log) -> Writer:
    """Write two members, and alerts at 3 and 4 with a Cancel of the first at 5."""
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1", headline=SECRET), alert("az-fhn", "a-2")])
    w.commit([alert("az-fhn", "a-3", msg_type="Cancel", references=named("a-1"))])
    return w


def retire(w: Writer, *messages: int, age: timedelta = WEEK) -> list[dict[str, Any]]:
    """Propose what is older than *age*; return the entries that were logged."""
    body = {"messages": list(messages), "before": rfc3339(micros(w.now - age))}
    before = w.log.head().size
    w.commit([Candidate("retirement", "", body=body)])
    return [row.entry for row in w.log.rows(after=before - 1)]


def retired(log: Log) -> Writer:
    w = begun(log)
    w.now += WEEK + timedelta(hours=1)
    (entry,) = retire(w, 3, 5)
    assert entry["messages"] == [3, 5]
    return w


def test_nothing_of_the_payload_is_left_on_the_disk(sqlite_log: Log, tmp_path: Path) -> None:
    retired(sqlite_log)

    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


def test_nothing_of_the_payload_is_left_in_any_table(log: Log) -> None:
    retired(log)

    with log.reading() as c:
        for table in METADATA.tables.values():
            for row in c.execute(select(table)):
                assert SECRET not in repr(tuple(row)), table.name


def test_the_log_verifies_and_its_entries_are_as_they_were(log: Log, tmp_path: Path) -> None:
    w = begun(log)
    before = log.head()
    w.now += 2 * WEEK
    retire(w, 3, 4, 5)
    report = verify_store(log, earlier=before, read=read_logged)
    export(log, tmp_path / "b.jsonl")

    assert report.fault is None
    assert report.withheld == 3
    assert verify_bundle(open_bundle(tmp_path / "b.jsonl"), read=read_logged).fault is None


def test_the_store_knows_what_may_go_and_what_has_gone(log: Log) -> None:
    w = retired(log)

    with log.reading() as c:
        assert aged(c, after=-1, before_us=micros(w.now), limit=9) == [4]
        assert [retired_by(c, i) for i in (3, 4, 5)] == [6, None, 6]
    assert retire(w, 3, 5) == []


def test_rows_made_anew_are_the_same(log: Log) -> None:
    retired(log)

    def rows() -> list[Any]:
        with log.reading() as c:
            return [sorted(map(repr, c.execute(select(table)))) for table in PROJECTIONS]

    before = rows()
    rebuild(log)

    assert rows() == before


def test_a_replay_comes_to_the_same_digest_as_before(log: Log) -> None:
    w = begun(log)
    before = asyncio.run(replay(scan(log)))
    w.now += 2 * WEEK
    retire(w, 3, 4, 5)

    assert asyncio.run(replay(scan(log, through=5))).digest == before.digest


def test_the_same_message_sent_again_gets_its_receipt_and_is_not_kept(log: Log) -> None:
    w = retired(log)
    outcome = w.commit([alert("az-fhn", "a-1", headline=SECRET)]).outcomes[0]

    assert (outcome.duplicate, outcome.index) == (True, 3)
    assert (log.row(3) or pytest.fail("gone")).payload_type == REDACTED_TYPE


def _young(w: Writer) -> None:
    """Nothing is old."""


def _old(w: Writer) -> None:
    w.now += 2 * WEEK


def _held(w: Writer) -> None:
    w.now += 2 * WEEK
    w.commit([Candidate("hold", "", body={"state": "AZ", "message": 3, "reason": "case 7"})])


def _again(w: Writer) -> None:
    w.now += 2 * WEEK
    retire(w, 3)


@pytest.mark.parametrize("how", [_young, _held, _again])
def test_a_retirement_that_was_not_due_is_found(
    log: Log, how: Callable[[Writer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that was tampered with logs it; verification decides anew."""
    w = begun(log)
    how(w)
    with monkeypatch.context() as patch:
        patch.setattr("hub.core.admission.retirable", lambda *_, **__: True)
        patch.setattr("hub.log.derived.retired_key_of", lambda i: f"forged {w.now} {i}")
        assert len(retire(w, 3)) == 1
    fault = verify_store(log, read=read_logged).fault

    assert fault is not None
    assert (fault.index, fault.code) == (log.head().size - 1, "decision")


@pytest.mark.parametrize("said", [True, False])
def test_a_payload_that_went_otherwise_than_an_entry_says_is_a_fault(
    log: Log, *, said: bool
) -> None:
    w = begun(log)
    _old(w)
    facts = (log.row(3) or pytest.fail("gone")).facts
    assert facts is not None
    left = residue(facts.model_copy(update={"scope": "Private"}) if said else facts)
    if said:
        retire(w, 3)
    with log.writing() as c:
        values = {"type": REDACTED_TYPE, "body": left.encode(), "sha256": b""}
        c.execute(update(PAYLOADS).where(PAYLOADS.c.idx == 3).values(**values))
    fault = verify_store(log, read=read_logged).fault

    assert fault is not None
    assert fault.index == 3
    assert fault.code in {"payload", "column"}
