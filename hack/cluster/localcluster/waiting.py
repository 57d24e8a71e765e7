"""Waiting with a deadline; nothing here waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from localcluster.errors import ComponentFailed

INTERVAL_S = 0.1


def wait_for(
    what: str,
    done: Callable[[], bool],
    *,
    timeout_s: float,
    log: Path | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """Returns when `done` holds; fails at the deadline, or at once when `alive` does not hold."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if not alive():
            raise ComponentFailed(f"{what}: its process died", log=log)
        if time.monotonic() > deadline:
            raise ComponentFailed(f"{what}: not ready after {timeout_s:.0f} s", log=log)
        time.sleep(INTERVAL_S)
