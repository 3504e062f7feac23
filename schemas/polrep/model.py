"""What a pollution report says: POLREP's introductory part and its three parts.

Field numbers are those of the Bonn Agreement's Counter Pollution Manual, chapter 5
(`schemas.polrep.fields`). A field's text is one line: white space is collapsed, as it
carries no meaning in a telex. Every value that a model accepts can be written, and reads
back equal.
"""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from schemas.polrep.moment import Moment

__all__ = ["Polfac", "Polinf", "Polrep", "Polwarn", "Serial"]

_SAFE: Final = r"[\x{20}-\x{7E}\x{A0}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]"


def _collapsed(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


Line = Annotated[
    str, BeforeValidator(_collapsed), StringConstraints(pattern=rf"\A{_SAFE}+\z", max_length=8000)
]
"""Text without line breaks and control characters, and not empty."""

Name = Annotated[
    str,
    BeforeValidator(_collapsed),
    StringConstraints(pattern=r"\A[^,;]+\z", max_length=200),
    StringConstraints(pattern=rf"\A{_SAFE}+\z"),
]
"""One addressee of several: no comma, no semicolon."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Filled(_Part):
    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set or all(
            getattr(self, key) is None for key in type(self).model_fields
        ):
            raise ValueError("a part that is there has a field")
        return self


class Serial(_Part):
    """The serial number: the state's letters, the incident's name, which report of it this is."""

    state: Annotated[str, StringConstraints(pattern=r"\A[A-Z]{2,3}\z")]
    incident: Annotated[
        str,
        BeforeValidator(_collapsed),
        StringConstraints(pattern=r"\A[^/]+\z", max_length=200),
        StringConstraints(pattern=rf"\A{_SAFE}+\z"),
    ]
    number: Annotated[int, Field(ge=1, le=9999)] = 1
    final: bool = False
    """Whether it is the last report on the incident."""

    def __str__(self) -> str:
        return f"{self.state}/{self.incident}/{self.number}{' FINAL' if self.final else ''}"


class Polwarn(_Filled):
    """Part I: the first warning (fields 1 to 5)."""

    date_time: Moment | None = None
    """1: when the incident happened, or the pollution was seen."""
    position: Line | None = None
    """2: latitude and longitude, perhaps bearing and distance from a known place."""
    incident: Line | None = None
    """3: what happened: grounding, collision, blowout, slick."""
    outflow: Line | None = None
    """4: of what, how many tonnes; ``NOT YET`` and the substance where it only threatens."""
    acknowledge: Line | None = None
    """5: there where the receiver is to acknowledge."""


class Polinf(_Filled):
    """Part II: the supplementary report and those on the situation (fields 40 to 60)."""

    date_time: Moment | None = None
    """40: of the situation below, if not that of 1."""
    position: Line | None = None
    """41: where the pollution is, and its extent: length, width, tonnes."""
    characteristics: Line | None = None
    """42: which oil or substance, and how it looks."""
    source: Line | None = None
    """43: from what, by what cause; of a ship the name, type, size, call sign, flag."""
    wind: Line | None = None
    """44: from where in degrees, and metres per second."""
    current: Line | None = None
    """45: whereto in degrees, and metres per second."""
    sea_state: Line | None = None
    """46: height of the waves in metres, visibility in nautical miles."""
    drift: Line | None = None
    """47: whereto the pollution drifts in degrees, and knots."""
    forecast: Line | None = None
    """48: what it is expected to reach, and when."""
    observer: Line | None = None
    """49: who reports it, and which ships are on the scene."""
    action: Line | None = None
    """50: what was done."""
    samples: Line | None = None
    """51: photographs and samples, and who has them."""
    informed: Line | None = None
    """52: which other states and organisations were informed."""
    spare_53: Line | None = None
    """53, spare; the hub puts remarks here."""
    spare_54: Line | None = None
    """54, spare."""
    spare_55: Line | None = None
    """55, spare."""
    spare_56: Line | None = None
    """56, spare."""
    spare_57: Line | None = None
    """57, spare."""
    spare_58: Line | None = None
    """58, spare."""
    spare_59: Line | None = None
    """59, spare."""
    acknowledge: Line | None = None
    """60: there where the receiver is to acknowledge."""


class Polfac(_Filled):
    """Part III: assistance (fields 80 to 99)."""

    date_time: Moment | None = None
    """80: of the situation below, if not that of 1 or 40."""
    request: Line | None = None
    """81: what is asked for, and how much: equipment, with or without crew, teams, experts."""
    cost: Line | None = None
    """82: what it costs, or the question what it would."""
    delivery: Line | None = None
    """83: customs, territorial waters, airspace."""
    where: Line | None = None
    """84: where to and how: rendezvous, frequencies, call signs, who commands."""
    asked: Line | None = None
    """85: which other states and organisations are asked, if not by this report."""
    command: Line | None = None
    """86: change of command."""
    exchange: Line | None = None
    """87: what is handed over with the command."""
    names: Line | None = None
    """88: names and number of the people who come."""
    equipment: Line | None = None
    """89: which equipment comes."""
    arrival: Line | None = None
    """90: when and where it arrives."""
    embarkation: Line | None = None
    """91: where it embarks."""
    disembarkation: Line | None = None
    """92: where it disembarks."""
    spare_93: Line | None = None
    """93, spare; the hub puts remarks here."""
    spare_94: Line | None = None
    """94, spare."""
    spare_95: Line | None = None
    """95, spare."""
    spare_96: Line | None = None
    """96, spare."""
    spare_97: Line | None = None
    """97, spare."""
    spare_98: Line | None = None
    """98, spare."""
    acknowledge: Line | None = None
    """99: there where the receiver is to acknowledge."""


class Polrep(_Part):
    """One pollution report: the introductory part, and at least one of the three parts."""

    urgent: bool = False
    """The priority URGENT stands before it."""
    exercise: bool = False
    """It begins with EXERCISE and ends with EXERCISE EXERCISE EXERCISE."""
    sender: Line
    """Address, from."""
    recipients: tuple[Name, ...] = ()
    """Address, to."""
    sent: Moment
    """The date time group."""
    identification: Line | None = None
    """``POLREP`` and the area or incident."""
    serial: Serial
    """Which report it is, of which state, on which incident."""
    answers: Serial | None = None
    """The serial number of the report that this one answers."""
    polwarn: Polwarn | None = None
    polinf: Polinf | None = None
    polfac: Polfac | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> Self:
        if self.polwarn is None and self.polinf is None and self.polfac is None:
            raise ValueError("a report has at least one field of a part")
        return self
