"""The registry changes by statements that the right ones signed, once each, in their order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest
from core_strategies import NOW, Model
from hypothesis import given
from hypothesis import strategies as st

from hub.core.admission import NewEntry
from hub.core.candidate import Candidate
from hub.core.changes import ChangeKind, change_of, statement_text
from hub.core.merkle import EMPTY, extend
from hub.core.registry import Registry
from hub.log.store import Head
from hub.log.verify import verify
from schemas.ed25519 import VerifierKey
from schemas.entry import decode, encode, micros
from schemas.errors import Rejected
from tests.keys import key, statement, statement_of

TAKEN, UNSIGNED = "", "statement-unsigned"
STATES = ("AZ", "IR", "KZ", "RU", "TM")


def state(code: str, authority: str = "") -> dict[str, Any]:
    """Return a state's record, whose authority is named as it is."""
    return {"id": code, "name": code, "authority": str(key(authority or code))}


def agency(id_: str = "az-fhn", **given: Any) -> dict[str, Any]:
    root = str(key(f"{id_}-root"))
    return {"id": id_, "state": id_[:2].upper(), "name": id_, "root": root, **given}


def key_record(id_: str = "az-fhn", name: str = "k1", **given: Any) -> dict[str, Any]:
    return {"agency": id_, "key": str(key(name)), "action": "add", **given}


class Signed(Model):
    """A log whose first entry names the authorities of five states."""

    def __init__(self) -> None:
        super().__init__()
        at_us = micros(NOW)
        facts = {"origin": "test.example/log", "roots": [state(s) for s in STATES]}
        self.entries = [NewEntry("genesis", at_us, "", encode("genesis", at_us, "", facts))]

    def propose(self, body: Mapping[str, Any], kind: Any = "member") -> Any:
        return self.commit([Candidate(kind, "", via="http", body=body)]).outcomes[0]

    def change(self, kind: ChangeKind, record: Mapping[str, Any], *signers: str) -> str:
        """Have a change signed by these and propose it; return why it is refused, if it is."""
        outcome = self.propose(statement(self.registry, kind, record, *signers), kind)
        return outcome.refusal.code if outcome.refusal else ""

    def with_agency(self) -> Signed:
        assert not self.change("member", agency(), "AZ", "az-fhn-root")
        return self

    def sound(self) -> bool:
        frontier = extend(EMPTY, self.bodies)
        head = Head(frontier.size, self.entries[-1].at_us, frontier)
        return verify(self.rows(), head, read=unread).ok


def unread(_payload: bytes, _type: str) -> Any:
    """Read nothing: there is no message among the changes."""
    pytest.fail("no message")


def test_the_genesis_names_the_states() -> None:
    registry = Signed().registry

    assert registry.signed
    assert tuple(registry.states) == STATES


@pytest.mark.parametrize(
    ("kind", "record", "signers", "answer"),
    [
        ("member", agency(), ("AZ", "az-fhn-root"), TAKEN),
        ("member", agency(), ("AZ",), UNSIGNED),
        ("member", agency(), ("az-fhn-root",), UNSIGNED),
        ("member", agency(), ("IR", "az-fhn-root"), UNSIGNED),
        ("member", agency(), ("IR", "KZ", "RU", "TM", "az-fhn-root"), UNSIGNED),
        ("member", agency(root=""), ("AZ",), TAKEN),
        ("member", agency(root=""), ("IR",), UNSIGNED),
        ("state", state("GE"), ("AZ", "IR", "KZ"), TAKEN),
        ("state", state("GE"), ("AZ", "IR"), UNSIGNED),
        ("state", state("GE"), ("GE",), UNSIGNED),
        ("state", state("AZ", "AZ2"), ("AZ", "AZ2"), TAKEN),
        ("state", state("AZ", "AZ2"), ("AZ",), UNSIGNED),
        ("state", state("AZ", "AZ2"), ("AZ2",), UNSIGNED),
        ("state", state("AZ", "AZ2"), ("IR", "KZ", "RU"), TAKEN),
        ("state", state("AZ", "AZ2"), ("IR", "KZ"), UNSIGNED),
        ("state", state("AZ", "AZ2"), ("AZ2", "IR", "KZ"), UNSIGNED),
    ],
)
def test_who_must_sign(
    kind: ChangeKind, record: Mapping[str, Any], signers: tuple[str, ...], answer: str
) -> None:
    log = Signed()

    assert log.change(kind, record, *signers) == answer
    assert log.sound()


@pytest.mark.parametrize(
    ("kind", "record", "signers", "answer"),
    [
        ("key", key_record(), ("AZ", "az-fhn-root", "k1"), TAKEN),
        ("key", key_record(), ("AZ", "az-fhn-root"), UNSIGNED),
        ("key", key_record(), ("AZ", "k1"), UNSIGNED),
        ("key", key_record(), ("az-fhn-root", "k1"), UNSIGNED),
        ("key", key_record(), ("IR", "az-fhn-root", "k1"), UNSIGNED),
        ("member", agency(active=False), ("AZ",), TAKEN),
        ("member", agency(active=False), ("az-fhn-root",), TAKEN),
        ("member", agency(active=False), ("IR",), UNSIGNED),
        ("member", agency(active=False, name="other"), ("az-fhn-root",), UNSIGNED),
        ("member", agency(root=str(key("r2"))), ("AZ", "r2"), TAKEN),
        ("member", agency(root=str(key("r2"))), ("AZ", "az-fhn-root"), UNSIGNED),
        ("member", agency(root=str(key("r2"))), ("az-fhn-root", "r2"), UNSIGNED),
        ("subscription", {"agency": "az-fhn", "name": "oil"}, ("az-fhn-root",), TAKEN),
        ("subscription", {"agency": "az-fhn", "name": "oil"}, ("AZ",), UNSIGNED),
        ("subscription", {"agency": "az-fhn", "name": "oil"}, (), UNSIGNED),
    ],
)
def test_who_must_sign_for_an_agency(
    kind: ChangeKind, record: Mapping[str, Any], signers: tuple[str, ...], answer: str
) -> None:
    log = Signed().with_agency()

    assert log.change(kind, record, *signers) == answer
    assert log.sound()


@pytest.mark.parametrize(
    ("signers", "answer"),
    [(("AZ",), TAKEN), (("az-fhn-root",), TAKEN), (("k1",), UNSIGNED), (("IR",), UNSIGNED)],
)
def test_one_of_two_is_enough_to_stop_a_thief(signers: tuple[str, ...], answer: str) -> None:
    log = Signed().with_agency()
    log.change("key", key_record(), "AZ", "az-fhn-root", "k1")

    record = key_record(action="revoke", compromised_since=1)
    assert log.change("key", record, *signers) == answer


def test_a_key_of_the_agency_may_subscribe_while_it_counts() -> None:
    log = Signed().with_agency()
    log.change("key", key_record(), "AZ", "az-fhn-root", "k1")
    wanted = {"agency": "az-fhn", "name": "oil"}

    assert not log.change("subscription", wanted, "k1")
    log.change("key", key_record(action="revoke"), "AZ")
    assert log.change("subscription", {**wanted, "name": "quake"}, "k1") == "statement-unsigned"


@given(st.sets(st.sampled_from([*STATES, "az-fhn-root", "k1", "GE", "nobody"])))
def test_more_signatures_than_needed_never_hurt(signers: set[str]) -> None:
    log = Signed()
    enough = {"AZ", "az-fhn-root"} <= signers

    assert log.change("member", agency(), *sorted(signers)) == (
        "" if enough else "statement-unsigned"
    )


def test_any_majority_admits_a_state_and_no_minority() -> None:
    for size in range(1, 6):
        for signers in combinations(STATES, size):
            refused = Signed().change("state", state("GE"), *signers)
            assert refused == ("" if size >= 3 else "statement-unsigned"), signers


def test_a_sixth_state_is_data() -> None:
    log = Signed()

    assert log.change("member", agency("ge-ems"), "AZ", "ge-ems-root") == "unknown-state"
    assert not log.change("state", state("GE"), "AZ", "IR", "KZ")
    assert not log.change("member", agency("ge-ems"), "GE", "ge-ems-root")
    assert "ge-ems" in log.registry.members
    # Of six states four are more than half.
    assert log.change("state", state("TR"), "AZ", "IR", "GE") == "statement-unsigned"
    assert not log.change("state", state("TR"), "AZ", "IR", "GE", "RU")
    assert log.sound()


def test_without_a_signature_nothing_changes() -> None:
    log = Signed()
    outcome = log.propose(agency())

    assert outcome.refusal.code == "statement-required"
    assert log.registry.agencies == {}


def test_a_statement_is_taken_once_and_known_again() -> None:
    log = Signed()
    body = statement(log.registry, "member", agency(), "AZ", "az-fhn-root")
    first = log.propose(body)
    away = agency(active=False)
    log.change("member", away, "AZ")
    again = log.propose(body)

    assert again.duplicate
    assert again.index == first.index
    assert log.registry.members == frozenset()


def test_an_old_statement_with_other_signatures_is_still_the_old_one() -> None:
    log = Signed()
    text = statement_text(log.registry.origin, "member", agency(), log.registry)
    log.propose(statement_of(text, "AZ", "az-fhn-root"))
    log.change("member", agency(active=False), "AZ")

    assert log.propose(statement_of(text, "az-fhn-root", "AZ")).duplicate
    assert log.registry.members == frozenset()


def test_of_two_statements_made_at_once_the_second_is_stale() -> None:
    log = Signed().with_agency()
    one = statement(log.registry, "member", agency(name="One"), "AZ", "az-fhn-root")
    two = statement(log.registry, "member", agency(name="Two"), "AZ", "az-fhn-root")

    assert log.propose(one).refusal is None
    assert log.propose(two).refusal.code == "statement-stale"
    assert log.registry.agencies["az-fhn"].name == "One"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"origin": "another.example/log"}, "statement-invalid"),
        ({"subject": "agency:ir-ndmo"}, "statement-invalid"),
        ({"version": 3}, "statement-stale"),
        ({"version": 0}, "statement-stale"),
        ({"version": True}, "statement-invalid"),
        ({"version": "1"}, "statement-invalid"),
        ({"kind": "genesis"}, "statement-invalid"),
        ({"record": []}, "statement-invalid"),
        ({"more": 1}, "statement-invalid"),
        ({"record": {"id": "az-fhn"}}, "member-invalid"),
        ({"record": agency(colour="red")}, "member-invalid"),
        ({"record": agency(root="x")}, "key-invalid"),
    ],
)
def test_a_statement_that_is_not_in_order_is_refused(changed: dict[str, Any], code: str) -> None:
    log = Signed()
    text = json.dumps(
        {**json.loads(statement_text("test.example/log", "member", agency(), log.registry))}
        | changed
    )

    assert log.propose(statement_of(text, "AZ", "az-fhn-root")).refusal.code == code


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 3000, "x" * 40_000])
def test_what_is_no_statement_is_refused(text: str) -> None:
    assert Signed().propose(statement_of(text)).refusal.code == "statement-invalid"


@pytest.mark.parametrize("twice", ['"kind":"redaction"', '"record":{}', '"version":1'])
def test_a_statement_that_says_something_twice_is_refused(twice: str) -> None:
    """Those who sign might have been shown the other one."""
    log = Signed()
    text = statement_text("test.example/log", "member", agency(), log.registry)
    answer = log.propose(statement_of(f"{text[:-1]},{twice}}}", "AZ", "az-fhn-root"))

    assert answer.refusal.code == "statement-invalid"
    assert log.propose(statement_of(text, "AZ", "az-fhn-root")).refusal is None


def test_a_statement_altered_after_it_was_signed_is_refused() -> None:
    log = Signed()
    body = statement(log.registry, "member", agency(), "AZ", "az-fhn-root")
    altered = {**body, "statement": body["statement"].replace('"name":"az-fhn"', '"name":"x"')}

    assert log.propose(altered).refusal.code == "signature-invalid"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (key_record("az-none"), "unknown-agency"),
        (key_record(name="az-fhn-root"), "key-taken"),
        (key_record(name="IR"), "key-taken"),
        (key_record(compromised_since=1), "statement-invalid"),
        (key_record(action="remove"), "statement-invalid"),
        (key_record(action="revoke"), "key-unknown"),
        (key_record(action="revoke", expires=NOW.isoformat()), "statement-invalid"),
        ({"agency": "az-fhn", "key": "x", "action": "add"}, "key-invalid"),
    ],
)
def test_a_key_that_cannot_be_is_refused(record: dict[str, Any], code: str) -> None:
    log = Signed().with_agency()

    assert log.change("key", record, "AZ", "az-fhn-root", "k1") == code


def test_one_key_under_another_name_is_the_same_key() -> None:
    log = Signed().with_agency()
    log.change("key", key_record(), "AZ", "az-fhn-root", "k1")
    other = type(key("k1"))("k1-again", key("k1").public)
    record = {"agency": "az-fhn", "key": str(other), "action": "add"}

    assert log.change("key", record, "AZ", "az-fhn-root", "k1") == "key-taken"


def test_a_log_without_roots_asks_nobody_and_shows_it() -> None:
    log = Model()
    outcome = log.commit([Candidate("member", "", body=agency())]).outcomes[0]

    assert outcome.refusal is None
    assert not log.registry.signed
    assert "signatures" not in decode(log.entries[outcome.index].body)


def test_a_signed_change_bears_its_statement_and_signatures() -> None:
    log = Signed().with_agency()
    entry = decode(log.entries[1].body)

    assert json.loads(entry["statement"])["record"] == agency()
    assert [s["key"] for s in entry["signatures"]] == [str(key("AZ")), str(key("az-fhn-root"))]


@given(st.dictionaries(st.sampled_from(["statement", "signatures"]), st.text(max_size=60)))
def test_whatever_is_proposed_is_a_change_or_is_refused(body: dict[str, str]) -> None:
    registry: Registry = Signed().registry
    if "statement" in body:
        body.setdefault("signatures", "[]")
    with pytest.raises(Rejected):
        change_of("member", body, registry)


ORIGIN = "test.example/log"


def log_key(action: str = "add", name: str = ORIGIN, seed: str = ORIGIN) -> dict[str, Any]:
    return {"key": str(VerifierKey(name, key(seed).public)), "action": action}


@pytest.mark.parametrize("signers", list(combinations(STATES, 3)))
def test_three_of_five_states_and_the_key_itself_announce_a_key_of_the_log(
    signers: tuple[str, ...],
) -> None:
    log = Signed().with_agency()

    assert log.change("log-key", log_key(), *signers) == UNSIGNED
    assert log.change("log-key", log_key(), *signers[:2], ORIGIN) == UNSIGNED
    assert log.change("log-key", log_key(), *signers[:2], "az-fhn-root", ORIGIN) == UNSIGNED
    assert log.change("log-key", log_key(), *signers, ORIGIN) == TAKEN
    life = log.registry.log_keys[log_key()["key"]]
    assert (life.since, life.until) == (5, None)
    assert [life.signs(size) for size in (5, 6, 99)] == [False, True, True]
    assert log.sound()


def test_a_key_of_the_log_is_retired_when_another_counts_and_never_comes_back() -> None:
    log = Signed()
    three = STATES[:3]
    assert log.change("log-key", log_key(), *three, ORIGIN) == TAKEN
    assert log.change("log-key", log_key("retire"), *three) == "statement-invalid"
    assert log.change("log-key", log_key(seed="new"), *three, "new") == UNSIGNED
    other = {"key": str(VerifierKey(ORIGIN, key("new").public)), "action": "add"}
    text = statement_text(ORIGIN, "log-key", other, log.registry)
    own = VerifierKey(ORIGIN, key("new").public)
    assert log.propose(named_statement(text, {"new": own}, *three, "new")).refusal is None
    assert log.change("log-key", log_key("retire"), *three) == TAKEN
    life = log.registry.log_keys[log_key()["key"]]

    assert life.until is not None
    assert [life.signs(size) for size in (life.until, life.until + 1)] == [True, False]
    assert log.change("log-key", log_key("retire"), *three) == "key-unknown"
    assert log.change("log-key", log_key(), *three, ORIGIN) == "key-taken"
    assert log.sound()


def named_statement(text: str, named: Mapping[str, VerifierKey], *signers: str) -> dict[str, Any]:
    """Return a statement some of whose signers go by another name than that of their secret."""
    body = statement_of(text, *signers)
    found = json.loads(body["signatures"])
    for one in found:
        for name, own in named.items():
            if one["key"] == str(key(name)):
                one["key"] = str(own)
    return {**body, "signatures": json.dumps(found)}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (log_key(name="other.example/log", seed=ORIGIN), "statement-invalid"),
        (log_key("retire"), "key-unknown"),
        (log_key("revoke"), "statement-invalid"),
        ({"key": "x", "action": "add"}, "key-invalid"),
        (log_key(seed="az-fhn-root"), "key-taken"),
        (log_key(seed="AZ"), "key-taken"),
        (log_key(seed="k1"), "key-taken"),
    ],
)
def test_a_key_of_the_log_serves_nothing_else(record: dict[str, Any], code: str) -> None:
    log = Signed().with_agency()
    assert log.change("key", key_record(), "AZ", "az-fhn-root", "k1") == TAKEN

    assert log.change("log-key", record, *STATES, ORIGIN) == code


def test_no_agency_takes_the_key_of_the_log() -> None:
    log = Signed().with_agency()
    assert log.change("log-key", log_key(), *STATES, ORIGIN) == TAKEN
    record = {"agency": "az-fhn", "key": log_key()["key"], "action": "add"}

    assert log.change("key", record, "AZ", "az-fhn-root", ORIGIN) == "key-taken"


def test_the_first_entry_may_name_the_key_of_the_log() -> None:
    entry = {"kind": "genesis", "origin": ORIGIN, "key": log_key()["key"]}
    life = Registry().apply(0, entry).log_keys[log_key()["key"]]

    assert [life.signs(size) for size in (0, 1)] == [False, True]
