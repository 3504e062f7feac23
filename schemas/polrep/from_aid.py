"""Make a POLFAC report of a request, an offer or an answer to a request."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import Rejected
from schemas.polrep.converted import Converted, line, placed, told, two_letters
from schemas.polrep.equipment import text_of
from schemas.polrep.model import Polfac, Polrep, Serial
from schemas.polrep.moment import write_moment
from schemas.polrep.read import read_polrep
from schemas.polrep.to_aid import to_aid
from schemas.rm import Quantity, RequestResource, Resource, ResourceInformation
from schemas.rm.sender import sender_of, status_of

if TYPE_CHECKING:
    from schemas.rm import AidMessage, Location

__all__ = ["from_aid"]

_OFFERS: Final = frozenset({"OfferUnsolicitedResource", "ResponseToRequestResource"})
_OURS: Final = re.compile(r"POLFAC-([A-Z]{2,3})-([^/]+)-(\d{1,4})", re.ASCII)
_MARK: Final = re.compile(r"\s*EXERCISE(?![A-Za-z])\s*")


def from_aid(message: AidMessage, *, state: str | None = None) -> Converted[Polrep]:
    """Return *message* as POLFAC; *state* is the sender's two letters.

    A message that `to_aid` made comes back as the report that it was, so long as nobody
    changed it. Of any other, what is asked for is 81 and 84, what is offered 82 and 89
    to 91, the description 93.

    Raises:
        Rejected: ``not-convertible``: another type of message, a test, one that takes an
            earlier message back, or nothing tells the state.
    """
    offers = message.message_content_type in _OFFERS
    if not offers and message.message_content_type != "RequestResource":
        raise _refused(
            f"POLREP has nothing like {message.message_content_type}",
            "Convert a request, an offer or an answer to a request.",
        )
    if message.message_recall is not None:
        raise _refused(
            "it changes or takes back an earlier message, which POLREP cannot say",
            "Write to the addressees of the earlier report.",
        )
    carried = _carried(message)
    if carried is not None:
        return Converted(carried, ())
    status = status_of(message)
    if status == "Test":
        raise _refused("POLREP has no tests: it would be taken for real", "Make it an exercise.")
    losses = ["contacts, types and codes of the items"]
    text = message.message_description
    if text is not None and "SERIAL NUMBER:" in text:
        losses.append("the report that it was: the message was changed since")
    remark = line(text)
    values: dict[str, Any] = _offer(message) if offers else _request(message, losses)
    if remark is not None:
        values["spare_93"] = remark
    return Converted(
        Polrep(
            exercise=status == "Exercise",
            sender=line(sender_of(message)) or "UNKNOWN",
            sent=told(message.sent_date_time),
            identification="POLREP",
            serial=Serial(
                state=two_letters(state, _owner(message), sender_of(message)),
                incident=_incident(message),
            ),
            answers=_answered(message),
            polfac=Polfac(**{key: text for key, text in values.items() if text}),
        ),
        tuple(losses),
    )


def _refused(detail: str, remedy: str) -> Rejected:
    return Rejected("not-convertible", detail, remedy=remedy)


def _carried(message: AidMessage) -> Polrep | None:
    """Return the report that the message was, if the message still says the same."""
    with suppress(Rejected, ValueError):
        report = read_polrep((message.message_description or "").encode()).report
        again = to_aid(
            report,
            sender=sender_of(message),
            at=message.sent_date_time,
            request=_asked(message),
        )
        if again.message == message:
            return report
    return None


def _asked(message: AidMessage) -> AidMessage | None:
    """Return the request that an answer tells of, as far as it does."""
    if message.message_content_type != "ResponseToRequestResource":
        return None
    return RequestResource(
        message_id=message.preceding_message_id or "",
        originating_message_id=message.originating_message_id,
        sent_date_time=message.sent_date_time,
        contact_information=message.contact_information,
        resource_information=tuple(
            ResourceInformation(
                resource_info_element_id=item.response_information.preceding_resource_info_element_id,
                resource=Resource(type_structure=item.resource.type_structure),
            )
            for item in message.resource_information
            if item.response_information is not None and item.resource is not None
        ),
    )


def _request(message: AidMessage, losses: list[str]) -> dict[str, str | None]:
    items = message.resource_information
    places = [
        _said(part.location)
        for item in items
        for part in item.schedule_information
        if part.schedule_type in {"RequestedArrival", "ReportTo"}
    ]
    times = [
        f"BY {write_moment(told(part.date_time))}"
        for item in items
        for part in item.schedule_information
        if part.schedule_type == "RequestedArrival" and part.date_time is not None
    ]
    if message.funding:
        losses.append("who pays")
    return {
        "request": line("; ".join(text_of(item).replace(";", ",") for item in items)),
        "where": _joined([*places, *times]),
    }


def _offer(message: AidMessage) -> dict[str, str | None]:
    given, declined = [], []
    for item in message.resource_information:
        answer = item.response_information
        if answer is not None and answer.response_type == "Decline":
            name = text_of(item)
            declined.append(f"DECLINED {name}: {answer.response_reason or ''}".rstrip(": "))
        else:
            mark = "" if answer is None or answer.response_type == "Accept" else " (PROVISIONAL)"
            given.append(text_of(item).replace(";", ",") + mark)
    schedule = [part for item in message.resource_information for part in item.schedule_information]
    prices = [
        _price(item.assignment_information.price_quote)
        for item in message.resource_information
        if item.assignment_information is not None
    ]
    whens: dict[str, list[str]] = {}
    for part in schedule:
        at = "" if part.date_time is None else write_moment(told(part.date_time))
        text = " ".join(t for t in (at, _said(part.location)) if t)
        whens.setdefault(part.schedule_type, []).append(text)
    available = [
        f"AVAILABLE {word} {text}"
        for kind, word in (("BeginAvailable", "FROM"), ("EndAvailable", "UNTIL"))
        for text in whens.get(kind, ())
        if text
    ]
    return {
        "cost": _joined(prices),
        "equipment": line("; ".join(given)),
        "arrival": _joined(whens.get("EstimatedArrival", [])),
        "spare_94": _joined(available),
        "spare_95": _joined(declined),
    }


def _joined(texts: list[str]) -> str | None:
    return line("; ".join(dict.fromkeys(text for text in texts if text)))


def _price(price: Quantity | None) -> str:
    if price is None:
        return ""
    measured = price.measured_quantity
    if measured is None:
        return " ".join(price.quantity_text)
    currency = measured.unit_of_measure.value[0] if measured.unit_of_measure else ""
    return f"{measured.amount:f} {currency}".strip()


def _said(location: Location | None) -> str:
    if location is None:
        return ""
    area = location.target_area
    point = None if area is None else area.point or (area.circle[:2] if area.circle else None)
    words = location.location_description or ""
    # A place in words that came from a report has its position in them already.
    has = re.search(r"\d ?[NS]\b.*\d ?[EW]\b", words)
    return " ".join(t for t in (words, placed(point) if point and not has else "") if t)


def _owner(message: AidMessage) -> str | None:
    for item in message.resource_information:
        owned = item.resource.ownership_information if item.resource else None
        if owned is not None and owned.owning_jurisdiction is not None:
            return owned.owning_jurisdiction.partition("-")[0]
    return None


def _incident(message: AidMessage) -> str:
    first = next(iter(message.incident_information), None)
    text = ""
    if first is not None:
        text = first.incident_id or first.incident_description or ""
    return line(_MARK.sub("", text, count=1).replace("/", "-"), 200) or "UNKNOWN"


def _answered(message: AidMessage) -> Serial | None:
    match = _OURS.fullmatch(message.preceding_message_id or "")
    if match is None or not int(match[3]):
        return None
    return Serial(state=match[1], incident=match[2][:200], number=int(match[3]))
