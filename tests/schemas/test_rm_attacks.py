"""Whatever bytes come are read or refused as aid messages, in bounded time and memory."""

from __future__ import annotations

import json
import resource
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rm_cases import OFFER, code_of, message, outcome

from schemas.cap.markup import MAX_BREADTH, MAX_DEPTH
from schemas.errors import Rejected
from schemas.payload import read_payload
from schemas.rm import (
    MESSAGE_TYPES,
    aid_facts,
    check_aid,
    read_aid,
    read_aid_json,
    write_aid,
    write_aid_json,
)
from schemas.rm.structure import MAX_FINDINGS
from schemas.rm.tables import TAGS
from tests.examples import examples

BODY = OFFER.split("?>", 1)[1]
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
XINCLUDE = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
BEFORE = "      <m:ResponsibleParty>"
TYPE_INFO = f"<m:TypeInfo>{{}}</m:TypeInfo>{BEFORE}"


@pytest.mark.parametrize(
    "data",
    [
        OFFER.replace("<m:Offer", f'<!DOCTYPE l [<!ENTITY l0 "lol">{LAUGHS}]><m:Offer', 1),
        OFFER.replace("<m:Offer", '<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><m:Offer', 1),
        OFFER.replace("<m:Offer", '<!DOCTYPE a [<!ENTITY % p SYSTEM "x"> %p;]><m:Offer', 1),
        OFFER.replace(BEFORE, TYPE_INFO.format(XINCLUDE)),
        OFFER.replace(BEFORE, TYPE_INFO.format(XINCLUDE.replace("XInc", "XI&#110;c"))),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_entities_and_inclusions_are_refused_before_they_act(data: str, codec: str) -> None:
    assert code_of(data.replace("UTF-8", codec).encode(codec)) == "xml-forbidden"


def test_entities_are_refused_within_the_xml_that_json_carries() -> None:
    value = json.loads(write_aid_json(read_aid(OFFER.encode()).message))
    laughs = f'<!DOCTYPE l [<!ENTITY l0 "lol">{LAUGHS}]><TypeInfo>&l9;</TypeInfo>'
    value["ResourceInformation"][0]["Resource"]["TypeInfo"] = {"xml": laughs}

    (finding,) = outcome(json.dumps(value).encode(), read_aid_json)

    assert finding.path.endswith("ResourceInformation[1]/Resource/TypeInfo")
    assert "xml-forbidden" in finding.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-xml"),
        (b"<a/>", "wrong-namespace"),
        (b"<RequestResource/>", "wrong-namespace"),
        (BODY.replace("RM:1.0:msg", "RM:2.0:msg").encode(), "wrong-namespace"),
        (message(("EDXL:RM:1.0:msg", "EDXL:RM:1.0")), "wrong-namespace"),
        (message(('RM:1.0"', 'RM:1.1"')), "structure-invalid"),
        (BODY.encode()[:-5], "not-xml"),
        (message(("Two vessels", "&vessels;")), "not-xml"),
        (message(("Two vessels", "\x0b")), "not-xml"),
        (message((BEFORE, TYPE_INFO.format("<a>" * 70 + "</a>" * 70))), "too-deep"),
        (b"<a>" * 100_000, "too-deep"),
        (message((BEFORE, TYPE_INFO.format("<a/>" * (MAX_BREADTH + 1)))), "too-large"),
    ],
)
def test_what_is_no_aid_message_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", "not-json"),
        (b'{"a": 1, "a": 1}', "not-json"),
        (b'{"a": NaN}', "not-json"),
        (b"[" * 100_000, "too-deep"),
        (b"[]", "wrong-namespace"),
        (b'{"MessageContentType": "Alert"}', "wrong-namespace"),
        (b'{"MessageContentType": 1}', "wrong-namespace"),
        (b'{"MessageContentType": "RequestResource"}', "structure-invalid"),
        (b'{"MessageContentType": "RequestResource", "Funding": {}}', "structure-invalid"),
        (b'{"MessageContentType": "RequestResource", "MessageID": 1}', "structure-invalid"),
        (b'{"MessageContentType": "RequestResource", "MessageID": "\\u0000"}', "structure-invalid"),
        (
            b'{"MessageContentType": "RequestResource", "Funding": [%s]}'
            % b",".join([b"{}"] * 5001),
            "too-large",
        ),
    ],
)
def test_json_that_is_no_aid_message_is_refused(value: bytes, code: str) -> None:
    assert code_of(value, read_aid_json) == code


def test_a_message_over_the_limit_is_refused_and_at_the_limit_read() -> None:
    data = OFFER.encode()

    assert read_aid(data, max_bytes=len(data))
    assert code_of(data, lambda d: read_aid(d, max_bytes=len(d) - 1)) == "too-large"
    assert code_of(data, lambda d: read_aid_json(d, max_bytes=10)) == "too-large"


def test_elements_nested_to_the_limit_are_read() -> None:
    deep = MAX_DEPTH - 4

    assert code_of(message((BEFORE, TYPE_INFO.format("<a>" * deep + "</a>" * deep)))) == ""


def test_a_long_name_of_a_namespace_does_not_swell_the_message() -> None:
    """Each part of what a resource list says declares its namespaces again: 64 kB were 250 MB."""
    many = f'<p:x xmlns:p="urn:{"x" * 100_000}">' + "<p:y/>" * 4000 + "</p:x>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert code_of(message((BEFORE, TYPE_INFO.format(many)))) == "too-large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_a_thousand_faults_are_told_by_a_hundred_findings_errors_first() -> None:
    schedule = (
        "<m:ScheduleInformation><m:ScheduleType>Route</m:ScheduleType></m:ScheduleInformation>"
    )
    end = "  </m:ResourceInformation>"
    faults = ((end, schedule * 1000 + end),)
    broken = message(*faults, ("<rm:Amount>2<", "<rm:Amount>-2<"))

    assert len(read_aid(message(*faults)).warnings) == MAX_FINDINGS
    assert len(outcome(broken)) == MAX_FINDINGS
    assert outcome(broken)[0].rule == "A28"
    assert code_of(broken) == "rule-broken"
    assert len(outcome(message((end, schedule.replace("Route", "Never") * 200 + end)))) == 100


def judged(data: bytes) -> None:
    """Read in every way; anything but a reading or a refusal is a fault."""
    for read in (read_aid, read_aid_json, read_payload):
        with suppress(Rejected):
            read(data)


@given(st.binary(max_size=300))
@examples(60)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    judged(data)


def a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    base = data.draw(
        st.sampled_from(
            [
                OFFER.encode(),
                BODY.encode("utf-16"),
                write_aid_json(read_aid(OFFER.encode()).message),
            ]
        )
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(base)), min_size=2, max_size=4)))
    junk = st.one_of(st.binary(max_size=4), st.sampled_from([b"<", b"&", b"\0", b"]]>", b"<!--"]))

    judged(base[: cuts[0]] + b"".join(data.draw(junk) + base[a:b] for a, b in pairwise(cuts)))


@given(st.data())
@examples(60)
def test_a_message_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    a_damaged_message_is_read_or_refused(data)


@pytest.mark.soak
@given(st.data())
@settings(max_examples=20_000, deadline=None)
def test_many_messages_with_damaged_bytes_are_read_or_refused(data: st.DataObject) -> None:
    a_damaged_message_is_read_or_refused(data)


NAMES = st.sampled_from([*sorted(TAGS.values()), "xml", "point", "lines", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(MESSAGE_TYPES)), st.dictionaries(NAMES, JSON, max_size=6), JSON)
@examples(40)
def test_any_json_is_read_or_refused(name: str, members: dict[str, object], part: object) -> None:
    value = json.loads(write_aid_json(read_aid(OFFER.encode()).message))
    value["ResourceInformation"][0]["ScheduleInformation"][0]["Location"] = part

    judged(json.dumps({**members, "MessageContentType": name}).encode())
    judged(json.dumps(value).encode())


def test_what_is_read_is_judged_the_same_again() -> None:
    message_ = read_aid(OFFER.encode()).message

    assert check_aid(message_) == ()
    assert aid_facts(message_) == aid_facts(read_aid(write_aid(message_)).message)
