"""What stands in a message, under the standard's names: between XML and the model.

A draft is a dictionary for each complex element: text for a simple element, a list
where an element may repeat, and the canonical XML of what other standards rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.rm.layout import Group
from schemas.rm.raw import raw_text
from schemas.rm.tables import MESSAGES

if TYPE_CHECKING:
    from schemas.rm.layout import Kind

__all__ = ["CARRIED", "Draft", "draft_of"]

Draft = dict[str, Any]

CARRIED: Final[frozenset[Kind]] = frozenset({"address", "party", "area", "any"})
"""The kinds of elements that other standards rule."""


def draft_of(root: etree._Element) -> Draft:
    """Return the draft of a message whose structure holds."""
    return _draft(root, MESSAGES[etree.QName(root).localname])


def _draft(parent: etree._Element, group: Group) -> Draft:
    elements = {element.tag: element for element in group.elements}
    draft: Draft = {}
    for child in parent:
        element = elements[etree.QName(child).localname]
        value: Any
        if element.group is not None:
            value = _draft(child, element.group)
        elif element.kind in CARRIED:
            value = raw_text(child)
        else:
            value = child.text or ""
        if element.many:
            draft.setdefault(element.tag, []).append(value)
        else:
            draft[element.tag] = value
    return draft
