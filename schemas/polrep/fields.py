"""Which numbered fields a POLREP has: the table of the Bonn Agreement's Counter Pollution Manual.

The Barcelona Convention, HELCOM, the Copenhagen Agreement and the Tehran Convention's
Aktau Protocol use the same numbers. The Bonn Agreement leaves 88 to 98 spare; 88 to 92 are
named here as the IMO's and other agreements' forms have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["FIELDS", "PARTS", "Field", "Part"]

Part = Literal["polwarn", "polinf", "polfac"]

PARTS: Final[dict[Part, str]] = {
    "polwarn": "PART I (POLWARN)",
    "polinf": "PART II (POLINF)",
    "polfac": "PART III (POLFAC)",
}
"""The headings of the three parts."""


@dataclass(frozen=True, slots=True)
class Field:
    """One numbered field: its part, its name in the model and in the text."""

    number: int
    part: Part
    key: str
    label: str


def _fields() -> dict[int, Field]:
    parts: tuple[tuple[Part, dict[int, tuple[str, str]]], ...] = (
        (
            "polwarn",
            {
                1: ("date_time", "DATE AND TIME"),
                2: ("position", "POSITION"),
                3: ("incident", "INCIDENT"),
                4: ("outflow", "OUTFLOW"),
                5: ("acknowledge", "ACKNOWLEDGE"),
            },
        ),
        (
            "polinf",
            {
                40: ("date_time", "DATE AND TIME"),
                41: ("position", "POSITION AND EXTENT OF POLLUTION"),
                42: ("characteristics", "CHARACTERISTICS OF POLLUTION"),
                43: ("source", "SOURCE AND CAUSE OF POLLUTION"),
                44: ("wind", "WIND DIRECTION AND SPEED"),
                45: ("current", "CURRENT OR TIDE"),
                46: ("sea_state", "SEA STATE AND VISIBILITY"),
                47: ("drift", "DRIFT OF POLLUTION"),
                48: ("forecast", "FORECAST"),
                49: ("observer", "IDENTITY OF OBSERVER AND SHIPS ON SCENE"),
                50: ("action", "ACTION TAKEN"),
                51: ("samples", "PHOTOGRAPHS OR SAMPLES"),
                52: ("informed", "NAMES OF OTHER STATES INFORMED"),
                **{n: (f"spare_{n}", "REMARKS" if n == 53 else "SPARE") for n in range(53, 60)},
                60: ("acknowledge", "ACKNOWLEDGE"),
            },
        ),
        (
            "polfac",
            {
                80: ("date_time", "DATE AND TIME"),
                81: ("request", "REQUEST FOR ASSISTANCE"),
                82: ("cost", "COST"),
                83: ("delivery", "PRE-ARRANGEMENTS FOR DELIVERY"),
                84: ("where", "ASSISTANCE TO WHERE AND HOW"),
                85: ("asked", "OTHER STATES REQUESTED"),
                86: ("command", "CHANGE OF COMMAND"),
                87: ("exchange", "EXCHANGE OF INFORMATION"),
                88: ("names", "NAMES AND NUMBER"),
                89: ("equipment", "DESCRIPTION OF EQUIPMENT"),
                90: ("arrival", "ETA AND ARRIVAL INFORMATION"),
                91: ("embarkation", "PLACE OF EMBARKATION"),
                92: ("disembarkation", "PLACE OF DISEMBARKATION"),
                **{n: (f"spare_{n}", "REMARKS" if n == 93 else "SPARE") for n in range(93, 99)},
                99: ("acknowledge", "ACKNOWLEDGE"),
            },
        ),
    )
    return {
        number: Field(number, part, key, label)
        for part, named in parts
        for number, (key, label) in named.items()
    }


FIELDS: Final = _fields()
"""Every field by its number, in ascending order."""
