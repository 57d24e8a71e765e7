"""What all tests share: how many examples they try, and garbage that is not looked at twice."""

from __future__ import annotations

import gc

from hypothesis import settings
from support.effort import PROFILE

# A slow machine is no failure; every test has its own generous timeout. `make thorough` selects
# the second; tests name a number of their own only where an example costs seconds.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile(PROFILE)


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: collecting garbage shall not walk them."""
    gc.collect()
    gc.freeze()
