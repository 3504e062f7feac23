"""Whoever breaks a rule is told what to do: there is a sentence for each."""

from __future__ import annotations

from schemas import polrep, rm
from schemas.cap.rulebook import RULES as CAP_RULES
from schemas.remedies import REMEDIES, remedy_of


def test_every_rule_has_one_sentence_and_nothing_else_does() -> None:
    assert set(REMEDIES) == set(CAP_RULES) | set(rm.RULES) | set(polrep.RULES)
    for rule, remedy in REMEDIES.items():
        assert remedy.endswith((".", "…")), rule
        assert remedy[0].isupper(), rule
        assert len(remedy) <= 120, rule


def test_a_rule_that_there_is_not_has_none() -> None:
    assert remedy_of("X99") == ""
