"""Whatever a rule says is in the catalogues: none is missed where the sentences are collected."""

from __future__ import annotations

from collections.abc import Iterator

import cap_cases
import polrep_cases
import pytest
import rm_cases

from hub.i18n import texts
from hub.i18n.recognised import Recogniser
from schemas import cap
from schemas.errors import HubError
from schemas.judgement import judge
from schemas.remedies import remedy_of

OF_LIBRARIES = {"A04", "XSD"}
"""Of these a part is quoted: what pydantic, or libxml2, says of rarer faults."""


def broken() -> Iterator[bytes]:
    """Return a message for each case of each rule, and each rule of the profiles."""
    yield from (cap_cases.message(*case.breaks) for case in cap_cases.CASES)
    yield from (rm_cases.message(*case.breaks, base=case.base) for case in rm_cases.CASES)
    yield from (polrep_cases.report(*case.breaks) for case in polrep_cases.CASES)


def recogniser() -> Recogniser:
    known: dict[str, str] = {}
    for domain in ("findings", "details", "remedies"):
        known |= texts("kk", domain).by_name
    return Recogniser(known)


@pytest.mark.parametrize(
    "change",
    [
        ("<scope>Public</scope>", "<scope>Secret</scope>"),
        ("<scope>Public</scope>", "<scope>Public</scope><colour>red</colour>"),
        ("<scope>Public</scope>", ""),
        ("<scope>Public</scope>", "some words<scope>Public</scope>"),
        ("</alert>", ""),
        ("</alert>", "</alarm>"),
        ("<scope>Public</scope>", "<scope>Public & private</scope>"),
    ],
    ids=str,
)
def test_what_the_parsers_say_most_often_is_known(change: tuple[str, str]) -> None:
    """It is worded by libxml2: another version of it may word it otherwise."""
    said = recogniser()

    [judgement] = judge(cap_cases.message(change))

    assert judgement.findings
    assert [f.message for f in judgement.findings if said(f.message) is None] == []


def test_each_finding_and_its_remedy_are_known_in_the_language() -> None:
    said = recogniser()
    told = [
        (judgement, f) for data in broken() for judgement in judge(data) for f in judgement.findings
    ]
    told += [
        (judgement, f)
        for profile in cap.Profile
        for judgement in judge(cap_cases.message(), profile)
        for f in judgement.findings
    ]

    unknown = {
        (f.rule, f.message)
        for _, f in told
        if f.rule not in OF_LIBRARIES and said(f.message) is None
    }
    assert unknown == set()
    assert all(said(remedy_of(f.rule)) for _, f in told)
    refusals: list[HubError] = [j.refusal for j, _ in told if j.refusal is not None]
    assert {r.code for r in refusals if said(r.remedy) is None} == set()
    assert len({f.rule for _, f in told}) > 100
