"""Each rule for aid messages: one that breaks it and nothing else, and one that just keeps it."""

from __future__ import annotations

import pytest
from rm_cases import ANSWER, CASES, LAST, OFFER, RECALL, REQUEST, Case, code_of, message, outcome

from schemas.errors import Rejected
from schemas.rm import RULES, check_aid, read_aid
from tests.docs.pages import bare, rows, sections, text_of


@pytest.mark.parametrize("base", [OFFER, REQUEST, ANSWER])
def test_the_messages_that_the_cases_change_break_nothing(base: str) -> None:
    assert read_aid(base.encode()).warnings == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_breaks_one_rule_gets_one_finding(case: Case) -> None:
    (finding,) = outcome(message(*case.breaks, base=case.base))

    assert (finding.rule, finding.path.partition("/")[2]) == (case.rule, case.path)
    assert finding.severity == RULES[case.rule]
    assert finding.line is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_just_keeps_the_rule_gets_none(case: Case) -> None:
    assert outcome(message(*case.keeps, base=case.base)) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_refuses_and_a_warning_is_carried_along(case: Case) -> None:
    data = message(*case.breaks, base=case.base)

    if RULES[case.rule] == "warning":
        reading = read_aid(data)
        assert [f.rule for f in check_aid(reading.message)] == [case.rule]
        return
    with pytest.raises(Rejected) as refusal:
        read_aid(data)
    assert refusal.value.code == "rule-broken"
    assert refusal.value.remedy


def test_every_rule_has_its_case() -> None:
    assert {case.rule for case in CASES} == set(RULES)


def test_every_rule_is_documented_with_its_severity() -> None:
    table = rows(sections(text_of("docs/standards.md"), 2)["EDXL-RM"])

    assert [(bare(row[0]), row[1]) for row in table] == list(RULES.items())


def test_items_of_one_number_are_refused() -> None:
    item = OFFER[OFFER.index("  <m:ResourceInformation>") : OFFER.index(LAST)] + LAST

    (finding,) = outcome(message((LAST, LAST + item)))
    (ok, second) = read_aid(
        message((LAST, LAST + item.replace("ElementID>1<", "ElementID>2<")))
    ).message.resource_information

    assert (finding.rule, finding.path) == (
        "A18",
        "OfferUnsolicitedResource/ResourceInformation[2]/ResourceInfoElementID",
    )
    assert ok.resource == second.resource


def test_a_withdrawn_offer_needs_no_details() -> None:
    recall = ("  <m:ContactInf", RECALL.format("TM-2026-6", "{}") + "  <m:ContactInf")
    bare = [
        (OFFER[OFFER.index("    <m:AssignmentInf") : OFFER.index(LAST)], ""),
        (OFFER[OFFER.index("      <m:OwnershipInf") : OFFER.index("    </m:Resource>")], ""),
    ]

    def recalled(how: str) -> bytes:
        return message((recall[0], recall[1].format(how)), *bare)

    assert outcome(recalled("Cancel")) == ()
    assert {f.rule for f in outcome(recalled("Update"))} == {"A24", "A26", "A29", "A31"}


def test_findings_come_in_document_order_with_their_lines() -> None:
    data = message(
        ("AC-2026-000001-AZE", ""),
        (">TM<", ">Turkmenistan<"),
        ("<rm:Amount>2<", "<rm:Amount>-2<"),
        ("free of charge", ""),
        ("Port of Türkmenbaşy", ""),
    )

    findings = outcome(data)

    assert [f.rule for f in findings] == ["A14", "A29", "A25", "A28", "A34"]
    lines = data.decode().splitlines()
    for finding in findings:
        tag = finding.path.rsplit("/", 1)[-1].split("[")[0]
        assert finding.line is not None
        assert f":{tag}>" in lines[finding.line - 1]
    assert code_of(data) == "rule-broken"
