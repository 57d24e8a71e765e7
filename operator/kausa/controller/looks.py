"""When a failure is looked at again though nobody changed its resource.

A diagnosis says why a workload fails now; a failure that goes on may come to have another cause
under the same name. So it is looked at again when Kubernetes' own message changes, when it still
repeats after a while, and soon when something could not be read. All of this can be lost with the
process: the next repeat brings it back.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from kausa.cluster.errors import ClusterError
from kausa.controller.sightings import ResourceKey
from kausa.detection.fingerprint import normalise
from kausa.detection.symptom import Symptom
from kausa.telemetry.logs import get_logger

__all__ = ["Looks"]

AFTER_CHANGE_SECONDS = 30.0
AFTER_GAP_SECONDS = 60.0
LONGEST_AFTER_GAP_SECONDS = 3600.0
MOST_KEYS = 10_000
TICK_SECONDS = 1.0
_logger = get_logger("kausa.controller.looks")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    words: str
    """What Kubernetes said when it was looked at last."""
    at: float
    due: float = float("inf")
    attempts: int = 0
    """Looks in a row at which something was missing."""


class Looks:
    """Decides when, and has it done; pure but for `run`."""

    def __init__(
        self, *, refresh_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._looks: OrderedDict[ResourceKey, _Look] = OrderedDict()

    def seen(self, key: ResourceKey, symptom: Symptom) -> None:
        """The failure was seen (again)."""
        words, now = normalise(symptom.message), self._clock()
        known = self._looks.get(key)
        if known is None:
            self._keep(key, _Look(words=words, at=now))
        elif words != known.words:
            due = min(known.due, max(now, known.at + AFTER_CHANGE_SECONDS))
            self._keep(key, replace(known, words=words, due=due))
        elif now >= known.at + self._refresh_seconds:
            self._keep(key, replace(known, due=min(known.due, now)))

    def looked(self, key: ResourceKey, *, missing: bool) -> None:
        """It was diagnosed; where something was missing, it is due again, later each time."""
        now = self._clock()
        known = self._looks.get(key) or _Look(words="", at=now)
        attempts = known.attempts + 1 if missing else 0
        wait = min(LONGEST_AFTER_GAP_SECONDS, AFTER_GAP_SECONDS * 2 ** min(attempts - 1, 10))
        due = now + wait if missing else float("inf")
        self._keep(key, replace(known, at=now, due=due, attempts=attempts))

    def forget(self, key: ResourceKey) -> None:
        """The resource is gone."""
        self._looks.pop(key, None)

    def due(self) -> tuple[ResourceKey, ...]:
        """What is to be looked at now."""
        now = self._clock()
        return tuple(key for key, look in self._looks.items() if look.due <= now)

    async def run(self, look: Callable[[ResourceKey], Awaitable[None]]) -> None:
        """Have everything that is due looked at, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for key in self.due():
                self._postpone(key)
                try:
                    await look(key)
                except ClusterError as error:
                    _logger.debug("Could not look again", name="/".join(key), why=str(error))

    def _postpone(self, key: ResourceKey) -> None:
        """Whatever comes of this look, the next one is not at once."""
        known = self._looks.get(key)
        if known is not None:
            self._keep(key, replace(known, due=self._clock() + AFTER_GAP_SECONDS))

    def _keep(self, key: ResourceKey, look: _Look) -> None:
        self._looks[key] = look
        self._looks.move_to_end(key)
        while len(self._looks) > MOST_KEYS:
            self._looks.popitem(last=False)
