"""Writing: from an alert to the bytes of a valid CAP 1.2 message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.cap.layout import ALERT, NAMESPACE_12, Element, Group
from schemas.cap.values import (
    write_circle,
    write_height,
    write_list,
    write_references,
    write_ring,
    write_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.cap.model import Alert

__all__ = ["write_alert", "write_alert_json"]

_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "addresses": write_list,
    "incidents": write_list,
    "references": write_references,
    "polygon": write_ring,
    "circle": write_circle,
    "altitude": write_height,
    "ceiling": write_height,
    "sent": write_time,
    "effective": write_time,
    "onset": write_time,
    "expires": write_time,
}
_EMPTY: Final = (None, ())


def write_alert(alert: Alert) -> bytes:
    """Write *alert* as CAP 1.2 in UTF-8, valid by the standard's schema.

    Reading it back gives an equal alert, if the alert keeps the rules. A
    signature is no part of an alert: sign the bytes that this returns.
    """
    root = etree.Element(f"{{{NAMESPACE_12}}}alert", nsmap={None: NAMESPACE_12})
    _write(root, alert, ALERT)
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _write(parent: etree._Element, value: Any, group: Group) -> None:
    for element in group.elements:
        found = getattr(value, element.key)
        if found in _EMPTY:
            continue
        for item in found if element.many else (found,):
            child = etree.SubElement(parent, f"{{{NAMESPACE_12}}}{element.tag}")
            if element.group is None:
                child.text = _text(element, item)
            else:
                _write(child, item, element.group)


def _text(element: Element, value: Any) -> str:
    writer = _WRITERS.get(element.key, str)
    return writer(value)


def write_alert_json(alert: Alert) -> bytes:
    """Write *alert* in the JSON form: the standard's names, lists where it has several.

    Dates, coordinates and lists within a text are the standard's texts.
    """
    return alert.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True).encode()
