"""The aid board: per incident and resource what is asked for, promised, under way and missing.

A pure fold over the aid messages of the log: the same messages in any order give the
same board, and every figure names the messages behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, get_args

from hub.core.aid_deals import Amounts, Deal, Figure, Stage, deals_of
from hub.core.aid_statements import AidEntry

__all__ = [
    "GIVEN",
    "STAGES",
    "AidEntry",
    "Board",
    "Figure",
    "Incident",
    "Line",
    "Stage",
    "board",
    "incident_key",
]

STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
GIVEN: Final[tuple[Stage, ...]] = STAGES[1:]
"""The stages that a state that gives has figures of; what is asked for is the taker's."""


@dataclass(frozen=True, slots=True)
class Line:
    """One type of resource in one unit.

    *type* is ``ValueListURN=Value``, or the name in small letters where no list was
    given. Quantities in words have no unit; they stand in a line of their own and are
    not summed up.
    """

    type: str
    name: str
    unit: str
    figures: dict[Stage, Figure]
    states: dict[str, dict[Stage, Figure]]
    """The figures by the state that gives, ISO 3166-1 alpha-2."""

    @property
    def gap(self) -> Figure:
        """What is asked for and not committed; below 0 where more is committed."""
        asked, committed = self.figures["asked"], self.figures["committed"]
        return (asked + committed).of(asked.amount - committed.amount)


@dataclass(frozen=True, slots=True)
class Incident:
    """What is asked for and given in one incident; exercises and tests stand apart."""

    status: str
    id: str
    """The IncidentID in capitals; where none was given, the id of the exchange."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """All incidents: the actual ones first, then by their ids."""

    incidents: tuple[Incident, ...]

    def only(self, incident: str = "", state: str = "") -> Board:
        """Return the part of one incident, or of one state that gives; empty is all."""
        found = []
        for one in self.incidents:
            if incident and incident_key(incident) != incident_key(one.id):
                continue
            lines = one.lines
            if state:
                lines = tuple(_of_state(line, state) for line in lines if state in line.states)
            if lines:
                found.append(Incident(one.status, one.id, lines))
        return Board(tuple(found))


def incident_key(incident: str) -> str:
    """Return an incident's id as the board compares it: without regard to case and spaces."""
    return " ".join(incident.split()).upper()


def _of_state(line: Line, state: str) -> Line:
    return Line(line.type, line.name, line.unit, line.figures, {state: line.states[state]})


_ORDER: Final = ("Actual", "Exercise", "Test")


@dataclass
class _Sum:
    names: set[str] = field(default_factory=set)
    figures: dict[Stage, Figure] = field(default_factory=dict)
    states: dict[str, dict[Stage, Figure]] = field(default_factory=dict)

    def take(self, amounts: Amounts, state: str) -> None:
        self.names |= amounts.names
        for stage, figure in amounts.figures().items():
            self.figures[stage] = self.figures.get(stage, Figure()) + figure
            if stage != "asked" and figure.messages:
                of = self.states.setdefault(state, {})
                of[stage] = of.get(stage, Figure()) + figure


def board(messages: Iterable[AidEntry]) -> Board:
    """Return the board that *messages* come to, each by its latest update.

    What was taken back counts for nothing; what was committed on it stays until it is
    taken back itself. A move that is not its agency's to make is left out, as
    `hub.core.aid_moves` refuses it.
    """
    sums: dict[tuple[int, str, str], dict[tuple[str, str], _Sum]] = {}
    for deal in deals_of(messages).values():
        for place in _places(deal):
            lines = sums.setdefault(place, {})
            for name, amounts in deal.amounts.items():
                lines.setdefault(name, _Sum()).take(amounts, deal.key.giver[:2].upper())
    return Board(
        tuple(
            Incident(
                status,
                incident,
                tuple(_line(name, found) for name, found in sorted(lines.items())),
            )
            for (_, status, incident), lines in sorted(sums.items())
        )
    )


def _places(deal: Deal) -> list[tuple[int, str, str]]:
    status = deal.key.status
    order = _ORDER.index(status) if status in _ORDER else len(_ORDER)
    return [(order, status, incident) for incident in deal.incidents]


def _line(name: tuple[str, str], found: _Sum) -> Line:
    return Line(
        name[0],
        min(found.names, default=name[0]),
        name[1],
        {stage: found.figures.get(stage, Figure()) for stage in STAGES},
        {
            state: {stage: of.get(stage, Figure(Decimal(0))) for stage in GIVEN}
            for state, of in sorted(found.states.items())
        },
    )
