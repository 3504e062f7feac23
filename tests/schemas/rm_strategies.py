"""Aid messages of all types and shapes that the models take, and those that keep the rules.

They are drawn along the standard's table, so no element can be forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from cap_strategies import TEXTS, URIS, texts
from hypothesis import strategies as st

from schemas.rm import (
    MESSAGE_TYPES,
    Address,
    AidMessage,
    Party,
    TargetArea,
    TypeInfo,
)
from schemas.rm.layout import Element, Group
from schemas.rm.parts import Part, ScheduleInformation
from schemas.rm.tables import MESSAGES

WORDS = TEXTS.filter(lambda text: bool(text.strip(" \t\r\n")) and bool(text.strip()))
TOKENS = st.text("abcXYZ019._-@/:әя", min_size=1, max_size=12)
TIMES = st.builds(
    lambda at, minutes: at.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(datetime(2, 1, 3), datetime(9997, 12, 29)),  # noqa: DTZ001 - it gets one above
    st.integers(-14 * 60, 14 * 60),
)
AMOUNTS = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1).map(Decimal),
    st.decimals(-10_000, 10_000, places=9, allow_nan=False, allow_infinity=False),
)
LINES = texts(12, 1).filter(lambda t: bool(t.strip(" \t\r\n")))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def several(strategy: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=least, max_size=least + 1).map(tuple)


def built(model: type, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda drawn: model(**drawn))


ADDRESSES = built(
    Address,
    lines=several(LINES),
    **{key: optional(LINES) for key in ("country", "administrative_area", "locality")},
    **{key: optional(LINES) for key in ("thoroughfare", "premises", "post_code")},
)
PARTIES = built(
    Party,
    lines=several(LINES),
    person=optional(LINES),
    organisation=optional(LINES),
    phones=several(LINES),
    emails=several(LINES),
)


def areas(lat: st.SearchStrategy[float], lon: st.SearchStrategy[float]) -> Any:
    """Draw one shape of each sort; a polygon is a closed box."""
    point = st.tuples(lat, lon)
    box = st.tuples(point, point)
    ring = box.map(lambda b: (b[0], (b[0][0], b[1][1]), b[1], (b[1][0], b[0][1]), b[0]))
    return st.one_of(
        built(TargetArea, point=point),
        built(TargetArea, line=several(point, 2)),
        built(TargetArea, polygon=ring),
        built(TargetArea, circle=st.tuples(lat, lon, st.floats(0, 1e6))),
        built(TargetArea, box=box),
    )


ANY_AREAS = areas(NUMBERS, NUMBERS)
LAWFUL_AREAS = areas(st.floats(-90, 90), st.floats(-180, 180))
TYPE_INFOS = st.builds(
    "<TypeInfo>{}</TypeInfo>".format,
    st.sampled_from([
        '<x:crew xmlns:x="urn:x">12</x:crew>',
        '<crew lang="tk">on iki</crew><y xmlns="urn:y" xmlns:z="urn:z" z:a="1">t<z:b/></y>',
        "<weight> 1 &lt; 2 </weight><weight/>",
    ]),
).map(lambda text: TypeInfo(xml=text))  # fmt: skip

_CARRIED = {"address": ADDRESSES, "party": PARTIES, "any": TYPE_INFOS}
_NEEDED = frozenset([
    *("incident_information", "incident_id", "fund_code", "contact_description", "name"),
    *("type_structure", "owner", "owning_jurisdiction", "ownership_information", "resource"),
    *("assignment_information", "quantity", "price_quote", "unit_of_measure"),
    *("response_reason", "date_time", "location_description"),
])  # fmt: skip
"""What the rules ask for, where the type of message has it."""


def model_of(model: Any, key: str) -> Any:
    """Return the class of a field that is a complex element."""

    def classes(annotation: Any) -> list[type]:
        if isinstance(annotation, type) and issubclass(annotation, Part):
            return [annotation]
        return [found for inner in get_args(annotation) for found in classes(inner)]

    (found,) = classes(model.model_fields[key].annotation)
    return found


def _one(element: Element, model: Any, *, lawful: bool) -> st.SearchStrategy[Any]:
    if element.group is not None:
        return parts(element.group, model_of(model, element.key), lawful=lawful)
    match element.kind:
        case "text":
            return WORDS if lawful else TEXTS
        case "time":
            return TIMES
        case "uri":
            return URIS
        case "amount":
            return st.integers(1, 10**6).map(Decimal) if lawful else AMOUNTS
        case "enum":
            return st.sampled_from(element.values)
        case "area":
            return LAWFUL_AREAS if lawful else ANY_AREAS
    return _CARRIED[element.kind]


def parts(group: Group, model: Any, *, lawful: bool) -> st.SearchStrategy[Any]:
    """Draw a complex element of *model*, with what *group* lets it have."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for element in group.elements:
        one = _one(element, model, lawful=lawful)
        needed = element.needed or (lawful and element.key in _NEEDED)
        if element.many:
            fields[element.key] = several(one, 1 if needed else 0)
        else:
            fields[element.key] = one if needed else optional(one)
    if group.choice:
        return st.one_of([built(model, **{key: one}) for key, one in fields.items()])
    return built(model, **fields)


@cache
def messages(name: str) -> st.SearchStrategy[AidMessage]:
    """Draw any message of the type *name* that the model takes; most break rules."""
    return parts(MESSAGES[name], MESSAGE_TYPES[name], lawful=False)


@cache
def _lawful_parts(name: str) -> st.SearchStrategy[AidMessage]:
    return parts(MESSAGES[name], MESSAGE_TYPES[name], lawful=True)


_BEGIN = datetime(2026, 11, 23, 14, tzinfo=UTC)


@st.composite
def lawful_messages(draw: st.DrawFn, name: str) -> AidMessage:
    """Draw messages that the reader takes, warnings and all."""
    message = draw(_lawful_parts(name))
    offers = name in {"OfferUnsolicitedResource", "ResponseToRequestResource"}
    first, *others = message.contact_information
    recall = message.message_recall
    return message.model_copy(
        update={
            "message_id": f"m{draw(TOKENS)}",
            "originating_message_id": draw(TOKENS),
            "preceding_message_id": (
                None if message.preceding_message_id is None else f"p{draw(TOKENS)}"
            ),
            "message_recall": recall and recall.model_copy(update={"recall_message_id": "r"}),
            "contact_information": (
                first.model_copy(update={"contact_role": "Sender"}),
                *(c.model_copy(update={"contact_role": "Owner"}) for c in others),
            ),
            "resource_information": tuple(
                _lawful_item(item, i, offers=offers)
                for i, item in enumerate(message.resource_information)
            ),
        }
    )


def _lawful_item(item: Any, number: int, *, offers: bool) -> Any:
    schedule = tuple(
        s for s in item.schedule_information
        if s.schedule_type not in {"BeginAvailable", "EndAvailable"}
    )  # fmt: skip
    if offers:
        schedule += (
            ScheduleInformation(schedule_type="BeginAvailable", date_time=_BEGIN),
            ScheduleInformation(
                schedule_type="EndAvailable", date_time=_BEGIN + timedelta(microseconds=1)
            ),
        )
    return item.model_copy(
        update={"resource_info_element_id": str(number), "schedule_information": schedule}
    )
