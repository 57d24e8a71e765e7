"""What the probes answer: alive while the streams work, ready once everything was read."""

from __future__ import annotations

import time
from collections.abc import Callable

from kausa.controller.streams import Streams

__all__ = ["Health"]


class Health:
    """Asked by the kubelet every few seconds; None means well, a text says what is wrong."""

    def __init__(self, *, dead_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._dead_seconds = dead_seconds
        self._clock = clock
        self._streams: Streams | None = None
        self._answered = False

    def api_answered(self) -> None:
        """The API server has answered, and lets us in."""
        self._answered = True

    def leads(self, streams: Streams) -> None:
        """This process leads from now on, with these streams."""
        self._streams = streams

    def livez(self) -> str | None:
        """A stream that has been dead for too long may live again in a new process."""
        if self._streams is None:
            return None
        now = self._clock()
        dead = {
            kind: seconds
            for kind, watcher in self._streams.watchers.items()
            if not watcher.forbidden and (seconds := watcher.dead_seconds(now)) > self._dead_seconds
        }
        if not dead:
            return None
        return "; ".join(
            f"the watch of {kind} has not worked for {seconds:.0f} s"
            for kind, seconds in sorted(dead.items())
        )

    def readyz(self) -> str | None:
        """Who stands by is ready to; who leads is ready once everything was listed."""
        if not self._answered:
            return "the API server has not answered yet"
        if self._streams is None or self._streams.synced:
            return None
        waiting = [
            kind
            for kind, watcher in self._streams.watchers.items()
            if not watcher.synced.is_set() and not watcher.forbidden
        ]
        return f"not listed yet: {', '.join(sorted(waiting))}"
