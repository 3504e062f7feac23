"""Whatever is changed in a store, verification sees it and names the first wrong entry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from samples import BEGAN, ORIGIN, Writer, acknowledgement, alert, member, refusal, subscription

from hub.core.admission import NewEntry, Rules
from hub.core.candidate import Candidate
from hub.core.merkle import Frontier, extend
from hub.log.genesis import ensure_genesis
from hub.log.projections import read_logged
from hub.log.scan import scan
from hub.log.store import Head, Log, LogRow
from hub.log.verify import verify, verify_hashes, verify_store
from schemas.entry import encode, micros


def fill(log: Log) -> Log:
    """Fill a log: the comments are log indexes."""
    w = Writer(log).begin("az-fhn", "ir-ndmo", "kz-mchs")  # 0; 1, 2, 3
    w.commit(
        [
            alert("az-fhn", "a-1"),  # 4
            alert("ir-ndmo", "i-1", message_id="own-id"),  # 5
            alert("az-fhn", "a-2", scope="Private", addresses="KZ"),  # 6
            refusal("az-fhn", inbox="5-1", payload=b"<no/>"),  # 7
            alert("az-fhn", "a-3", status="Exercise"),  # 8
            subscription("ir-ndmo", "oil"),  # 9
        ]
    )
    w.commit(
        [
            acknowledgement("ir-ndmo", "4", note="seen"),  # 10
            Candidate("delivery", "", body={"ir-ndmo": 6, "kz-mchs": 4}),  # 11
            refusal("kz-mchs", payload=b"x" * 70_000),  # 12
            Candidate(
                "dead-letter",
                "kz-mchs",
                inbox="7-1",
                payload=b"poison",
                body={"stage": "intake", "reason": "x", "fields": {}},
            ),  # 13
            refusal("kz-mchs", payload=b""),  # 14
            alert("az-fhn", "a-4", sent=BEGAN - timedelta(days=2)),  # 15
            member("kz-mchs", languages=["kk", "ru"]),  # 16
            Candidate("delivery", "", body={"ir-ndmo": 9}),  # 17
            alert("az-fhn", "a-5"),  # 18
            alert("ir-ndmo", "i-2"),  # 19
        ]
    )
    assert log.head().size == 20
    return log


@pytest.fixture
def filled(sqlite_log: Log) -> Log:
    return fill(sqlite_log)


def change(log: Log, *statements: str) -> None:
    with log.writing() as c:
        for statement in statements:
            c.exec_driver_sql(statement)


def test_a_log_that_nobody_touched_is_whole(log: Log) -> None:
    fill(log)
    told: list[int] = []

    report = verify_store(log, read=read_logged, progress=told.append)

    assert report.fault is None
    assert report.ok
    assert report.root == log.head().root
    assert (report.entries, report.messages, report.payloads) == (20, 7, 9)
    assert report.withheld == 0
    assert report.decided == 7 + 5 + 1
    assert report.acknowledged == 1
    assert {f: s.through for f, s in report.feeds.items() if s.through >= 0} == {
        "ir-ndmo": 9,
        "kz-mchs": 4,
    }
    assert told[-1] == 20


def test_an_empty_log_is_whole(log: Log) -> None:
    assert verify_store(log).ok


def test_a_long_log_is_whole(sqlite_log: Log) -> None:
    w = Writer(sqlite_log).begin("az-fhn")
    w.commit([alert("az-fhn", f"a-{n}") for n in range(2500)])

    report = verify_store(sqlite_log)

    assert report.ok
    assert report.entries == 2502


def swap(table: str, a: int, b: int) -> tuple[str, ...]:
    return (
        f"UPDATE {table} SET idx = -1 WHERE idx = {a}",
        f"UPDATE {table} SET idx = {a} WHERE idx = {b}",
        f"UPDATE {table} SET idx = {b} WHERE idx = -1",
    )


def edit(table: str, index: int, old: str, new: str) -> str:
    """Return the statement that alters the bytes of an entry or a payload."""
    return (
        f"UPDATE {table} SET body = CAST(replace(CAST(body AS TEXT), '{old}', '{new}') AS BLOB)"
        f" WHERE idx = {index}"
    )


def copy(table: str, index: int, columns: str, source: int) -> str:
    """Return the statement that puts a copy of a row, with other columns, at an index."""
    return f"INSERT INTO {table} SELECT {index}, {columns} FROM {table} WHERE idx = {source}"


ENTRY, PAYLOAD = "at_us, kind, agency, body", "type, sha256, body"
LATER = "at_us + 1, kind, agency, body"

DAMAGE: dict[str, tuple[tuple[str, ...], int | None, str]] = {
    # entries, column by column
    "an entry is deleted": (("DELETE FROM entries WHERE idx = 7",), 7, "gap"),
    "the first is deleted": (("DELETE FROM entries WHERE idx = 0",), 0, "gap"),
    "the tail is cut": (("DELETE FROM entries WHERE idx >= 18",), 18, "gap"),
    "all are deleted": (("DELETE FROM entries",), 0, "gap"),
    "the tail is cut and the end says so": (
        ("DELETE FROM entries WHERE idx >= 18", "UPDATE head SET size = 18"),
        None,
        "root",
    ),
    "an index is moved": (("UPDATE entries SET idx = 90 WHERE idx = 7",), 7, "gap"),
    "an index is negative": (("UPDATE entries SET idx = -5 WHERE idx = 7",), -5, "gap"),
    "a time is moved": (("UPDATE entries SET at_us = at_us + 1 WHERE idx = 7",), 7, "column"),
    "a kind is another": (("UPDATE entries SET kind = 'publish' WHERE idx = 7",), 7, "column"),
    "an agency is another": (("UPDATE entries SET agency = 'ir-x' WHERE idx = 4",), 4, "column"),
    "bytes are no JSON": (("UPDATE entries SET body = x'ff' WHERE idx = 7",), 7, "entry"),
    "bytes are no entry": (("UPDATE entries SET body = x'7b7d' WHERE idx = 7",), 7, "entry"),
    "bytes are gone": (("UPDATE entries SET body = x'' WHERE idx = 7",), 7, "entry"),
    "a fact is altered that only the tree holds": (
        (edit("entries", 10, "seen", "sean"),),
        10,
        "tree",
    ),
    "an officer is another": ((edit("entries", 10, "Aysel", "Ayten"),), 10, "tree"),
    "a header is altered": ((edit("entries", 4, "2026-11-23T08", "2026-11-23T07"),), 4, "column"),
    "a fact of a header is altered": ((edit("entries", 4, '"members', '"nembers'),), 4, "tree"),
    "a count is another": ((edit("entries", 6, '"seq\\":2', '"seq\\":3'),), 6, "chain"),
    "a digest in a header is another": ((edit("entries", 4, '_sha256\\":\\"', "_"),), 4, "entry"),
    "what is acknowledged lies in the future": (
        (edit("entries", 10, '"message":4', '"message":40'),),
        10,
        "decision",
    ),
    "a delivery goes back": ((edit("entries", 17, ":9}", ":5}"),), 17, "decision"),
    "a delivery goes ahead": ((edit("entries", 17, ":9}", ":17}"),), 17, "decision"),
    "a member's record is another": (
        (edit("entries", 3, '"active":true', '"active":null'),),
        3,
        "decision",
    ),
    "a member is unmade": ((edit("entries", 3, '"kz-mchs"', '"xx-mchs"'),), 3, "decision"),
    "two entries are swapped": (swap("entries", 7, 12), 7, "payload"),
    "two without payload are swapped": (swap("entries", 10, 17), 10, "tree"),
    "two neighbours are swapped": (swap("entries", 1, 2), 1, "tree"),
    "two messages are swapped with their payloads": (
        (*swap("entries", 4, 6), *swap("payloads", 4, 6)),
        4,
        "chain",
    ),
    "an entry is inserted and the rest moved up": (
        (
            "UPDATE entries SET idx = -idx - 2 WHERE idx >= 7",
            "UPDATE entries SET idx = -idx - 1 WHERE idx < 0",
            copy("entries", 7, ENTRY, 2),
        ),
        7,
        "time",
    ),
    "an entry is put behind the end": ((copy("entries", 20, LATER, 19),), 20, "gap"),
    "an entry is put far behind the end": ((copy("entries", 99, LATER, 19),), 99, "gap"),
    "one is put behind the end, which says so": (
        (
            copy("entries", 20, LATER, 19),
            "UPDATE head SET size = 21, frontier = CAST(frontier || zeroblob(32) AS BLOB)",
        ),
        None,
        "head",
    ),
    # payloads
    "a payload is deleted": (("DELETE FROM payloads WHERE idx = 5",), 5, "payload"),
    "a refused payload is deleted": (("DELETE FROM payloads WHERE idx = 7",), 7, "payload"),
    "a dead letter's is deleted": (("DELETE FROM payloads WHERE idx = 13",), 13, "payload"),
    "a payload is another": (("UPDATE payloads SET body = x'3c' WHERE idx = 5",), 5, "payload"),
    "a letter of a payload is another": ((edit("payloads", 6, "Oil", "Oim"),), 6, "payload"),
    "a refused payload is altered": ((edit("payloads", 7, "no", "on"),), 7, "payload"),
    "a kept beginning is cut": ((edit("payloads", 12, "x", ""),), 12, "payload"),
    "a digest is another": (("UPDATE payloads SET sha256 = x'00' WHERE idx = 5",), 5, "column"),
    "a refused one's digest is another": (
        ("UPDATE payloads SET sha256 = x'00' WHERE idx = 7",),
        7,
        "column",
    ),
    "a type is another": (("UPDATE payloads SET type = 'text/plain' WHERE idx = 5",), 5, "column"),
    "two payloads are swapped": (swap("payloads", 4, 6), 4, "payload"),
    "a payload moves": (("UPDATE payloads SET idx = 14 WHERE idx = 7",), 7, "payload"),
    "a payload is put beside a member": ((copy("payloads", 2, PAYLOAD, 4),), 2, "payload"),
    "a payload is put beside nothing": ((copy("payloads", 14, PAYLOAD, 4),), 14, "payload"),
    "a payload belongs to no entry": ((copy("payloads", 55, PAYLOAD, 4),), 55, "payload"),
    # the end
    "the end is deleted": (("DELETE FROM head",), 0, "gap"),
    "the size is another": (("UPDATE head SET size = 28",), None, "head"),
    "the time of the end is another": (("UPDATE head SET at_us = at_us + 1",), None, "head"),
    "the root is another": (("UPDATE head SET root = zeroblob(32)",), None, "head"),
    "the tree is another": (("UPDATE head SET frontier = zeroblob(64)",), None, "head"),
    "the tree is cut": (("UPDATE head SET frontier = x'00'",), None, "head"),
    "there are two ends": (
        ("INSERT INTO head SELECT 2, size, at_us, root, frontier FROM head",),
        None,
        "head",
    ),
    # values that are not of their column's type, which SQLite lets in
    "a text stands for bytes": (("UPDATE entries SET body = 'text' WHERE idx = 7",), 7, "entry"),
    "a text stands for a payload": (
        ("UPDATE payloads SET body = 'text' WHERE idx = 5",),
        5,
        "payload",
    ),
    "a text stands for a digest": (
        ("UPDATE payloads SET sha256 = 'text' WHERE idx = 5",),
        5,
        "column",
    ),
    "a text stands for a time": (("UPDATE entries SET at_us = 'now' WHERE idx = 7",), 7, "column"),
}


@pytest.mark.parametrize(("statements", "index", "code"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_seen_and_the_first_wrong_entry_named(
    filled: Log, statements: tuple[str, ...], index: int | None, code: str
) -> None:
    change(filled, *statements)

    report = verify_store(filled)

    assert not report.ok
    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (index, code), str(report.fault)
    assert report.fault.culprit == "storage"


def test_the_hashes_alone_show_every_change_of_an_entry(filled: Log) -> None:
    assert verify_hashes(filled, earlier=filled.head()).ok
    for statement, index in (
        ("UPDATE entries SET body = x'7b7d' WHERE idx = 9", 9),
        ("DELETE FROM entries WHERE idx = 7", 7),
        ("UPDATE entries SET body = 'text' WHERE idx = 5", 5),
    ):
        change(filled, statement)
        report = verify_hashes(filled)
        assert report.fault is not None
        assert (report.fault.index, report.fault.culprit) == (index, "storage")


def rows_of(log: Log) -> list[LogRow]:
    return list(scan(log))


def tree(rows: list[LogRow]) -> Head:
    frontier = extend(Frontier(0, ()), (r.body for r in rows))
    return Head(len(rows), rows[-1].at_us, frontier)


def test_a_store_rewritten_with_its_end_disagrees_with_an_end_kept_elsewhere(filled: Log) -> None:
    kept = filled.head()
    body = filled.rows(after=9, limit=1)[0].body.replace(b"seen", b"sean")
    rows = [replace(r, body=body) if r.index == 10 else r for r in rows_of(filled)]

    assert verify(rows, tree(rows)).ok
    report = verify(rows, tree(rows), earlier=kept)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (None, "root")


def test_a_log_that_has_grown_agrees_with_every_earlier_end(sqlite_log: Log) -> None:
    w = Writer(sqlite_log).begin("az-fhn")
    kept = [sqlite_log.head()]
    for number in range(12):
        w.commit([alert("az-fhn", f"a-{number}")])
        kept.append(sqlite_log.head())

    for earlier in kept:
        assert verify_store(sqlite_log, earlier=earlier).ok


def test_a_log_that_was_cut_back_is_seen_by_who_kept_its_end(filled: Log) -> None:
    kept = filled.head()
    rows = rows_of(filled)[:15]

    report = verify(rows, tree(rows), earlier=kept)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (15, "rollback")
    assert report.fault.culprit == "hub"


def test_a_twin_is_seen(filled: Log) -> None:
    rows = rows_of(filled)
    twin = rows[15]
    header = json.loads(twin.entry["header"])
    header["id"] = json.loads(rows[4].entry["header"])["id"]
    forged = dict(twin.entry) | {"header": json.dumps(header, separators=(",", ":"))}
    rows = [*rows[:15], replace(twin, body=json.dumps(forged, separators=(",", ":")).encode())]

    report = verify(rows, None)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (15, "twin")


class Forger:
    """A hub that writes what admission would not let in, with a perfect tree over it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.writer = Writer(log, rules=Rules(future_tolerance=timedelta(days=999)))

    def admit(self, *candidates: Candidate) -> None:
        self.writer.commit(candidates)

    def append(self, kind: str, agency: str, **facts: object) -> None:
        head = self.log.head()
        at_us = head.at_us + 1
        body = encode(kind, at_us, agency, facts)  # type: ignore[arg-type]
        self.log.append([NewEntry(kind, at_us, agency, body)], expect=head)


@pytest.fixture
def forger(sqlite_log: Log) -> Iterator[Forger]:
    ensure_genesis(sqlite_log, origin=ORIGIN, version="1", now_us=micros(BEGAN))
    return Forger(sqlite_log)


def test_an_admission_from_the_future_is_decided_otherwise(forger: Forger) -> None:
    forger.admit(member("az-fhn"), alert("az-fhn", "a-1", sent=BEGAN + timedelta(hours=2)))

    assert verify_store(forger.log).ok
    report = verify_store(forger.log, read=read_logged)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (2, "decision")
    assert "sent-in-future" in report.fault.detail
    generous = Rules(future_tolerance=timedelta(hours=3))
    assert verify_store(forger.log, read=read_logged, rules=generous).ok


def test_a_registry_entry_that_changes_nothing_is_decided_otherwise(forger: Forger) -> None:
    forger.admit(member("az-fhn"))
    forger.append("member", "", member=forger.log.rows(after=0)[0].entry["member"])

    report = verify_store(forger.log)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (2, "decision")


def test_a_subscription_of_nobody_is_decided_otherwise(forger: Forger) -> None:
    forger.append("subscription", "az-fhn", subscription={"agency": "az-fhn", "name": "oil"})

    report = verify_store(forger.log)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (1, "decision")


def test_a_second_beginning_is_wrong(forger: Forger) -> None:
    forger.append("genesis", "", origin="another")

    report = verify_store(forger.log)

    assert report.fault is not None
    assert (report.fault.index, report.fault.code) == (1, "entry")


def test_part_of_a_log_is_checked_entry_by_entry(filled: Log) -> None:
    rows = rows_of(filled)

    part = verify(rows[5:], None, first=5)
    assert part.ok
    assert part.root is None
    own = verify([r for r in rows if r.agency == "az-fhn"], None, contiguous=False)
    assert own.ok
    assert own.messages == 5
    missing = verify(
        [r for r in rows if r.agency == "az-fhn" and r.index != 6], None, contiguous=False
    )
    assert missing.fault is not None
    assert (missing.fault.index, missing.fault.code) == (8, "chain")
    backwards = verify(list(reversed(rows)), None, contiguous=False)
    assert backwards.fault is not None


def test_a_withheld_payload_is_counted_where_it_may_be(filled: Log) -> None:
    rows = [replace(r, payload=None, payload_type="") for r in scan(filled)]

    assert not verify(rows, filled.head()).ok
    report = verify(rows, filled.head(), payloads_required=False, read=read_logged)

    assert report.ok
    assert report.withheld == 7
    assert report.root == filled.head().root
