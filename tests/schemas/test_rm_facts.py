"""What routing is told of an aid message is what stands in it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from rm_cases import (
    END,
    FUNDING,
    INCIDENT_ID,
    LAST,
    OFFER,
    OWNER_ROLE,
    PLACE,
    REQUEST,
    ROLE,
    ROUTE,
    SENDER,
    SOMEBODY,
    circle,
    message,
    point,
    ring,
)

from schemas.facts import AidFacts, AidItem, Area, MessageFacts
from schemas.rm import MESSAGE_TYPES, TargetArea, aid_facts, read_aid
from schemas.rm.parts import Location

MAILS = (
    "<rm:AdditionalContactInformation>"
    '<p:ElectronicAddressIdentifiers xmlns:p="urn:oasis:names:tc:ciq:xpil:3">'
    '<p:ElectronicAddressIdentifier p:Type="EMAIL"> {} </p:ElectronicAddressIdentifier>'
    "</p:ElectronicAddressIdentifiers></rm:AdditionalContactInformation>"
)

COUNTRY = (
    '<rm:Address><x:Country xmlns:x="urn:oasis:names:tc:ciq:xal:3">'
    "<x:NameElement>TM</x:NameElement></x:Country></rm:Address>"
)


def facts(*changes: tuple[str, str], base: str = OFFER) -> MessageFacts:
    return aid_facts(read_aid(message(*changes, base=base)).message)


def test_an_offer_says_who_when_what_for_which_incident_and_until_when() -> None:
    assert facts() == MessageFacts(
        kind="aid",
        sender="nobat@emergency.gov.tm",
        identifier="TM-2026-7",
        sent=datetime.fromisoformat("2026-11-23T14:00:00+05:00"),
        status="Actual",
        msg_type="OfferUnsolicitedResource",
        scope="Public",
        events=("Oil recovery vessel", "urn:caspian:resource:oil-spill=vessel-recovery"),
        headline="Two vessels for oil recovery",
        expires=datetime.fromisoformat(END),
        incidents=("AC-2026-000001-AZE",),
        areas=(Area(description="Port of Türkmenbaşy"),),
        aid=AidFacts(
            thread="TM-2026-7",
            incidents=("AC-2026-000001-AZE",),
            items=(
                AidItem(
                    id="1",
                    type="urn:caspian:resource:oil-spill=vessel-recovery",
                    name="Oil recovery vessel",
                    amount=Decimal(2),
                    unit="C62",
                ),
            ),
        ),
    )


def test_the_sender_is_the_contact_with_that_role_by_mail_then_description_then_name() -> None:
    mail = (ROLE, ROLE + MAILS.format("nobat@x.tm"))

    assert facts(mail).sender == "nobat@x.tm"
    assert facts(mail, (SENDER, "")).sender == "nobat@x.tm"
    assert facts((SENDER, SENDER.replace(">n", "> n"))).sender == "nobat@emergency.gov.tm"
    assert facts((ROLE, ""), (OWNER_ROLE, SOMEBODY + ROLE)).sender == "x"
    assert facts((ROLE, "")).sender == "nobat@emergency.gov.tm"


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (["EXERCISE-CASPIAN-2026"], "Exercise"),
        ([" EXERCISE"], "Exercise"),
        (["EXERCISE: oil", "EXERCISE 2"], "Exercise"),
        (["TEST_1"], "Test"),
        (["EXERCISES", "TESTING"], "Actual"),
        (["Test laboratory on fire", "exercise"], "Actual"),
        (["EXERCISE", "TEST"], "Actual"),
        (["EXERCISE", "AC-2026-000001-AZE"], "Actual"),
        (["OS-2026-EXERCISE"], "Actual"),
    ],
)
@pytest.mark.parametrize("tag", ["IncidentID", "IncidentDescription"])
def test_the_status_is_what_every_incident_begins_with(
    texts: list[str], status: str, tag: str
) -> None:
    blocks = "".join(
        f"<IncidentInformation><rm:{tag}>{text}</rm:{tag}></IncidentInformation>" for text in texts
    )
    plain = f"<IncidentInformation>{INCIDENT_ID}</IncidentInformation>"

    found = facts((plain, blocks), base=REQUEST)

    assert found.status == status
    assert found.incidents == tuple(dict.fromkeys(text.strip() for text in texts))


def test_an_offer_expires_with_its_last_item_and_never_if_one_has_no_end() -> None:
    item = OFFER[OFFER.index("  <m:ResourceInformation>") : OFFER.index(LAST)] + LAST
    later = item.replace("ElementID>1<", "ElementID>2<").replace("2026-12-24", "2027-01-02")

    assert facts((LAST, LAST + later)).expires == datetime.fromisoformat("2027-01-02T08:00+05:00")
    assert facts(base=REQUEST).expires is None


def test_a_message_without_description_is_headed_by_its_type_and_items() -> None:
    description = "<m:MessageDescription>Two vessels for oil recovery</m:MessageDescription>"
    item = "OfferUnsolicitedResource: Oil recovery vessel"

    assert facts((description, "")).headline == item
    assert facts(base=REQUEST).headline == "RequestResource"
    assert len(facts(("Two vessels", "x" * 500)).headline) == 160


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (point("40.5 53"), Area(circles=((40.5, 53.0, 0.0),))),
        (circle("2500"), Area(circles=((40.0, 53.0, 2.5),))),
        (ring("1 1 1 2 2 2 1 1"), Area(polygons=(((1, 1), (1, 2), (2, 2), (1, 1)),))),
        (PLACE, Area(description="Port of Türkmenbaşy")),
        (COUNTRY, Area(description="TM")),
    ],
)
def test_the_places_of_items_are_areas(shape: str, area: Area) -> None:
    assert facts((PLACE, shape)).areas == (area,)
    again = ROUTE.format(f"<m:Location>{shape}</m:Location>")
    assert facts((PLACE, shape), (LAST, again + LAST)).areas == (area,)


@pytest.mark.parametrize(
    ("area", "ring_"),
    [
        (TargetArea(box=((1, 2), (3, 4))), ((1, 2), (1, 4), (3, 4), (3, 2), (1, 2))),
        (TargetArea(line=((1, 2), (3, 4))), ((1, 2), (3, 4), (1, 2))),
    ],
)
def test_a_box_and_a_line_are_rings(
    area: TargetArea, ring_: tuple[tuple[float, float], ...]
) -> None:
    offer = read_aid(OFFER.encode()).message
    (item,) = offer.resource_information
    first, *rest = item.schedule_information
    moved = first.model_copy(update={"location": Location(target_area=area)})
    items = (item.model_copy(update={"schedule_information": (moved, *rest)}),)

    assert aid_facts(offer.model_copy(update={"resource_information": items})).areas == (
        Area(polygons=(ring_,)),
    )


def test_a_message_without_items_has_facts() -> None:
    items = REQUEST[REQUEST.index("  <ResourceInf") : REQUEST.index("</RequestRes")]
    question = REQUEST.replace(items, "").replace("RequestResource", "RequestInformation")
    asked = question.replace(FUNDING, "").replace("  <Orig", "<MessageDescription/><Orig")

    read = read_aid(asked.encode()).message

    assert type(read) is MESSAGE_TYPES["RequestInformation"]
    assert (aid_facts(read).expires, aid_facts(read).events) == (None, ())
