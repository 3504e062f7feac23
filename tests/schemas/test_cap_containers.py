"""Alerts come out of feeds and envelopes as the bytes that they are."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

import pytest
from cap_corpus import corpus_files
from lxml import etree

from schemas.cap import NAMESPACE_11, NAMESPACE_12, open_container, read_alert
from schemas.errors import Rejected

if TYPE_CHECKING:
    from pathlib import Path

ALERT = f"""<alert xmlns="{NAMESPACE_12}">
  <!-- kept > "as it is" -->
  <identifier>TM-1</identifier><sender>duty@tm</sender><sent>2026-11-23T14:00:00+05:00</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info><category>Geo</category><event>Ýer titremesi</event><urgency>Past</urgency>
  <severity>Minor</severity><certainty>Observed</certainty></info></alert>"""
PREFIXED = (
    ALERT.replace("<!--", "<!--c:")
    .replace("</", "</c:")
    .replace("<i", "<c:i")
    .replace("<s", "<c:s")
    .replace("<m", "<c:m")
    .replace("<c", "<c:c")
    .replace("<e", "<c:e")
    .replace("<u", "<c:u")
    .replace("<c:c:", "<c:")
    .replace(f'<alert xmlns="{NAMESPACE_12}"', "<c:alert")
)
LINKS = '<link href="https://x.example/1.cap"/>'
ATOM = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{LINKS}%s</entry></feed>'
RSS = "<rss version='2.0'><channel><item><title>t</title>%s</item></channel></rss>"
EDXL = '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0">%s</EDXLDistribution>'


def test_an_alert_is_its_own_container_in_whatever_encoding() -> None:
    data = f'<?xml version="1.0" encoding="UTF-16"?>{ALERT}'.encode("utf-16")

    assert open_container(data) == (data,)


@pytest.mark.parametrize(
    "around",
    [
        ATOM % '<content type="text/xml">%s</content>',
        RSS % "%s",
        EDXL % "<contentObject><xmlContent><embeddedXMLContent>%s</embeddedXMLContent>"
        "</xmlContent></contentObject>",
        f'<alerts xmlns="{NAMESPACE_12}">%s</alerts>',
    ],
    ids=["atom", "rss", "edxl-de", "list"],
)
@pytest.mark.parametrize("count", [1, 3])
def test_an_alert_in_a_container_keeps_its_bytes(around: str, count: int) -> None:
    found = open_container((around % (ALERT * count)).encode())

    assert found == (ALERT.encode(),) * count


def test_a_namespace_that_is_declared_around_an_alert_is_added_to_it() -> None:
    container = f"<list xmlns:c='{NAMESPACE_12}' xmlns:unused='urn:x'>{PREFIXED}</list>"

    (found,) = open_container(container.encode())

    assert read_alert(found) == read_alert(ALERT.encode())
    assert b"unused" not in found
    assert found.replace(f' xmlns:c="{NAMESPACE_12}"'.encode(), b"", 1) == PREFIXED.encode()


def test_a_default_namespace_around_an_alert_is_added_to_it() -> None:
    inside = ALERT.replace(f' xmlns="{NAMESPACE_12}"', "")

    (found,) = open_container(f'<alerts xmlns="{NAMESPACE_12}">{inside}</alerts>'.encode())

    assert found == ALERT.encode()


@pytest.mark.parametrize(
    "container",
    [
        ATOM % f'<content type="html">{escape(ALERT)}</content>',
        ATOM % f"<summary><![CDATA[{ALERT}]]></summary>",
        RSS % f"<description>\n{escape(ALERT)}</description>",
        EDXL
        % (
            "<contentObject><nonXMLContent><mimeType>text/xml</mimeType><contentData>"
            f"{b64encode(ALERT.encode()).decode()}</contentData></nonXMLContent></contentObject>"
        ),
    ],
    ids=["html", "cdata", "rss", "base64"],
)
def test_an_alert_that_is_wrapped_as_text_is_unwrapped(container: str) -> None:
    (found,) = open_container(container.encode())

    assert read_alert(found) == read_alert(ALERT.encode())


def test_an_escaped_document_forgets_the_encoding_that_it_had() -> None:
    document = f'<?xml version="1.0" encoding="windows-1254"?>{ALERT}'

    (found,) = open_container((ATOM % f"<content>{escape(document)}</content>").encode())

    assert read_alert(found) == read_alert(ALERT.encode())


def test_a_container_in_another_encoding_gives_alerts_in_utf_8() -> None:
    container = f'<?xml version="1.0" encoding="windows-1254"?>{RSS % ALERT}'

    (found,) = open_container(container.encode("windows-1254", "xmlcharrefreplace"))

    assert read_alert(found) == read_alert(ALERT.encode())


@pytest.mark.parametrize(
    "container",
    [
        EDXL % f"<contentObject><xmlContent><keyXMLContent>{ALERT}</keyXMLContent></xmlContent>"
        "</contentObject>",
        ATOM % "<content>alert</content>",
        EDXL % "<contentObject><nonXMLContent><contentData>&#233;=</contentData></nonXMLContent>"
        "</contentObject>",
        "<alert/>",
        f'<x><alert xmlns="{NAMESPACE_12}x"/></x>',
        RSS % "",
    ],
)
def test_what_is_no_alert_is_left_where_it_is(container: str) -> None:
    assert open_container(container.encode()) == ()


def test_an_empty_alert_element_is_taken_whole() -> None:
    alert = f'<c:alert  xmlns:c="{NAMESPACE_11}" a="/>" />'

    assert open_container(f"<x>{alert}<y/></x>".encode()) == (alert.encode(),)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<x>", "not-xml"),
        (b"", "not-xml"),
        (b"<!DOCTYPE x><x/>", "xml-forbidden"),
        (b"<a>" * 65 + b"</a>" * 65, "too-deep"),
        (b"<x>" + b" " * 1000 + b"</x>", "too-large"),
    ],
)
def test_a_container_is_refused_as_a_message_is(data: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        open_container(data, max_bytes=1000)

    assert refusal.value.code == code
    assert refusal.value.findings[0].severity == "error"


@pytest.mark.parametrize("path", corpus_files())
def test_as_many_alerts_come_out_as_a_parser_sees(path: Path) -> None:
    data = path.read_bytes()
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        with pytest.raises(Rejected):
            open_container(data)
        return

    found = open_container(data)

    seen = [e for v in (NAMESPACE_11, NAMESPACE_12) for e in root.iter(f"{{{v}}}alert")]
    assert len(found) == len(seen)
    for alert in found:
        assert etree.QName(etree.fromstring(alert)).localname == "alert"
