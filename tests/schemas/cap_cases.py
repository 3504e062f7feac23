"""One good message, and the changes to it that break one rule each or just keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from schemas.cap import read_alert
from schemas.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

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
        "R04",
        "alert/info[1]/expires",
        (("<expires>2026-11-24T08:00:00+04:00<", "<expires>9999-12-31T24:00:00-14:00<"),),
        (("<expires>2026-11-24T08:00:00+04:00<", "<expires>9998-12-31T23:59:59-14:00<"),),
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
    Case(
        "R30",
        "alert/info[1]/resource[1]/uri",
        (("https://fhn.gov.az/map.txt", "https://fhn.gov.az/a map.txt"),),
        (("https://fhn.gov.az/map.txt", "../a%20map.txt?x#y"),),
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
        (("OET-189", "OET-000"),),
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
    Case(
        "R48",
        "alert/info[1]/headline",
        (("Storm surge on the Absheron coast", " The sea will rise by up to 1.5 m. "),),
        (("Storm surge on the Absheron coast", "The sea will rise by up to 1.5 m"),),
    ),
    Case(
        "R48",
        "alert/info[1]/instruction",
        (("Leave the shore &amp; low ground.", "The sea will rise by up to 1.5 m."),),
        (("Leave the shore &amp; low ground.", "Storm surge on the Absheron coast"),),
    ),
    *(
        Case(
            "R49",
            f"alert/info[1]/{tag}",
            ((f"<{tag}>{value}<", f"<{tag}>Unknown<"),),
            ((f"<{tag}>{value}<", f"<{tag}>{other}<"),),
        )
        for tag, value, other in (
            ("urgency", "Expected", "Past"),
            ("severity", "Severe", "Minor"),
            ("certainty", "Likely", "Unlikely"),
        )
    ),
    Case(
        "R50",
        "alert/info[2]/event",
        (
            (
                INFO,
                INFO + INFO.replace(">en<", ">en-GB<").replace(">Storm surge<", ">Strong wind<"),
            ),
        ),
        ((INFO, INFO + RUSSIAN.replace(">Storm surge<", ">Нагон<")),),
    ),
    Case(
        "R51",
        "alert/info[1]/eventCode[1]/value",
        (("OET-189", "OET-999"),),
        (("OET:v1.2", "SAME"),),
    ),
    Case(
        "R52",
        "alert/info[1]",
        (("The sea will rise by up to 1.5 m.", "\n"),),
        (("The sea will rise by up to 1.5 m.", "?"),),
    ),
    Case(
        "R53",
        "alert/info[1]/resource[1]/digest",
        (("aaf4c61d", "aaf4c61"), ("<derefUri>aGVsbG8=</derefUri>", "")),
        (
            ("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
            ("<derefUri>aGVsbG8=</derefUri>", ""),
        ),
    ),
    Case(
        "R54",
        "alert/info[1]/event",
        (("<event>Storm surge<", "<event> <"),),
        (("<event>Storm surge<", "<event>?<"),),
    ),
    Case(
        "R54",
        "alert/info[1]/resource[1]/resourceDesc",
        ((">Map<", "> <"),),
        ((">Map<", ">-<"),),
    ),
]


def message(*changes: Change, base: str = BASE) -> bytes:
    for old, new in changes:
        assert old in base or old == "<!DOCTYPE", f"{old} is not in the message"
        base = base.replace(old, new, 1)
    return base.encode()


def brief(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in findings]


def code_of(data: bytes, read: Callable[[bytes], object] = read_alert) -> str:
    with pytest.raises(Rejected) as refusal:
        read(data)
    assert refusal.value.remedy
    assert refusal.value.findings
    return refusal.value.code
