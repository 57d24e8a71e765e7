"""The model's queue as the controller uses it: offers, turns, and what resources say meanwhile.

A resource that waits says so in its condition, with the reason. Where that becomes another one
because the model goes away, all that wait are told, one after the other and in order, as nobody is
in a hurry to read it: a thousand writes at once would be in the way of facts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from kausa.cluster.errors import ClusterError
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

    def offer(self, key: ResourceKey, *, bonus_seconds: float, waited_seconds: float = 0.0) -> Why:
        """Let it wait for its turn; why there is no answer yet."""
        offered = self._queue.offer(key, bonus_seconds=bonus_seconds, waited_seconds=waited_seconds)
        if offered.pushed_out == key:
            return PUSHED_OUT
        self._untold.pop(key, None)
        if offered.pushed_out is not None:
            self._has_left(offered.pushed_out, PUSHED_OUT)
        if self._gate.why is not None:
            return self._gate.why
        if not offered.before:
            return QUEUED, "the model is asked next"
        return QUEUED, f"the model is asked about {plural(offered.before, 'other')} first"

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
            try:
                await ask(key)
            except ClusterError as error:
                _logger.debug("Could not ask the model", name="/".join(key), why=str(error))
                raise NotNow(pause_seconds=PAUSE_SECONDS) from error

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gate.run(), name="gate of the model")
            tasks.create_task(self._queue.run(turn), name="queue of the model")
            tasks.create_task(self._tell_when_shut(tell), name="news of the model")
            tasks.create_task(self._tell_who_left(tell), name="who left the queue")

    async def _tell_when_shut(self, tell: Callable[[ResourceKey, Why], Awaitable[None]]) -> None:
        while True:
            await self._gate.wait_shut()
            told = self._gate.why
            for key in self._queue.in_order():
                if self._gate.why is None:
                    break
                await self._tell(tell, key, self._gate.why)
            await self._gate.wait_changed(told)

    async def _tell_who_left(self, tell: Callable[[ResourceKey, Why], Awaitable[None]]) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._untold:
                key = next(iter(self._untold))
                await self._tell(tell, key, self._untold.pop(key))

    async def _tell(
        self, tell: Callable[[ResourceKey, Why], Awaitable[None]], key: ResourceKey, why: Why
    ) -> None:
        try:
            await tell(key, why)
        except ClusterError as error:
            _logger.debug("Could not say why it waits", name="/".join(key), why=str(error))
        except Exception:
            _logger.exception("Could not say why it waits", name="/".join(key))
