"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A slow machine is no failure; every test has its own generous timeout.
settings.register_profile("kausa", deadline=None, max_examples=60)
settings.load_profile("kausa")
