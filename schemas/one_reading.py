"""JSON in which every reader finds the same: no name stands twice, and nothing is no number.

RFC 8259 leaves open which of two members of one name counts, and readers differ: what one
takes for signed another never sees. Whatever somebody signs as JSON is therefore read by this.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["members_once", "no_constant", "read_once"]


def read_once(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is no JSON, an object has a name twice, or it says NaN or Infinity.
        RecursionError: it is too deep.
    """
    return json.loads(text, object_pairs_hook=members_once, parse_constant=no_constant)


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members; refuse a name that stands twice.

    Raises:
        ValueError: it does.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same name twice")
    return members


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and RFC 8259 does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{name} is not JSON")
