"""Questions that came to nothing, each by itself, and when its resource is offered for it again.

What no model answers in time is not answered in time when it is asked again at once, and each time
costs tokens, and the patience of those who wait behind it. So a resource whose question came to
nothing waits outside of the queue, twice as long each time. When its evidence has changed meanwhile
it waits minutes at most, not hours: a workload that says something new at every restart is not to
be asked about at every restart either. A new generation of the resource is asked about at once, as
somebody wants to know.

Where the error tells when the question may be asked again, it is not offered before: the question
itself is known to `model/postponing.py`. Here it is known of which resource it is,
so that no evidence is gathered, and no turn taken, in vain.

Of this process, and bounded: one that takes over asks once more.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kausa.controller.sightings import ResourceKey
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.postponing import RESTS

__all__ = ["REST_OF_CHANGED_SECONDS", "Resting"]

REST_OF_CHANGED_SECONDS: Final = 600.0
"""The longest where what is asked about is another by now."""
MOST_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    generation: int
    digests: tuple[str, ...]
    """Of the question as it was asked."""
    error: ModelError
    began: float
    seconds: float
    times: int
    """That it came to nothing, in a row."""


class Resting:
    """By resource; decides from what it is told and its clock."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests: OrderedDict[ResourceKey, _Rest] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rests)

    def came_to_nothing(
        self, key: ResourceKey, *, generation: int, digests: tuple[str, ...], error: ModelError
    ) -> None:
        """Its turn was in vain: it rests from now on."""
        # The frames of a traceback hold all the evidence of that turn.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        before = self._rests.pop(key, None)
        times = 1 + (before.times if before and before.generation == generation else 0)
        told: float = getattr(error, "retry_after_seconds", None) or 0.0
        self._rests[key] = _Rest(
            generation=generation,
            digests=digests,
            error=error,
            began=self._clock(),
            seconds=max(told, RESTS.seconds(times=times - 1)),
            times=times,
        )
        while len(self._rests) > MOST_KEYS:
            self._rests.popitem(last=False)

    def why(
        self, key: ResourceKey, *, generation: int, digests: tuple[str, ...] | None = None
    ) -> ModelError | None:
        """Why it is not offered now; None where it may be.

        `digests`: of what would be asked; None where nobody has looked, which counts as the same.
        """
        rest = self._rests.get(key)
        if rest is None or rest.generation != generation:
            return None
        changed = digests is not None and digests != rest.digests
        seconds = min(rest.seconds, REST_OF_CHANGED_SECONDS) if changed else rest.seconds
        return rest.error if self._clock() < rest.began + seconds else None

    def forget(self, key: ResourceKey) -> None:
        """It was answered, or nobody needs an answer any more."""
        self._rests.pop(key, None)
