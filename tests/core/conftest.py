"""Properties are held against many values, and never against the clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A loaded machine is slow, not wrong.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("untimed")
