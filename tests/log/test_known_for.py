"""What a store finds for a batch is all that its decision needs."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub.core.admission import Rules, decide
from hub.core.candidate import Candidate
from hub.core.registry import History
from hub.log.derived import message_of
from hub.log.genesis import ensure_genesis
from hub.log.projections import derive
from hub.log.scan import scan
from hub.log.store import Log
from hub.log.tables import MESSAGES, METADATA
from schemas.entry import micros
from schemas.facts import MessageFacts
from schemas.payload import ReadPayload

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))
from core_strategies import NOW, Model, batches, entropy_of


def read_facts(payload: bytes, payload_type: str) -> ReadPayload:
    """Read the payloads of these candidates, which are their facts."""
    return ReadPayload(MessageFacts.model_validate_json(payload), (), payload_type)


def commit(log: Log, batch: list[Candidate]) -> None:
    head = log.head()
    decisions = decide(
        batch,
        size=head.size,
        last_at_us=head.at_us,
        now_us=micros(NOW),
        registry=History(log.registry_entries()).latest,
        known=log.known_for(batch),
        rules=Rules(),
        entropy=[entropy_of(c) for c in batch],
    )
    log.append(decisions.entries, expect=head)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches(), st.sets(st.integers(0, 20), max_size=6))
def test_a_store_decides_as_who_knows_the_whole_log(
    log: Log, batch: list[Candidate], cuts: set[int]
) -> None:
    """In whatever lots the candidates come, and whatever comes twice.

    A lot that comes again may find another registry than it found at first, and what was refused
    then without a trace (a delivery on a feed that was not there) is taken. So the model gets all
    that comes, but as one lot.
    """
    with log.writing() as c:
        for table in METADATA.sorted_tables:
            c.execute(table.delete())
    model = Model()
    ensure_genesis(log, origin="model", version="1", now_us=micros(NOW))
    model.entries[0] = derive(log.rows(limit=1)[0])
    places = sorted({0, len(batch), *(c for c in cuts if c < len(batch))})

    lots = [batch[start:end] for start, end in pairwise(places) for _ in range(2)]
    for lot in lots:
        commit(log, lot)
    model.commit([candidate for lot in lots for candidate in lot])

    assert [r.body for r in scan(log)] == model.bodies
    with log.engine.connect() as c:
        kept = [message_of(r) for r in c.execute(select(MESSAGES).order_by(MESSAGES.c.idx))]
    assert kept == model.messages, "with the log's own advice"
    for row, entry in zip(scan(log), model.entries, strict=True):
        found = derive(row, read=read_facts)
        assert found.acknowledgements == entry.acknowledgements
        assert dict(found.delivered) == dict(entry.delivered)
        assert (found.chain, found.input_key) == (entry.chain, entry.input_key)
