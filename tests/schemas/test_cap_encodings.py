"""How a message is written does not matter: encodings, forms of XML, CAP 1.1."""

from __future__ import annotations

import pytest
from cap_cases import ALERT, BASE, SCOPE, code_of

from schemas.cap import (
    NAMESPACE_10,
    NAMESPACE_11,
    NAMESPACE_12,
    check_alert,
    read_alert,
)

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


def old(text: str = BASE) -> str:
    return text.replace(NAMESPACE_12, NAMESPACE_11)


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
