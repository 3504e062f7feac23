"""A signed message stands in the log where its key counts and its count goes on, or is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from core_strategies import NOW, Model
from hypothesis import given
from hypothesis import strategies as st

from hub.core.admission import Decision
from hub.core.candidate import Candidate
from hub.core.merkle import EMPTY, extend
from hub.core.signing import Chain, chain_name
from hub.log.store import Head
from hub.log.verify import Fault, verify
from schemas.entry import decode
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from schemas.header import read_header
from schemas.payload import ReadPayload
from tests.keys import header_of, key, signed

AZ = "az-fhn"


def message(identifier: str, *, agency: str = AZ, **given: Any) -> Candidate:
    """Return a message as intake proposes it, unsigned."""
    told = {"kind": "alert", "msg_type": "Alert", "status": "Actual", "scope": "Public", **given}
    facts = MessageFacts(sender=f"s@{agency}", identifier=identifier, sent=NOW, **told)
    return Candidate(
        "publish",
        agency,
        via="stream",
        payload=facts.model_dump_json().encode(),
        payload_type="application/cap+xml",
        facts=facts,
    )


def key_change(agency: str, name: str, **given: Any) -> Candidate:
    body = {"agency": agency, "key": str(key(name)), "action": "add", **given}
    return Candidate("key", agency, body=body)


class Signing(Model):
    """A log with two agencies, whose keys are named as they are."""

    def __init__(self, **az: Any) -> None:
        super().__init__()
        for agency, more in ((AZ, az), ("ir-ndmo", {})):
            record = {"id": agency, "state": agency[:2].upper(), "name": agency, **more}
            self.commit([Candidate("member", "", body=record), key_change(agency, agency)])

    def one(self, c: Candidate) -> Decision:
        """Propose one; return its outcome."""
        outcome: Decision = self.commit([c]).outcomes[0]
        return outcome

    def send(self, identifier: str, signer: str = AZ, **changed: Any) -> Decision:
        """Sign the next message of the agency, and propose it."""
        return self.one(signed(message(identifier), signer, self.chain(), **changed))

    def chain(self, agency: str = AZ) -> Chain:
        """Return where the agency's count of what it signed stands."""
        return self.known().chains.get(chain_name(agency, signed=True), Chain())

    def entry(self, index: int) -> dict[str, Any]:
        return decode(self.entries[index].body)

    def fault(self) -> Fault | None:
        """Return what a stranger who reads the log finds wrong in it."""
        frontier = extend(EMPTY, self.bodies)
        head = Head(frontier.size, self.entries[-1].at_us, frontier)
        return verify(self.rows(), head, read=_read).fault

    def sound(self) -> bool:
        """Tell whether they find nothing wrong."""
        return self.fault() is None


def _read(payload: bytes, payload_type: str) -> ReadPayload:
    return ReadPayload(MessageFacts.model_validate_json(payload), (), payload_type)


def refused(outcome: Decision) -> str:
    assert outcome.refusal is not None
    return outcome.refusal.code


def test_a_signed_message_is_logged_as_it_was_signed() -> None:
    log = Signing()
    c = signed(message("one"), AZ)
    outcome = log.one(c)
    entry = log.entry(outcome.index)

    assert outcome.refusal is None
    assert outcome.message_id == json.loads(c.header)["id"]
    assert (entry["attested"], entry["header"]) == ("agency", c.header)
    assert (entry["key"], entry["signature"]) == (c.key, c.signature)
    assert log.sound()


def test_the_counts_of_what_an_agency_signed_and_of_what_it_did_not_are_apart() -> None:
    log = Signing()
    outcomes = [log.send("one"), log.one(message("two")), log.send("three")]
    outcomes.append(log.one(message("four")))
    headers = [json.loads(log.entry(o.index)["header"]) for o in outcomes]

    assert [o.refusal for o in outcomes] == [None] * 4
    assert [h["seq"] for h in headers] == [1, 1, 2, 2]
    assert [log.entry(o.index)["attested"] for o in outcomes] == ["agency", "hub"] * 2
    assert log.sound()


def test_the_same_again_gets_its_first_receipt() -> None:
    log = Signing()
    c = signed(message("one"), AZ)
    first, again = log.one(c), log.one(c)

    assert again.duplicate
    assert (again.index, again.message_id) == (first.index, first.message_id)


def test_two_in_one_batch_count_on() -> None:
    log = Signing()
    first = signed(message("one"), AZ)
    second = signed(message("two"), AZ, Chain().after(first.header))
    decisions = log.commit([first, second])

    assert [o.refusal for o in decisions.outcomes] == [None, None]
    assert log.sound()


def test_a_refused_message_keeps_its_place_in_the_count() -> None:
    """So the next can be sent before the answer to the last is there."""
    log = Signing()
    bad = signed(message("one", scope="Private", addresses=("nobody",)), AZ)
    outcome = log.one(bad)
    entry = log.entry(outcome.index)

    assert refused(outcome) == "no-known-recipient"
    assert entry["header"] == bad.header
    assert log.send("two").refusal is None
    assert log.sound()


def test_a_refused_message_that_comes_again_is_known() -> None:
    log = Signing()
    bad = signed(message("one", scope="Private", addresses=("nobody",)), AZ)
    first, again = log.one(bad), log.one(replace(bad, inbox="9-9"))

    assert again.duplicate
    assert (again.index, refused(again)) == (first.index, "refused-before")
    assert log.chain().seq == 1


def test_a_gap_is_refused_and_moves_nothing() -> None:
    log = Signing()
    ahead = signed(message("three"), AZ, Chain(2, "ab" * 32))

    assert refused(log.one(ahead)) == "sequence-gap"
    assert log.chain() == Chain()
    assert log.send("one").refusal is None
    assert log.sound()


@pytest.mark.parametrize("prev", ["", "ab" * 32])
def test_a_fork_is_refused_and_moves_nothing(prev: str) -> None:
    log = Signing()
    log.send("one")
    before = log.chain()

    for identifier, seq in (("two", 0), ("three", 1)):
        forked = signed(message(identifier), AZ, Chain(seq, prev), id=identifier)
        assert refused(log.one(forked)) == "sequence-fork"
    assert log.chain() == before


def test_a_message_signed_anew_is_another_message() -> None:
    """What is logged has the first header; the second must not pass for it."""
    log = Signing()
    log.send("one")
    again = log.send("one")

    assert refused(again) == "conflicting-replay"
    assert log.chain().seq == 2
    assert log.sound()


def test_a_message_that_is_there_unsigned_is_not_signed_later() -> None:
    log = Signing()
    log.one(message("one"))

    assert refused(log.send("one")) == "conflicting-replay"


def test_a_signed_message_is_known_again_without_its_signature() -> None:
    log = Signing()
    first = log.send("one")
    again = log.one(message("one"))

    assert again.duplicate
    assert again.index == first.index


def test_downgrading_is_refused_where_the_agency_signs_all() -> None:
    log = Signing(signs=True)

    assert refused(log.one(message("one"))) == "signature-required"
    assert log.send("one").refusal is None


def test_a_key_of_another_agency_is_none() -> None:
    log = Signing()

    assert refused(log.send("one", "ir-ndmo")) == "key-unknown"
    assert refused(log.send("one", "nobody")) == "key-unknown"
    assert log.chain() == Chain()


def test_a_key_counts_after_the_entry_that_added_it_and_not_before() -> None:
    log = Signing()
    early = signed(message("one"), "new", log.chain())

    assert refused(log.one(early)) == "key-unknown"
    assert log.one(key_change(AZ, "new")).refusal is None
    assert log.send("two", "new").refusal is None
    assert log.sound()


def test_a_revoked_key_signs_nothing_more() -> None:
    log = Signing()
    log.send("one")
    log.one(key_change(AZ, AZ, action="revoke"))

    assert refused(log.send("two")) == "key-revoked"
    assert log.chain().seq == 1
    assert log.sound()


def test_a_revoked_key_never_comes_back() -> None:
    log = Signing()
    log.one(key_change(AZ, AZ, action="revoke"))

    assert refused(log.one(key_change(AZ, AZ))) == "key-taken"
    assert refused(log.one(key_change("ir-ndmo", AZ))) == "key-taken"


def test_a_key_expires_by_the_time_of_the_log() -> None:
    log = Signing()
    until = (NOW + timedelta(hours=1)).isoformat()
    log.one(key_change(AZ, "short", expires=until))
    assert log.send("one", "short").refusal is None
    log.now = NOW + timedelta(hours=1)

    assert refused(log.send("two", "short")) == "key-expired"
    assert log.sound()


def test_a_key_may_be_doubted_from_an_earlier_entry_on() -> None:
    log = Signing()
    first, second = log.send("one"), log.send("two")
    log.one(key_change(AZ, AZ, action="revoke", compromised_since=second.index))
    life = log.registry.keys[str(key(AZ))]

    assert (life.suspect_at(first.index), life.suspect_at(second.index)) == (False, True)
    # That it was stolen even earlier may come out later; less doubt may not.
    more = key_change(AZ, AZ, action="revoke", compromised_since=first.index)
    assert log.one(more).refusal is None
    assert log.registry.keys[str(key(AZ))].suspect_at(first.index)
    assert refused(log.one(replace(more, body={**more.body, "compromised_since": 99}))) == (
        "key-unknown"
    )
    assert log.sound()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "aid"},
        {"audience": []},
        {"audience": ["members", "x"]},
        {"payload_type": "application/cap+json"},
        {"expires": NOW.isoformat()},
        {"payload_size": 1},
        {"payload_sha256": sha256(b"another").hexdigest()},
    ],
)
def test_a_header_that_says_something_else_than_its_message_is_refused(
    changed: dict[str, Any],
) -> None:
    log = Signing()

    assert refused(log.send("one", **changed)) == "header-mismatch"
    assert log.send("two").refusal is None
    assert log.sound()


@pytest.mark.parametrize(
    "added",
    ['"id": "other"', '"seq": 7, "seq": 1', '"payload_size": 1, "payload_size": 1', '"id": "h-1"'],
)
def test_a_field_that_stands_twice_has_two_meanings_and_is_refused(added: str) -> None:
    text = header_of(message("one"))

    with pytest.raises(Rejected, match="same name twice"):
        read_header(f"{text[:-1]}, {added}}}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", "1"), ("seq", 1.0), ("seq", True), ("seq", 0), ("seq", None),
        ("payload_size", "7"), ("payload_size", 7.0), ("payload_sha256", "AB" * 32),
        ("created", 1_700_000_000), ("created", "1700000000"), ("created", "2026-11-23 10:00:00Z"),
        ("created", "2026-11-23T10:00:00"), ("created", "2026-11-23"), ("created", None),
        ("expires", 0), ("expires", ""), ("audience", "members"), ("audience", [1]),
        ("audience", {"members": 1}), ("id", 7), ("type", None), ("prev", None),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_and_not_converted(field: str, value: Any) -> None:
    """Whoever reads the log holds the header's own values against the count and the payload."""
    with pytest.raises(Rejected, match=f"header cannot be read: {field}"):
        read_header(header_of(message("one"), **{field: value}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" * 5000])
def test_what_is_no_number_to_everybody_is_refused(number: str) -> None:
    text = header_of(message("one")).replace('"seq": 1', f'"seq": {number}')

    with pytest.raises(Rejected, match="header cannot be read"):
        read_header(text)


@given(st.text(max_size=60) | st.from_regex(r"\{.*\}", fullmatch=True))
def test_whatever_is_said_to_be_a_header_is_read_or_refused(text: str) -> None:
    with suppress(Rejected):
        read_header(text)


def test_a_header_made_ahead_of_the_hubs_clock_is_refused() -> None:
    log = Signing()
    ahead = (NOW + timedelta(hours=1)).isoformat()

    assert refused(log.send("one", created=ahead)) == "sent-in-future"


def test_a_stranger_moves_no_count() -> None:
    log = Signing()
    log.one(signed(message("one"), "nobody"))
    log.one(signed(message("one"), "ir-ndmo"))

    assert log.chain() == Chain()
    assert log.send("one").refusal is None


def test_what_an_agency_signed_and_another_sends_is_not_the_others() -> None:
    log = Signing()
    mine = signed(message("one"), AZ)
    stolen = replace(mine, agency="ir-ndmo")

    assert refused(log.one(stolen)) == "key-unknown"


def test_whoever_reads_the_log_sees_a_signature_that_was_altered() -> None:
    log = Signing()
    outcome = log.send("one")
    whole = log.entries[outcome.index]
    entry = decode(whole.body)
    for name, other in (
        ("signature", entry["signature"].replace(entry["signature"][3], "A", 1)),
        ("key", str(key("ir-ndmo"))),
        ("header", entry["header"].replace('"seq": 1', '"seq":  1')),
    ):
        forged = {**entry, name: other}
        assert forged != entry
        log.entries[outcome.index] = replace(
            whole,
            body=json.dumps(forged, ensure_ascii=False, separators=(",", ":")).encode(),
        )
        fault = log.fault()
        assert fault is not None, name
        assert (fault.index, fault.code) == (outcome.index, "signature")
