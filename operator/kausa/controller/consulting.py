"""The model's queue as the controller uses it: offers, turns, and what resources say meanwhile.

A resource that waits says so in its condition, with the reason. Where that becomes another one
because the model goes away, or is back, all that wait are told, one after the other, in order, and
some a second at most, as nobody is in a hurry to read it: a thousand writes at once would be in the
way of facts. Whose turn comes meanwhile is left out, and who says it already as well, so that a
model that comes and goes costs no more writes than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kausa.cluster.errors import (
    ApiUnreachableError,
    ClusterError,
    ConflictError,
    OverloadedError,
)
from kausa.controller.sightings import ResourceKey
from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue, NotNow
from kausa.diagnosis.rules.wording import plural
from kausa.telemetry.following import follow
from kausa.telemetry.logs import get_logger

__all__ = ["QUEUED", "QUEUE_FULL", "Consulting", "Why"]

Why = tuple[str, str]
"""A word for the condition, and a sentence."""
QUEUED: Final = "Queued"
QUEUE_FULL: Final = "QueueFull"
PUSHED_OUT: Final = (
    QUEUE_FULL,
    "more urgent failures wait for the model (KAUSA_MODEL_QUEUE_SIZE); it is offered again later",
)
OVER: Final = ("NotNeeded", "it was over, or to be left alone, before the model had answered")
PAUSE_SECONDS: Final = 5.0
"""Where the API server does not answer."""
PACE_SECONDS: Final = 0.2
"""Between two resources that are told why they wait: a thousand take some minutes."""
SETTLED_SECONDS: Final = 15.0
"""Of being asked until a model that is back is believed to be."""
MOST_UNTOLD: Final = 10_000
_logger = get_logger("kausa.controller.consulting")


class Consulting:
    """For one event loop."""

    def __init__(self, *, queue: ConsultationQueue[ResourceKey], gate: Gate) -> None:
        self._queue = queue
        self._gate = gate
        self._untold: dict[ResourceKey, Why] = {}
        """Who left the queue, and does not say so yet."""
        self._news = asyncio.Event()
        self._says: dict[ResourceKey, str] = {}
        """The word that the condition of each that waits shows."""
        self._stale = asyncio.Event()
        """It may be that one of them says what does not hold."""
        self._turned = asyncio.Event()
        gate.on_news = self._gate_turned

    def offer(
        self,
        key: ResourceKey,
        *,
        bonus_seconds: float,
        waited_seconds: float = 0.0,
        says: str | None = None,
    ) -> Why:
        """Let it wait for its turn; why there is no answer yet.

        `says`: the word that its condition shows, where what is returned is not written there; if
        there is no room, that is told later.
        """
        why = self._offer(key, bonus_seconds=bonus_seconds, waited_seconds=waited_seconds)
        if why == PUSHED_OUT and says is not None:
            self._has_left(key, why)
        if self._queue.before(key) is not None:
            self._says[key] = says or why[0]
            if says not in (None, why[0]):
                self._stale.set()
        return why

    def _offer(self, key: ResourceKey, *, bonus_seconds: float, waited_seconds: float) -> Why:
        offered = self._queue.offer(key, bonus_seconds=bonus_seconds, waited_seconds=waited_seconds)
        if offered.pushed_out == key:
            return PUSHED_OUT
        self._untold.pop(key, None)
        if offered.pushed_out is not None:
            self._has_left(offered.pushed_out, PUSHED_OUT)
        return self._why(offered.before)

    def waits(self, key: ResourceKey) -> bool:
        """Whether its turn is still to come."""
        return self._queue.before(key) is not None

    def _why(self, before: int) -> Why:
        if self._gate.why is not None:
            return self._gate.why
        if not before:
            return QUEUED, "the model is asked next"
        return QUEUED, f"the model is asked about {plural(before, 'other')} first"

    def is_asking(self, key: ResourceKey) -> bool:
        """Whether the model is at this one."""
        return self._queue.is_asking(key)

    def interrupt(self, key: ResourceKey) -> None:
        """What is asked about this one is out of date."""
        self._queue.interrupt(key)

    def forget(self, key: ResourceKey) -> None:
        """It is over, or gone: nobody needs an answer."""
        if self._queue.forget(key):
            self._has_left(key, OVER)

    def _has_left(self, key: ResourceKey, why: Why) -> None:
        self._says.pop(key, None)
        if len(self._untold) < MOST_UNTOLD:
            self._untold[key] = why
            self._news.set()

    async def run(
        self,
        *,
        ask: Callable[[ResourceKey], Awaitable[None]],
        tell: Callable[[ResourceKey, Why], Awaitable[None]],
    ) -> None:
        """Hand out turns, and tell who waits why, until cancelled."""

        async def turn(key: ResourceKey) -> None:
            follow("/".join(key))
            says = self._says.pop(key, None)
            try:
                await ask(key)
            except NotNow as error:
                said = error.error.reason if error.error is not None else says
                if said is not None:
                    self._says[key] = said
                raise
            except ClusterError as error:
                _logger.debug("Could not ask the model", name="/".join(key), why=str(error))
                if says is not None:
                    self._says.setdefault(key, says)
                raise NotNow(pause_seconds=PAUSE_SECONDS) from error

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gate.run(), name="gate of the model")
            tasks.create_task(self._queue.run(turn), name="queue of the model")
            tasks.create_task(self._tell_who_waits(tell), name="news of the model")
            tasks.create_task(self._tell_who_left(tell), name="who left the queue")

    async def _tell_who_waits(self, tell: Callable[[ResourceKey, Why], Awaitable[None]]) -> None:
        """Whatever becomes of the gate meanwhile: each is told what holds then."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            await self._settled()
            order = self._queue.in_order()
            self._says = {key: self._says[key] for key in order if key in self._says}
            for key in order:
                before = self._queue.before(key)
                if before is None:
                    continue
                why = self._why(before)
                said = self._says.get(key, why[0])
                if said == why[0]:
                    continue
                self._says[key] = why[0]
                told = await self._tell(tell, key, why)
                if not told and self._says.get(key) == why[0]:
                    self._says[key] = said
                    self._stale.set()
                await asyncio.sleep(PACE_SECONDS if told else PAUSE_SECONDS)

    def _gate_turned(self) -> None:
        self._turned.set()
        self._stale.set()

    async def _settled(self) -> None:
        """Wait until the gate has been open for a while, or is shut: the first question may show
        that the model is not back.
        """
        while self._gate.why is None:
            self._turned.clear()
            try:
                async with asyncio.timeout(SETTLED_SECONDS):
                    await self._turned.wait()
            except TimeoutError:
                return

    async def _tell_who_left(self, tell: Callable[[ResourceKey, Why], Awaitable[None]]) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._untold:
                key = next(iter(self._untold))
                why = self._untold.pop(key)
                if not await self._tell(tell, key, why):
                    # Nobody else would: it would say for ever that it waits.
                    if not self.waits(key) and not self.is_asking(key):
                        self._untold.setdefault(key, why)
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _tell(
        self, tell: Callable[[ResourceKey, Why], Awaitable[None]], key: ResourceKey, why: Why
    ) -> bool:
        """False where it is worth another try."""
        try:
            await tell(key, why)
        except ClusterError as error:
            _logger.debug("Could not say why it waits", name="/".join(key), why=str(error))
            return not isinstance(error, ApiUnreachableError | OverloadedError | ConflictError)
        except Exception:
            _logger.exception("Could not say why it waits", name="/".join(key))
        return True
