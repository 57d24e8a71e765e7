"""How much the tests try: little each time, much when HYPOTHESIS_PROFILE=thorough is asked for.

A unit run shows a mistake with few examples and texts of some ten kilobytes; `make thorough`
looks for the rare one with hundreds of examples and whole megabytes. That time is linear is shown
by its growth and not by a ceiling in seconds: a loaded machine is slow at both sizes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

__all__ = ["HOSTILE_SIZE", "PROFILE", "THOROUGH", "assert_linear"]

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
THOROUGH = PROFILE == "thorough"
HOSTILE_SIZE = 1_000_000 if THOROUGH else 64_000
"""Characters of a hostile text, where a test does not say otherwise."""
GRAIN_SECONDS = 0.02
"""Below that, times say nothing: the clock, a collection of garbage, another process."""
TRIES = 5


def assert_linear(
    run: Callable[[str], object], unit: str, *, size: int = HOSTILE_SIZE, end: str = ""
) -> None:
    """Twice the text takes at most three times as long: what is quadratic takes four times.

    The best of some tries counts, so that a busy machine fails nothing; what takes minutes is
    ended by the test's own timeout.

    Args:
        run: What is measured, in CPU seconds.
        unit: What the text repeats.
        size: Characters of the longer text; the shorter has half of them.
        end: What stands once behind all.
    """
    texts = [unit * (length // len(unit)) + end for length in (size // 2, size)]
    once = twice = float("inf")
    for _ in range(TRIES):
        once, twice = min(once, _seconds(run, texts[0])), min(twice, _seconds(run, texts[1]))
        if twice < 3 * once + GRAIN_SECONDS:
            return
    raise AssertionError(f"{unit[:80]!r}: {once:.3f} s, and {twice:.3f} s for twice as much")


def _seconds(run: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    run(text)
    return time.process_time() - began
