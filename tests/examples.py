"""How many examples a property is held against: few in each run, many in the long one.

`make soak` runs the properties with the profile ``thorough``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

__all__ = ["examples", "mostly_soak", "register"]

_TIMES_MORE = 50
_MOST = 20_000


def register() -> None:
    """Make the profiles known. A loaded machine is slow, not wrong: nothing has a deadline."""
    common: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("usual", max_examples=30, **common)
    settings.register_profile("thorough", max_examples=2000, **common)


def examples(usual: int, **more: Any) -> settings:
    """Hold a property against *usual* examples, or fifty times as many in the long run."""
    thorough = settings.get_current_profile_name() == "thorough"
    count = min(usual * _TIMES_MORE, _MOST) if thorough else usual
    return settings(max_examples=count, **more)


def mostly_soak(cases: Iterable[Any], usual: Callable[[Any], bool]) -> list[Any]:
    """Return all cases as parameters, of which only those that are *usual* run each time."""
    return [
        pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=_marks(usual(one)))
        for one in cases
    ]


def _marks(usual: bool) -> tuple[pytest.MarkDecorator, ...]:  # noqa: FBT001 - read where it is called
    return () if usual else (pytest.mark.soak,)
