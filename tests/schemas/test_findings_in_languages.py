"""Whatever a rule says is in the catalogues: none is missed where the sentences are collected."""

from __future__ import annotations

from collections.abc import Iterator

import cap_cases
import polrep_cases
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


def test_each_finding_and_its_remedy_are_known_in_the_language() -> None:
    known: dict[str, str] = {}
    for domain in ("findings", "details", "remedies"):
        known |= texts("kk", domain).by_name
    said = Recogniser(known)
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
