"""How an aid message is written does not matter: encodings, prefixes, forms of XML, JSON."""

from __future__ import annotations

import json

import pytest
from rm_cases import ANSWER, BEFORE_PLACE, OFFER, REQUEST, code_of, message

from schemas.errors import Rejected
from schemas.payload import read_payload
from schemas.rm import (
    Address,
    Party,
    TargetArea,
    TypeInfo,
    aid_facts,
    read_aid,
    read_aid_json,
    write_aid,
    write_aid_json,
)

BODY = OFFER.split("?>", 1)[1]
LANGUAGES = {
    "az": "Abşeron sahilində neft ləkəsi",
    "fa": "لکه نفتی در نزدیکی ساحل — «فوری»",
    "kk": "Мұнай төгілуі: кемелер қажет",
    "ru": "Разлив нефти, нужны суда-нефтесборщики",
    "tk": "Nebit döküldi, gämiler gerek",
    "en": "Oil spill \u202e\U0001f30a off Absheron",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("windows-1251", "windows-1251"),
        ("ISO-8859-1", "iso-8859-1"),
        ("GB18030", "gb18030"),
    ],
)
def test_every_language_comes_through_every_encoding(
    language: str, encoding: str, codec: str
) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{BODY}'
    data = text.replace("Two vessels for oil recovery", LANGUAGES[language])
    encoded = data.encode(codec, "xmlcharrefreplace")

    assert read_aid(encoded).message.message_description == LANGUAGES[language]
    assert read_payload(encoded).payload_type == "application/edxl-rm+xml"


@pytest.mark.parametrize(
    "data",
    [
        BODY.replace("<m:", "<").replace("</m:", "</").replace("xmlns:m=", "xmlns="),
        BODY.replace("rm:", "x:").replace("xmlns:rm", "xmlns:x"),
        BODY.replace("Two ", "<![CDATA[Two ]]>"),
        BODY.replace("Two vessels", "Two <!-- or three --><?x y?>vessels"),
        BODY.replace("\n", "\r\n"),
        BODY.replace("<m:MessageID>", "<m:MessageID  >"),
    ],
)
def test_the_form_of_the_xml_does_not_matter(data: str) -> None:
    assert read_aid(data.encode()).message == read_aid(OFFER.encode()).message


def test_json_has_the_names_of_the_standard() -> None:
    value = json.loads(write_aid_json(read_aid(ANSWER.encode()).message))

    assert value == {
        "MessageID": "AZ-FHN-2026-43",
        "SentDateTime": "2026-11-23T15:00:00+04:00",
        "MessageContentType": "AidOfferResponse",
        "OriginatingMessageID": "TM-2026-7",
        "PrecedingMessageID": "TM-2026-7",
        "IncidentInformation": [{"IncidentID": "AC-2026-000001-AZE"}],
        "ContactInformation": [
            {"ContactDescription": "duty@fhn.gov.az", "ContactRole": "Sender"}
        ],
        "ResourceInformation": [
            {
                "ResourceInfoElementID": "1",
                "ResponseInformation": {
                    "PrecedingResourceInfoElementID": "1",
                    "ResponseType": "Accept",
                },
            }
        ],
    }  # fmt: skip


def test_an_amount_may_be_a_number_in_json() -> None:
    value = json.loads(write_aid_json(read_aid(OFFER.encode()).message))
    measured = value["ResourceInformation"][0]["AssignmentInformation"]["Quantity"]
    measured["MeasuredQuantity"]["Amount"] = 2

    read = read_aid_json(json.dumps(value).encode()).message

    assert read == read_aid(OFFER.encode()).message


def test_json_findings_have_paths_and_no_lines() -> None:
    value = json.loads(write_aid_json(read_aid(REQUEST.encode()).message))
    value["ContactInformation"][0]["ContactRole"] = "Boss"

    with pytest.raises(Rejected) as refusal:
        read_aid_json(json.dumps(value).encode())

    (finding,) = refusal.value.findings
    assert (finding.path, finding.line) == (
        "RequestResource/ContactInformation[1]/ContactRole",
        None,
    )


def test_what_other_standards_rule_is_read_as_far_as_it_is_plain() -> None:
    place = """<rm:LocationDescription>Baku</rm:LocationDescription>
    <rm:Address xmlns:a="urn:oasis:names:tc:ciq:xal:3">
      <a:Country><a:NameElement>AZ</a:NameElement></a:Country>
    </rm:Address>
    <rm:TargetArea><g:Point xmlns:g="http://www.opengis.net/gml"><g:pos>40.30 49.9</g:pos></g:Point>
    </rm:TargetArea>"""

    location = read_aid(message((BEFORE_PLACE, place))).message.resource_information[
        0
    ].schedule_information[0].location  # fmt: skip

    assert location is not None
    assert location.address == Address(country="AZ")
    assert location.target_area is not None
    assert location.target_area.point == (40.3, 49.9)
    assert location.target_area.xml is not None
    assert "40.30 49.9" in location.target_area.xml


def test_a_place_in_another_system_of_coordinates_is_kept_but_not_understood() -> None:
    shape = (
        '<rm:TargetArea><g:Point xmlns:g="http://www.opengis.net/gml" srsName="EPSG:28404">'
        "<g:pos>4483000 4610000</g:pos></g:Point></rm:TargetArea>"
    )

    read = read_aid(message((BEFORE_PLACE, shape))).message

    assert b"4483000 4610000" in write_aid(read)
    assert read_aid(write_aid(read)).message == read
    assert aid_facts(read).areas[0].circles == ()


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        (TypeInfo, {"xml": "<TypeInfo/>"}),
        (TypeInfo, {"xml": "<Address/>"}),
        (TypeInfo, {"xml": "not xml"}),
        (Party, {"emails": [" "]}),
        (Address, {"street": "x"}),
        (TargetArea, {}),
        (TargetArea, {"point": (1, 2), "circle": (1, 2, 3)}),
        (TargetArea, {"point": (1, float("nan"))}),
        (TargetArea, {"line": ((1, 2), (3,))}),
    ],
)
def test_a_part_that_could_not_be_written_cannot_be_made(
    part: type[TypeInfo], fields: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        part.model_validate(fields)


def test_the_bytes_decide_which_format_a_payload_is() -> None:
    offer = read_aid(OFFER.encode()).message
    alert = (
        b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>1</identifier>'
        b"<sender>urn:oasis:names:tc:emergency:EDXL:RM:1.0</sender>"
        b"<sent>2026-11-23T14:00:00+04:00</sent><status>Actual</status><msgType>Ack</msgType>"
        b"<scope>Public</scope><references>a,b,2026-11-23T14:00:00+04:00</references></alert>"
    )

    assert read_payload(OFFER.encode()).facts == aid_facts(offer)
    assert read_payload(write_aid_json(offer)).payload_type == "application/edxl-rm+json"
    assert read_payload(write_aid_json(offer), "application/json").facts == aid_facts(offer)
    assert read_payload(alert).payload_type == "application/cap+xml"
    assert code_of(b"<EDXL:RM xmlns:EDXL='x'/>", read_payload) == "wrong-namespace"
    assert code_of(b'{"a": 1}', read_payload) == "wrong-namespace"
    assert code_of(b" ", read_payload) == "empty-payload"
    assert code_of(alert, lambda d: read_payload(d, "application/edxl-rm+xml")) == (
        "payload-type-mismatch"
    )


def test_an_alert_in_json_is_an_alert() -> None:
    alert = {
        "identifier": "1",
        "sender": "a@b",
        "sent": "2026-11-23T14:00:00+04:00",
        "status": "Actual",
        "msgType": "Ack",
        "scope": "Public",
        "references": "a,b,2026-11-23T14:00:00+04:00",
    }

    assert read_payload(json.dumps(alert).encode()).payload_type == "application/cap+json"
