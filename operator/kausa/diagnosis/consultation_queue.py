"""Who waits for a model, and whose turn it is.

The order is by age, and urgency is age as well: a failure that is more urgent counts as one that
has waited so many seconds longer. So the rank of each is fixed when it comes, whoever waits is
never overtaken by one that came later than the largest of these bonuses, and nothing starves. Who
was pushed out of a full queue, or failed, keeps its age for the next time.

Only keys wait, never evidence: it is gathered anew when the turn has come, so that a long queue
takes no memory, and an answer is about what is there then.

Nobody is handed out while the gate (`consultation_gate.py`) is shut, nor twice at a time: a turn
looks at what is there when it begins, so an offer that comes while one is under way asks for
nothing more, unless that turn was stopped.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Generic, TypeVar

from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_order import Order, Waiting
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.telemetry.logs import get_logger

__all__ = ["ConsultationQueue", "NotNow", "Offered", "urgency_seconds"]

MOST_BONUS_SECONDS: Final = 900.0
MOST_ATTEMPTS: Final = 3
"""Turns of one failure that end because the server fails; then others are to have theirs."""
MOST_AGES: Final = 20_000
Key = TypeVar("Key", bound=Hashable)
_logger = get_logger("kausa.diagnosis.consultation_queue")


class NotNow(Exception):
    """A turn came to nothing and comes again; raised by who is handed a turn."""

    def __init__(self, error: ModelError | None = None, *, pause_seconds: float = 0.0) -> None:
        """`error`: why no model can be asked, which shuts the gate; None where something else was
        in the way, for which this worker waits.
        """
        super().__init__(str(error) if error is not None else "later")
        self.error = error
        self.pause_seconds = pause_seconds


class Left(StrEnum):
    """Why somebody left the queue without an answer."""

    FULL = "full"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Generic[Key]):
    """What became of an offer."""

    before: int = 0
    """How many come first, those that are asked about now among them."""
    pushed_out: Key | None = None
    """Who found no room any more; it may be the one that was offered."""


def urgency_seconds(*, asked_by_person: bool, determined: bool, failing: int) -> float:
    """How many seconds of waiting a failure is given for its urgency.

    A person who asked waits at the screen. Where rules name no cause there is nothing to go by. The
    more objects fail, the more depends on it, by the order of magnitude.
    """
    asked = 600.0 if asked_by_person else 0.0
    unknown = 0.0 if determined else 120.0
    wide = 30.0 * min(6, max(0, failing).bit_length())
    return min(MOST_BONUS_SECONDS, asked + unknown + wide)


class ConsultationQueue(Generic[Key]):
    """For one event loop."""

    def __init__(
        self,
        *,
        size: int,
        concurrent: int,
        gate: Gate,
        metrics: ModelMetrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._concurrent = concurrent
        self._gate = gate
        self._metrics = metrics
        self._clock = clock
        self._order: Order[Key] = Order()
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._ages: OrderedDict[Key, float] = OrderedDict()
        """Since when each has waited, of those that have no answer yet."""
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        gate.on_open = self._changed.set
        if metrics is not None:
            metrics.observe_queue(
                waiting=lambda: len(self._order),
                asking=lambda: len(self._asking),
                oldest=lambda: self.oldest_seconds,
            )

    def __len__(self) -> int:
        return len(self._order)

    @property
    def size(self) -> int:
        """How many may wait."""
        return self._size

    @property
    def asking(self) -> int:
        """How many are asked about now."""
        return len(self._asking)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of those that wait has waited; 0 where nobody does."""
        now = self._clock()
        return max((now - each.since for each in self._order), default=0.0)

    def in_order(self) -> tuple[Key, ...]:
        """Who waits, in the order of their turns."""
        return tuple(each.key for each in self._order)

    def is_asking(self, key: Key) -> bool:
        """Whether this one is asked about now."""
        return key in self._asking

    def before(self, key: Key) -> int | None:
        """How many come before this one, those that are asked about now among them; None where it
        does not wait.
        """
        place = self._order.place(key)
        return None if place is None else place + len(self._asking)

    # -- coming and going ------------------------------------------------------------------------

    def offer(
        self, key: Key, *, bonus_seconds: float = 0.0, waited_seconds: float = 0.0
    ) -> Offered[Key]:
        """Let it wait for its turn; who waits already keeps its place, or gets a better one, and
        whose turn it is has what it wants.

        `waited_seconds`: how long it waits already, in an earlier process, as far as its status
        tells: that may be how long no model was needed, so it counts for the largest bonus at most.
        """
        if self._is_answering(key):
            return Offered()
        waited = min(MOST_BONUS_SECONDS, max(0.0, waited_seconds))
        since = self._ages.setdefault(key, self._clock() - waited)
        self._trim_ages()
        rank = since - min(MOST_BONUS_SECONDS, max(0.0, bonus_seconds))
        known = self._order.get(key)
        if known is None:
            self._order.put(Waiting(key=key, since=since, rank=(rank, next(self._numbers))))
        elif rank < known.rank[0]:
            self._order.put(replace(known, rank=(rank, known.rank[1])))
        pushed_out = None
        if len(self._order) > self._size:
            pushed_out = self._order.take_last().key
            self._left(Left.FULL)
        self._changed.set()
        return Offered(before=self.before(key) or 0, pushed_out=pushed_out)

    def forget(self, key: Key) -> bool:
        """Nobody needs an answer any more: it does not wait, and who is asked is stopped; whether
        it waited.
        """
        self._ages.pop(key, None)
        waited = self._order.take(key) is not None
        if waited:
            self._left(Left.OVER)
        return self.interrupt(key) or waited

    def interrupt(self, key: Key) -> bool:
        """Stop who is asked about this one, if anybody is; it keeps its age."""
        task = self._asking.get(key)
        if task is None or task is asyncio.current_task():
            return False
        if not task.cancelling():
            # Once: a second time would break off what it lets go of.
            task.cancel()
        return True

    # -- turns -----------------------------------------------------------------------------------

    async def run(self, ask: Callable[[Key], Awaitable[None]]) -> None:
        """Hand out turns until cancelled.

        `ask` raises `NotNow` where the turn is to come again; whatever else it raises is logged,
        and the failure leaves the queue.
        """
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._concurrent):
                tasks.create_task(self._work(ask))

    async def _work(self, ask: Callable[[Key], Awaitable[None]]) -> None:
        while True:
            turn = await self._next()
            task = asyncio.ensure_future(ask(turn.key))
            self._asking[turn.key] = task
            try:
                await asyncio.wait({task})
            finally:
                # Where it was this worker that was cancelled.
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                if self._asking.get(turn.key) is task:
                    del self._asking[turn.key]
                self._gate.returned()
            await self._settle(turn, task)

    async def _next(self) -> Waiting[Key]:
        while (turn := self._first()) is None or not self._gate.admits():
            self._changed.clear()
            await self._changed.wait()
        self._order.take(turn.key)
        self._gate.handed_out()
        if self._metrics is not None:
            self._metrics.waited(seconds=self._clock() - turn.since)
        return turn

    def _first(self) -> Waiting[Key] | None:
        """Whose turn it is; not who was offered anew while an earlier turn is being stopped."""
        return next((each for each in self._order if each.key not in self._asking), None)

    def _is_answering(self, key: Key) -> bool:
        """Whether a turn is under way that nobody has stopped."""
        task = self._asking.get(key)
        return task is not None and not task.done() and not task.cancelling()

    async def _settle(self, turn: Waiting[Key], task: asyncio.Task[None]) -> None:
        """Put back whose turn comes again: where it was in its order, unless that is in vain."""
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._has_ended(turn.key)
            self._gate.proved()
        elif not isinstance(error, NotNow):
            self._has_ended(turn.key)
            _logger.error("A turn of the model failed", exc_info=error)
        elif error.error is not None:
            self._gate.shut(error.error)
            if turn.attempts + 1 < MOST_ATTEMPTS:
                self._put_back(replace(turn, attempts=turn.attempts + 1))
        else:
            # Behind all who are here: what is in its way is none of theirs.
            self._put_back(replace(turn, rank=(self._clock(), next(self._numbers))))
            await asyncio.sleep(error.pause_seconds)

    def _has_ended(self, key: Key) -> None:
        # Whoever was offered anew meanwhile needs its age.
        if key not in self._order:
            self._ages.pop(key, None)

    # -- what is kept -----------------------------------------------------------------------------

    def _put_back(self, waiting: Waiting[Key]) -> None:
        # Whoever forgot it meanwhile, or offered it anew, was later.
        if waiting.key in self._ages and waiting.key not in self._order:
            self._order.put(waiting)
            self._changed.set()

    def _left(self, why: Left) -> None:
        if self._metrics is not None:
            self._metrics.left_queue(why)

    def _trim_ages(self) -> None:
        while len(self._ages) > MOST_AGES:
            # The youngest: of those that wait the age is kept elsewhere as well.
            self._ages.popitem()
