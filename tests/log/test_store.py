"""What the store promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from samples import (
    BEGAN,
    ORIGIN,
    Writer,
    acknowledgement,
    alert,
    member,
    refusal,
    subscription,
)

from hub.core.admission import NewEntry
from hub.core.candidate import Candidate
from hub.core.merkle import EMPTY, Frontier, root_of
from hub.core.rows import identity
from hub.errors import LogMoved, Unavailable
from hub.log.engine import open_to_read
from hub.log.genesis import ensure_genesis
from hub.log.store import Head, Log
from schemas.entry import encode, micros


def plain(number: int) -> NewEntry:
    at_us = micros(BEGAN) + number
    return NewEntry("refusal", at_us, "", encode("refusal", at_us, "", {"number": number}))


def full(log: Log) -> list[bytes]:
    return [r.body for r in log.rows(limit=10_000)]


def test_a_new_log_is_empty(log: Log) -> None:
    assert log.head() == Head(0, 0, EMPTY)
    assert log.rows() == []
    assert log.row(0) is None
    assert log.registry_entries() == []
    assert log.find_messages("anything") == []
    assert log.first_index_at(0) == 0


def test_what_is_appended_is_read_back_byte_for_byte(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    sent = alert("az-fhn", "a-1", headline="Нефть на воде · نفت روی آب")

    w.commit([sent])

    row = log.row(3)
    assert row is not None
    assert row.payload == sent.payload
    assert row.payload_type == "application/cap+xml"
    assert row.facts == sent.facts
    assert row.kind == "publish"
    assert row.agency == "az-fhn"
    assert row.entry["at"] == "2026-11-23T08:00:02.000000Z"
    assert row.message_id in row.entry["header"]


def test_the_head_holds_the_size_the_time_and_the_root_of_all_entries(log: Log) -> None:
    w = Writer(log).begin("az-fhn")
    for number in range(7):
        w.commit([alert("az-fhn", f"a-{number}"), refusal("az-fhn")])

    head = log.head()
    bodies = full(log)
    assert head.size == len(bodies) == 16
    assert head.root == root_of(bodies)
    assert head.at_us == log.rows(after=14)[0].at_us


def test_an_empty_batch_writes_nothing(log: Log) -> None:
    head = log.append([plain(1)], expect=log.head())

    assert log.append([], expect=head) == head
    assert log.head() == head


def test_an_append_for_another_size_writes_nothing(log: Log) -> None:
    first = log.head()
    second = log.append([plain(1)], expect=first)

    for stale in (first, Head(2, second.at_us, Frontier(2, (bytes(32),)))):
        with pytest.raises(LogMoved) as refused:
            log.append([plain(2), plain(3)], expect=stale)

        assert refused.value.actual == 1
    assert log.head() == second
    assert full(log) == [plain(1).body]


def test_of_two_ledgers_each_append_is_won_by_exactly_one(store_url: str) -> None:
    """Two ledgers are started by mistake: the log keeps one history, and nothing is lost."""
    logs = [Log.open(store_url), Log.open(store_url)]
    Writer(logs[0]).begin("az-fhn", "kz-mchs")
    start = threading.Barrier(2)
    writers = [Writer(log, now=BEGAN + timedelta(minutes=n)) for n, log in enumerate(logs)]
    failed: list[BaseException] = []

    def ledger(which: int) -> None:
        try:
            start.wait()
            for number in range(20):
                agency = ("az-fhn", "kz-mchs")[which]
                writers[which].commit([alert(agency, f"{agency}-{number}"), refusal(agency)])
        except BaseException as e:
            failed.append(e)
            raise

    threads = [threading.Thread(target=ledger, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    head, rows = logs[0].head(), logs[0].rows(limit=1000)
    assert head.size == len(rows) == 3 + 80
    assert head.root == root_of(r.body for r in rows)
    assert [r.index for r in rows] == list(range(83))
    assert all(a.at_us < b.at_us for a, b in pairwise(rows))
    for agency in ("az-fhn", "kz-mchs"):
        own = [r for r in rows if r.kind == "publish" and r.agency == agency]
        assert [json.loads(r.entry["header"])["seq"] for r in own] == list(range(1, 21))
    for log in logs:
        log.close()


def test_two_that_begin_the_log_at_once_make_one_beginning(store_url: str) -> None:
    logs = [Log.open(store_url) for _ in range(4)]
    start = threading.Barrier(4)
    heads: list[Head] = []

    def begin(log: Log, now_us: int) -> None:
        start.wait()
        heads.append(ensure_genesis(log, origin=ORIGIN, version="1", now_us=now_us))

    threads = [threading.Thread(target=begin, args=(log, n)) for n, log in enumerate(logs, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(heads) == 4
    assert len(set(heads)) == 1
    assert logs[0].head() == heads[0]
    first = logs[0].row(0)
    assert first is not None
    assert first.entry["origin"] == ORIGIN
    for log in logs:
        log.close()


def test_a_log_of_another_name_is_not_written_to(log: Log) -> None:
    ensure_genesis(log, origin=ORIGIN, version="1", now_us=1)

    with pytest.raises(Unavailable) as refused:
        ensure_genesis(log, origin="another.example/log", version="1", now_us=2)

    assert refused.value.code == "log-foreign"
    assert log.head().size == 1


def test_a_store_that_does_not_begin_with_a_first_entry_is_foreign(log: Log) -> None:
    log.append([plain(1)], expect=log.head())

    with pytest.raises(Unavailable) as refused:
        ensure_genesis(log, origin=ORIGIN, version="1", now_us=2)

    assert refused.value.code == "log-foreign"


def test_rows_come_in_order_by_range_kind_and_agency(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1"), alert("ir-ndmo", "i-1"), refusal("az-fhn")])
    w.commit([acknowledgement("ir-ndmo", "3"), alert("az-fhn", "a-2")])

    def indexes(**given: object) -> list[int]:
        return [r.index for r in log.rows(**given)]  # type: ignore[arg-type]

    assert indexes() == list(range(8))
    assert indexes(after=2, through=5) == [3, 4, 5]
    assert indexes(after=2, limit=2) == [3, 4]
    assert indexes(kinds=["publish"]) == [3, 4, 7]
    assert indexes(kinds=["refusal", "acknowledgement"]) == [5, 6]
    assert indexes(kinds=["refusal", "publish"], agency="az-fhn") == [3, 5, 7]
    assert indexes(agency="ir-ndmo") == [4, 6]
    assert indexes(after=7) == []


def test_registry_entries_are_all_that_changed_the_registry(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1"), subscription("ir-ndmo", "oil"), refusal("az-fhn")])
    w.commit([member("kz-mchs")])

    found = log.registry_entries()

    assert [(i, e["kind"]) for i, e in found] == [
        (0, "genesis"),
        (1, "member"),
        (2, "member"),
        (4, "subscription"),
        (6, "member"),
    ]
    assert log.registry_entries(after=2) == found[3:]


def test_known_for_finds_what_a_batch_may_meet_and_nothing_else(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    first = w.commit(
        [
            alert("az-fhn", "a-1", message_id="m-1"),
            alert("az-fhn", "a-2"),
            alert("az-fhn", "a-3", message_id="m-3"),
            refusal("az-fhn", inbox="5-1"),
        ]
    )
    w.commit([acknowledgement("ir-ndmo", "m-1")])
    w.commit([Candidate("delivery", "", body={"ir-ndmo": 3})])

    known = log.known_for(
        [
            alert("az-fhn", "a-1"),
            alert("az-fhn", "other", message_id="m-3"),
            acknowledgement("ir-ndmo", "m-1"),
            acknowledgement("ir-ndmo", "4"),
            refusal("az-fhn", inbox="5-1"),
            refusal("az-fhn", inbox="6-1"),
            Candidate("delivery", "", body={"ir-ndmo": 5, "az-fhn": 5}),
        ]
    )

    assert sorted(known.by_index) == ["3", "4", "5"]
    sender = "centre@az.example"
    assert known.by_identity[identity("az-fhn", sender, "a-1")].id == "m-1"
    assert known.by_id["az-fhn", "m-3"].index == 5
    assert list(known.acknowledged) == [(sender, "a-1", "ir-ndmo", "Aysel")]
    assert known.chains["az-fhn"].seq == 3
    assert known.inputs == {"az-fhn\x1f5-1": (6, first.outcomes[3].at_us)}
    assert known.delivered == {"ir-ndmo": 3}


def test_known_for_takes_more_candidates_than_one_query_can_name(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    batch = [alert("az-fhn", f"a-{n}", message_id=f"m-{n}") for n in range(1200)]
    w.commit(batch)

    again = w.commit(batch)

    assert again.entries == ()
    assert [o.index for o in again.outcomes] == list(range(3, 1203))
    acks = w.commit([acknowledgement("ir-ndmo", str(3 + n)) for n in range(1200)])
    assert len(acks.entries) == 1200


def test_a_message_is_found_by_id_by_index_and_by_identifier(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit(
        [
            alert("az-fhn", "urn:oid:2.49.0.1.31.0", message_id="m-1"),
            alert("ir-ndmo", "urn:oid:2.49.0.1.31.0", message_id="m-2"),
        ]
    )

    assert [m.index for m in log.find_messages("m-2")] == [4]
    assert [m.id for m in log.find_messages("3")] == ["m-1"]
    assert [m.id for m in log.find_messages("urn:oid:2.49.0.1.31.0")] == ["m-1", "m-2"]
    assert log.find_messages("2.49.0.1.31.0") == []
    assert log.find_messages("99") == []
    assert log.find_messages("9" * 40) == []
    assert log.find_messages("a\x00b") == []
    assert log.find_messages("a\ud800") == []


@pytest.mark.parametrize("name", ["100%", "a_b", "a\\b", "%", "_", "x'y"])
def test_an_identifier_is_not_a_pattern(log: Log, name: str) -> None:
    others = ["100-litres", "axb", "a", "ab", "zz", name + "z", "z" + name]
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", i) for i in [*others, name]])

    assert [m.facts.identifier for m in log.find_messages(name)] == [name]


def test_an_id_that_looks_like_an_index_does_not_hide_the_index(log: Log) -> None:
    """One agency's id "3" came first where people asked for log index 3."""
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1"), alert("ir-ndmo", "i-1", message_id="3")])

    assert [m.index for m in log.find_messages("3")] == [3, 4]


def test_acknowledgements_of_a_message_come_in_log_order_once_an_officer(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")
    w.commit([alert("az-fhn", "a-1", message_id="m-1")])
    w.commit([acknowledgement("kz-mchs", "m-1", "Dana", "seen"), acknowledgement("ir-ndmo", "4")])
    w.commit([acknowledgement("kz-mchs", "m-1", "Dana", "again")])

    (message,) = log.find_messages("a-1")
    found = log.acknowledgements(message)

    assert [(a.index, a.agency, a.officer, a.note) for a in found] == [
        (5, "kz-mchs", "Dana", "seen"),
        (6, "ir-ndmo", "Aysel", ""),
    ]
    w.commit([alert("az-fhn", "a-2")])
    assert log.acknowledgements(*log.find_messages("a-2")) == []


def test_an_acknowledgement_is_of_one_message_and_not_of_another_that_is_named_alike(
    log: Log,
) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")
    w.commit([alert("az-fhn", "a-1"), alert("ir-ndmo", "a-1", message_id="m-2")])
    w.commit([acknowledgement("kz-mchs", "5", "Dana")])
    w.commit(
        [
            alert(
                "kz-mchs",
                "k-1",
                sender="duty@kz.example",
                msg_type="Ack",
                references="centre@az.example,a-1,2020-01-01T00:00:00-00:00",
            )
        ]
    )

    theirs, copy = sorted(log.find_messages("a-1"), key=lambda m: m.index)

    assert log.acknowledgements(theirs) == []
    assert [(a.officer, a.of) for a in log.acknowledgements(copy)] == [("Dana", "ir-ndmo")]
    again = w.commit([acknowledgement("kz-mchs", "4", "Dana")])
    assert [o.duplicate for o in again.outcomes] == [False]
    assert [a.officer for a in log.acknowledgements(theirs)] == ["Dana"]


def test_a_cap_ack_acknowledges_what_it_refers_to_before_or_after_it_came(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    ack = alert(
        "ir-ndmo",
        "ack-1",
        sender="duty@ir.example",
        msg_type="Ack",
        references="centre@az.example,a-1,2026-11-23T08:00:00-00:00",
    )
    w.commit([ack])
    w.commit([alert("az-fhn", "a-1")])
    w.commit([acknowledgement("ir-ndmo", "4", "duty@ir.example")])

    (message,) = log.find_messages("a-1")
    found = log.acknowledgements(message)

    assert [(a.index, a.officer) for a in found] == [(3, "duty@ir.example")]
    assert log.head().size == 5


def test_the_delivery_of_an_index_is_that_of_the_first_confirmation_past_it(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(6)])
    first = w.commit([Candidate("delivery", "", body={"ir-ndmo": 4})]).outcomes[0].at_us
    second = w.commit([Candidate("delivery", "", body={"ir-ndmo": 6, "az-fhn": 5})])
    second_us = second.outcomes[0].at_us

    assert log.delivered_at(["ir-ndmo", "az-fhn"], 4) == {"ir-ndmo": first, "az-fhn": second_us}
    assert log.delivered_at(["ir-ndmo", "az-fhn"], 6) == {"ir-ndmo": second_us}
    assert log.delivered_at(["ir-ndmo"], 7) == {}
    assert log.delivered(["ir-ndmo", "az-fhn", "kz-mchs"]) == {"ir-ndmo": 6, "az-fhn": 5}


def test_the_first_index_at_a_time_is_found_in_every_place(log: Log) -> None:
    entries = [plain(10 * n) for n in range(9)]
    log.append(entries, expect=log.head())
    base = micros(BEGAN)

    for shift in range(-1, 90):
        expected = next((n for n in range(9) if 10 * n >= shift), 9)
        assert log.first_index_at(base + shift) == expected


def test_texts_that_a_database_cannot_keep_do_not_reach_it(log: Log) -> None:
    """PostgreSQL has no NUL and bounds what it indexes: one such text stopped the ledger."""
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1", message_id="m-1")])
    long_name = "".join(chr(0x4E00 + n % 9000) for n in range(3000))

    batch = [
        acknowledgement("ir-ndmo", "m-1", "a\x00b"),
        acknowledgement("ir-ndmo", "m-1", "Aysel", "a\x00b"),
        acknowledgement("ir-ndmo", "m-1", "a\ud800b"),
        acknowledgement("ir-ndmo", "m\ud800"),
        alert("az-fhn", long_name),
        alert("az-fhn", "a" * 960),
        alert(
            "ir-ndmo",
            "k" * 900,
            sender="duty@ir.example",
            msg_type="Ack",
            references=f"centre@az.example,{long_name},2026-11-23T08:00:00-00:00",
        ),
        alert("az-fhn", "a-2"),
    ]
    outcomes = w.commit(batch).outcomes

    codes = [o.refusal.code if o.refusal else "" for o in outcomes]
    assert codes == [
        "field-invalid",
        "field-invalid",
        "field-invalid",
        "field-invalid",
        "identifier-too-long",
        "",
        "",
        "",
    ]
    assert w.commit(batch[4:]).entries[0].kind == "refusal"


def test_the_longest_names_that_are_admitted_can_be_kept(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    text = "".join(chr(33 + (n * n * 31 + n * 7) % 90) for n in range(1000))
    text = text.replace(",", "x").replace("<", "x").replace("&", "x")
    sender, identifier = text[:500], text[500:]

    decisions = w.commit(
        [
            alert("az-fhn", identifier, sender=sender),
            alert(
                "ir-ndmo",
                "i",
                sender=text[:999],
                msg_type="Ack",
                references=f"{sender},{identifier},2026-11-23T08:00:00-00:00",
            ),
        ]
    )

    assert [o.refusal for o in decisions.outcomes] == [None, None]
    (message,) = log.find_messages(identifier)
    assert [a.officer for a in log.acknowledgements(message)] == [text[:999]]


def test_an_unreachable_store_is_unavailable_and_says_so(tmp_path: object) -> None:
    for url, code in (
        ("postgresql://nobody@127.0.0.1:1/none", "log-unavailable"),
        ("mysql://x/y", "log-unavailable"),
        ("no address", "log-unavailable"),
        (f"sqlite:///{tmp_path}", "log-unavailable"),
    ):
        with pytest.raises(Unavailable) as refused:
            Log.open(url)

        assert refused.value.code == code


def test_a_commit_to_sqlite_waits_for_the_disk(sqlite_log: Log) -> None:
    with sqlite_log.engine.connect() as c:
        assert c.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert c.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_time_in_the_log_never_stands_still_or_runs_back(log: Log) -> None:
    w = Writer(log).begin("az-fhn")
    w.commit([alert("az-fhn", "a-1")])
    w.now = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    w.commit([alert("az-fhn", "a-2", sent=w.now), alert("az-fhn", "a-3", sent=w.now)])

    times = [r.at_us for r in log.rows()]
    assert times == sorted(set(times))


@pytest.mark.parametrize("how", ["reading", "asking", "writing"])
def test_a_store_that_is_evidence_takes_no_writes(log: Log, how: str) -> None:
    Writer(log).begin("az-fhn")
    kept = Log(open_to_read(log.engine.url.render_as_string(hide_password=False)))

    def write() -> None:
        with getattr(kept, how)() as c:
            c.exec_driver_sql("DELETE FROM entries")
            c.commit()

    try:
        assert kept.head() == log.head()
        with pytest.raises(Unavailable, match=r"read.?only"):
            write()
    finally:
        kept.close()
    assert log.row(1) is not None
