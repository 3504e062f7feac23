"""A good pollution report, and the changes to it that break one rule each or just keep it."""

from __future__ import annotations

from dataclasses import dataclass

BASE = """\
URGENT
EXERCISE
FROM: FHN BAKU
TO: KZ, TM
DATE TIME GROUP: 181100Z JUN 2026
IDENTIFICATION: POLREP CASPIAN
SERIAL NUMBER: AZ/GUNESHLI/1
PART I (POLWARN)
1. DATE AND TIME: 181000Z
2. POSITION: 40-21.5N 049-52.0E, 5 NM SE OF BAKU
3. INCIDENT: TANKER GROUNDING
4. OUTFLOW: CRUDE OIL, 300 TONNES
5. ACKNOWLEDGE
PART II (POLINF)
40. DATE AND TIME: 181030Z
41. POSITION: 40-22N 049-55E, LENGTH 2 NM
44. WIND: 315 DEG 10 M/S
PART III (POLFAC)
80. 181045Z
81. REQUEST FOR ASSISTANCE: 2000 M OFFSHORE BOOM; 2 TUGS
84. WHERE: RENDEZVOUS 40-20N 050-00E, VHF 16
99. ACKNOWLEDGE
EXERCISE EXERCISE EXERCISE
"""

Change = tuple[str, str]


@dataclass(frozen=True)
class Case:
    rule: str
    path: str
    breaks: tuple[Change, ...]
    keeps: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return f"{self.rule} {self.breaks[0][1][:40]!r}"


CASES = [
    Case("P01", "polrep", (("TANKER", "TANKER\x07"),), (("TANKER", "TANKER\t"),)),
    Case(
        "P01",
        "polrep/3",
        (("TANKER GROUNDING", "x" * 8001),),
        (("TANKER GROUNDING", "x" * 8000),),
    ),
    Case("P01", "polrep/TO", (("KZ, TM", "K" * 201),), (("KZ, TM", "K" * 200),)),
    Case(
        "P01",
        "polrep/SERIAL NUMBER",
        (("GUNESHLI", "G" * 201),),
        (("GUNESHLI", "G" * 200),),
    ),
    Case("P02", "polrep/6", (("5. ACK", "5.\n6. ACK"),), (("5. ACK", "5) ACK"),)),
    Case("P02", "polrep/61", (("44. WIND", "61. WIND"),), (("44. WIND", "60. WIND"),)),
    Case(
        "P03",
        "polrep/4",
        (("5. ACK", "4. ACK"),),
        (("5. ACK", "4 TUGS ARE THERE\n5. ACK"),),
    ),
    Case("P03", "polrep/2", (("4. OUTFLOW", "2. OUTFLOW"),), (("4. OUTFLOW", "4:  OUTFLOW"),)),
    Case("P03", "polrep/FROM", (("TO: KZ", "FM X\nTO: KZ"),), (("FROM:", "FM"),)),
    Case(
        "P04",
        "polrep",
        (
            (
                BASE[BASE.index("PART I") : BASE.index("EXERCISE EX")],
                "44.\n81. REQUEST FOR ASSISTANCE:\n",
            ),
        ),
    ),
    Case("P05", "polrep/FROM", (("FROM: FHN BAKU\n", ""),), (("FROM: FHN BAKU", "from X"),)),
    Case(
        "P06",
        "polrep/DATE TIME GROUP",
        (("DATE TIME GROUP: 181100Z JUN 2026\n", ""),),
        (("DATE TIME GROUP: 181100Z JUN 2026", "18 1100 z june"),),
    ),
    Case(
        "P06",
        "polrep/DATE TIME GROUP",
        (("181100Z JUN 2026", "311100Z JUN 2026"),),
        (("181100Z JUN 2026", "301100Z JUN 2026"),),
    ),
    Case(
        "P07",
        "polrep/SERIAL NUMBER",
        (("SERIAL NUMBER: AZ/GUNESHLI/1\n", ""),),
        (("SERIAL NUMBER: AZ/GUNESHLI/1", "az / Guneshli / 1 final"),),
    ),
    Case(
        "P07",
        "polrep/SERIAL NUMBER",
        (("AZ/GUNESHLI/1", "AZ/GUNESHLI/0"),),
        (("AZ/GUNESHLI/1", "AZ/GUNESHLI/01"),),
    ),
    Case(
        "P07",
        "polrep/IN REPLY TO",
        (("SERIAL", "IN REPLY TO: KZ 1\nSERIAL"),),
        (("SERIAL", "YOUR POLREP KZ/KASHAGAN/4\nSERIAL"),),
    ),
    Case(
        "P08", "polrep/1", (("181000Z", "THIS MORNING"),), (("181000Z", "18 JUNE 2026, 10:00 UTC"),)
    ),
    Case("P08", "polrep/40", (("181030Z", "182430Z"),), (("181030Z", "2026-06-18T10:30Z"),)),
    Case("P08", "polrep/80", (("181045Z", "321045Z"),), (("181045Z", "18.06.2026 14:45 +0400"),)),
    Case("P09", "polrep/2", (("40-21.5N", "40-60.0N"),), (("40-21.5N", "40-59.9N"),)),
    Case("P09", "polrep/2", (("049-52.0E", "181-00.0E"),), (("049-52.0E", "180-00.0E"),)),
    Case(
        "P09", "polrep/41", (("40-22N 049-55E", "40-22N"),), (("40-22N 049-55E", "4022N 04955E"),)
    ),
    Case("P09", "polrep/41", (("40-22N 049", "049"),), (("40-22N 049-55E", "40°22'N, 49°55'E"),)),
    Case("P10", "polrep/TO", (("TO: KZ, TM\n", ""),), (("TO: KZ, TM", "TO ALL"),)),
    Case("P11", "polrep/1", (("1. DATE AND TIME: 181000Z\n", ""),)),
    Case(
        "P11",
        "polrep/3",
        (("3. INCIDENT: TANKER GROUNDING\n", ""),),
        ((BASE[BASE.index("1. DATE") : BASE.index("PART II")], ""),),
    ),
    Case(
        "P12", "polrep/41", (("40-22N 049-55E", "OFF BAKU"),), (("40-22N 049-55E", "40.3N 49.9E"),)
    ),
    Case("P13", "polrep/1", (("181000Z", "181000 LT"),), (("181000Z", "181000 GMT"),)),
    Case("P13", "polrep/1", (("181000Z", "181000"),), (("181000Z", "181400+0400"),)),
    Case(
        "P14",
        "polrep/EXERCISE",
        (("URGENT\nEXERCISE\n", "URGENT\n"),),
        (("URGENT\nEXERCISE\n", "Exercise EXERCISE exercise\nURGENT\n"),),
    ),
    Case("P14", "polrep/EXERCISE", (("EXERCISE EXERCISE EXERCISE\n", "EXERCISE\n"),)),
    Case(
        "P14",
        "polrep/EXERCISE",
        (("EXERCISE EXERCISE EXERCISE\n", ""),),
        (("URGENT\nEXERCISE\n", ""), ("EXERCISE EXERCISE EXERCISE\n", "")),
    ),
    Case(
        "P15",
        "polrep",
        (("TO: KZ", "BY MAIL\nTO: KZ"),),
        (("TO: KZ", "-----\nPOLWARN\nTO: KZ"),),
    ),
    Case(
        "P16",
        "polrep/SERIAL NUMBER",
        (("AZ/GUNESHLI", "AZE/GUNESHLI"),),
        (("AZ/GUNESHLI", "UK/GUNESHLI"),),
    ),
    Case(
        "P17",
        "polrep/84",
        (("84. WHERE: RENDEZVOUS 40-20N 050-00E, VHF 16\n", ""),),
        (("81. REQUEST FOR ASSISTANCE: 2000 M OFFSHORE BOOM; 2 TUGS\n", ""),),
    ),
]


def report(*changes: Change) -> bytes:
    text = BASE
    for old, new in changes:
        assert old in text, f"{old} is not in the report"
        text = text.replace(old, new, 1)
    return text.encode()
