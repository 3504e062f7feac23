"""What the model takes can be written, is valid, and reads back equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from cap_corpus import official_verdict
from cap_strategies import ALERTS, TEXTS, lawful_alerts
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from lxml import etree
from pydantic import ValidationError

from schemas.cap import (
    NAMESPACE_12,
    Alert,
    Area,
    Info,
    Resource,
    alert_facts,
    read_alert,
    read_alert_json,
    write_alert,
    write_alert_json,
)
from schemas.cap.structure import schema_text, structure_findings
from schemas.cap.values import (
    is_absolute_uri,
    is_uri_reference,
    read_list,
    read_time,
    write_list,
    write_time,
)
from schemas.errors import Rejected
from schemas.facts import MessageFacts, Reference
from tests.examples import examples

FEW = examples(30, suppress_health_check=list(HealthCheck))
MORE = examples(60)
ANY_URI = etree.XMLSchema(
    etree.fromstring(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema">'
        '<element name="a" type="anyURI"/></schema>'
    )
)
SENT = datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=4)))


def an_alert(**changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "identifier": "IR-1",
        "sender": "ndmo@ir",
        "sent": SENT,
        "status": "Actual",
        "msg_type": "Alert",
        "scope": "Public",
        "info": (an_info(),),
    }
    return Alert(**(fields | changes))


def an_info(**changes: Any) -> Info:
    fields: dict[str, Any] = {
        "category": ("Geo",),
        "event": "زمین‌لرزه",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
    }
    return Info(**(fields | changes))


@FEW
@given(ALERTS)
def test_whatever_the_model_takes_is_written_as_valid_cap(alert: Alert) -> None:
    """And where it breaks rules, it does so in both forms."""
    written = write_alert(alert)

    assert structure_findings(etree.fromstring(written), NAMESPACE_12) == ()
    assert official_verdict(written)
    assert _verdict(read_alert, written) == _verdict(read_alert_json, write_alert_json(alert))


@FEW
@given(lawful_alerts())
def test_an_alert_that_keeps_the_rules_reads_back_equal(alert: Alert) -> None:
    """In both forms, with the same warnings and the same facts: drawing one is what costs."""
    from_xml = read_alert(write_alert(alert))
    from_json = read_alert_json(write_alert_json(alert))

    assert from_xml.alert == from_json.alert == alert
    assert all(finding.severity == "warning" for finding in from_xml.warnings)
    assert [(w.rule, w.path) for w in from_json.warnings] == [
        (w.rule, w.path) for w in from_xml.warnings
    ]
    facts = alert_facts(from_xml.alert)
    assert MessageFacts.model_validate(facts.model_dump()) == facts
    assert alert_facts(alert) == facts


def _verdict(read: Any, data: bytes) -> list[tuple[str, str]]:
    try:
        return [(w.rule, w.path) for w in read(data).warnings]
    except Rejected as refusal:
        return [(refusal.code, "")] + [(f.rule, f.path) for f in refusal.findings]


@MORE
@given(st.text("http:/@?#a1%4[].-ü|x;&='\u202e{ \x00\ud800", max_size=12))
def test_a_uri_that_the_model_takes_is_one_for_the_schema(text: str) -> None:
    if is_uri_reference(text):
        element = etree.Element("a")
        element.text = text

        assert ANY_URI.validate(element)
    else:
        assert not is_absolute_uri(text)


@MORE
@given(TEXTS)
def test_a_list_within_a_text_is_read_as_it_is_written(text: str) -> None:
    items = read_list(text)

    assert read_list(write_list(items)) == items
    assert all(item == item.strip() != "" for item in items)


def test_utc_is_written_as_the_standard_says() -> None:
    assert write_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00-00:00"
    assert read_time("2026-01-01T00:00:00-00:00") == datetime(2026, 1, 1, tzinfo=UTC)


def test_midnight_may_be_the_end_of_a_day() -> None:
    assert read_time("2026-12-31T24:00:00+05:00").isoformat() == "2027-01-01T00:00:00+05:00"


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T00:00:00", "2026-01-01T24:00:01+00:00", "2026-02-30T00:00:00+00:00", "x"],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026|x"):
        read_time(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identifier", "a\x00b"),
        ("identifier", "\ud800"),
        ("note", "\ufffe"),
        ("sent", datetime(2026, 1, 1)),  # noqa: DTZ001 - the fault that is tried
        ("sent", SENT.replace(microsecond=1)),
        ("sent", datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=1, seconds=1)))),
        ("sent", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=14, minutes=1)))),
        ("sent", datetime(1, 1, 1, tzinfo=UTC)),
        ("status", "Real"),
        ("addresses", ("",)),
        ("addresses", ('a"b',)),
        ("incidents", (" a",)),
        ("references", (Reference(sender="a b", identifier="c", sent=SENT),)),
        ("references", (Reference(sender="a", identifier="c,d", sent=SENT),)),
        ("references", "a,b"),
        ("unknown", 1),
    ],
)
def test_the_model_refuses_what_cap_cannot_say(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        an_alert(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", ()),
        ("language", "en_US"),
        ("language", ""),
        ("web", "/relative"),
        ("area", ({"area_desc": "x", "polygon": (((float("nan"), 1.0),),)},)),
        ("area", ({"area_desc": "x", "circle": ((float("inf"), 1.0, 1.0),)},)),
        ("area", ({"area_desc": "x", "altitude": Decimal("NaN")},)),
        ("resource", ({"resource_desc": "x", "mime_type": "y", "size": -1},)),
        ("resource", ({"resource_desc": "x", "mime_type": "y", "uri": "a b"},)),
    ],
)
def test_the_model_refuses_an_info_that_cap_cannot_say(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        an_info(**{field: value})


def test_the_standards_texts_are_taken_for_values() -> None:
    area = Area(area_desc="x", polygon=("40,49 41,49 41,50 40,49",), circle=("40,49 2.5",))
    alert = an_alert(references="a,b,2026-11-23T14:00:00+04:00", addresses='x "y z"')

    assert area.polygon == (((40.0, 49.0), (41.0, 49.0), (41.0, 50.0), (40.0, 49.0)),)
    assert area.circle == ((40.0, 49.0, 2.5),)
    assert alert.references == (Reference(sender="a", identifier="b", sent=SENT),)
    assert alert.addresses == ("x", "y z")


def test_numbers_are_written_without_exponents() -> None:
    area = Area(area_desc="x", circle=((1e-7, 1e22, 0.1),), altitude=Decimal("1E+3"))

    written = write_alert(an_alert(info=(an_info(area=(area,)),)))

    assert b"<circle>0.0000001,10000000000000000000000 0.1</circle>" in written
    assert b"<altitude>1000</altitude>" in written


def test_an_alert_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        an_alert().note = "changed"


def test_facts_take_the_gravest_and_the_last_of_all_infos() -> None:
    later = SENT + timedelta(hours=2)
    first = an_info(
        language="fa",
        headline=" ",
        expires=SENT + timedelta(hours=1),
        severity="Minor",
        urgency="Unknown",
        event_code=({"value_name": "OET:v1.2", "value": "OET-068"},),
        area=({"area_desc": "Gilan", "circle": ("37,49 10",)},),
    )
    second = an_info(
        language="en",
        event="Earthquake",
        headline="  " + "x" * 200,
        expires=later,
        severity="Extreme",
        certainty="Possible",
        area=first.area,
    )

    facts = alert_facts(an_alert(info=(first, second), restriction=None))

    assert facts.kind == "alert"
    assert (facts.severity, facts.urgency, facts.certainty) == ("Extreme", "Immediate", "Observed")
    assert facts.expires == later
    assert facts.headline == "x" * 160
    assert facts.languages == ("fa", "en")
    assert facts.events == ("زمین‌لرزه", "OET:v1.2=OET-068", "Earthquake")
    assert len(facts.areas) == 1
    assert facts.areas[0].circles == ((37.0, 49.0, 10.0),)


@pytest.mark.parametrize(("msg_type", "kind"), [("Ack", "ack"), ("Error", "error")])
def test_facts_of_a_message_without_info(msg_type: str, kind: str) -> None:
    facts = alert_facts(an_alert(msg_type=msg_type, info=()))

    assert (facts.kind, facts.severity, facts.headline) == (kind, "Unknown", "")
    assert facts.expires is None


def test_facts_never_expire_when_one_info_never_does() -> None:
    infos = (an_info(expires=SENT + timedelta(hours=1)), an_info())

    assert alert_facts(an_alert(info=infos)).expires is None


def test_our_schema_is_no_copy_of_the_official_one() -> None:
    assert len(schema_text(NAMESPACE_12)) < 8000
    assert "annotation" not in schema_text(NAMESPACE_12)


def test_a_resource_of_cap_1_1_may_have_no_mime_type() -> None:
    resource = Resource(resource_desc="Map", mime_type="image/png", uri="https://x.example/a")
    written = write_alert(an_alert(info=(an_info(resource=(resource,)),)))
    old = written.replace(b"cap:1.2", b"cap:1.1").replace(b"<mimeType>image/png</mimeType>", b"")

    (found,) = read_alert(old).alert.info[0].resource

    assert found == resource.model_copy(update={"mime_type": "application/octet-stream"})
