"""What real agencies send: our verdict on structure is the official schema's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cap_corpus import corpus_files, is_taken, official_verdict, taken_files
from lxml import etree

from schemas.cap import (
    NAMESPACE_11,
    NAMESPACE_12,
    Alert,
    alert_facts,
    check_alert,
    open_container,
    read_alert,
    read_alert_json,
    write_alert,
    write_alert_json,
)
from schemas.errors import Rejected
from schemas.facts import MessageFacts

if TYPE_CHECKING:
    from pathlib import Path

EXCEPTIONS: dict[str, str] = {
    # A DOCTYPE is refused before any schema is asked (R00).
    "google-cap-library/testdata/xee.cap": "xml-forbidden",
}


def code_of(data: bytes) -> str:
    try:
        read_alert(data)
    except Rejected as refusal:
        return refusal.code
    return "read"


def is_xml(data: bytes) -> bool:
    """Whether there is anything to open; what has a DOCTYPE is refused before."""
    return code_of(data) == "wrong-namespace"


def is_cap(data: bytes) -> bool:
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return False
    name = etree.QName(root)
    return name.localname == "alert" and name.namespace in {NAMESPACE_11, NAMESPACE_12}


@pytest.mark.parametrize("path", corpus_files())
def test_the_verdict_on_structure_is_the_official_schemas(path: Path) -> None:
    data = path.read_bytes()
    name = "/".join(path.parts[-3:])
    if name in EXCEPTIONS:
        assert code_of(data) == EXCEPTIONS[name]
        return
    if not is_cap(data):
        assert code_of(data) in {"not-xml", "wrong-namespace", "xml-forbidden", "cap-1.0"}
        return

    holds = code_of(data) in {"read", "rule-broken"}

    assert holds == official_verdict(data)


@pytest.mark.parametrize("path", corpus_files())
def test_so_it_is_for_each_alert_in_a_feed_or_an_envelope(path: Path) -> None:
    data = path.read_bytes()
    if code_of(data) == "read" or is_cap(data) or not is_xml(data):
        return

    for alert in open_container(data):
        holds = code_of(alert) in {"read", "rule-broken"}

        assert holds == official_verdict(alert)


@pytest.mark.parametrize("path", taken_files())
def test_what_is_read_can_be_written_and_read_again(path: Path) -> None:
    data = path.read_bytes()
    alert = read_alert(data).alert
    written = write_alert(alert)

    assert official_verdict(written)
    assert read_alert(written).alert == alert
    assert read_alert_json(write_alert_json(alert)).alert == alert


@pytest.mark.parametrize("path", taken_files())
def test_what_is_read_is_what_the_validating_constructor_makes(path: Path) -> None:
    data = path.read_bytes()
    alert = read_alert(data).alert
    facts = alert_facts(alert)

    assert Alert.model_validate(alert.model_dump()) == alert
    assert Alert.model_validate_json(alert.model_dump_json()) == alert
    assert MessageFacts.model_validate(facts.model_dump()) == facts


@pytest.mark.parametrize("path", corpus_files())
def test_a_refusal_names_its_rule_and_its_place(path: Path) -> None:
    data = path.read_bytes()

    findings = check_alert(data)

    if is_taken(data):
        assert all(finding.severity == "warning" for finding in findings)
    else:
        assert any(finding.severity == "error" for finding in findings)
    for finding in findings:
        assert finding.rule
        assert finding.message
        assert finding.line is not None
