"""Each rule: a message that breaks it and nothing else, and one that just keeps it."""

from __future__ import annotations

import pytest
import shapely
from cap_cases import CASES, Case, brief, message, polygon
from hypothesis import given
from hypothesis import strategies as st

from schemas.cap import check_alert, read_alert
from schemas.cap.rulebook import RULES
from schemas.cap.values import write_ring
from schemas.errors import Rejected
from tests.examples import examples

NOT_FROM_TEXT = {
    # Limits: tests/schemas/test_cap_attacks.py.
    "R01",
}


def test_the_message_that_the_cases_change_breaks_nothing() -> None:
    assert check_alert(message()) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_breaks_one_rule_gets_one_finding(case: Case) -> None:
    findings = check_alert(message(*case.breaks))

    assert brief(findings) == [(case.rule, case.path)]
    assert findings[0].severity == ("error" if case.rule == "R15" else RULES[case.rule])
    assert findings[0].line is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_just_keeps_the_rule_gets_none(case: Case) -> None:
    assert check_alert(message(*case.keeps)) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_refuses_and_a_warning_is_carried_along(case: Case) -> None:
    data = message(*case.breaks)

    if RULES[case.rule] == "warning":
        assert read_alert(data).warnings == check_alert(data)
        return
    with pytest.raises(Rejected) as refusal:
        read_alert(data)
    assert refusal.value.findings == check_alert(data)
    assert refusal.value.remedy
    assert refusal.value.code in {
        "not-xml",
        "xml-forbidden",
        "structure-invalid",
        "rule-broken",
    }


def test_every_rule_has_its_case() -> None:
    of_profiles = {rule for rule in RULES if rule.startswith(("WMO", "IPAWS", "CP"))}

    assert set(RULES) - of_profiles - {case.rule for case in CASES} == NOT_FROM_TEXT


GRID = st.one_of(st.integers(-4, 4), st.floats(-4, 4)).map(float)


@given(st.lists(st.tuples(GRID, GRID), min_size=3, max_size=9))
@examples(120)
def test_a_polygon_crosses_itself_when_geometry_says_so(points: list[tuple[float, float]]) -> None:
    ring = (*points, points[0])

    findings = check_alert(message(*polygon(write_ring(ring))))

    assert [f.rule for f in findings] == ([] if shapely.LinearRing(ring).is_simple else ["R38"])


def test_findings_come_in_document_order_with_their_lines() -> None:
    data = message(
        ("AZ-FHN-2026-0042", "AZ 42"),
        ("https://fhn.gov.az/alerts/42", "42"),
        ("Storm surge on the Absheron coast", "<![CDATA[<b>]]>"),
        ("40.4,50.3 12.5", "40.4,50.3 0"),
        ("<altitude>-92<", "<altitude>92<"),
    )

    findings = check_alert(data)

    assert brief(findings) == [
        ("R02", "alert/identifier"),
        ("R46", "alert/info[1]/headline"),
        ("R22", "alert/info[1]/web"),
        ("R41", "alert/info[1]/area[1]/circle[1]"),
        ("R43", "alert/info[1]/area[1]/altitude"),
    ]
    lines = data.decode().splitlines()
    for finding in findings:
        tag = finding.path.rsplit("/", 1)[-1].split("[")[0]
        assert finding.line is not None
        assert f"<{tag}>" in lines[finding.line - 1]
