"""A box of the earth, as a query string gives it: south, west, north and east in degrees."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from hub.errors import Rejected

__all__ = ["Box", "read_box"]

Box = Annotated[str | None, Query(description="south,west,north,east")]


def read_box(written: str | None) -> list[float] | None:
    """Return its numbers, None for no box; what takes them holds them against one another.

    Raises:
        Rejected: ``filter-invalid``; they are not numbers.
    """
    if not written:
        return None
    try:
        return [float(one) for one in written.split(",")]
    except ValueError as e:
        raise Rejected(
            "filter-invalid",
            f"{written[:100]!r} is no box",
            remedy="Write bbox=south,west,north,east in degrees.",
        ) from e
