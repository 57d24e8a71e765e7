"""What every way to a model shares: one deadline, repeated attempts, and a breaker.

Only what fails on the way is sent again (nobody listens, the connection breaks, a stream ends in
its middle), a few times, after random pauses that grow, and only where whoever pays has tokens for
it. An answer is an answer: a refusal, an error of the server, or nonsense comes again for the same
question, and asking twice costs twice. A server that says when it wants to be asked again is asked
then, for the same question where half of its time is left after that; until then nobody asks it.

A question that takes too long counts against the server where its deadline was a fair one: it may
have been a hard one, so a single one opens no breaker, and several in a row do. A server that does
not even list its models in seconds hangs.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from kausa.diagnosis.errors import ModelDeadlineExceeded, ModelError, ModelUnavailable
from kausa.diagnosis.model.boundary import AttemptFailed
from kausa.diagnosis.model.breaker import CircuitBreaker, ModelCircuitOpen
from kausa.diagnosis.model.protocol import Attempts

__all__ = ["CONNECT_SECONDS", "Held", "Transport"]

CONNECT_SECONDS: Final = 5.0
AnswerT = TypeVar("AnswerT")
_ATTEMPTS: Final = 3
_FAIR_SECONDS: Final = 5.0
_FAIR_SECONDS_FOR_A_LIST: Final = 1.0
"""Whoever gives a server less time than this cannot say that it is dead."""


class Held(AttemptFailed):
    """What one attempt met holds for all others as well, for so long."""

    def __init__(self, failed: AttemptFailed, *, seconds: float, again: bool) -> None:
        """`again`: the server asked to be left alone, and may be asked this once more afterwards.
        Else it refused what no question changes, such as our key, and until then all are told that.
        """
        super().__init__(failed.error, again=again, alive=failed.alive, read=failed.read)
        self.seconds = seconds


class Transport:
    """The attempts at the questions to one model."""

    def __init__(
        self,
        *,
        model: str,
        where: str,
        breaker: CircuitBreaker | None = None,
        first_pause_seconds: float = 0.2,
        longest_pause_seconds: float = 5.0,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`where` is the server's address as messages may show it."""
        self._model = model
        self._where = where
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._uniform = uniform
        self._clock = clock
        self._held: Held | None = None
        self._held_until = 0.0
        self.breaker = breaker or CircuitBreaker()

    async def ask(
        self,
        attempt: Callable[[], Awaitable[AnswerT]],
        *,
        deadline_seconds: float,
        attempts: Attempts | None = None,
    ) -> AnswerT:
        """Attempt a question until it works or is refused, within the deadline.

        `attempts` is told of those that fail, and asked before it is sent again.

        Raises:
            ModelCircuitOpen: nobody asks at the moment, or the server asked for that.
            ModelDeadlineExceeded: the time is over.
            ModelError: whatever else the attempts said last.
        """
        return await self._run(
            attempt,
            deadline_seconds=deadline_seconds,
            attempts=attempts,
            fair_seconds=_FAIR_SECONDS,
            proves_answers=True,
            late=lambda: ModelDeadlineExceeded(
                f"The model {self._model} did not answer within {deadline_seconds:.3g} seconds."
            ),
        )

    async def check(
        self, attempt: Callable[[], Awaitable[AnswerT]], *, deadline_seconds: float
    ) -> AnswerT:
        """The same for what costs nothing, whose success says only that the server is there: that
        is not enough to trust it with questions again.

        Raises:
            ModelCircuitOpen: nobody asks at the moment.
            ModelUnavailable: the server hangs.
            ModelError: whatever else the attempts said last.
        """
        return await self._run(
            attempt,
            deadline_seconds=deadline_seconds,
            attempts=None,
            fair_seconds=_FAIR_SECONDS_FOR_A_LIST,
            proves_answers=False,
            late=lambda: ModelUnavailable(
                f"The model server at {self._where} did not say within {deadline_seconds:.3g} "
                "seconds which models it has: it hangs, or is busy beyond that."
            ),
        )

    async def _run(
        self,
        attempt: Callable[[], Awaitable[AnswerT]],
        *,
        deadline_seconds: float,
        attempts: Attempts | None,
        fair_seconds: float,
        proves_answers: bool,
        late: Callable[[], ModelError],
    ) -> AnswerT:
        held = self._held_error()
        if held is not None:
            raise held
        admission = self.breaker.admit()
        if admission is None:
            raise self._left_alone()
        tell = self.breaker.abandoned
        try:
            async with asyncio.timeout(deadline_seconds) as clock:
                answer = await self._persist(
                    attempt, ends_in_seconds=deadline_seconds, attempts=attempts
                )
            tell = self.breaker.succeeded if proves_answers else tell
            return answer
        except AttemptFailed as failed:
            if not failed.alive:
                tell = self.breaker.failed
            elif proves_answers:
                tell = self.breaker.succeeded
            raise failed.error from failed
        except TimeoutError:
            if not clock.expired():
                raise
            if deadline_seconds >= fair_seconds:
                tell = self.breaker.failed
            raise late() from None
        finally:
            # Once for a question, whatever happened: a short hiccup fails all attempts of one.
            tell(admission)

    async def _persist(
        self,
        attempt: Callable[[], Awaitable[AnswerT]],
        *,
        ends_in_seconds: float,
        attempts: Attempts | None,
    ) -> AnswerT:
        """The attempts; raises what the last one did."""
        ends_at = self._clock() + ends_in_seconds
        pause = self._first_pause
        for left in reversed(range(_ATTEMPTS)):
            try:
                return await attempt()
            except AttemptFailed as failed:
                if attempts is not None:
                    attempts.failed(read=failed.read)
                wait = self._uniform(0.0, pause)
                latest = ends_at
                if isinstance(failed, Held):
                    wait += failed.seconds
                    self._hold(failed)
                    # The answer needs time as well.
                    latest -= (ends_at - self._clock()) / 2
                if not (failed.again and left and self._clock() + wait < latest):
                    raise
                if attempts is not None and not attempts.may_repeat():
                    raise
            await asyncio.sleep(wait)
            pause = min(self._longest_pause, pause * 2)
        raise AssertionError("the last attempt returns or raises")

    def _hold(self, held: Held) -> None:
        self._held = held
        self._held_until = max(self._held_until, self._clock() + held.seconds)

    def _held_error(self) -> ModelError | None:
        left = self._held_until - self._clock()
        if self._held is None or left <= 0:
            self._held = None
            return None
        error = self._held.error
        if not self._held.again:
            return type(error)(str(error))
        return ModelCircuitOpen(
            f"The model server at {self._where} asked to be left alone; it is asked again in "
            f"{left:.0f} seconds."
        )

    def _left_alone(self) -> ModelCircuitOpen:
        wait = self.breaker.retry_after_seconds
        until = f"asked again in {wait:.0f} seconds" if wait >= 1 else "being tried again"
        return ModelCircuitOpen(
            f"The model server at {self._where} failed several times in a row; it is {until}."
        )
