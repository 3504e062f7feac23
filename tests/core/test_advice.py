"""What the log tells the sender of a message that it takes: H2, H7 and H8, and no more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from core_strategies import NOW, Model, agency, facts_of
from hypothesis import given
from hypothesis import strategies as st

from hub.core.advice import MOST_NAMERS, MOST_REFERENCES, advised
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.registry import Agency
from schemas.entry import from_micros, micros
from schemas.facts import MessageFacts, Reference

AGENCY = agency("az-fhn")
EARLIER = NOW - timedelta(minutes=30)


def told(facts: MessageFacts, of: Agency = AGENCY, at_us: int = micros(NOW)) -> list[str]:
    found = advised("[]", facts, agency=of, at_us=at_us, known=Known())
    return [f["rule"] for f in json.loads(found)]


@given(facts_of(), st.timedeltas(timedelta(0), timedelta(days=10)))
def test_only_an_old_message_gets_the_warning_of_its_age(
    facts: MessageFacts, age: timedelta
) -> None:
    at_us = int((facts.sent + age).timestamp() * 1_000_000)

    found = advised('[{"rule":"R17"}]', facts, agency=AGENCY, at_us=at_us, known=Known())

    rules = [f["rule"] for f in json.loads(found)]
    assert rules[0] == "R17"
    assert ("H7" in rules) == (from_micros(at_us) - facts.sent > timedelta(days=1))


def message(identifier: str, msg_type: str = "Alert", *names: str, **given_: Any) -> Candidate:
    by, named_sent = given_.pop("by", "az-fhn"), given_.pop("named_sent", EARLIER)
    facts = MessageFacts(
        **{
            "kind": "alert",
            "sender": "a@az",
            "identifier": identifier,
            "sent": EARLIER if msg_type == "Alert" else NOW,
            "msg_type": msg_type,
            "scope": "Public",
            "languages": ("en-US",),
            "references": tuple(
                Reference(sender="a@az", identifier=name, sent=named_sent) for name in names
            ),
            **given_,
        }
    )
    return Candidate("publish", by, payload=facts.model_dump_json().encode(), facts=facts)


def members() -> Model:
    model = Model()
    both = (agency("az-fhn"), agency("ir-ndmo"))
    model.commit([Candidate("member", "", body=a.model_dump(mode="json")) for a in both])
    return model


def warned(model: Model, candidate: Candidate) -> list[tuple[str, str]]:
    (outcome,) = model.commit([candidate]).outcomes
    assert outcome.refusal is None
    return [(f["rule"], f["message"].partition(":")[0]) for f in json.loads(outcome.warnings)]


@pytest.mark.parametrize("msg_type", ["Update", "Cancel"])
def test_what_changes_a_message_that_stands_is_right(msg_type: str) -> None:
    model = members()
    model.commit([message("1", expires=NOW + timedelta(microseconds=1000))])

    assert warned(model, message("2", msg_type, "1")) == []


def test_an_update_of_an_update_names_both_and_is_right() -> None:
    model = members()
    model.commit([message("1", expires=NOW - timedelta(minutes=1)), message("2", "Update", "1")])

    update = message("3", "Update", "1")

    assert warned(model, update) == [], "what was updated does not expire"


@pytest.mark.parametrize(
    ("there", "candidate", "why"),
    [
        ([], message("2", "Update", "1"), "missing reference"),
        ([message("1", by="ir-ndmo")], message("2", "Cancel", "1"), "missing reference"),
        ([message("1")], message("2", "Cancel", "1", named_sent=NOW), "missing reference"),
        ([message("1")], message("2", "Cancel", "1", status="Test"), "missing reference"),
        ([message("1", kind="ack")], message("2", "Cancel", "1"), "missing reference"),
        ([message("1", expires=NOW)], message("2", "Update", "1"), "expired reference"),
        (
            [message("1"), message("2", "Cancel", "1")],
            message("3", "Update", "1"),
            "cancelled reference",
        ),
    ],
    ids=["unknown", "another's", "another time", "exercise", "ack", "expired", "cancelled"],
)
def test_a_reference_that_changes_nothing_is_told(
    there: list[Candidate], candidate: Candidate, why: str
) -> None:
    model = members()
    model.commit(there)

    assert warned(model, candidate) == [("H2", why)]


def test_each_reference_is_told_once() -> None:
    assert warned(members(), message("2", "Update", "1", "1", "0")) == [
        ("H2", "missing reference"),
        ("H2", "missing reference"),
    ]


@pytest.mark.parametrize(
    "facts",
    [
        {"msg_type": "Alert", "kind": "alert"},
        {"msg_type": "Ack", "kind": "ack"},
        {"msg_type": "Error", "kind": "error"},
    ],
)
def test_what_mentions_a_message_learns_nothing_of_it(facts: dict[str, str]) -> None:
    """Else an agency could ask so which messages there are that it may not read."""
    candidate = message("2", facts["msg_type"], "1", kind=facts["kind"])

    assert warned(members(), candidate) == []


def test_a_cancel_is_found_among_the_last_that_named_it() -> None:
    model = members()
    model.commit([message("0"), message("c", "Cancel", "0")])
    names = [f"u{n}" for n in range(MOST_NAMERS)]
    for name in names[:-1]:
        assert warned(model, message(name, "Update", "0")) == [("H2", "cancelled reference")]

    model.commit([message(names[-1], "Update", "0")])

    assert warned(model, message("last", "Update", "0")) == [], "it is as a store would find it"


def test_of_very_many_references_the_first_are_looked_at() -> None:
    many = message("2", "Update", *map(str, range(MOST_REFERENCES + 9)))

    assert len(warned(members(), many)) == MOST_REFERENCES


@pytest.mark.parametrize(
    ("languages", "own", "identifier", "count"),
    [
        (("en-US",), (), "1", 0),
        (("RU",), ("ru",), "1", 0),
        (("az-Latn", "en"), ("az",), "1", 0),
        (("az",), ("az",), "1", 1),
        (("fa",), ("az",), "1", 2),
        (("en",), ("az", "ru"), "1", 1),
        (("az",), ("az",), "2026-1.AZ", 0),
        (("tk",), ("ru",), "2026-1_tk", 0),
        ((), ("az",), "1", 0),
    ],
)
def test_the_languages_of_the_agency_and_of_its_neighbours_are_asked_for(
    languages: tuple[str, ...], own: tuple[str, ...], identifier: str, count: int
) -> None:
    facts = message(identifier, languages=languages).facts
    assert facts is not None

    assert told(facts, agency("az-fhn", languages=own)) == ["H8"] * count
