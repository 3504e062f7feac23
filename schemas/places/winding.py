"""What a ring goes around, also one that crosses itself."""

from __future__ import annotations

from typing import Any

import shapely

from schemas.places.outlines import Outlines

__all__ = ["gone_around"]


def gone_around(ring: Any, known: Outlines) -> set[int]:
    """Return the shapes of *known* of which a whole part is inside a ring; linear in its points.

    Inside is around what it winds, be it once or many times: also the middle of a star, which
    the rule of even and odd crossings leaves out. What the line itself touches, and no part
    of which is inside, may be missing: an STRtree tells that.
    """
    west, south, east, north = ring.bounds
    x, y = known.insides.T
    near = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    inside = _winds(shapely.get_coordinates(ring), known.insides[near])
    return set(known.inside_of[near][inside].tolist())


def _winds(ring: Any, points: Any) -> Any:
    """Return for each point whether a ring winds around it; both are arrays of x and y."""
    x, y = points[:, :1], points[:, 1:]
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
    up = ((y0 <= y) & (y1 > y) & (left > 0)).sum(axis=1)
    down = ((y1 <= y) & (y0 > y) & (left < 0)).sum(axis=1)
    return up != down
