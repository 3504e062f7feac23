"""Threads and incidents in a store: what is loaded is all that belongs together, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aid_samples import request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import BEGAN, Writer, alert, named
from sqlalchemy import event

from hub.core.rows import MessageRow
from hub.core.threads import Published, Threads
from hub.log.projections import rebuild
from hub.log.store import Log
from hub.log.tables import METADATA

IR = "duty@ir.example"


def indexes(rows: list[MessageRow]) -> list[int]:
    return [row.index for row in rows]


def update(identifier: str, *of: str, agency: str = "az-fhn", **given: Any) -> Any:
    given = {"msg_type": "Update", "references": named(*of), **given}
    return alert(agency, identifier, **given)


def one(log: Log, name: str) -> MessageRow:
    [row] = log.find_messages(name)
    return row


def test_a_thread_is_found_from_each_of_its_messages(log: Log) -> None:
    writer = Writer(log).begin("az-fhn", "ir-ndmo")
    late = {"sent": BEGAN + timedelta(seconds=1)}
    writer.commit([update("c", "b", msg_type="Cancel"), alert("az-fhn", "other")])
    writer.commit([update("b", "a", "a-2"), alert("az-fhn", "a"), alert("az-fhn", "a-2", **late)])
    writer.commit([alert("ir-ndmo", "a", sender=IR)])

    whole = [3, 5, 6, 7]
    for name in map(str, whole):
        assert indexes(log.threads_of([one(log, name)])) == whole
    assert indexes(log.threads_of([one(log, "4")])) == [4]
    assert indexes(log.threads_of([one(log, "8")])) == [8]
    seeds = [one(log, name) for name in ("8", "4", "5")]
    assert indexes(log.threads_of(seeds)) == sorted([*whole, 4, 8])
    rebuild(log)
    assert indexes(log.threads_of([one(log, "3")])) == whole


def test_who_mentions_a_message_is_found_apart(log: Log) -> None:
    writer = Writer(log).begin("az-fhn", "ir-ndmo")
    ack = {"msg_type": "Ack", "sender": IR, "references": named("a")}
    writer.commit([alert("az-fhn", "a"), alert("ir-ndmo", "ack", **ack), update("u", "a")])
    thread = log.threads_of([one(log, "a")])

    assert indexes(thread) == [3, 5]
    assert indexes(log.mentions_of(thread)) == [4]


def test_of_very_many_mentions_the_first_are_read(sqlite_log: Log) -> None:
    writer = Writer(sqlite_log).begin("az-fhn", "ir-ndmo")
    ack = {"msg_type": "Ack", "sender": IR, "references": named("a")}
    writer.commit([alert("az-fhn", "a"), *(alert("ir-ndmo", f"k-{n}", **ack) for n in range(300))])

    found = sqlite_log.mentions_of([one(sqlite_log, "a")])

    assert indexes(found) == list(range(4, 204))


def test_a_message_without_a_thread_costs_one_question(sqlite_log: Log) -> None:
    Writer(sqlite_log).begin("az-fhn").commit([alert("az-fhn", "a")])
    row, asked = one(sqlite_log, "a"), list[str]()

    def on_statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(sqlite_log.engine, "before_cursor_execute", on_statement)
    assert sqlite_log.threads_of([row]) == [row]

    [question] = [statement for statement in asked if statement.startswith("SELECT")]
    assert "refs" in question


def test_a_name_that_no_message_has_is_not_kept(log: Log) -> None:
    writer = Writer(log).begin("az-fhn")
    long = named("x" * 3000, "я" * 600)

    found = writer.commit([update("u", "a", references=f"{named('a')} {long}")])

    assert found.outcomes[0].refusal is None
    with log.reading() as c:
        [row] = c.execute(METADATA.tables["refs"].select())
    assert row == ("centre@az.example\x1fa", "az-fhn", 2)


def test_incidents_are_found_by_name_and_channel(log: Log) -> None:
    writer = Writer(log).begin("az-fhn", "ir-ndmo")
    writer.commit(
        [
            alert("az-fhn", "a", incidents='AC-1 "Oil  Spill"'),
            alert("az-fhn", "b", incidents="ac-1", status="Exercise"),
            alert("az-fhn", "c", incidents="ac-1 ac-1 b"),
            request("az-fhn", "REQ", incident="Ac-1"),
            alert("az-fhn", "d"),
        ]
    )

    assert log.incidents("actual", before=None, limit=9) == [
        (6, "AC-1"),
        (5, "AC-1"),
        (5, "B"),
        (3, "AC-1"),
        (3, "OIL SPILL"),
    ]
    assert log.incidents("exercise", before=None, limit=9) == [(4, "AC-1")]
    assert log.incidents("actual", before=5, limit=1) == [(3, "AC-1")]
    assert indexes(log.incident_messages("actual", "AC-1", limit=9)) == [3, 5, 6]
    assert indexes(log.incident_messages("actual", "AC-1", after=3, limit=1)) == [5]
    assert indexes(log.latest_about("actual", "AC-1", limit=2)) == [5, 6]
    assert indexes(log.latest_about("actual", "AC-1", before=5, limit=2)) == [3]
    assert log.incident_messages("actual", "NONE", limit=9) == []


@pytest.mark.parametrize("incident", ["x" * 5000, "Ә" * 5000])
def test_an_incident_of_any_length_can_be_logged(log: Log, incident: str) -> None:
    found = Writer(log).begin("az-fhn").commit([alert("az-fhn", "a", incidents=incident)])

    assert found.outcomes[0].refusal is None
    [(index, name)] = log.incidents("actual", before=None, limit=9)
    assert index == 2
    assert name.startswith("sha256:")


NAMES = ("a", "b", "c", "d", "e")
said = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["Alert", "Update", "Update", "Cancel"]),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    st.sampled_from(["Actual", "Actual", "Exercise"]),
    st.sampled_from(["az-fhn", "ir-ndmo"]),
)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(said, max_size=10, unique_by=lambda m: (m[0], m[4])))
def test_what_is_loaded_says_what_the_whole_log_says(sqlite_log: Log, messages: list[Any]) -> None:
    log = sqlite_log
    with log.writing() as c:
        for table in METADATA.sorted_tables:
            c.execute(table.delete())
    writer = Writer(log).begin("az-fhn", "ir-ndmo")
    for identifier, msg_type, of, status, agency in messages:
        others = [o for o in of if o != identifier] or ["z"]
        given = {"msg_type": msg_type, "status": status}
        writer.commit([alert(agency, identifier, references=named(*others), **given)])
    rows = [log.find_messages(str(r.index))[0] for r in log.rows(kinds=["publish"])]
    assert len(rows) == len(messages)

    whole = Threads(Published(r.index, r.agency, r.facts) for r in rows)
    for row in rows:
        loaded = Threads(Published(r.index, r.agency, r.facts) for r in log.threads_of([row]))
        assert loaded.thread(row.index, at=BEGAN) == whole.thread(row.index, at=BEGAN)
