"""Good aid messages, and the changes to them that break one rule each or just keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Rejected
from schemas.rm import read_aid

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.errors import Finding
    from schemas.rm import ReadAid

OFFER = """<?xml version="1.0" encoding="UTF-8"?>
<m:OfferUnsolicitedResource xmlns:m="urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg"
    xmlns:rm="urn:oasis:names:tc:emergency:EDXL:RM:1.0">
  <m:MessageID>TM-2026-7</m:MessageID>
  <m:SentDateTime>2026-11-23T14:00:00+05:00</m:SentDateTime>
  <m:MessageContentType>OfferUnsolicitedResource</m:MessageContentType>
  <m:MessageDescription>Two vessels for oil recovery</m:MessageDescription>
  <m:OriginatingMessageID>TM-2026-7</m:OriginatingMessageID>
  <m:IncidentInformation>
    <rm:IncidentID>AC-2026-000001-AZE</rm:IncidentID>
    <rm:IncidentDescription>Oil spill off Absheron</rm:IncidentDescription>
  </m:IncidentInformation>
  <m:ContactInformation>
    <rm:ContactDescription>nobat@emergency.gov.tm</rm:ContactDescription>
    <rm:ContactRole>Sender</rm:ContactRole>
  </m:ContactInformation>
  <m:ContactInformation>
    <rm:ContactRole>Owner</rm:ContactRole>
  </m:ContactInformation>
  <m:ResourceInformation>
    <m:ResourceInfoElementID>1</m:ResourceInfoElementID>
    <m:Resource>
      <m:Name>Oil recovery vessel</m:Name>
      <m:TypeStructure>
        <rm:ValueListURN>urn:caspian:resource:oil-spill</rm:ValueListURN>
        <rm:Value>vessel-recovery</rm:Value>
      </m:TypeStructure>
      <m:ResponsibleParty>
        <rm:ContactRole>Owner</rm:ContactRole>
      </m:ResponsibleParty>
      <m:OwnershipInformation>
        <rm:Owner>State Commission for Emergency Situations</rm:Owner>
        <rm:OwningJurisdiction>TM</rm:OwningJurisdiction>
      </m:OwnershipInformation>
    </m:Resource>
    <m:AssignmentInformation>
      <m:Quantity>
        <rm:MeasuredQuantity>
          <rm:Amount>2</rm:Amount>
          <rm:UnitOfMeasure>
            <rm:ValueListURN>urn:un:unece:uncefact:codelist:standard:UNECE:Recommendation20</rm:ValueListURN>
            <rm:Value>C62</rm:Value>
          </rm:UnitOfMeasure>
        </rm:MeasuredQuantity>
      </m:Quantity>
      <m:PriceQuote>
        <rm:QuantityText>free of charge</rm:QuantityText>
      </m:PriceQuote>
    </m:AssignmentInformation>
    <m:ScheduleInformation>
      <m:ScheduleType>BeginAvailable</m:ScheduleType>
      <m:DateTime>2026-11-24T08:00:00+05:00</m:DateTime>
      <m:Location>
        <rm:LocationDescription>Port of Türkmenbaşy</rm:LocationDescription>
      </m:Location>
    </m:ScheduleInformation>
    <m:ScheduleInformation>
      <m:ScheduleType>EndAvailable</m:ScheduleType>
      <m:DateTime>2026-12-24T08:00:00+05:00</m:DateTime>
    </m:ScheduleInformation>
  </m:ResourceInformation>
</m:OfferUnsolicitedResource>
"""

REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<RequestResource xmlns="urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg"
    xmlns:rm="urn:oasis:names:tc:emergency:EDXL:RM:1.0">
  <MessageID>AZ-FHN-2026-42</MessageID>
  <SentDateTime>2026-11-23T14:00:00+04:00</SentDateTime>
  <MessageContentType>RequestResource</MessageContentType>
  <OriginatingMessageID>AZ-FHN-2026-42</OriginatingMessageID>
  <IncidentInformation><rm:IncidentID>AC-2026-000001-AZE</rm:IncidentID></IncidentInformation>
  <Funding><FundCode>RF-7</FundCode></Funding>
  <ContactInformation>
    <rm:ContactDescription>duty@fhn.gov.az</rm:ContactDescription>
    <rm:ContactRole>Sender</rm:ContactRole>
  </ContactInformation>
  <ResourceInformation>
    <ResourceInfoElementID>1</ResourceInfoElementID>
    <Resource>
      <TypeStructure>
        <rm:ValueListURN>urn:caspian:resource:oil-spill</rm:ValueListURN>
        <rm:Value>boom-offshore</rm:Value>
      </TypeStructure>
    </Resource>
    <AssignmentInformation>
      <Quantity><rm:QuantityText>2000 m</rm:QuantityText></Quantity>
    </AssignmentInformation>
  </ResourceInformation>
</RequestResource>
"""

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<AidOfferResponse xmlns="urn:caspian:edxl-rm:1.0:msg"
    xmlns:rm="urn:oasis:names:tc:emergency:EDXL:RM:1.0">
  <MessageID>AZ-FHN-2026-43</MessageID>
  <SentDateTime>2026-11-23T15:00:00+04:00</SentDateTime>
  <MessageContentType>AidOfferResponse</MessageContentType>
  <OriginatingMessageID>TM-2026-7</OriginatingMessageID>
  <PrecedingMessageID>TM-2026-7</PrecedingMessageID>
  <IncidentInformation><rm:IncidentID>AC-2026-000001-AZE</rm:IncidentID></IncidentInformation>
  <ContactInformation>
    <rm:ContactDescription>duty@fhn.gov.az</rm:ContactDescription>
    <rm:ContactRole>Sender</rm:ContactRole>
  </ContactInformation>
  <ResourceInformation>
    <ResourceInfoElementID>1</ResourceInfoElementID>
    <ResponseInformation>
      <rm:PrecedingResourceInfoElementID>1</rm:PrecedingResourceInfoElementID>
      <rm:ResponseType>Accept</rm:ResponseType>
    </ResponseInformation>
  </ResourceInformation>
</AidOfferResponse>
"""

Change = tuple[str, str]
"""What stands in the good message, and what is put in its place."""

RECALL = (
    "<m:MessageRecall><rm:RecallMessageID>{}</rm:RecallMessageID>"
    "<rm:RecallType>{}</rm:RecallType></m:MessageRecall>"
)
CONTACTS = "  <m:ContactInf"
OWNER_ROLE = "<rm:ContactRole>Owner</rm:ContactRole>"
SOMEBODY = "<rm:ContactDescription>x</rm:ContactDescription>"
PARTY = f"<m:ResponsibleParty>\n        {OWNER_ROLE}"
INCIDENT = "<m:IncidentInformation><rm:IncidentID>{}</rm:IncidentID></m:IncidentInformation>"
FUNDING = "<Funding><FundCode>RF-7</FundCode></Funding>"
METRES = "<Quantity><rm:QuantityText>2000 m</rm:QuantityText></Quantity>"
BOOM = REQUEST[REQUEST.index("      <TypeS") : REQUEST.index("    </Resource>")]
OWNED = "<OwnershipInformation><rm:{0}>x</rm:{0}></OwnershipInformation>"
RETURN = (
    ("RequestResource", "RequestReturn"),
    (">RequestResource<", ">RequestReturn<"),
    ("</RequestResource", "</RequestReturn"),
    (FUNDING, ""),
)
INCIDENT_ID = "<rm:IncidentID>AC-2026-000001-AZE</rm:IncidentID>"
DESCRIPTION = "<rm:IncidentDescription>Oil spill off Absheron</rm:IncidentDescription>"
SENDER = "<rm:ContactDescription>nobat@emergency.gov.tm</rm:ContactDescription>"
ROLE = "<rm:ContactRole>Sender</rm:ContactRole>"
UNIT = OFFER[OFFER.index("          <rm:UnitOfMeasure>") : OFFER.index("        </rm:MeasuredQ")]
TYPE = OFFER[OFFER.index("      <m:TypeStructure>") : OFFER.index("      <m:ResponsibleParty>")]
NAME = "<m:Name>Oil recovery vessel</m:Name>"
OWNER = "<rm:Owner>State Commission for Emergency Situations</rm:Owner>"
JURISDICTION = "<rm:OwningJurisdiction>TM</rm:OwningJurisdiction>"
QUANTITY = OFFER[OFFER.index("      <m:Quantity>") : OFFER.index("      <m:PriceQuote>")]
PRICE = OFFER[OFFER.index("      <m:PriceQuote>") : OFFER.index("    </m:AssignmentInf")]
FREE = "<rm:QuantityText>free of charge</rm:QuantityText>"
END = "2026-12-24T08:00:00+05:00"
BEFORE_PLACE = PLACE = "<rm:LocationDescription>Port of Türkmenbaşy</rm:LocationDescription>"
MAP = '<rm:TargetArea xmlns:g="http://www.opengis.net/gml">%s</rm:TargetArea>'
ADDRESS = '<rm:Address><x xmlns="urn:oasis:names:tc:ciq:xal:3">{}</x></rm:Address>'
ROUTE = "<m:ScheduleInformation><m:ScheduleType>Route</m:ScheduleType>{}</m:ScheduleInformation>"
LAST = "  </m:ResourceInformation>\n"
ACCEPT = "<rm:ResponseType>Accept</rm:ResponseType>"
REASON = "<rm:ResponseReason>{}</rm:ResponseReason>"


def point(text: str) -> str:
    return MAP % f"<g:Point><g:pos>{text}</g:pos></g:Point>"


def ring(text: str) -> str:
    inner = f"<g:LinearRing><g:posList>{text}</g:posList></g:LinearRing>"
    return MAP % f"<g:Polygon><g:exterior>{inner}</g:exterior></g:Polygon>"


def circle(radius: str) -> str:
    inner = f"<g:pos>40 53</g:pos><g:radius uom='m'>{radius}</g:radius>"
    return MAP % f"<g:CircleByCenterPoint numArc='1'>{inner}</g:CircleByCenterPoint>"


def message(*changes: Change, base: str = OFFER) -> bytes:
    """Return the good message with each change made to the first place it fits."""
    text = base
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


@dataclass(frozen=True)
class Case:
    """How a rule is broken and just kept; *path* is where the finding is, below the root."""

    rule: str
    path: str
    breaks: tuple[Change, ...]
    keeps: tuple[Change, ...] = ()
    base: str = OFFER

    def __str__(self) -> str:
        return f"{self.rule} {self.path} {self.breaks[-1][1][:40]}"


def case(
    rule: str, path: str, breaks: list[Change], keeps: list[Change] | None = None, base: str = OFFER
) -> Case:
    return Case(rule, path, tuple(breaks), tuple(keeps or ()), base)


ITEM = "ResourceInformation[1]"
BEGINS = f"{ITEM}/ScheduleInformation[1]"
AMOUNT = "<rm:Amount>2</rm:Amount>"
FIGURE = "<rm:MeasuredQuantity><rm:Amount>{}</rm:Amount>{}</rm:MeasuredQuantity>"
CURRENCY = (
    "<rm:UnitOfMeasure><rm:ValueListURN>urn:iso:std:iso:4217</rm:ValueListURN>"
    "<rm:Value>{}</rm:Value></rm:UnitOfMeasure>"
)
ORIGIN = "<m:OriginatingMessageID>TM-2026-7<"
MESSAGE_ID = "<m:MessageID>TM-2026-7<"

CASES = [
    case(
        "A01", "SentDateTime", [("14:00:00+05:00", "14:00:00")], [("14:00:00+05:00", "14:00:00Z")]
    ),
    case(
        "A01",
        f"{BEGINS}/DateTime",
        [("2026-11-24T08:00:00+05:00", "9999-12-31T08:00:00+05:00")],
        [("2026-11-24T08:00:00+05:00", "2026-11-24T24:00:00+05:00")],
    ),
    case(
        "A02",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity/Amount",
        [(AMOUNT, "<rm:Amount>1e15</rm:Amount>")],
        [(AMOUNT, "<rm:Amount> 1e14 </rm:Amount>")],
    ),
    case(
        "A02",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity/Amount",
        [(AMOUNT, "<rm:Amount>INF</rm:Amount>")],
        [(AMOUNT, "<rm:Amount>0.000000001</rm:Amount>")],
    ),
    case(
        "A03",
        f"{ITEM}/Resource/TypeStructure/ValueListURN",
        [("urn:caspian:resource:oil-spill", "oil spill")],
        [("urn:caspian:resource:oil-spill", " urn:caspian:oil%20spill ")],
    ),
    case(
        "A04",
        f"{BEGINS}/Location/Address",
        [(PLACE, ADDRESS.format(">" * 300_000))],
        [(PLACE, ADDRESS.format(">" * 200_000))],
    ),
    case(
        "A05",
        f"{BEGINS}/Location/TargetArea",
        [(PLACE, point("90.1 53"))],
        [(PLACE, point("90 180"))],
    ),
    case(
        "A05",
        f"{BEGINS}/Location/TargetArea",
        [(PLACE, ring("1 1 1 2 2 2"))],
        [(PLACE, ring("1 1 1 2 2 2 1 1"))],
    ),
    case(
        "A05",
        f"{BEGINS}/Location/TargetArea",
        [(PLACE, ring("1 1 1 2 2 2 1 3"))],
        [(PLACE, ring("1 1 1 2 2 2 1.0 1.00"))],
    ),
    case("A05", f"{BEGINS}/Location/TargetArea", [(PLACE, circle("-1"))], [(PLACE, circle("0"))]),
    case(
        "A06",
        "PrecedingMessageID",
        [("<PrecedingMessageID>TM-2026-7", "<PrecedingMessageID>TM 2026")],
        [("<PrecedingMessageID>TM-2026-7", "<PrecedingMessageID>ТМ:1/2")],
        ANSWER,
    ),
    case(
        "A06",
        "OriginatingMessageID",
        [("<OriginatingMessageID>TM-2026-7", "<OriginatingMessageID>")],
        [("<OriginatingMessageID>TM-2026-7", "<OriginatingMessageID>T")],
        ANSWER,
    ),
    case("A06", "MessageID", [("AZ-FHN-2026-43", "AZ,43")], [("AZ-FHN-2026-43", "AZ;43")], ANSWER),
    case(
        "A06",
        "MessageRecall/RecallMessageID",
        [(CONTACTS, RECALL.format("a&amp;b", "Update") + CONTACTS)],
        [(CONTACTS, RECALL.format("a-b", "Update") + CONTACTS)],
    ),
    case(
        "A07",
        "OriginatingMessageID",
        [(ORIGIN, "<m:OriginatingMessageID>TM-2026-6<")],
        [
            (ORIGIN, "<m:OriginatingMessageID>TM-2026-6<"),
            (CONTACTS, RECALL.format("TM-2026-6", "Update") + CONTACTS),
        ],
    ),
    case(
        "A07",
        "OriginatingMessageID",
        [("<OriginatingMessageID>TM-2026-7", "<OriginatingMessageID>AZ-FHN-2026-43")],
        [],
        ANSWER,
    ),
    case(
        "A08",
        "PrecedingMessageID",
        [("<PrecedingMessageID>TM-2026-7", "<PrecedingMessageID>AZ-FHN-2026-43")],
        [("<PrecedingMessageID>TM-2026-7", "<PrecedingMessageID>AZ-FHN-2026-44")],
        ANSWER,
    ),
    case(
        "A08",
        "MessageRecall/RecallMessageID",
        [(CONTACTS, RECALL.format("TM-2026-7", "Update") + CONTACTS)],
        [(CONTACTS, RECALL.format("TM-2026-07", "Update") + CONTACTS)],
    ),
    case(
        "A09",
        "ContactInformation[1]",
        [("nobat@emergency.gov.tm", "Duty officer")],
        [("nobat@emergency.gov.tm", " Duty-officer ")],
    ),
    case(
        "A10",
        "ContactInformation[2]",
        [("<rm:ContactRole>Owner<", "<rm:ContactRole>Sender<")],
        [("<rm:ContactRole>Owner<", "<rm:ContactRole>Requester<")],
    ),
    case("A11", "ContactInformation[1]", [(SENDER, "")], [(SENDER, SOMEBODY)]),
    case(
        "A12",
        "IncidentInformation[2]",
        [(CONTACTS, "<m:IncidentInformation/>  <m:ContactInf")],
        [
            (
                CONTACTS,
                f"<m:IncidentInformation>{INCIDENT_ID}</m:IncidentInformation>  <m:ContactInf",
            )
        ],
    ),
    case(
        "A13", "", [(f"<IncidentInformation>{INCIDENT_ID}</IncidentInformation>", "")], [], REQUEST
    ),
    case(
        "A13",
        "IncidentInformation[1]",
        [(INCIDENT_ID, "<rm:IncidentID/>"), (DESCRIPTION, "")],
        [(DESCRIPTION, "")],
    ),
    case(
        "A14",
        "IncidentInformation[1]",
        [(INCIDENT_ID, "")],
        [(INCIDENT_ID, "<rm:IncidentID>7</rm:IncidentID>")],
    ),
    case(
        "A15",
        "Funding[1]",
        [("<FundCode>RF-7</FundCode>", "<FundCode> </FundCode>")],
        [("<FundCode>RF-7</FundCode>", "<FundingInfo>7</FundingInfo>")],
        REQUEST,
    ),
    case("A16", "ContactInformation[2]", [(OWNER_ROLE, "")], [(OWNER_ROLE, SOMEBODY)]),
    case(
        "A16",
        f"{ITEM}/Resource/ResponsibleParty",
        [(PARTY, "<m:ResponsibleParty>")],
        [(PARTY, "<m:ResponsibleParty>" + SOMEBODY)],
    ),
    case("A17", "ContactInformation[1]", [(ROLE, "<rm:ContactRole>Approver</rm:ContactRole>")]),
    case(
        "A18",
        f"{ITEM}/ResourceInfoElementID",
        [("ElementID>1<", "ElementID> <")],
        [("ElementID>1<", "ElementID>0<")],
    ),
    case(
        "A19",
        f"{ITEM}/Resource",
        [("<Resource>", "<Resource><Name/>"), (BOOM, ""), (METRES, ""), *RETURN],
        [*RETURN],
        REQUEST,
    ),
    case(
        "A20",
        f"{ITEM}/ResponseInformation/PrecedingResourceInfoElementID",
        [("InfoElementID>1</rm", "InfoElementID></rm")],
        [("InfoElementID>1</rm", "InfoElementID>a b</rm")],
        ANSWER,
    ),
    *(
        case(
            "A21",
            f"{ITEM}/ResponseInformation",
            [(ACCEPT, ACCEPT.replace("Accept", answer) + REASON.format(" "))],
            [(ACCEPT, ACCEPT.replace("Accept", answer) + REASON.format("x"))],
            ANSWER,
        )
        for answer in ("Decline", "Provisional")
    ),
    case("A22", ITEM, [(TYPE, "")], [(NAME, "")]),
    case(
        "A22",
        ITEM,
        [("<rm:Value>vessel-recovery<", "<rm:Value> <")],
        [("<rm:Value>vessel-recovery<", "<rm:Value>boom<")],
    ),
    case("A24", ITEM, [(OWNER, "")], [(OWNER, "<rm:Owner>x</rm:Owner>")]),
    case(
        "A23",
        f"{ITEM}/Resource/OwnershipInformation",
        [*RETURN, ("    </Resource>", OWNED.format("HomeUnit") + "</Resource>")],
        [*RETURN, ("    </Resource>", OWNED.format("Owner") + "</Resource>")],
        REQUEST,
    ),
    case(
        "A24",
        ITEM,
        [(JURISDICTION, "")],
        [(JURISDICTION, "<rm:OwningJurisdiction>TKM</rm:OwningJurisdiction>")],
    ),
    case(
        "A25",
        f"{ITEM}/Resource/OwnershipInformation/OwningJurisdiction",
        [(">TM<", ">Turkmenistan<")],
        [(">TM<", ">RU-AST<")],
    ),
    case(
        "A26",
        ITEM,
        [(QUANTITY, "")],
        [(QUANTITY, "<m:Quantity><rm:QuantityText>two</rm:QuantityText></m:Quantity>")],
    ),
    case("A26", ITEM, [("2000 m", "")], [("2000 m", "2")], REQUEST),
    case(
        "A27",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity",
        [(UNIT, "")],
        [(">C62<", ">MTR<")],
    ),
    case(
        "A28",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity/Amount",
        [(AMOUNT, "<rm:Amount>0</rm:Amount>")],
        [(AMOUNT, "<rm:Amount>.5</rm:Amount>")],
    ),
    case(
        "A28",
        f"{ITEM}/AssignmentInformation/PriceQuote/MeasuredQuantity/Amount",
        [(FREE, FIGURE.format("-1", CURRENCY.format("AZN")))],
        [(FREE, FIGURE.format("0", CURRENCY.format("AZN")))],
    ),
    case("A29", ITEM, [(PRICE, "")], [(FREE, "<rm:QuantityText>reimbursed</rm:QuantityText>")]),
    case(
        "A29",
        ITEM,
        [(FREE, "<rm:QuantityText> </rm:QuantityText>")],
        [(FREE, "<rm:QuantityText>?</rm:QuantityText>")],
    ),
    case(
        "A30",
        f"{ITEM}/AssignmentInformation/PriceQuote",
        [(FREE, FIGURE.format("9", ""))],
        [(FREE, FIGURE.format("9", CURRENCY.format("AZN")))],
    ),
    case(
        "A31",
        ITEM,
        [("EndAvailable", "Route")],
        [(LAST, ROUTE.format("<m:DateTime>2027-01-01T00:00:00Z</m:DateTime>") + LAST)],
    ),
    case("A31", ITEM, [("<m:DateTime>2026-11-24T08:00:00+05:00</m:DateTime>", "")]),
    case(
        "A32",
        f"{ITEM}/ScheduleInformation[2]/DateTime",
        [(END, "2026-11-24T07:00:00+04:00")],
        [(END, "2026-11-24T07:00:00.000001+04:00")],
    ),
    case(
        "A33",
        f"{ITEM}/ScheduleInformation[3]",
        [(LAST, ROUTE.format("") + LAST)],
        [(LAST, ROUTE.format(f"<m:Location>{PLACE}</m:Location>") + LAST)],
    ),
    case(
        "A34",
        f"{BEGINS}/Location",
        [(PLACE, "<rm:LocationDescription> </rm:LocationDescription>")],
        [(PLACE, "<rm:LocationDescription>x</rm:LocationDescription>")],
    ),
    case(
        "A34",
        "ContactInformation[2]/ContactLocation",
        [(OWNER_ROLE, OWNER_ROLE + "<rm:ContactLocation/>")],
        [(OWNER_ROLE, f"{OWNER_ROLE}<rm:ContactLocation>{point('1 2')}</rm:ContactLocation>")],
    ),
    case(
        "A35",
        "IncidentInformation[2]",
        [(CONTACTS, INCIDENT.format("EXERCISE-1") + CONTACTS)],
        [(CONTACTS, INCIDENT.format("EXERCISES-1") + CONTACTS)],
    ),
    case(
        "A36",
        f"{ITEM}/Resource/TypeStructure/Value[1]",
        [(">vessel-recovery<", ">vessel-recover<")],
        [(">vessel-recovery<", "> vessel-tug <")],
    ),
    case(
        "A36",
        f"{ITEM}/Resource/TypeStructure/Value[1]",
        [("oil-spill<", "emt<")],
        [("oil-spill<", "something-else<")],
    ),
    case(
        "A36",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity/UnitOfMeasure/Value[1]",
        [(">C62<", ">pieces<")],
        [(">C62<", ">TPR<")],
    ),
    case(
        "A36",
        f"{ITEM}/AssignmentInformation/Quantity/MeasuredQuantity/UnitOfMeasure/Value[1]",
        [(">C62<", ">PK<")],
        [(">C62<", ">NMP<")],
    ),
]


def outcome(data: bytes, read: Callable[[bytes], ReadAid] = read_aid) -> tuple[Finding, ...]:
    """Return what is found in a message, be it taken or refused."""
    try:
        return read(data).warnings
    except Rejected as refusal:
        return refusal.findings


def code_of(data: bytes, read: Callable[[bytes], object] = read_aid) -> str:
    """Return the code with which a message is refused, or '' where it is taken."""
    try:
        read(data)
    except Rejected as refusal:
        return refusal.code
    return ""
