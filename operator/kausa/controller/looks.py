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
from kausa.telemetry.doubling import Doubling
from kausa.telemetry.following import follow
from kausa.telemetry.logs import get_logger

__all__ = ["Looks"]

AFTER_CHANGE_SECONDS = 30.0
AFTER_RETURN_SECONDS = 60.0
AFTER_GAP = Doubling(first_seconds=60.0, longest_seconds=3600.0)
AFTER_NEWS_SECONDS = 10.0
"""Longer than a look takes: one that began before the news does not count for one after it."""
MOST_KEYS = 10_000
MOST_WORDS = 8
MOST_AT_ONCE = 4
TICK_SECONDS = 1.0
_logger = get_logger("kausa.controller.looks")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    words: tuple[str, ...]
    """What Kubernetes has said so far; Pods of one owner may say different things in turn."""
    at: float
    looked_on: str | None = None
    """What it said when it was looked at last; None where that was before we heard anything."""
    heard_at: float = 0.0
    """When it last said that."""
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
        self.on_forget: Callable[[ResourceKey], None] = lambda _key: None
        """Told of each failure that is over, gone, or not to be looked at any more."""

    def __len__(self) -> int:
        return len(self._looks)

    def seen(self, key: ResourceKey, symptom: Symptom) -> None:
        """The failure was seen (again)."""
        words, now = normalise(symptom.message), self._clock()
        known = self._looks.get(key)
        if known is None:
            self._keep(key, _Look(words=(words,), at=now))
        elif words not in known.words:
            due = min(known.due, max(now, known.at + AFTER_CHANGE_SECONDS))
            heard = (*known.words, words)[-MOST_WORDS:]
            self._keep(key, replace(known, words=heard, due=due))
        elif now >= known.at + self._refresh_seconds or self._is_back(known, words):
            later = tuple(each for each in known.words if each != words)
            self._keep(key, replace(known, words=(*later, words), due=min(known.due, now)))
        elif words == known.looked_on:
            self._keep(key, replace(known, heard_at=now))

    def _is_back(self, known: _Look, words: str) -> bool:
        """It says again what it said before, and no more what it was looked at for. Several Pods
        that say different things in turn never fall silent for so long.
        """
        silent = self._clock() - max(known.heard_at, known.at)
        other = known.looked_on is not None and words != known.looked_on
        return other and silent >= AFTER_RETURN_SECONDS

    def looked(self, key: ResourceKey, *, missing: bool, waits: bool = False) -> None:
        """It was diagnosed; where something was missing, it is due again, later each time.

        `waits`: for the model, of which nobody knows yet whether it will be missing.
        """
        now = self._clock()
        known = self._looks.get(key) or _Look(words=(), at=now)
        attempts = known.attempts + 1 if missing else known.attempts if waits else 0
        # What was seen while it was looked at is kept; what was due before it is done.
        due = known.due if known.due > now else float("inf")
        if missing:
            due = min(due, now + AFTER_GAP.seconds(times=attempts - 1))
        last = known.words[-1] if known.words else None
        self._keep(key, replace(known, at=now, looked_on=last, due=due, attempts=attempts))

    def later(self, key: ResourceKey) -> None:
        """It cannot be looked at just now: somebody is at it."""
        self._again(key, AFTER_GAP.first_seconds)

    def all_again(self) -> None:
        """More can be found out than before: all is due soon, what is looked at now as well."""
        due = self._clock() + AFTER_NEWS_SECONDS
        for key, look in self._looks.items():
            self._looks[key] = replace(look, due=min(look.due, due))

    def rest(self, key: ResourceKey) -> None:
        """Nothing shows the failure just now; it is heard of again where it goes on."""
        self._looks.pop(key, None)

    def forget(self, key: ResourceKey) -> None:
        """The failure is over, or its resource gone."""
        self.rest(key)
        self.on_forget(key)

    def due(self) -> tuple[ResourceKey, ...]:
        """What is to be looked at now."""
        now = self._clock()
        return tuple(key for key, look in self._looks.items() if look.due <= now)

    async def run(self, look: Callable[[ResourceKey], Awaitable[None]]) -> None:
        """Have everything that is due looked at, a few at a time, until cancelled."""
        in_flight: set[ResourceKey] = set()

        async def one(key: ResourceKey) -> None:
            follow("/".join(key))
            try:
                await look(key)
            except ClusterError as error:
                _logger.debug("Could not look again", name="/".join(key), why=str(error))
                self._again_later(key)
            except Exception:
                # A defect in one diagnosis must not end the operator.
                _logger.exception("Could not look again", name="/".join(key))
                self._again_later(key)
            finally:
                in_flight.discard(key)

        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                for key in self.due():
                    if key in in_flight or len(in_flight) >= MOST_AT_ONCE:
                        continue
                    in_flight.add(key)
                    self._keep(key, replace(self._looks[key], due=float("inf")))
                    tasks.create_task(one(key))

    def _again_later(self, key: ResourceKey) -> None:
        self._again(key, AFTER_GAP.longest_seconds / 6)

    def _again(self, key: ResourceKey, seconds: float) -> None:
        known = self._looks.get(key)
        if known is not None:
            self._keep(key, replace(known, due=min(known.due, self._clock() + seconds)))

    def _keep(self, key: ResourceKey, look: _Look) -> None:
        self._looks[key] = look
        self._looks.move_to_end(key)
        while len(self._looks) > MOST_KEYS:
            self._looks.popitem(last=False)
