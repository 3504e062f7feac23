"""No state can have another's messages come to its own agency, or speak in its agency's name."""

from __future__ import annotations

from typing import Any

import pytest
from core_strategies import Model, agency
from hypothesis import given
from hypothesis import strategies as st

from hub.core.candidate import Candidate
from hub.core.claims import check_claims
from hub.core.registry import Registry
from hub.core.routing import recipients
from schemas.errors import Rejected
from schemas.facts import MessageFacts
from tests.core.test_admission import NOW


def member(id_: str, **given_: Any) -> Candidate:
    return Candidate("member", "", body=agency(id_, **given_).model_dump(mode="json"))


@pytest.fixture
def model() -> Model:
    model = Model()
    model.commit([member("az-fhn", senders=("duty@fhn.az", "met-*"), addresses=("fhn.az",))])
    return model


def code_of(model: Model, *candidates: Candidate) -> str:
    refusal = model.commit(list(candidates)).outcomes[-1].refusal
    return refusal.code if refusal else ""


@pytest.mark.parametrize(
    "name",
    ["az-fhn", "AZ-FHN", "az-new", "AZ", "state:AZ", "kz", "members", "Members", "fhn.az",
     "FHN.az", "duty@fhn.az", "met-1"],
)  # fmt: skip
def test_nobody_is_called_by_what_is_anothers(model: Model, name: str) -> None:
    assert code_of(model, member("ir-ndmo", addresses=(name,))) == "name-taken"


@pytest.mark.parametrize(
    "sender",
    ["duty@fhn.az", "Duty@fhn.az", "duty@*", "*", "met-*", "met-x", "m*", "met-az-*", "fhn.az",
     "az-fhn", "AZ"],
)  # fmt: skip
def test_nobody_speaks_by_what_is_anothers(model: Model, sender: str) -> None:
    assert code_of(model, member("ir-ndmo", senders=(sender,))) == "name-taken"


@pytest.mark.parametrize("sender", ["duty@fhn.az2", "our", "met", "duty@fhn", "ir-ndmo", "IR"])
def test_what_is_only_like_anothers_is_free(model: Model, sender: str) -> None:
    assert code_of(model, member("ir-ndmo", senders=(sender,), addresses=(sender,))) == ""


def test_within_a_state_it_is_the_states_own_affair(model: Model) -> None:
    shared = member("az-met", senders=("duty@fhn.az",), addresses=("fhn.az",))

    assert code_of(model, shared) == ""


def test_what_somebody_had_who_left_is_free(model: Model) -> None:
    taken = member("ir-ndmo", addresses=("fhn.az",))
    assert code_of(model, member("az-fhn", addresses=("fhn.az",), active=False), taken) == ""
    # And whoever comes back finds it taken.
    assert code_of(model, member("az-fhn", addresses=("fhn.az",))) == "name-taken"


def test_whoever_leaves_claims_nothing(model: Model) -> None:
    assert code_of(model, member("ir-ndmo", addresses=("az-fhn",), active=False)) == ""


_NAMES = ("duty@a", "duty@*", "DUTY@a", "d*", "*", "b", "az-one", "ir", "members", "x-*")
_names = st.lists(st.sampled_from(_NAMES), max_size=2).map(tuple)


@given(_names, _names, _names, _names, st.sampled_from(["duty@a", "b", "x-1", "az-one", "d"]))
def test_no_name_ever_means_agencies_of_two_states(
    addresses: tuple[str, ...],
    senders: tuple[str, ...],
    others: tuple[str, ...],
    speaks: tuple[str, ...],
    name: str,
) -> None:
    registry = Registry()
    for record in (
        agency("az-one", addresses=addresses, senders=senders),
        agency("ir-two", addresses=others, senders=speaks),
    ):
        try:
            check_claims(record, registry)
        except Rejected:
            continue
        entry = {"kind": "member", "member": record.model_dump(mode="json")}
        registry = registry.apply(len(registry.agencies), entry)
    facts = MessageFacts(
        kind="alert", sender="s", identifier="i", sent=NOW, status="Actual", scope="Private",
        msg_type="Alert",
        addresses=(name,),
    )  # fmt: skip

    assert len({a[:2] for a in recipients(facts, "kz-far", registry)}) <= 1
    named = [a for a in registry.agencies.values() if a.senders and a.speaks_as(name)]
    assert len({a.state for a in named}) <= 1
