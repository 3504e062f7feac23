"""Writing: from an aid message to the bytes of a valid EDXL-RM 1.0 message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.cap.names import in_own_thread
from schemas.rm.carried import Carried
from schemas.rm.layout import NAMESPACE_RM, Element, Group, Kind, namespace_of
from schemas.rm.tables import MESSAGES
from schemas.rm.values import write_amount, write_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.rm.model import AidMessage

__all__ = ["write_aid", "write_aid_json"]

_WRITERS: Final[dict[Kind, Callable[[Any], str]]] = {"time": write_time, "amount": write_amount}
_EMPTY: Final = (None, ())


def write_aid(message: AidMessage) -> bytes:
    """Write *message* in UTF-8, valid by the standard's schema of its type.

    Reading it back gives an equal message, if the message keeps the rules.
    """
    return in_own_thread(lambda: _written(message))


def _written(message: AidMessage) -> bytes:
    name = message.message_content_type
    space = namespace_of(name)
    root = etree.Element(f"{{{space}}}{name}", nsmap={"m": space, "rm": NAMESPACE_RM})
    _write(root, message, MESSAGES[name], space)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _write(parent: etree._Element, value: Any, group: Group, space: str) -> None:
    inside = NAMESPACE_RM if group.common else space
    for element in group.elements:
        found = getattr(value, element.key)
        if found in _EMPTY:
            continue
        for item in found if element.many else (found,):
            _append(parent, element, item, inside, space)


def _append(parent: etree._Element, element: Element, item: Any, inside: str, space: str) -> None:
    tag = f"{{{inside}}}{element.tag}"
    if isinstance(item, Carried):
        child = item.element()
        child.tag = tag
        parent.append(child)
        return
    child = etree.SubElement(parent, tag)
    if element.group is not None:
        _write(child, item, element.group, space)
    else:
        child.text = _WRITERS.get(element.kind, str)(item)


def write_aid_json(message: AidMessage) -> bytes:
    """Write *message* in the JSON form: the standard's names, arrays where it has several.

    Dates and amounts are the standard's texts. What other standards rule is an object
    of a few fields, or ``{"xml": …}`` where they cannot say it all.
    """
    said = message.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    # A message's own type is its class's default, and the reader needs it.
    said["MessageContentType"] = message.message_content_type
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
