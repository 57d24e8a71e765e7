"""Leaving a model alone that failed several times in a row.

A model that is away costs every diagnosis its patience, and one that is overloaded gets worse with
every question. So after some failures nobody asks for a pause, which grows while it lasts and is
partly random, so that several operators do not come back in step. Then one question is the trial
for all: if it is answered, everything is as before.

Pure decisions about time; `transport.py` does the asking.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import StrEnum

from kausa.diagnosis.errors import ModelUnavailable

__all__ = ["Admission", "BreakerState", "CircuitBreaker", "ModelCircuitOpen"]


class ModelCircuitOpen(ModelUnavailable):
    """The model failed several times in a row and is left alone for a while."""

    reason = "CircuitOpen"


class BreakerState(StrEnum):
    """As the metric and the condition name it."""

    CLOSED = "closed"
    """Questions are asked."""
    OPEN = "open"
    """Nobody asks until the pause is over."""
    HALF_OPEN = "half-open"
    """The pause is over: the next question is the trial, or it is under way."""


class Admission(StrEnum):
    """As what a question was let through."""

    NORMAL = "normal"
    TRIAL = "trial"


class CircuitBreaker:
    """Shared by all who ask one server.

    Every admission that `admit` gave is handed back by exactly one of `succeeded`, `failed` and
    `abandoned`.
    """

    def __init__(
        self,
        *,
        failures_to_open: int = 3,
        first_pause_seconds: float = 5.0,
        longest_pause_seconds: float = 120.0,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._uniform = uniform
        self._clock = clock
        self._failures = 0
        self._pause = first_pause_seconds
        self._left_alone_until: float | None = None
        self._trial = False

    @property
    def state(self) -> BreakerState:
        """What a question now would meet."""
        if self._left_alone_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.retry_after_seconds else BreakerState.HALF_OPEN

    @property
    def retry_after_seconds(self) -> float:
        """How long nobody asks from now on; 0 where somebody may."""
        until = self._left_alone_until
        return 0.0 if until is None else max(0.0, until - self._clock())

    def admit(self) -> Admission | None:
        """Let a question through, or None where it shall not be asked now."""
        match self.state:
            case BreakerState.CLOSED:
                return Admission.NORMAL
            case BreakerState.HALF_OPEN if not self._trial:
                self._trial = True
                return Admission.TRIAL
        return None

    def succeeded(self, admission: Admission) -> None:
        """The server did its work, be it with a refusal of this one question."""
        if admission is Admission.TRIAL:
            self._trial = False
        self._failures = 0
        self._pause = self._first_pause
        self._left_alone_until = None

    def failed(self, admission: Admission) -> None:
        """It could not be reached, said that it cannot work, or kept silent for too long."""
        if admission is Admission.TRIAL:
            self._trial = False
            self._open()
            return
        # One that was asked before all this began tells nothing new.
        if self._left_alone_until is None:
            self._failures += 1
            if self._failures >= self._failures_to_open:
                self._open()

    def abandoned(self, admission: Admission) -> None:
        """The asker left before it knew, or it learnt nothing about answers."""
        if admission is Admission.TRIAL:
            self._trial = False

    def _open(self) -> None:
        self._left_alone_until = self._clock() + self._uniform(self._pause / 2, self._pause)
        self._pause = min(self._longest_pause, self._pause * 2)
