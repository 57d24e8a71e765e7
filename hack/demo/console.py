"""Lines for people, each with the seconds since the start, and waits that end.

A terminal may be gone while we clean up behind it, so a line that cannot be written is dropped.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable

from hack.demo.errors import DemoError

TELL_EVERY_S = 5.0
_began = time.monotonic()


def elapsed() -> float:
    return time.monotonic() - _began


def say(message: str) -> None:
    plain(f"[{elapsed():4.0f} s] {message}")


def plain(text: str, *, end: str = "\n") -> None:
    """On stdout and flushed, so that lines keep their order in a pipe."""
    with contextlib.suppress(OSError, ValueError):
        print(text, end=end, flush=True)


def forget_stdout() -> None:
    """Python would complain once more at its end that nobody reads us."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    sys.stdout = None


def wait_for(
    what: str,
    done: Callable[[], bool],
    *,
    seconds: float,
    otherwise: str,
    interval: float = 0.2,
) -> None:
    """Returns when `done` holds, telling every few seconds that it does not yet.

    Raises:
        DemoError: it did not hold in time; `otherwise` says what that means and where to look.
    """
    began = told = time.monotonic()
    while not done():
        now = time.monotonic()
        if now - began > seconds:
            raise DemoError(f"Waited {seconds:.0f} s in vain for {what}. {otherwise}")
        if now - told >= TELL_EVERY_S:
            told = now
            say(f"  waiting for {what} ({now - began:.0f} of at most {seconds:.0f} s)")
        time.sleep(interval)
