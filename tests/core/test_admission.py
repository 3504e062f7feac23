"""What enters the log depends on the log before it, and on nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import count, pairwise
from typing import Any

import pytest
from core_strategies import (
    NOW,
    Model,
    agency,
    batches,
    named,
    refusal_codes,
)
from hypothesis import given
from hypothesis import strategies as st

from hub.core.admission import Decision, Rules, decide
from hub.core.candidate import Candidate
from hub.core.known import Known
from hub.core.merkle import EMPTY, extend
from hub.core.registry import Registry
from hub.core.routing import entitled, recipients
from hub.log.store import Head
from hub.log.verify import verify
from schemas.entry import decode, from_micros
from schemas.errors import Rejected
from schemas.facts import Area, MessageFacts, Reference
from schemas.header import Header
from tests.examples import examples


def split(batch: Sequence[Candidate], cuts: set[int]) -> list[Sequence[Candidate]]:
    """Cut a batch into several, at these places."""
    places = sorted({0, len(batch), *(c for c in cuts if c < len(batch))})
    return [batch[a:b] for a, b in pairwise(places)]


cuts = st.sets(st.integers(0, 20), max_size=6)


@examples(25)
@given(batches(), cuts)
def test_any_split_into_batches_gives_the_same_log(batch: list[Candidate], at: set[int]) -> None:
    whole, parts = Model(), Model()
    whole.commit(batch)
    for part in split(batch, at):
        parts.commit(part)

    assert parts.bodies == whole.bodies
    assert parts.entries == whole.entries
    assert [o.index for o in parts.outcomes] == [o.index for o in whole.outcomes]
    assert refusal_codes(parts.outcomes) == refusal_codes(whole.outcomes)


@examples(25)
@given(batches())
def test_the_same_batch_again_adds_nothing_and_gets_the_same_answers(
    batch: list[Candidate],
) -> None:
    """A ledger that dies between commit and answer reads the batch again."""
    model = Model()
    first = model.commit(batch)
    again = model.commit(batch)

    assert again.entries == ()
    for one, other in zip(first.outcomes, again.outcomes, strict=True):
        assert other.duplicate
        assert (one.refusal is None) == (other.refusal is None)
        if one.candidate.kind != "delivery" and not one.duplicate:
            assert (other.index, other.at_us) == (one.index, one.at_us)
            assert (other.message_id, other.warnings) == (one.message_id, one.warnings)
            assert other.sha256 == one.sha256 or other.refusal is not None


@examples(25)
@given(batches(), cuts, st.lists(st.integers(0, 5), max_size=4))
def test_any_redelivery_gives_the_same_log(
    batch: list[Candidate], at: set[int], again: list[int]
) -> None:
    once, often = Model(), Model()
    parts = split(batch, at)
    for part in parts:
        once.commit(part)
    for number, part in enumerate(parts):
        often.commit(part)
        for back in again:
            often.commit(parts[max(0, number - back)])

    assert often.bodies == once.bodies


@examples(25)
@given(batches(), st.lists(st.integers(-600, 600), max_size=5), cuts)
def test_the_log_is_whole_whatever_the_clock_does(
    batch: list[Candidate], seconds: list[int], at: set[int]
) -> None:
    """Time rises strictly, every chain is unbroken, no message is there twice."""
    model = Model()
    shifts = [*seconds, *([0] * 20)]
    for part, shift in zip(split(batch, at), shifts, strict=False):
        model.now = NOW + timedelta(seconds=shift)
        model.commit(part)

    frontier = extend(EMPTY, model.bodies)
    head = Head(frontier.size, model.entries[-1].at_us, frontier)
    report = verify(model.rows(), head)
    assert report.fault is None
    identities = [m.identity for m in model.messages]
    assert len(set(identities)) == len(identities)


@examples(25)
@given(batches())
def test_every_candidate_has_exactly_one_outcome(batch: list[Candidate]) -> None:
    model = Model()

    decisions = model.commit(batch)

    assert [o.candidate for o in decisions.outcomes] == batch
    fresh = [o for o in decisions.outcomes if not o.duplicate]
    assert [o.index for o in fresh] == list(range(1, 1 + len(decisions.entries)))
    for outcome in fresh:
        entry = model.entries[outcome.index]
        assert entry.at_us == outcome.at_us
        assert entry.agency == outcome.candidate.agency
        if outcome.candidate.kind not in {"refusal", "dead-letter"}:
            assert (entry.kind == "refusal") == (outcome.refusal is not None)
        assert decode(entry.body)["kind"] == entry.kind
    for outcome in decisions.outcomes:
        assert 0 <= outcome.index < len(model.entries)


@examples(25)
@given(batches())
def test_the_rows_beside_an_entry_say_what_the_entry_says(batch: list[Candidate]) -> None:
    model = Model()
    model.commit(batch)
    chains: dict[str, Header] = {}
    last_header: dict[str, str] = {}

    for index, e in enumerate(model.entries):
        entry = decode(e.body)
        for ack in e.acknowledgements:
            assert (ack.index, ack.agency, ack.at_us) == (index, e.agency, e.at_us)
        if e.kind != "publish":
            assert e.message is None
            continue
        header = Header.model_validate_json(entry["header"])
        assert e.message is not None
        assert (e.message.index, e.message.id, e.message.at_us) == (index, header.id, e.at_us)
        assert header.payload_sha256 == e.message.sha256 == sha256(e.payload).hexdigest()
        assert header.payload_size == len(e.payload)
        assert header.agency == e.agency
        assert header.seq == (chains[e.agency].seq + 1 if e.agency in chains else 1)
        assert header.prev == last_header.get(e.agency, "")
        chains[e.agency] = header
        last_header[e.agency] = sha256(entry["header"].encode()).hexdigest()
        assert e.chain is not None
        assert (e.chain.seq, e.chain.head) == (header.seq, last_header[e.agency])


@examples(25)
@given(batches())
def test_only_what_is_allowed_is_logged(batch: list[Candidate]) -> None:
    """Each admission, held against the registry that the log before it makes."""
    model = Model()
    model.commit(batch)
    registry = Registry()

    for index, e in enumerate(model.entries):
        entry = decode(e.body)
        if e.message is not None:
            said = e.message.facts
            assert e.agency in registry.members
            assert registry.agencies[e.agency].speaks_as(said.sender)
            ahead = said.sent - from_micros(e.at_us)
            assert ahead <= Rules().future_tolerance
            if said.scope == "Private":
                assert entitled(said, e.agency, registry) - {e.agency}
        elif e.kind == "acknowledgement":
            of = model.entries[entry["message"]].message
            assert of is not None
            assert e.agency in recipients(of.facts, of.agency, registry)
        registry = registry.apply(index, entry)


@given(batches(max_size=6), st.integers(0, 3))
def test_the_answer_does_not_depend_on_what_comes_after(batch: list[Candidate], fewer: int) -> None:
    whole, part = Model(), Model()
    whole.commit(batch)
    part.commit(batch[: len(batch) - fewer])

    assert whole.bodies[: len(part.bodies)] == part.bodies


# Each refusal, by its code. The log has: az-fhn, who speaks as a@az or b@*; ir-ndmo; kz-mchs.


@pytest.fixture
def model() -> Model:
    model = Model()
    model.commit(
        [
            member("az-fhn", senders=("a@az", "b@*"), addresses=("Centre",)),
            member("ir-ndmo"),
            member("kz-mchs"),
        ]
    )
    return model


def member(id_: str, **given_: Any) -> Candidate:
    return Candidate("member", "", body=agency(id_, **given_).model_dump(mode="json"))


def said(**given_: Any) -> MessageFacts:
    known = {
        "kind": "alert",
        "sender": "a@az",
        "identifier": "one",
        "sent": NOW,
        "msg_type": "Alert",
        "addresses": ("ir-ndmo",),
    }
    return MessageFacts.model_validate({**known, **given_})


def publish(
    by: str = "az-fhn", *, message_id: str = "", payload: bytes | None = None, **given_: Any
) -> Candidate:
    facts = said(**given_)
    return Candidate(
        "publish",
        by,
        via="stream",
        inbox=f"{by}-{message_id}-{facts.identifier}",
        payload=payload if payload is not None else facts.model_dump_json().encode(),
        payload_type="application/cap+xml",
        message_id=message_id,
        facts=facts,
    )


numbers = count()


def acknowledge(by: str, message: str, officer: str = "Aysel", note: str = "") -> Candidate:
    body = {"message": message, "officer": officer, "note": note}
    return Candidate("acknowledgement", by, via="http", inbox=f"5-{next(numbers)}", body=body)


def outcome_of(model: Model, *batch: Candidate) -> Decision:
    """Commit a batch; return the outcome of the last."""
    outcome: Decision = model.commit(batch).outcomes[-1]
    return outcome


def code_of(model: Model, *batch: Candidate) -> str:
    outcome = outcome_of(model, *batch)
    if outcome.refusal is None:
        return ""
    logged = decode(model.entries[outcome.index].body)
    assert logged["kind"] == "refusal"
    assert logged["code"] == outcome.refusal.code
    assert logged["detail"]
    return outcome.refusal.code


REF = Reference(sender="a@az", identifier="zero", sent=NOW)
OTHERS = Reference(sender="c@ir", identifier="zero", sent=NOW)


@pytest.mark.parametrize(
    ("candidate", "code"),
    [
        (publish(), ""),
        (publish(sender="b@anything"), ""),
        (publish(by="ir-ndmo", sender="anybody"), ""),
        (publish(by="tm-none"), "unknown-agency"),
        (acknowledge("tm-none", "1"), "unknown-agency"),
        (publish(sender="c@ir"), "sender-not-of-agency"),
        (publish(by="ir-ndmo", sender="a@az"), "sender-not-of-agency"),
        (publish(by="ir-ndmo", sender="b@any"), "sender-not-of-agency"),
        (member("ir-more", addresses=("Centre",)), "name-taken"),
        (publish(msg_type="Update", references=(REF,)), ""),
        (publish(msg_type="Update", references=(REF, OTHERS)), "not-your-message"),
        (publish(msg_type="Cancel", references=(OTHERS,)), "not-your-message"),
        (publish(msg_type="Alert", references=(OTHERS,)), ""),
        (publish(msg_type="Ack", kind="ack", references=(OTHERS,)), ""),
        (publish(msg_type="Update", kind="aid", references=(OTHERS,)), ""),
        (publish(sent=NOW + timedelta(minutes=10)), ""),
        (publish(sent=NOW + timedelta(minutes=10, seconds=1)), "sent-in-future"),
        (publish(scope="Private"), ""),
        (publish(scope="Private", addresses=("nobody",)), "no-known-recipient"),
        (publish(scope="Private", addresses=("az-fhn", "Centre")), "no-known-recipient"),
        (publish(scope="Private", addresses=()), "no-known-recipient"),
        (publish(identifier="x" * 996), ""),
        (publish(identifier="x" * 997), "identifier-too-long"),
        (publish(identifier="ж" * 499), "identifier-too-long"),
        (publish(identifier="a\x00b"), "field-invalid"),
        (publish(addresses=("ir-ndmo", "x" * 70_000), scope="Restricted"), "entry-too-large"),
        (replace(publish(), facts=None), "not-a-message"),
        (acknowledge("ir-ndmo", "99"), "unknown-message"),
        (acknowledge("ir-ndmo", "no-such-id"), "unknown-message"),
        (acknowledge("ir-ndmo", ""), "field-missing"),
        (acknowledge("ir-ndmo", "x" * 201), "field-missing"),
        (acknowledge("ir-ndmo", "1", officer="  "), "field-missing"),
        (acknowledge("ir-ndmo", "1", officer="x" * 201), "field-missing"),
        (acknowledge("ir-ndmo", "1", officer="a\x00"), "field-invalid"),
        (acknowledge("ir-ndmo", "1", note="x" * 2001), "note-too-long"),
        (acknowledge("ir-ndmo", "1", note="\ud800"), "field-invalid"),
        (Candidate("member", "", body={"id": "x"}), "member-invalid"),
        (Candidate("subscription", "az-fhn", body={"agency": "x"}), "subscription-invalid"),
        (
            Candidate("subscription", "az-fhn", body={"agency": "tm-none", "name": "a"}),
            "unknown-agency",
        ),
    ],
)
def test_a_candidate_alone_is_taken_or_refused(
    model: Model, candidate: Candidate, code: str
) -> None:
    assert code_of(model, candidate) == code


def test_a_member_that_left_may_no_longer_publish(model: Model) -> None:
    assert code_of(model, member("az-fhn", active=False), publish()) == "unknown-agency"


def test_what_was_accepted_stays_so_when_its_agency_has_left(model: Model) -> None:
    """A ledger that dies between commit and answer reads both again, and the registry moved on."""
    message = outcome_of(model, publish())
    ack = acknowledge("ir-ndmo", str(message.index))
    first = outcome_of(model, ack)
    model.commit([member("az-fhn", active=False), member("ir-ndmo", active=False)])

    assert outcome_of(model, publish()) == replace(message, duplicate=True)
    assert outcome_of(model, ack) == replace(first, duplicate=True)
    assert code_of(model, publish(identifier="two")) == "unknown-agency"
    assert code_of(model, acknowledge("ir-ndmo", str(message.index), "Dana")) == "unknown-agency"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (publish(), ""),
        (publish(payload=b"other bytes"), "conflicting-replay"),
        (publish(message_id="m-1"), ""),
        (publish(message_id="m-2"), "conflicting-replay"),
        (publish(message_id="m-1", identifier="two"), "conflicting-replay"),
        (publish(message_id="m-1", identifier="two", payload=b"first"), ""),
        (publish(identifier="two"), ""),
        (publish(by="ir-ndmo"), "sender-not-of-agency"),
        (publish(by="ir-ndmo", sender="c@ir", message_id="m-1"), ""),
    ],
)
def test_a_message_that_comes_again_is_known_or_conflicts(
    model: Model, second: Candidate, code: str
) -> None:
    first = publish(message_id="m-1", payload=second.payload if code == "" else None)
    model.commit([first])

    assert code_of(model, second) == code


def test_two_gateways_may_relay_messages_of_one_name(model: Model) -> None:
    one, other = (publish(by=by, sender="c@sea") for by in ("ir-ndmo", "kz-mchs"))
    model.commit([one])

    assert code_of(model, other) == ""
    assert model.entries[-1].agency == "kz-mchs"


def test_a_known_message_gets_its_first_receipt(model: Model) -> None:
    first = outcome_of(model, publish(message_id="m-1", sent=NOW - timedelta(days=2)))
    model.now += timedelta(days=1)

    again = outcome_of(model, publish(message_id="m-1", sent=NOW - timedelta(days=2)))

    assert again == replace(first, duplicate=True)
    assert json.loads(again.warnings)[0]["rule"] == "H7"


@pytest.mark.parametrize(
    ("message", "by", "code"),
    [
        (publish(), "ir-ndmo", ""),
        (publish(), "kz-mchs", ""),
        (publish(), "az-fhn", "not-to-acknowledge"),
        (publish(scope="Private"), "ir-ndmo", ""),
        (publish(scope="Private"), "kz-mchs", "unknown-message"),
        (publish(scope="Restricted"), "kz-mchs", "unknown-message"),
        (publish(status="Draft"), "az-fhn", "not-to-acknowledge"),
        (publish(status="Draft"), "ir-ndmo", "unknown-message"),
        (publish(kind="ack", msg_type="Ack"), "ir-ndmo", "not-to-acknowledge"),
        (publish(kind="error", msg_type="Error"), "ir-ndmo", "not-to-acknowledge"),
        (publish(status="Exercise"), "ir-ndmo", ""),
    ],
)
def test_a_message_is_acknowledged_by_those_who_are_asked(
    model: Model, message: Candidate, by: str, code: str
) -> None:
    index = outcome_of(model, message).index

    assert code_of(model, acknowledge(by, str(index))) == code


def test_who_may_not_read_a_message_does_not_learn_that_it_exists(model: Model) -> None:
    index = outcome_of(model, publish(scope="Private", message_id="m-1")).index

    for named_ in (str(index), "m-1"):
        there = outcome_of(model, acknowledge("kz-mchs", named_)).refusal
        nowhere = outcome_of(model, acknowledge("kz-mchs", "zz")).refusal
        assert there is not None
        assert nowhere is not None
        assert there.detail.replace(named_, "X") == nowhere.detail.replace("zz", "X")
        assert (there.code, there.remedy) == (nowhere.code, nowhere.remedy)


def test_an_id_does_not_catch_the_acknowledgements_of_an_index(model: Model) -> None:
    """An agency that called its message "4" got what was meant for log index 4."""
    index = outcome_of(model, publish()).index
    model.commit([publish(by="kz-mchs", sender="k@kz", message_id=str(index))])

    outcome = outcome_of(model, acknowledge("ir-ndmo", str(index)))

    assert decode(model.entries[outcome.index].body)["identifier"] == "one"


def test_an_id_that_two_agencies_use_is_told_apart_by_who_may_read(model: Model) -> None:
    model.commit(
        [publish(message_id="m-1"), publish(by="kz-mchs", sender="k@kz", message_id="m-1")]
    )

    assert code_of(model, acknowledge("ir-ndmo", "m-1")) == "ambiguous-message"
    model.commit([publish(message_id="m-2", identifier="2", scope="Private")])
    model.commit(
        [
            publish(
                by="ir-ndmo",
                sender="c@ir",
                message_id="m-2",
                identifier="3",
                scope="Private",
                addresses=("kz-mchs",),
            )
        ]
    )
    outcome = outcome_of(model, acknowledge("kz-mchs", "m-2"))
    assert outcome.refusal is None
    assert decode(model.entries[outcome.index].body)["message_agency"] == "ir-ndmo"


def test_the_first_acknowledgement_by_an_officer_stays(model: Model) -> None:
    index = outcome_of(model, publish()).index
    first = outcome_of(model, acknowledge("ir-ndmo", str(index), note="seen"))

    again = outcome_of(model, acknowledge("ir-ndmo", str(index), note="again"))
    other = outcome_of(model, acknowledge("ir-ndmo", str(index), officer="Dana"))

    assert again.duplicate
    assert again.index == first.index
    assert not other.duplicate


def test_a_cap_ack_acknowledges_each_message_it_names_once(model: Model) -> None:
    outcome = outcome_of(
        model,
        publish(
            by="ir-ndmo",
            kind="ack",
            msg_type="Ack",
            sender="duty@ir",
            references=(REF, REF, OTHERS),
            headline="understood",
        ),
    )

    acks = model.entries[outcome.index].acknowledgements
    assert [(a.sender, a.identifier, a.officer, a.note) for a in acks] == [
        ("a@az", "zero", "duty@ir", "understood"),
        ("c@ir", "zero", "duty@ir", "understood"),
    ]


def test_what_was_refused_stays_refused(model: Model) -> None:
    """It came again after a crash, and the registry had changed: both answers were given."""
    stranger = publish(by="tm-none", sender="d@tm")
    first = outcome_of(model, stranger)
    model.commit([member("tm-none")])

    again = outcome_of(model, stranger)

    assert again.refusal is not None
    assert again.refusal.code == "refused-before"
    assert again.duplicate
    assert again.index == first.index
    assert code_of(model, replace(stranger, inbox="anew")) == ""


def test_a_record_that_changes_nothing_is_not_logged_again(model: Model) -> None:
    size = len(model.entries)
    subscription = Candidate("subscription", "", body={"agency": "az-fhn", "name": "oil"})

    outcomes = model.commit([member("ir-ndmo"), subscription, subscription]).outcomes

    assert [o.duplicate for o in outcomes] == [True, False, True]
    assert [o.index for o in outcomes] == [2, size, size]
    assert code_of(model, member("ir-ndmo", languages=("fa",))) == ""


def test_an_old_record_that_comes_again_does_not_undo_a_newer_one(model: Model) -> None:
    """A second ledger claimed it after a crash: a member that had left was back."""
    made = named(member("kz-mchs", languages=("kk",)), "candidates/1-0")
    model.commit([made])
    model.commit([named(member("kz-mchs", active=False), "candidates/2-0")])

    again = outcome_of(model, made)

    assert again.duplicate
    assert "kz-mchs" not in model.registry.members


def test_only_what_moved_is_in_a_delivery(model: Model) -> None:
    model.commit([publish(identifier=str(n)) for n in range(5)])
    first = outcome_of(model, Candidate("delivery", "", body={"az-fhn": 5, "ir-ndmo": 6}))
    second = outcome_of(
        model, Candidate("delivery", "", body={"az-fhn": 5, "ir-ndmo": 7, "kz-mchs": 99})
    )
    third = outcome_of(model, Candidate("delivery", "", body={"az-fhn": 4}))

    assert decode(model.entries[first.index].body)["feeds"] == {"az-fhn": 5, "ir-ndmo": 6}
    assert decode(model.entries[second.index].body)["feeds"] == {"ir-ndmo": 7}
    assert third.duplicate


def refusal(**given_: Any) -> Candidate:
    body = {"code": "not-xml", "detail": "no", "remedy": "Send XML.", "findings": [], **given_}
    return Candidate("refusal", "az-fhn", inbox="7-7", payload=b"<x", body=body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"detail": "half \ud800"},
        {"detail": "\x00" * 1000},
        {
            "findings": [
                {
                    "rule": "R",
                    "severity": "error",
                    "path": "\x01" * 300,
                    "line": 1,
                    "message": "\x01" * 300,
                }
            ]
            * 20
        },
        {
            "findings": [
                {"rule": "R", "severity": "error", "path": "\ud800", "line": 1, "message": "x"}
            ]
        },
    ],
)
def test_a_refusal_always_finds_its_place(model: Model, body: dict[str, Any]) -> None:
    """One that did not fit into an entry stopped the whole batch, for ever."""
    outcomes = model.commit([refusal(**body), publish()]).outcomes

    assert refusal_codes(outcomes) == ["not-xml", ""]
    entry = decode(model.entries[outcomes[0].index].body)
    assert entry["code"] == "not-xml"
    assert entry["inbox"] == "7-7"
    assert outcomes[0].refusal is not None
    assert outcomes[0].refusal.remedy == "Send XML."


def test_a_refused_payload_is_kept_in_part_and_named_in_full(model: Model) -> None:
    payload = b"x" * 100_000

    outcome = outcome_of(model, publish(by="tm-none", payload=payload))

    entry = model.entries[outcome.index]
    assert len(entry.payload) == 65_536
    facts = decode(entry.body)
    assert facts["payload_sha256"] == sha256(payload).hexdigest() == outcome.sha256
    assert facts["payload_size"] == 100_000


def test_a_dead_letter_is_logged_once_with_all_its_bytes(model: Model) -> None:
    letter = Candidate(
        "dead-letter",
        "az-fhn",
        inbox="9-9",
        payload=b"p" * 70_000,
        body={"stage": "intake", "reason": "x", "fields": {"a": "й" * 60_000}},
    )

    first, again = model.commit([letter, letter]).outcomes

    assert refusal_codes([first, again]) == ["dead-letter", "dead-letter"]
    assert again.index == first.index
    entry = model.entries[first.index]
    assert entry.payload == letter.payload
    assert decode(entry.body)["fields"] == {}
    assert decode(entry.body)["reason"] == "x"


def test_the_future_is_what_the_rules_say_it_is() -> None:
    generous = Model(rules=Rules(future_tolerance=timedelta(hours=2)))
    generous.commit([member("az-fhn")])

    assert code_of(generous, publish(sent=NOW + timedelta(hours=1))) == ""


def test_entropy_of_the_system_makes_every_id_another() -> None:
    model = Model()
    model.commit([member("az-fhn")])
    batch = [publish(identifier=str(n)) for n in range(50)]

    decisions = decide(
        batch,
        size=2,
        last_at_us=model.entries[-1].at_us,
        now_us=model.entries[-1].at_us,
        registry=model.registry,
        known=Known(),
        rules=Rules(),
    )

    ids = [o.message_id for o in decisions.outcomes]
    assert len(set(ids)) == 50
    assert ids == sorted(ids)


def test_a_candidate_without_an_inbox_is_refused_each_time(model: Model) -> None:
    hubs_own = replace(publish(by="tm-none"), inbox="")

    first, second = model.commit([hubs_own, hubs_own]).outcomes

    assert refusal_codes([first, second]) == ["unknown-agency"] * 2
    assert second.index == first.index + 1
    assert isinstance(first.refusal, Rejected)


BAKU = Area(circles=((40.41, 49.87, 5.0),))
BEFORE_TURKMENBASHY = Area(circles=((39.9, 52.5, 5.0),))
OF_AKTAU = Area(geocodes=(("ISO 3166-2", "KZ-47"),))
IN_WORDS = Area(description="Baku", geocodes=(("SAME", "012086"),))


@pytest.mark.parametrize(
    ("given_areas", "said", "code"),
    [
        ((BAKU,), {}, ""),
        ((OF_AKTAU, BAKU), {}, ""),
        ((OF_AKTAU,), {}, "area-outside"),
        ((OF_AKTAU,), {"msg_type": "Update", "references": (REF,)}, "area-outside"),
        ((OF_AKTAU,), {"status": "Exercise"}, "area-outside"),
        ((OF_AKTAU,), {"msg_type": "Cancel", "references": (REF,)}, ""),
        ((OF_AKTAU,), {"kind": "aid"}, ""),
        ((OF_AKTAU,), {"kind": "ack", "msg_type": "Ack", "references": (OTHERS,)}, ""),
        ((BEFORE_TURKMENBASHY,), {}, "area-outside"),
        ((BEFORE_TURKMENBASHY, IN_WORDS), {}, "area-outside"),
        ((IN_WORDS,), {}, ""),
        ((), {}, ""),
    ],
)
def test_an_agency_alerts_for_its_own_places(
    model: Model, given_areas: tuple[Area, ...], said: dict[str, Any], code: str
) -> None:
    record = agency("az-fhn", senders=("a@az",), areas=("AZ", "AZ-coast"))
    model.commit([Candidate("member", "", body=record.model_dump(mode="json"))])

    assert code_of(model, publish(areas=given_areas, **said)) == code


def test_an_agency_without_places_alerts_for_any(model: Model) -> None:
    assert code_of(model, publish(areas=(OF_AKTAU,))) == ""
