"""A payload removed by law: nothing of it is left, and everything about the log still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hub.core.candidate import Candidate
from hub.core.redaction import REDACTED_TYPE, residue
from hub.core.registry import History
from hub.log.bundle import export, open_bundle, verify_bundle
from hub.log.feeding import read_from_log
from hub.log.projections import read_logged, rebuild
from hub.log.replay import replay
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tables import PAYLOADS
from hub.log.verify import verify_store
from hub.streams.fields import feed_json
from schemas.facts import MessageFacts
from tests.hubkit import store
from tests.log.samples import BEGAN, Writer, alert, cap

SECRET = "the name of a patient"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log.open(store(tmp_path))
    yield log
    log.close()


def redaction(message: int, agency: str = "az-fhn", **given: Any) -> Candidate:
    body = {"agency": agency, "message": message, "grounds": "court order 7", **given}
    return Candidate("redaction", "", via="http", body=body)


def redacted(log: Log) -> Writer:
    """Write two members, two alerts at 3 and 4, and redact the first, at 5."""
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1", headline=SECRET), alert("az-fhn", "a-2")])
    decisions = w.commit([redaction(3)])
    assert decisions.outcomes[0].refusal is None
    return w


def test_nothing_of_the_payload_is_left_on_the_disk(log: Log, tmp_path: Path) -> None:
    redacted(log)

    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


def test_the_log_and_its_root_are_as_they_were(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1", headline=SECRET)])
    before, bodies = log.head(), [r.body for r in scan(log)]
    w.commit([redaction(3)])
    report = verify_store(log, earlier=before, read=read_logged)

    assert report.fault is None
    assert report.withheld == 1
    assert [r.body for r in scan(log)][:4] == bodies


def test_what_is_left_says_who_and_when_and_nothing_of_what(log: Log) -> None:
    redacted(log)
    row = log.row(3)
    assert row is not None
    assert row.facts is not None

    assert row.payload_type == REDACTED_TYPE
    assert (row.facts.sender, row.facts.identifier) == ("centre@az.example", "a-1")
    assert (row.facts.headline, row.facts.areas, row.facts.events) == ("", (), ())
    assert MessageFacts.model_validate_json(row.payload or b"") == row.facts
    assert residue(row.facts) == (row.payload or b"").decode()


def test_rows_made_anew_are_the_same(log: Log) -> None:
    redacted(log)
    before = log.row(3)
    rebuild(log)

    assert log.row(3) == before


def test_the_same_message_sent_again_gets_its_receipt_and_is_not_kept(log: Log) -> None:
    w = redacted(log)
    outcome = w.commit([alert("az-fhn", "a-1", headline=SECRET)]).outcomes[0]

    assert (outcome.duplicate, outcome.index) == (True, 3)
    assert (log.row(3) or pytest.fail("gone")).payload_type == REDACTED_TYPE


def test_what_is_redacted_is_not_redacted_twice(log: Log) -> None:
    w = redacted(log)
    size = log.head().size
    outcome = w.commit([redaction(3)]).outcomes[0]

    assert outcome.duplicate
    assert log.head().size == size


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"message": 99}, "unknown-message"),
        ({"message": 1}, "unknown-message"),
        ({"message": 4, "agency": "ir-ndmo"}, "unknown-message"),
        ({"message": 4, "agency": "kz-none"}, "unknown-agency"),
        ({"message": -1}, "statement-invalid"),
        ({"message": 4, "grounds": ""}, "statement-invalid"),
        ({"message": 4, "why": "x"}, "statement-invalid"),
    ],
)
def test_what_cannot_be_redacted_is_refused(log: Log, given: dict[str, Any], code: str) -> None:
    w = redacted(log)
    outcome = w.commit([redaction(**given)]).outcomes[0]

    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    assert (log.row(4) or pytest.fail("gone")).payload == cap("a-2")


def test_feeds_tell_of_it_and_hold_what_is_left(log: Log) -> None:
    redacted(log)
    history = History(log.registry_entries())
    page = read_from_log(log, history, "ir-ndmo", after=-1, limit=10)
    told = [feed_json(index, fields) for index, fields in page.entries]

    assert [e["kind"] for e in told] == ["publish", "publish", "redaction"]
    assert SECRET not in str(told)
    assert (told[2]["message"], told[2]["grounds"]) == (3, "court order 7")


def test_a_replay_comes_to_the_same_digest_as_before(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1", headline=SECRET), alert("az-fhn", "a-2")])
    before = asyncio.run(replay(scan(log)))
    w.commit([redaction(3)])

    again = asyncio.run(replay(scan(log, through=4)))
    assert again.digest == before.digest


def test_a_bundle_verifies(log: Log, tmp_path: Path) -> None:
    redacted(log)
    export(log, tmp_path / "b.jsonl")

    assert verify_bundle(open_bundle(tmp_path / "b.jsonl"), read=read_logged).fault is None
    assert SECRET not in (tmp_path / "b.jsonl").read_text()


def test_a_payload_that_was_removed_without_an_entry_is_seen(log: Log) -> None:
    w = Writer(log).begin("az-fhn", "ir-ndmo")
    w.commit([alert("az-fhn", "a-1")])
    row = log.row(3)
    assert row is not None
    assert row.facts is not None
    with log.writing() as c:
        body = residue(row.facts).encode()
        c.execute(update(PAYLOADS).where(PAYLOADS.c.idx == 3).values(type=REDACTED_TYPE, body=body))
    fault = verify_store(log, read=read_logged).fault

    assert fault is not None
    assert fault.index == 3


def test_a_residue_that_is_not_the_one_of_the_entry_is_seen(log: Log) -> None:
    redacted(log)
    with log.writing() as c:
        body = residue(
            MessageFacts(kind="alert", sender="x", identifier="y", sent=BEGAN, msg_type="Alert")
        ).encode()
        c.execute(
            update(PAYLOADS)
            .where(PAYLOADS.c.idx == 3)
            .values(body=body, sha256=sha256(body).digest())
        )
    fault = verify_store(log, read=read_logged).fault

    assert fault is not None
    assert (fault.index, fault.code) == (3, "payload")
