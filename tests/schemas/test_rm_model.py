"""Every message that a model takes is valid EDXL-RM, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from lxml import etree
from rm_cases import REQUEST
from rm_official import STANDARD, official_faults
from rm_strategies import lawful_messages, messages

from schemas.errors import Rejected
from schemas.rm import (
    MESSAGE_TYPES,
    RM_NAMESPACES,
    AidMessage,
    aid_facts,
    check_aid,
    read_aid,
    read_aid_json,
    write_aid,
    write_aid_json,
)
from schemas.rm.structure import structure_findings
from tests.examples import examples

FEW = examples(
    3,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
"""A message is drawn of hundreds of parts: making a failing one smaller takes minutes."""


@pytest.mark.parametrize("name", MESSAGE_TYPES)
@given(data=st.data())
@FEW
def test_every_message_is_written_as_the_official_schema_asks(
    name: str, data: st.DataObject
) -> None:
    """And where it breaks rules, it does so in both forms."""
    message = data.draw(messages(name))
    written = write_aid(message)

    assert structure_findings(etree.fromstring(written)) == ()
    assert etree.QName(etree.fromstring(written)).namespace in RM_NAMESPACES
    if name in STANDARD:
        assert official_faults(written) == []
    assert _judged(read_aid, written) == _judged(read_aid_json, write_aid_json(message))


@pytest.mark.parametrize("name", MESSAGE_TYPES)
@given(data=st.data())
@FEW
def test_a_message_that_keeps_the_rules_is_read_back_equal(name: str, data: st.DataObject) -> None:
    message = data.draw(lawful_messages(name))

    from_xml, from_json = read_aid(write_aid(message)), read_aid_json(write_aid_json(message))

    assert type(from_xml.message) is MESSAGE_TYPES[name]
    assert from_xml.message == from_json.message == message
    assert aid_facts(from_xml.message) == aid_facts(message)
    plain = [(f.rule, f.severity, f.path, f.message) for f in check_aid(message)]
    for reading in (from_xml, from_json):
        assert [(f.rule, f.severity, f.path, f.message) for f in reading.warnings] == plain
    assert all(f.line is not None for f in from_xml.warnings)
    assert all(f.line is None for f in from_json.warnings)


def _judged(read: object, data: bytes) -> object:
    try:
        return read(data).message  # type: ignore[operator]
    except Rejected as refusal:
        return refusal.code, [(f.rule, f.path, f.message) for f in refusal.findings]


def test_a_message_of_another_type_is_no_message() -> None:
    request = read_aid(REQUEST.encode()).message
    said = request.model_dump()

    assert MESSAGE_TYPES["RequestResource"].model_validate(said) == request
    with pytest.raises(ValueError, match="is no type of message"):
        AidMessage.model_validate({**said, "MessageContentType": "Alert"})
    with pytest.raises(ValueError, match="MessageContentType"):
        MESSAGE_TYPES["RequestQuote"].model_validate(said)


@pytest.mark.parametrize(
    ("update", "fault"),
    [
        ({"PrecedingMessageID": "x"}, "has no PrecedingMessageID"),
        ({"ResourceInformation": ()}, "ResourceInformation is missing"),
        ({"ContactInformation": ()}, "ContactInformation is missing"),
        ({"item": {"Resource": None}}, "Resource is missing"),
        ({"item": {"ScheduleInformation": ({"ScheduleType": "Current"},)}}, "is not Current"),
        ({"item": {"AssignmentInformation": {"Quantity": {}}}}, "either QuantityText or"),
        ({"item": {"Resource": {"Name": "\x00"}}}, "pattern"),
        ({"SentDateTime": "2026-11-23T14:00:00"}, "no offset"),
        ({"SentDateTime": "2026-11-23"}, "not of the form"),
        ({"MessageIdentifier": "x"}, "Extra inputs"),
    ],
)
def test_what_could_not_be_written_cannot_be_made(update: dict[str, Any], fault: str) -> None:
    said = read_aid(REQUEST.encode()).message.model_dump()
    changed = {**said, **update}
    (item,) = changed["ResourceInformation"] or [{}]
    item.update(changed.pop("item", {}))

    with pytest.raises(ValueError, match=fault):
        MESSAGE_TYPES["RequestResource"].model_validate(changed)
