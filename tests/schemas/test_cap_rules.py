"""Each rule: a message that breaks it and nothing else, and one that just keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from schemas.cap import Profile, check_alert, read_alert
from schemas.cap.rulebook import RULES
from schemas.errors import Rejected

if TYPE_CHECKING:
    from schemas.errors import Finding

BASE = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>AZ-FHN-2026-0042</identifier>
  <sender>duty@fhn.gov.az</sender>
  <sent>2026-11-23T14:00:00+04:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>en</language>
    <category>Met</category>
    <event>Storm surge</event>
    <responseType>Evacuate</responseType>
    <urgency>Expected</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <eventCode><valueName>OET:v1.2</valueName><value>OET-189</value></eventCode>
    <effective>2026-11-23T14:00:00+04:00</effective>
    <onset>2026-11-23T20:00:00+04:00</onset>
    <expires>2026-11-24T08:00:00+04:00</expires>
    <senderName>Ministry of Emergency Situations</senderName>
    <headline>Storm surge on the Absheron coast</headline>
    <description>The sea will rise by up to 1.5 m.</description>
    <instruction>Leave the shore &amp; low ground.</instruction>
    <web>https://fhn.gov.az/alerts/42</web>
    <contact>112</contact>
    <parameter><valueName>surge</valueName><value>1.5 m</value></parameter>
    <resource>
      <resourceDesc>Map</resourceDesc>
      <mimeType>text/plain</mimeType>
      <size>5</size>
      <uri>https://fhn.gov.az/map.txt</uri>
      <derefUri>aGVsbG8=</derefUri>
      <digest>aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d</digest>
    </resource>
    <area>
      <areaDesc>Absheron</areaDesc>
      <polygon>40.3,49.8 40.6,49.8 40.6,50.4 40.3,50.4 40.3,49.8</polygon>
      <circle>40.4,50.3 12.5</circle>
      <geocode><valueName>ISO 3166-2</valueName><value>AZ-BA</value></geocode>
      <altitude>-92</altitude>
      <ceiling>0</ceiling>
    </area>
  </info>
</alert>
"""

ALERT = "<msgType>Alert</msgType>"
SCOPE = "<scope>Public</scope>"
INFO = BASE[BASE.index("<info>") : BASE.index("</info>") + len("</info>")]
RESOURCE = BASE[BASE.index("<uri>") : BASE.index("</derefUri>") + len("</derefUri>")]
SIZES = "<size>5</size>"
DIGEST = "<digest>aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d</digest>"
AREA = BASE[BASE.index("<area>") : BASE.index("</area>") + len("</area>")]
RING = "40.3,49.8 40.6,49.8 40.6,50.4 40.3,50.4 40.3,49.8"
REFERENCE = "duty@fhn.gov.az,AZ-FHN-2026-0041,2026-11-23T14:00:00+04:00"
RUSSIAN = (
    INFO.replace("<language>en<", "<language>ru<")
    .replace("Storm surge on the Absheron coast", "Нагон на Апшероне")
    .replace("The sea will rise by up to 1.5 m.", "Подъём уровня моря до 1,5 м.")
    .replace("Leave the shore &amp; low ground.", "Покиньте берег и низины.")
)

Change = tuple[str, str]


def update(references: str, msg_type: str = "Update") -> tuple[Change, ...]:
    return (
        (ALERT, f"<msgType>{msg_type}</msgType>"),
        (SCOPE, f"{SCOPE}<note>Why</note><references>{references}</references>"),
    )


def polygon(text: str) -> tuple[Change, ...]:
    return ((f"<polygon>{RING}<", f"<polygon>{text}<"),)


def scope(value: str, then: str = "") -> tuple[Change, ...]:
    return ((SCOPE, f"<scope>{value}</scope>{then}"),)


@dataclass(frozen=True)
class Case:
    rule: str
    path: str
    breaks: tuple[Change, ...]
    keeps: tuple[Change, ...]

    def __str__(self) -> str:
        return f"{self.rule} {self.breaks[0][1][:40]}"


CASES = [
    Case(
        "R00",
        "",
        (("<alert ", "<!DOCTYPE alert>\n<alert "),),
        (("<alert ", "<!-- <!DOCTYPE alert> -->\n<alert "),),
    ),
    Case(
        "R00",
        "",
        (("<!DOCTYPE", "<!DOCTYPE"), ("Storm surge on", "Storm & surge on")),
        (("Storm surge on", "<![CDATA[Storm & surge <!DOCTYPE x> on]]>"),),
    ),
    Case("XSD", "alert/status", (("Actual", "Real"),), (("Actual", "System"),)),
    Case(
        "XSD",
        "alert/sent",
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T10:00:00Z<"),),
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T10:00:00-00:00<"),),
    ),
    Case("R02", "alert/identifier", (("-0042", ",0042"),), (("-0042", "/0042'é"),)),
    Case("R02", "alert/identifier", (("AZ-FHN-2026-0042", ""),), (("AZ-FHN-2026-0042", "1"),)),
    Case("R03", "alert/sender", (("duty@fhn", "duty @fhn"),), (("duty@fhn", "duty+1@fhn"),)),
    Case("R03", "alert/sender", (("duty@fhn", "duty&amp;@fhn"),), (("duty@fhn", "duty;@fhn"),)),
    Case(
        "R04",
        "alert/sent",
        (
            ("<sent>2026-11-23T14:00:00+04:00<", "<sent>9999-12-31T24:00:00-14:00<"),
            ("<effective>", "<!--"),
            ("</effective>", "-->"),
        ),
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-22T24:00:00-14:00<"),),
    ),
    Case(
        "R04u",
        "alert/sent",
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T10:00:00+00:00<"),),
        (("<sent>2026-11-23T14:00:00+04:00<", "<sent>2026-11-23T10:00:00-00:00<"),),
    ),
    Case(
        "R06",
        "alert/restriction",
        scope("Restricted", "<restriction> </restriction>"),
        scope("Restricted", "<restriction>Port captains</restriction>"),
    ),
    Case(
        "R06b",
        "alert/restriction",
        scope("Public", "<restriction>Port captains</restriction>"),
        scope("Restricted", "<restriction>Port captains</restriction>"),
    ),
    Case(
        "R07",
        "alert/addresses",
        scope("Private", '<addresses>""</addresses>'),
        scope("Private", '<addresses>a@b "Port of Aktau"</addresses>'),
    ),
    Case(
        "R07",
        "alert/addresses",
        scope("Private", '<addresses>a@b "Port of Aktau</addresses>'),
        scope("Public", '<addresses>a@b "Port of Aktau</addresses>'),
    ),
    Case("R08", "alert/references", update(" "), update(REFERENCE)),
    Case(
        "R08",
        "alert/references",
        ((ALERT, "<msgType>Cancel</msgType>"),),
        update(REFERENCE, "Cancel"),
    ),
    Case("R08", "alert/references", update("", "Ack"), update(REFERENCE, "Ack")),
    Case(
        "R09",
        "alert/note",
        (*update(REFERENCE, "Error"), ("<note>Why</note>", "<note> </note>")),
        update(REFERENCE, "Error"),
    ),
    Case(
        "R10",
        "alert/note",
        (("Actual", "Exercise"),),
        (("Actual", "Exercise"), (SCOPE, f"{SCOPE}<note>Caspian 2026</note>")),
    ),
    Case(
        "R11", "alert/references", update(f"{REFERENCE},more"), update(f"{REFERENCE}\n {REFERENCE}")
    ),
    Case("R11", "alert/references", update(REFERENCE.replace("+04:00", "Z")), update(REFERENCE)),
    Case("R12", "alert/references", update(REFERENCE.replace("0041", "0042")), update(REFERENCE)),
    Case(
        "R13",
        "alert/references",
        update(REFERENCE.replace("14:00:00+", "14:00:01+")),
        update(REFERENCE.replace("14:00:00+04", "13:00:00+03")),
    ),
    Case(
        "R14",
        "alert/info[1]",
        ((INFO, ""),),
        ((INFO, ""), *update(REFERENCE, "Cancel")),
    ),
    Case(
        "R15",
        "alert/info[1]/language",
        ((">en<", ">en_GB<"),),
        ((">en<", ">kk-Latn-KZ<"),),
    ),
    Case("R15", "alert/info[1]/language", ((">en<", ">azerbaijani<"),), ((">en<", "><"),)),
    Case(
        "R16",
        "alert/info[1]/expires",
        (
            ("<onset>2026-11-23T20", "<onset>2026-11-23T13"),
            ("2026-11-24T08:00:00", "2026-11-23T14:00:00"),
        ),
        (
            ("<onset>2026-11-23T20", "<onset>2026-11-23T13"),
            ("2026-11-24T08:00:00", "2026-11-23T14:00:01"),
        ),
    ),
    Case(
        "R16",
        "alert/info[1]/expires",
        (
            ("<effective>2026-11-23T14:00:00+04:00</effective>", ""),
            ("<onset>2026-11-23T20:00:00+04:00</onset>", ""),
            ("2026-11-24T08:00:00", "2026-11-23T13:59:59"),
        ),
        (("<effective>2026-11-23T14:00:00+04:00</effective>", ""),),
    ),
    Case(
        "R17",
        "alert/info[1]/onset",
        (("<onset>2026-11-23T20", "<onset>2026-11-24T09"),),
        (("<onset>2026-11-23T20", "<onset>2026-11-24T08"),),
    ),
    Case(
        "R18",
        "alert/info[1]",
        (("<expires>2026-11-24T08:00:00+04:00</expires>", ""),),
        (),
    ),
    Case(
        "R19",
        "alert/info[1]",
        (("Ministry of Emergency Situations", "  "),),
        (("Ministry of Emergency Situations", "M"),),
    ),
    Case(
        "R20",
        "alert/info[2]",
        ((INFO, INFO + RUSSIAN.replace(">Met<", ">Geo<")),),
        ((INFO, INFO + RUSSIAN),),
    ),
    Case(
        "R20",
        "alert/info[2]",
        ((INFO, INFO + RUSSIAN.replace("OET-189", "OET-203")),),
        (
            (
                INFO,
                INFO + RUSSIAN.replace("<category>Met<", "<category>Met</category><category>Met<"),
            ),
        ),
    ),
    Case(
        "R21",
        "alert/info[1]/headline",
        (("Storm surge on the Absheron coast", "ş" * 161),),
        (("Storm surge on the Absheron coast", "ş" * 160),),
    ),
    Case(
        "R22",
        "alert/info[1]/web",
        (("https://fhn.gov.az/alerts/42", "/alerts/42"),),
        (("https://fhn.gov.az/alerts/42", " https://фхн.аз/al?a=b&amp;c#d "),),
    ),
    Case(
        "R23",
        "alert/info[1]/responseType[1]",
        (("Leave the shore &amp; low ground.", " "),),
        (("Leave the shore &amp; low ground.", ""), (">Evacuate<", ">AllClear<")),
    ),
    Case(
        "R24",
        "alert/info[1]/responseType[1]",
        ((">Evacuate<", ">Assess<"),),
        ((">Evacuate<", ">Assess<"), *scope("Restricted", "<restriction>Staff</restriction>")),
    ),
    Case(
        "R25",
        "alert/info[1]/resource[1]/mimeType",
        (("text/plain", "text"),),
        (("text/plain", "application/geo+json; charset=utf-8"),),
    ),
    Case(
        "R26",
        "alert/info[1]/resource[1]/derefUri",
        (("aGVsbG8=", "aGVsbG8"),),
        (("aGVsbG8=", "aGVs\n    bG8="),),
    ),
    Case(
        "R27",
        "alert/info[1]/resource[1]/digest",
        (("aaf4c61d", "baf4c61d"),),
        (("aaf4c61d", "AAF4C61D"),),
    ),
    Case(
        "R28",
        "alert/info[1]/resource[1]/size",
        ((SIZES, "<size>6</size>"),),
        ((SIZES, "<size>+05</size>"),),
    ),
    Case(
        "R28",
        "alert/info[1]/resource[1]/size",
        ((SIZES, "<size>-5</size>"), ("<derefUri>aGVsbG8=</derefUri>", "")),
        ((SIZES, "<size>7</size>"), ("<derefUri>aGVsbG8=</derefUri>", "")),
    ),
    Case(
        "R29",
        "alert/info[1]/resource[1]",
        ((RESOURCE, ""),),
        (("<uri>https://fhn.gov.az/map.txt</uri>", ""),),
    ),
    Case(
        "R30",
        "alert/info[1]/resource[1]/uri",
        (("https://fhn.gov.az/map.txt", "map.txt"), ("<derefUri>aGVsbG8=</derefUri>", "")),
        (("https://fhn.gov.az/map.txt", "map.txt"),),
    ),
    Case("R31", "alert/info[1]", ((AREA, ""),), ()),
    Case("R32", "alert/info[1]/area[1]/areaDesc", (("Absheron</a", " </a"),), ()),
    Case(
        "R33",
        "alert/info[1]/area[1]",
        ((AREA, "<area><areaDesc>Absheron</areaDesc></area>"),),
        (
            (
                AREA,
                (
                    "<area><areaDesc>Absheron</areaDesc>"
                    "<geocode><valueName>ISO 3166-2</valueName><value>AZ-BA</value></geocode>"
                    "</area>"
                ),
            ),
        ),
    ),
    Case(
        "R34",
        "alert/info[1]/area[1]/polygon[1]",
        polygon(RING.replace("40.6,49.8", "40.6, 49.8")),
        polygon(RING.replace(" ", "\n\t ")),
    ),
    Case(
        "R34",
        "alert/info[1]/area[1]/polygon[1]",
        polygon(RING + " nan,nan"),
        polygon(RING.replace("49.8", "+049.80")),
    ),
    Case(
        "R34", "alert/info[1]/area[1]/polygon[1]", polygon("40N,49E"), polygon("0,0 1,.5 -1.,2 0,0")
    ),
    Case(
        "R35",
        "alert/info[1]/area[1]/polygon[1]",
        polygon("40,49 41,49 40,49"),
        polygon("40,49 41,49 41,50 40,49"),
    ),
    Case(
        "R35", "alert/info[1]/area[1]/polygon[1]", polygon(""), polygon("40,49 41,49 41,50 40,49")
    ),
    Case(
        "R36",
        "alert/info[1]/area[1]/polygon[1]",
        polygon("40,49 41,49 41,50 40,50"),
        polygon("40,49 41,49 41,50 40.0,49.00"),
    ),
    Case(
        "R37",
        "alert/info[1]/area[1]/polygon[1]",
        polygon("90.1,49 41,49 41,50 90.1,49"),
        polygon("90,180 41,49 41,50 90,180"),
    ),
    Case(
        "R37",
        "alert/info[1]/area[1]/circle[1]",
        (("40.4,50.3 12.5", "40.4,180.1 12.5"),),
        (("40.4,50.3 12.5", "-90,-180 12.5"),),
    ),
    Case(
        "R38",
        "alert/info[1]/area[1]/polygon[1]",
        polygon("40,49 41,50 41,49 40,50 40,49"),
        polygon("40,49 41,49 41,50 40,50 40,49"),
    ),
    Case(
        "R39",
        "alert/info[1]/area[1]/polygon[1]",
        polygon("40,179 41,179 41,-179 40,-179 40,179"),
        polygon("40,-90 41,0 42,91 39,0 40,-90"),
    ),
    Case(
        "R40",
        "alert/info[1]/area[1]/circle[1]",
        (("40.4,50.3 12.5", "40.4,50.3,12.5"),),
        (("40.4,50.3 12.5", " 40.4,50.3\n12 "),),
    ),
    Case(
        "R40",
        "alert/info[1]/area[1]/circle[1]",
        (("40.4,50.3 12.5", "40.4,50.3 -0.1"),),
        (("40.4,50.3 12.5", "40.4,50.3 0.1"),),
    ),
    Case(
        "R41",
        "alert/info[1]/area[1]/circle[1]",
        (("40.4,50.3 12.5", "40.4,50.3 0.0"),),
        (("40.4,50.3 12.5", "40.4,50.3 0.001"),),
    ),
    Case(
        "R42",
        "alert/info[1]/area[1]/ceiling",
        (("<altitude>-92</altitude>", ""),),
        (("<ceiling>0</ceiling>", ""),),
    ),
    Case(
        "R43",
        "alert/info[1]/area[1]/altitude",
        (("<altitude>-92<", "<altitude>0.1<"),),
        (("<altitude>-92<", "<altitude>0<"),),
    ),
    Case(
        "R44",
        "alert/info[1]/eventCode[1]/value",
        (("OET-189", " "),),
        (("OET-189", "0"),),
    ),
    Case(
        "R44",
        "alert/info[1]/parameter[1]/valueName",
        (("<valueName>surge<", "<valueName><"),),
        (("<valueName>surge<", "<valueName>s<"),),
    ),
    Case(
        "R44",
        "alert/info[1]/area[1]/geocode[1]/value",
        (("AZ-BA", ""),),
        (("AZ-BA", "AZ"),),
    ),
    Case(
        "R45",
        "alert/info[1]/instruction",
        (("shore &amp; low", "shore &amp;amp; low"),),
        (("shore &amp; low", "shore &amp; low; R&amp;D"),),
    ),
    Case(
        "R45",
        "alert/info[1]/area[1]/areaDesc",
        (("Absheron</a", "Abşeron &amp;#601;</a"),),
        (("Absheron</a", "Abşeron &#601;</a"),),
    ),
    Case(
        "R46",
        "alert/info[1]/description",
        (("The sea", "&lt;b&gt;The sea&lt;/b&gt;"),),
        (("The sea", "T &lt; 0, wind > 20: the sea"),),
    ),
    Case(
        "R46",
        "alert/note",
        ((SCOPE, f"{SCOPE}<note><![CDATA[<br/>]]></note>"),),
        ((SCOPE, f"{SCOPE}<note>a &lt;- b</note>"),),
    ),
    Case(
        "R47",
        "alert/info[2]/description",
        (
            (
                INFO,
                INFO
                + RUSSIAN.replace(
                    "Подъём уровня моря до 1,5 м.", "The sea will rise by up to 1.5 m."
                ),
            ),
        ),
        ((INFO, INFO + INFO.replace(">en<", ">en-GB<")),),
    ),
    Case(
        "R47",
        "alert/info[2]/headline",
        (
            (
                INFO,
                INFO.replace(">en<", ">kk<")
                + RUSSIAN.replace(">ru<", ">kk-Latn<").replace(
                    "Нагон на Апшероне", "Storm surge on the Absheron coast"
                ),
            ),
        ),
        ((INFO, INFO.replace(">en<", ">kk<") + RUSSIAN.replace(">ru<", ">kk-Latn<")),),
    ),
]

WMO = "2.49.0.1.31.0.2026.11.23.42"
CANADIAN = (
    (">en<", ">en-CA<"),
    (SCOPE, f"{SCOPE}<code>profile:CAP-CP:0.4</code>"),
    (
        "<valueName>OET:v1.2</valueName><value>OET-189<",
        "<valueName>profile:CAP-CP:Event:0.4</valueName><value>stormSurge<",
    ),
    (
        "<valueName>ISO 3166-2</valueName><value>AZ-BA<",
        "<valueName>profile:CAP-CP:Location:0.3</valueName><value>1010<",
    ),
)
AMERICAN = (
    (SCOPE, f"{SCOPE}<code>IPAWSv1.0</code>"),
    ("<valueName>OET:v1.2</valueName><value>OET-189<", "<valueName>SAME</valueName><value>SSW<"),
    ("<valueName>ISO 3166-2</valueName><value>AZ-BA<", "<valueName>SAME</valueName><value>012086<"),
    ("<valueName>surge</valueName><value>1.5 m<", "<valueName>EAS-ORG</valueName><value>CIV<"),
    ("<effective>2026-11-23T14:00:00+04:00</effective>", ""),
    ("<onset>2026-11-23T20:00:00+04:00</onset>", ""),
)
PROFILES: dict[Profile, tuple[Change, ...]] = {
    Profile.PLAIN: (),
    Profile.WMO: (("AZ-FHN-2026-0042", WMO),),
    Profile.IPAWS: AMERICAN,
    Profile.CAP_CP: CANADIAN,
}


def parameter(name: str, value: str) -> Change:
    pair = f"<parameter><valueName>{name}</valueName><value>{value}</value></parameter>"
    return ("<parameter>", f"{pair}<parameter>")


MINOR = parameter("profile:CAP-CP:0.4:MinorChange", "text")
PROFILE_CASES = [
    (
        Profile.WMO,
        Case(
            "WMO1",
            "alert/identifier",
            (("2.49.0.1.31", "2.49.0.0.31"),),
            ((WMO, f"urn:oid:{WMO}"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS1",
            "alert/code[1]",
            (("IPAWSv1.0", "IPAWSv2.0"),),
            (("<code>", "<code>x</code><code>"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case("IPAWS2", "alert/info[1]", ((">SSW<", ">SURGE<"),), ((">SSW<", ">TSW<"),)),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS3",
            "alert/info[1]/area[1]",
            ((">012086<", ">2086<"),),
            ((">012086<", ">000000<"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS4",
            "alert/info[1]/onset",
            (("<expires>", "<onset>2026-11-23T20:00:00+04:00</onset><expires>"),),
            (),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS5",
            "alert/info[1]",
            (("The sea will rise by up to 1.5 m.", ""),),
            (("The sea will rise by up to 1.5 m.", "."),),
        ),
    ),
    (Profile.IPAWS, Case("IPAWS6", "alert/info[1]", (("EAS-ORG", "ORG"),), ())),
    (
        Profile.IPAWS,
        Case(
            "IPAWS7",
            "alert/info[1]/parameter[1]",
            (parameter("CMAMtext", "x" * 91),),
            (parameter("CMAMtext", "x" * 90),),
        ),
    ),
    (
        Profile.IPAWS,
        Case("R18", "alert/info[1]", (("<expires>2026-11-24T08:00:00+04:00</expires>", ""),), ()),
    ),
    (Profile.IPAWS, Case("R31", "alert/info[1]", (("<area>", "<!--"), ("</area>", "-->")), ())),
    (
        Profile.CAP_CP,
        Case(
            "CP02",
            "alert/info[1]",
            (
                (
                    "<effective>",
                    "<eventCode><valueName>profile:CAP-CP:Event:0.4</valueName><value>wind</value></eventCode><effective>",
                ),
            ),
            (
                (
                    "<effective>",
                    "<eventCode><valueName>other</valueName><value>wind</value></eventCode><effective>",
                ),
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP03",
            "alert/code[1]",
            (("<code>profile:CAP-CP:0.4</code>", ""),),
            ((">profile:CAP-CP:0.4<", ">profile:CAP-CP:1.0<"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP05",
            "alert/info[1]",
            (
                ("<info>", "<!--"),
                ("</info>", "-->"),
                (ALERT, "<msgType>Cancel</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
            ),
            (
                (ALERT, "<msgType>Cancel</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP06",
            "alert/info[1]",
            (("<language>en-CA</language>", "<language/>"),),
            ((">en-CA<", ">fr-CA<"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP08", "alert/info[1]", (("Event:0.4", "Hazard:0.4"),), (("Event:0.4", "Event:0.5"),)
        ),
    ),
    (Profile.CAP_CP, Case("CP09", "alert/info[1]/area[1]", (("Location:0.3", "Place:0.3"),), ())),
    (
        Profile.CAP_CP,
        Case("CP15", "alert/info[1]", (("<responseType>Evacuate</responseType>", ""),), ()),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP16",
            "alert/info[1]/parameter[1]",
            (MINOR,),
            (
                (ALERT, "<msgType>Update</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
                MINOR,
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP17",
            "alert/info[1]/parameter[1]",
            (parameter("profile:CAP-CP:0.4:AutoTranslated", "maybe"),),
            (parameter("profile:CAP-CP:0.4:AutoTranslated", "yes"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP18",
            "alert/info[1]/area[1]",
            (("<polygon>", "<!--"), ("</circle>", "-->")),
            ((f"<polygon>{RING}</polygon>", ""),),
        ),
    ),
    (Profile.CAP_CP, Case("R31", "alert/info[1]", (("<area>", "<!--"), ("</area>", "-->")), ())),
]
NOT_FROM_TEXT = {
    # Limits: tests/schemas/test_cap_bytes.py.
    "R01",
}


def message(*changes: Change, base: str = BASE) -> bytes:
    for old, new in changes:
        assert old in base or old == "<!DOCTYPE", f"{old} is not in the message"
        base = base.replace(old, new, 1)
    return base.encode()


def brief(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in findings]


def test_the_message_that_the_cases_change_breaks_nothing() -> None:
    assert check_alert(message()) == ()


@pytest.mark.parametrize("profile", list(Profile))
def test_the_message_of_a_profile_breaks_nothing_of_the_profile(profile: Profile) -> None:
    assert check_alert(message(*PROFILES[profile]), profile=profile) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_breaks_one_rule_gets_one_finding(case: Case) -> None:
    findings = check_alert(message(*case.breaks))

    assert brief(findings) == [(case.rule, case.path)]
    assert findings[0].severity == ("error" if case.rule == "R15" else RULES[case.rule])
    assert findings[0].line is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_that_just_keeps_the_rule_gets_none(case: Case) -> None:
    assert check_alert(message(*case.keeps)) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_refuses_and_a_warning_is_carried_along(case: Case) -> None:
    data = message(*case.breaks)

    if RULES[case.rule] == "warning":
        assert read_alert(data).warnings == check_alert(data)
        return
    with pytest.raises(Rejected) as refusal:
        read_alert(data)
    assert refusal.value.findings == check_alert(data)
    assert refusal.value.remedy
    assert refusal.value.code in {
        "not-xml",
        "xml-forbidden",
        "structure-invalid",
        "rule-broken",
    }


@pytest.mark.parametrize(("profile", "case"), PROFILE_CASES, ids=str)
def test_a_profile_has_its_own_rules(profile: Profile, case: Case) -> None:
    base = message(*PROFILES[profile]).decode()
    raised = not case.rule.startswith(("WMO", "IPAWS", "CP"))

    broken = check_alert(message(*case.breaks, base=base), profile=profile)
    kept = check_alert(message(*case.keeps, base=base), profile=profile)
    plain = check_alert(message(*case.breaks, base=base))

    assert brief(broken) == [(case.rule, case.path)]
    assert broken[0].severity == ("error" if raised else RULES[case.rule])
    assert kept == ()
    assert case.rule in {finding.rule for finding in plain} if raised else plain == ()


def test_a_profile_makes_an_error_of_a_warning() -> None:
    base = message(*AMERICAN).decode()
    info = base[base.index("<info>") : base.index("</info>") + len("</info>")]
    other = info.replace(">SSW<", ">TSW<").replace(">en<", ">en-GB<")
    data = message((info, info + other), base=base)

    assert brief(read_alert(data).warnings) == [("R20", "alert/info[2]")]
    with pytest.raises(Rejected) as refusal:
        read_alert(data, profile=Profile.IPAWS)
    assert brief(refusal.value.findings) == [("R20", "alert/info[2]")]


def test_every_rule_has_its_case() -> None:
    tried = {case.rule for case in CASES} | {case.rule for _, case in PROFILE_CASES}

    assert set(RULES) - tried == NOT_FROM_TEXT


def test_findings_come_in_document_order_with_their_lines() -> None:
    data = message(
        ("AZ-FHN-2026-0042", "AZ 42"),
        ("https://fhn.gov.az/alerts/42", "42"),
        ("Storm surge on the Absheron coast", "<![CDATA[<b>]]>"),
        ("40.4,50.3 12.5", "40.4,50.3 0"),
        ("<altitude>-92<", "<altitude>92<"),
    )

    findings = check_alert(data)

    assert brief(findings) == [
        ("R02", "alert/identifier"),
        ("R46", "alert/info[1]/headline"),
        ("R22", "alert/info[1]/web"),
        ("R41", "alert/info[1]/area[1]/circle[1]"),
        ("R43", "alert/info[1]/area[1]/altitude"),
    ]
    lines = data.decode().splitlines()
    for finding in findings:
        tag = finding.path.rsplit("/", 1)[-1].split("[")[0]
        assert finding.line is not None
        assert f"<{tag}>" in lines[finding.line - 1]
