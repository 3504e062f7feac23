"""What stands in a message, as text under the model's names: between XML or JSON and the model.

A draft is a dictionary for each complex element: text for a simple element, a
list where an element may repeat, a dictionary or a list of them for what is
complex. Rules read drafts; what passes them becomes models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from schemas.cap.layout import ALERT, ALERT_11, NAMESPACE_11, NAMESPACE_12, Group
from schemas.cap.structure import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Draft", "Path", "document_order", "draft_of", "lines_of", "path_text"]

Draft = dict[str, Any]

Path = tuple[tuple[str, int], ...]
"""The way from the root: (tag, place among its namesakes from 1, or 0 where it stands alone)."""

_Plan = dict[str, tuple[str, bool, Any]]


def _plan(group: Group, namespace: str) -> _Plan:
    return {
        f"{{{namespace}}}{element.tag}": (
            element.key,
            element.many,
            None if element.group is None else _plan(element.group, namespace),
        )
        for element in group.elements
    }


_PLANS: Final = {
    NAMESPACE_12: _plan(ALERT, NAMESPACE_12),
    NAMESPACE_11: _plan(ALERT_11, NAMESPACE_11),
}


def draft_of(root: etree._Element, namespace: str) -> Draft:
    """Return the draft of an alert whose structure holds. A signature is left out."""
    return _draft(root, _PLANS[namespace])


def _draft(parent: etree._Element, plan: _Plan) -> Draft:
    draft: Draft = {}
    for element in parent:
        step = plan.get(element.tag)  # type: ignore[arg-type]  # stubs let a tag be bytes
        if step is None:
            continue
        key, many, inner = step
        value = (element.text or "") if inner is None else _draft(element, inner)
        if not many:
            draft[key] = value
        elif key in draft:
            draft[key].append(value)
        else:
            draft[key] = [value]
    return draft


def path_text(path: Path) -> str:
    """Write a path as findings have it: ``alert/info[1]/area[2]/polygon[1]``."""
    return "/".join(["alert", *(f"{tag}[{place}]" if place else tag for tag, place in path)])


def _orders(group: Group) -> dict[str, tuple[int, Any]]:
    return {
        element.tag: (i, None if element.group is None else _orders(element.group))
        for i, element in enumerate(group.elements)
    }


_ORDERS: Final = _orders(ALERT)


def document_order(path: Path) -> tuple[int, ...]:
    """Return a key that sorts paths as their elements stand in a document."""
    key: list[int] = []
    orders: Any = _ORDERS
    for tag, place in path:
        at, orders = orders[tag]
        key += (at, place)
    return tuple(key)


def lines_of(root: etree._Element, namespace: str) -> Callable[[Path], int | None]:
    """Return what tells the line of the element at a path, or of the nearest above it.

    Siblings are listed once, or a thousand findings among a thousand siblings
    would take a million steps.
    """
    listed: dict[tuple[Path, str], list[etree._Element]] = {}

    def line(path: Path) -> int | None:
        element = root
        for depth, (tag, place) in enumerate(path):
            key = (path[:depth], tag)
            namesakes = listed.get(key)
            if namesakes is None:
                namesakes = listed[key] = list(element.iterchildren(f"{{{namespace}}}{tag}"))
            if len(namesakes) < place or not namesakes:
                break
            element = namesakes[max(place - 1, 0)]
        return line_of(element)

    return line
