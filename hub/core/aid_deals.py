"""How much was offered, accepted, committed and so on: aid messages summed up by deals.

A *deal* is all that one agency gives against one item that was asked for or offered.
Amounts are kept apart by the type of resource and the unit, and never added across.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from hub.core.aid_statements import AidEntry, DealKey, Move, Statements

__all__ = ["ACCEPTS", "Amounts", "Deal", "Figure", "Stage", "deals_of"]

Stage = Literal[
    "asked",
    "offered",
    "accepted",
    "committed",
    "under_way",
    "on_site",
    "released",
    "return_asked",
]
"""What a figure of the board says, in the order in which aid goes its way."""

_Sort = Literal[
    "asked", "offered", "accept", "order", "commit", "leave", "arrive", "release", "back", "recall"
]

ACCEPTS: Final = frozenset({"accept", "order"})
_REPORTS: Final = frozenset(
    {
        "CommitResource",
        "ReleaseResource",
        "ReportResourceDeploymentStatus",
        "ResponseToRequestReturn",
        "ResponseToRequestExtendedDeploymentDuration",
    }
)
"""The messages that say where resources are; others only repeat it."""
_MOMENTS: Final[dict[str, _Sort]] = {
    "ActualDeparture": "leave",
    "ActualArrival": "arrive",
    "ActualReturnDeparture": "back",
    "ActualReturnArrival": "back",
}
_SORTS: Final[dict[str, tuple[_Sort, tuple[str, ...]]]] = {
    "RequestResource": ("asked", ("",)),
    "OfferUnsolicitedResource": ("offered", ("",)),
    "ResponseToRequestResource": ("offered", ("Accept", "Provisional")),
    "AidOfferResponse": ("accept", ("Accept",)),
    "CommitResource": ("commit", ("Accept",)),
    "ReleaseResource": ("release", ("", "Accept")),
    "RequestReturn": ("recall", ("",)),
}
"""What the items of a message do that have one of these responses."""
_WHEREABOUTS: Final = frozenset({"leave", "arrive", "release", "back", "recall"})
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount, the quantities in words beside it, and the log indexes behind them."""

    amount: Decimal = _ZERO
    messages: tuple[int, ...] = ()
    words: tuple[str, ...] = ()

    def __add__(self, other: Figure) -> Figure:
        return Figure(
            self.amount + other.amount,
            tuple(sorted({*self.messages, *other.messages})),
            tuple(sorted((*self.words, *other.words))),
        )

    def of(self, amount: Decimal) -> Figure:
        """Return another amount that the same messages are behind."""
        return Figure(amount, self.messages, self.words)


def _sum(figures: Iterable[Figure]) -> Figure:
    return sum(figures, Figure())


@dataclass
class Amounts:
    """What was said of one type of resource, in one unit, within one deal."""

    names: set[str] = field(default_factory=set)
    _said: dict[tuple[_Sort, str, datetime | None], list[Figure]] = field(default_factory=dict)

    def add(self, sort: _Sort, agency: str, at: datetime | None, figure: Figure) -> None:
        """Take in what an agency says; *at* is the moment that it speaks of."""
        self._said.setdefault((sort, agency, at), []).append(figure)

    def _all(self, *sorts: _Sort) -> Figure:
        return _sum(f for (sort, _, _), found in self._said.items() if sort in sorts for f in found)

    def _moments(self, sort: _Sort) -> Figure:
        """Sum up what happened; who speaks of the same moment again repeats it."""
        by_moment: dict[datetime | None, list[Figure]] = {}
        for (found, _, at), figures in self._said.items():
            if found == sort:
                by_moment.setdefault(at, []).extend(figures)
        return _sum(_sum(f).of(max(one.amount for one in f)) for f in by_moment.values())

    def accepted(self) -> Figure:
        """Return what was accepted; who accepts and then orders the same does it once."""
        takers = {agency for sort, agency, _ in self._said if sort in ACCEPTS}
        return _sum(self._taken(agency) for agency in takers)

    def _taken(self, agency: str) -> Figure:
        accepts = _sum(self._said.get(("accept", agency, None), ()))
        orders = _sum(self._said.get(("order", agency, None), ()))
        more = orders if orders.amount > accepts.amount else accepts
        return Figure(more.amount, (accepts + orders).messages, more.words)

    def figures(self) -> dict[Stage, Figure]:
        """Return the figure of every stage.

        Under way is what has left and not arrived, on site what has arrived and was not
        released; committed stays what was committed.
        """
        committed = self._all("commit")

        def capped(figure: Figure) -> Figure:
            limit = committed.amount
            return figure.of(min(figure.amount, limit)) if limit else figure

        left, came = capped(self._moments("leave")), capped(self._moments("arrive"))
        released, back = self._all("release"), self._moments("back")
        gone = capped((released + back).of(max(released.amount, back.amount)))
        under_way = max(_ZERO, left.amount - max(came.amount, gone.amount))
        on_site = max(_ZERO, came.amount - gone.amount)
        return {
            "asked": self._all("asked"),
            "offered": self._all("offered"),
            "accepted": self.accepted(),
            "committed": committed,
            "under_way": (left + came + gone if left.messages else left).of(under_way),
            "on_site": (came + gone if came.messages else came).of(on_site),
            "released": gone,
            "return_asked": self._all("recall"),
        }


@dataclass
class Deal:
    """What one agency gives against one item, by type of resource and unit."""

    key: DealKey
    incidents: set[str] = field(default_factory=set)
    takers: set[str] = field(default_factory=set)
    """The states that asked for it or accepted it."""
    amounts: dict[tuple[str, str], Amounts] = field(default_factory=dict)

    def total(self, stage: Stage, unit: str) -> Decimal:
        """Return the sum over all types of resource, in one unit."""
        return sum(
            (a.figures()[stage].amount for (_, u), a in self.amounts.items() if u == unit), _ZERO
        )


def deals_of(entries: Iterable[AidEntry]) -> dict[DealKey, Deal]:
    """Sum up messages, whatever order they come in."""
    statements = Statements(entries)
    deals: dict[DealKey, Deal] = {}
    later = []
    for move in statements.moves():
        for sort, at in _sorts(move):
            if sort in _WHEREABOUTS:
                later.append((move, sort, at))
            elif _may(move, sort):
                _take(deals, move, sort, at)
    # Who accepted is a party to the deal, and known only now.
    for move, sort, at in later:
        if is_party(move, deals.get(move.key)):
            _take(deals, move, sort, at)
    return deals


def is_party(move: Move, deal: Deal | None) -> bool:
    """Tell whether a state may speak of where resources are: it gives them or gets them."""
    states = {move.giver[:2].upper()} | (deal.takers if deal else set())
    states |= {
        s.statement.now.state
        for s in move.path[1:]
        if s.statement and s.statement.type in {"RequestResource", "RequisitionResource"}
    }
    return move.statement.now.state in states


def _sorts(move: Move) -> Iterator[tuple[_Sort, datetime | None]]:
    """Yield what a move does. What was withdrawn does nothing."""
    statement, item = move.statement, move.item
    if statement.withdrawn:
        return
    kind = statement.type
    if kind == "RequisitionResource":
        yield from _ordered(move)
    elif kind in _SORTS and item.response in _SORTS[kind][1]:
        yield _SORTS[kind][0], None
    if kind in _REPORTS and item.response != "Decline":
        for moment in item.moments:
            yield _MOMENTS[moment.what], moment.at


def _ordered(move: Move) -> Iterator[tuple[_Sort, datetime | None]]:
    """Order what was offered; without an offer it is a need, if none was stated before."""
    if move.offer is not None:
        yield "order", None
    elif move.request is None:
        yield "asked", None


def _may(move: Move, sort: _Sort) -> bool:
    """Tell whether a move is its agency's to make (`hub.core.aid_moves` refuses the others)."""
    if sort == "commit":
        return move.agency == move.giver
    if sort in ACCEPTS:
        asker = move.request
        return (
            move.offer is not None
            and not move.offer.withdrawn
            and move.agency != move.giver
            and (asker is None or asker.now.agency == move.agency)
        )
    return True


def _take(deals: dict[DealKey, Deal], move: Move, sort: _Sort, at: datetime | None) -> None:
    deal = deals.setdefault(move.key, Deal(move.key))
    deal.incidents.update(move.incidents)
    if sort in ACCEPTS:
        deal.takers.add(move.statement.now.state)
    said = move.measure
    unit = said.unit if said.amount else ""
    amounts = deal.amounts.setdefault((move.type or move.name.casefold(), unit), Amounts())
    if move.name:
        amounts.names.add(move.name)
    words = (said.words,) if said.words and not said.amount else ()
    indexes = tuple(sorted(move.statement.indexes))
    amounts.add(sort, move.agency, at, Figure(said.amount or _ZERO, indexes, words))
