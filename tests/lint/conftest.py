"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a slow computer is no failure
settings.load_profile("untimed")
