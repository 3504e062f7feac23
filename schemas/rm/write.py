"""Writing: from an aid message to the bytes of a valid EDXL-RM 1.0 message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.rm.layout import MESSAGES, NAMESPACE_RM, Element, Group, namespace_of
from schemas.rm.values import write_amount, write_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.rm.model import AidMessage

__all__ = ["write_aid", "write_aid_json"]

_WRITERS: Final[dict[str, Callable[[Any], str]]] = {"time": write_time, "amount": write_amount}
_CARRIED: Final = frozenset(["address", "party", "area", "any"])


def write_aid(message: AidMessage) -> bytes:
    """Write *message* as EDXL-RM 1.0 in UTF-8, valid by the standard's schema.

    Reading it back gives an equal message, if the message keeps the hub's rules.
    """
    name = message.message_content_type
    namespace = namespace_of(name)
    root = etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace, "rm": NAMESPACE_RM})
    _write(root, message, MESSAGES[name], namespace)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _write(parent: etree._Element, value: Any, group: Group, namespace: str) -> None:
    # What all messages share has its parts in the shared namespace, all the way down.
    namespace = NAMESPACE_RM if group.common else namespace
    for element in group.elements:
        found = getattr(value, element.key)
        if found is None:
            continue
        for item in found if element.many else (found,):
            _append(parent, element, item, namespace)


def _append(parent: etree._Element, element: Element, item: Any, namespace: str) -> None:
    tag = f"{{{namespace}}}{element.tag}"
    if element.kind in _CARRIED:
        carried = item.element()
        carried.tag = tag
        parent.append(carried)
        return
    child = etree.SubElement(parent, tag)
    if element.group is not None:
        _write(child, item, element.group, namespace)
    else:
        child.text = _WRITERS.get(element.kind, str)(item)


def write_aid_json(message: AidMessage) -> bytes:
    """Write *message* in the JSON form: the standard's names, arrays where it has several."""
    said = message.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    said["MessageContentType"] = message.message_content_type
    return json.dumps(said, ensure_ascii=False).encode()
