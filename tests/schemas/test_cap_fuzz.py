"""Whatever bytes come are read or refused, in XML and in JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from cap_cases import BASE, code_of
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cap import (
    NAMESPACE_11,
    NAMESPACE_12,
    Profile,
    check_alert,
    open_container,
    read_alert,
    read_alert_json,
    write_alert_json,
)
from schemas.errors import Rejected
from tests.examples import examples

BODY = BASE.split("?>", 1)[1]


def judged(data: bytes) -> None:
    """Read in every way; anything but a reading or a refusal is a fault."""
    for profile in Profile:
        with suppress(Rejected):
            read_alert(data, profile=profile)
        assert isinstance(check_alert(data, profile=profile), tuple)
    for read in (read_alert_json, open_container):
        with suppress(Rejected):
            read(data)


@given(st.binary(max_size=300))
@examples(80)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    judged(data)


@given(st.data())
@examples(80)
def test_a_message_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    a_damaged_message_is_read_or_refused(data)


@pytest.mark.soak
@given(st.data())
@settings(max_examples=20_000, deadline=None)
def test_many_messages_with_damaged_bytes_are_read_or_refused(data: st.DataObject) -> None:
    a_damaged_message_is_read_or_refused(data)


def a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    base = data.draw(
        st.sampled_from(
            [
                BASE.encode(),
                BODY.encode("utf-16"),
                BASE.replace(NAMESPACE_12, NAMESPACE_11).encode(),
            ]
        )
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(base)), min_size=2, max_size=4)))
    junk = st.one_of(st.binary(max_size=4), st.sampled_from([b"<", b"&", b"\0", b"]]>", b"<!--"]))

    damaged = base[: cuts[0]] + b"".join(data.draw(junk) + base[a:b] for a, b in pairwise(cuts))

    judged(damaged)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["info", "area", "sent", "x", "size"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.data())
@examples(80)
def test_any_json_is_read_or_refused(value: object, data: st.DataObject) -> None:
    good = json.loads(write_alert_json(read_alert(BASE.encode()).alert))
    part = data.draw(st.sampled_from([good, good["info"][0], good["info"][0]["area"][0]]))
    part[data.draw(st.sampled_from([*part, "x"]))] = value

    judged(json.dumps(good).encode())
    judged(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"\xff", "not-json"),
        (b'{"code": [NaN]}', "not-json"),
        (b'{"sender": "a", "sender": "b"}', "not-json"),
        (b"[" * 100_000, "too-deep"),
        (b"[]", "structure-invalid"),
        (b'"alert"', "structure-invalid"),
        (b"{}", "structure-invalid"),
        (b'{"Sender": "a"}', "structure-invalid"),
        (b'{"code": "a"}', "structure-invalid"),
        (b'{"sender": 1}', "structure-invalid"),
        (b'{"sender": true}', "structure-invalid"),
        (b'{"info": [1]}', "structure-invalid"),
        (b'{"sender": "\\ud800"}', "structure-invalid"),
        (b'{"sender": "\\u0000"}', "structure-invalid"),
    ],
)
def test_json_that_is_no_alert_is_told_so(data: bytes, code: str) -> None:
    assert code_of(data, read_alert_json) == code


def test_json_takes_numbers_nulls_and_a_byte_order_mark() -> None:
    alert = read_alert(BASE.encode()).alert
    value = json.loads(write_alert_json(alert))
    value["note"] = None
    value["info"][0]["resource"][0]["size"] = 5
    value["info"][0]["area"][0] |= {"altitude": -92, "ceiling": 0.0}

    reading = read_alert_json(b"\xef\xbb\xbf" + json.dumps(value).encode())

    assert reading.alert == alert
    assert reading.warnings == ()


def test_json_findings_have_paths_and_no_lines() -> None:
    alert = read_alert(BASE.encode()).alert
    value = json.loads(write_alert_json(alert))
    value["info"][0]["urgency"] = "Soon"

    with pytest.raises(Rejected) as refusal:
        read_alert_json(json.dumps(value).encode())

    assert [(f.path, f.line) for f in refusal.value.findings] == [("alert/info[1]/urgency", None)]
