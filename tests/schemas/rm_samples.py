"""A message of each type with every element that it may have, along the standard's table."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from rm_strategies import model_of

from schemas.rm import MESSAGE_TYPES, Address, AidMessage, Party, TargetArea, TypeInfo
from schemas.rm.layout import Element, Group
from schemas.rm.tables import MESSAGES

VALUES: dict[str, Any] = {
    "time": "2026-11-23T14:00:00.5+04:00",
    "uri": "urn:caspian:resource:oil-spill",
    "amount": Decimal("2.5"),
    "address": Address(lines=("Neftçilər prospekti 1",), country="AZ"),
    "party": Party(organisation="FHN", emails=("duty@fhn.gov.az",)),
    "area": TargetArea(polygon=((40, 49), (41, 49), (41, 50), (40, 49))),
    "any": TypeInfo(xml="<TypeInfo><crew>12</crew></TypeInfo>"),
}


def _value(element: Element, model: Any) -> Any:
    if element.group is not None:
        return _full(element.group, model_of(model, element.key))
    if element.kind == "enum":
        return element.values[-1]
    return VALUES.get(element.kind, element.tag)


def _full(group: Group, model: Any) -> Any:
    fields = {}
    for element in group.elements[-1:] if group.choice else group.elements:
        value = _value(element, model)
        fields[element.key] = (value, value) if element.many else value
    return model(**fields)


@cache
def full_message(name: str) -> AidMessage:
    """Make the message; it breaks rules, for its items have one number."""
    message: AidMessage = _full(MESSAGES[name], MESSAGE_TYPES[name])
    return message
