"""Which moves in an exchange of aid are illegal: decided from the aid messages before them.

A reference to a message that the log does not hold is no fault: exchanges begin by
telephone, and an answer may overtake its question. Only the answer to an offer is the
hub's own message (AidOfferResponse), so what it answers must be in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from hub.core.aid_deals import Deal, Stage, deals_of, is_party
from hub.core.aid_statements import OFFERS, AidEntry, DealKey, Move, Statements
from schemas.errors import Rejected

__all__ = ["AidIndex", "check_move", "linked"]

_ACCEPTS: Final = frozenset({"AidOfferResponse", "RequisitionResource"})
_GOES_ON: Final = _ACCEPTS | {"ResponseToRequestResource", "CommitResource"}
"""What makes no sense on something that was taken back, unless it declines."""
_BEARS: Final = _GOES_ON | {"RequestResource", "OfferUnsolicitedResource"}
"""What sums, givers and takers come from."""
_TELLS: Final = frozenset({"ReportResourceDeploymentStatus", "ReleaseResource", "RequestReturn"})

_RAISES: Final[dict[str, Stage]] = {
    "AidOfferResponse": "accepted",
    "RequisitionResource": "accepted",
    "CommitResource": "committed",
}
_LIMITS: Final[dict[Stage, tuple[Stage, ...]]] = {
    "accepted": ("offered",),
    "committed": ("offered", "accepted"),
}


def linked(entry: AidEntry) -> frozenset[str]:
    """Return the ids by which a message hangs together with others: its own, and those it names."""
    aid = entry.aid
    return frozenset({entry.facts.identifier, aid.answers, aid.recalls} - {""})


class AidIndex:
    """Aid messages by the ids that they bear and name."""

    def __init__(self, entries: Iterable[AidEntry] = ()) -> None:
        self._by_id: dict[str, list[AidEntry]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: AidEntry) -> None:
        """Take in a message."""
        for name in linked(entry):
            self._by_id.setdefault(name, []).append(entry)

    def around(self, entry: AidEntry) -> list[AidEntry]:
        """Return the messages that bear on the admission of *entry*, in the order of the log.

        They hang together with it, over any number of steps, and ask, offer, accept or
        commit, or something that does stands on them. Reports are many, and what
        nobody refers to changes no decision.
        """
        found: dict[int, AidEntry] = {}
        seen = set(linked(entry))
        waiting = list(seen)
        while waiting:
            for one in self._by_id.get(waiting.pop(), ()):
                if one.index not in found:
                    found[one.index] = one
                    new = linked(one) - seen
                    seen |= new
                    waiting += new
        return [found[index] for index in sorted(self._bearing(entry, found))]

    def _bearing(self, entry: AidEntry, found: dict[int, AidEntry]) -> set[int]:
        kept: set[int] = set()
        looking = [entry, *(one for one in found.values() if one.facts.msg_type in _BEARS)]
        while looking:
            one = looking.pop()
            if one is not entry:
                if one.index in kept:
                    continue
                kept.add(one.index)
            for name in linked(one):
                looking += (
                    other
                    for other in self._by_id.get(name, ())
                    if name in {other.facts.identifier, other.aid.recalls}
                )
        return kept


def check_move(entry: AidEntry, before: Iterable[AidEntry]) -> None:
    """Let an aid message pass, or not; *before* are those that hang together with it.

    Raises:
        Rejected: ``id-taken``, ``not-your-message``, ``other-status``, ``unknown-item``,
            ``own-offer``, ``not-your-answer`` or ``more-than-offered``.
    """
    known = list(before)
    _check_names(entry, known)
    if entry.aid.recall == "Cancel":
        return
    after = Statements([*known, entry])
    statement = after.find(entry.facts.status, entry.facts.identifier)
    assert statement is not None  # noqa: S101  # it is among them
    if statement.now is not entry:
        return  # an update that is older than what holds already changes nothing
    moves = [m for m in after.moves() if m.statement is statement]
    deals = deals_of([*known, entry])
    for move in moves:
        _check_target(move, after)
        _check_agency(move, deals)
    if (stage := _RAISES.get(statement.type)) is not None:
        _check_amounts(stage, {m.key for m in moves}, deals_of(known), deals)


def _check_names(entry: AidEntry, known: list[AidEntry]) -> None:
    """Hold the ids that a message bears and names against those in the log."""
    aid, facts = entry.aid, entry.facts
    for other in known:
        name = other.facts.identifier
        if name == facts.identifier:
            raise Rejected(
                "id-taken",
                f"the aid message {name} is in the log at {other.index}, of {other.agency}",
                remedy="Give the message an id that nobody has used: answers name it by its id.",
            )
        if name == aid.recalls and other.agency != entry.agency:
            raise Rejected(
                "not-your-message",
                f"{aid.recall} of {name}, which is a message of {other.agency}",
                remedy="Only the agency that sent a message can update or cancel it.",
            )
        if name in {aid.recalls, aid.answers} and other.facts.status != facts.status:
            raise Rejected(
                "other-status",
                f"{name} is {other.facts.status}, this message is {facts.status}",
                remedy="Mark all messages of an exercise by their incidents, or none.",
            )


def _check_target(move: Move, statements: Statements) -> None:
    """Hold an item against the one that it answers."""
    now, item = move.statement.now, move.item
    answers, kind = now.aid.answers, move.statement.type
    if not answers:
        return
    target = statements.find(now.facts.status, answers)
    if target is None:
        if kind == "AidOfferResponse":
            raise _unknown(f"there is no offer {answers} in the log")
        return
    found = target.item(item)
    if found is None and item.answers:
        raise _unknown(f"{answers} has no item {item.answers}")
    if kind == "AidOfferResponse" and target.type not in OFFERS:
        raise _unknown(f"{answers} is not an offer, but a {target.type}")
    if target.withdrawn and kind in _GOES_ON and item.response not in {"Decline", "Provisional"}:
        raise _unknown(f"{answers} was taken back by {target.now.agency}")


def _unknown(detail: str) -> Rejected:
    return Rejected(
        "unknown-item",
        detail,
        remedy="Name the message and the item as they stand in the log; see the aid board.",
    )


def _check_agency(move: Move, deals: dict[DealKey, Deal]) -> None:
    """Hold who makes a move against who gives and who asked."""
    kind, agency, offer = move.statement.type, move.agency, move.offer
    if kind in _ACCEPTS and offer is not None:
        if agency == move.giver:
            raise Rejected(
                "own-offer",
                f"{offer.id} is an offer of {agency} itself",
                remedy="An offer is answered by another agency; recall it to take it back.",
            )
        if move.request is not None and move.request.now.agency != agency:
            raise _not_yours(f"{offer.id} answers a request of {move.request.now.agency}")
    elif kind == "CommitResource" and agency != move.giver:
        raise _not_yours(f"what {move.giver} offered is for {move.giver} to commit")
    elif kind in _TELLS and len(move.path) > 1 and not is_party(move, deals.get(move.key)):
        raise _not_yours(f"{agency} neither gives nor gets what {move.giver} gives")


def _not_yours(detail: str) -> Rejected:
    return Rejected(
        "not-your-answer",
        detail,
        remedy="Leave the answer to the agency whose it is, or begin an exchange of your own.",
    )


def _check_amounts(
    stage: Stage, keys: set[DealKey], before: dict[DealKey, Deal], after: dict[DealKey, Deal]
) -> None:
    """Refuse what raises a sum above what it may be; amounts are compared in the same unit."""
    for deal in (after[key] for key in sorted(keys) if key in after):
        earlier = before.get(deal.key)
        for unit in sorted({unit for _, unit in deal.amounts if unit}):
            said = deal.total(stage, unit)
            for limit, of in _limits(deal, stage, unit):
                if said > limit and (earlier is None or said > earlier.total(stage, unit)):
                    raise Rejected(
                        "more-than-offered",
                        f"{stage} would be {said:f} {unit}, and {limit:f} {unit} is {of}",
                        remedy="Lower the amount, or let more be offered first.",
                    )


def _limits(deal: Deal, stage: Stage, unit: str) -> Iterator[tuple[Decimal, Stage]]:
    """Yield what limits a sum. What nobody offered or accepted in this unit is no limit."""
    for other in _LIMITS[stage]:
        limit = deal.total(other, unit)
        if limit:
            yield limit, other
