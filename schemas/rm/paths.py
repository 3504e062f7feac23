"""How findings name a place in a message, and in which order places stand."""

from __future__ import annotations

from typing import Any, Final

from schemas.rm.layout import Group
from schemas.rm.tables import MESSAGES

__all__ = ["Path", "document_order", "path_of_location", "path_text"]

Path = tuple[tuple[str, int], ...]
"""The way from the root: (tag, place among its namesakes from 1, or 0 where it stands alone)."""


def path_text(name: str, path: Path) -> str:
    """Write a path as findings have it: ``RequestResource/Funding[1]/FundCode``."""
    return "/".join([name, *(f"{tag}[{place}]" if place else tag for tag, place in path)])


def path_of_location(location: tuple[str | int, ...]) -> Path:
    """Return the path of a place that pydantic names by tags and indices from 0."""
    path: list[tuple[str, int]] = []
    for step in location:
        if isinstance(step, str):
            path.append((step, 0))
        elif path:
            path[-1] = (path[-1][0], step + 1)
    return tuple(path)


def _orders(group: Group) -> dict[str, tuple[int, Any]]:
    return {
        element.tag: (i, {} if element.group is None else _orders(element.group))
        for i, element in enumerate(group.elements)
    }


_ORDERS: Final = {name: _orders(group) for name, group in MESSAGES.items()}


def document_order(name: str, path: Path) -> tuple[int, ...]:
    """Return a key that sorts the paths in a message *name* as their elements stand in it."""
    key: list[int] = []
    orders: Any = _ORDERS[name]
    for tag, place in path:
        at, orders = orders.get(tag, (0, {}))
        key += (at, place)
    return tuple(key)
