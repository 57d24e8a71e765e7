"""Questions that came to nothing by themselves, and when each may be asked again.

What no model answers in time, what a server refuses, and what makes it fail while it answers
others, comes to the same each time, and each time it costs tokens, or the patience of those who
wait behind it. So such a question rests, twice as long each time, up to some hours: models and
servers are changed, so that none is given up for good.

A server's error is the fault of a question only where others were answered between two of them: in
a fault of the server all questions fail. Until then it is told as it is, for the breaker.

Of this process, and bounded: one that takes over asks once more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kausa.diagnosis.errors import (
    ModelDeadlineExceeded,
    ModelError,
    ModelRefusedQuestion,
    ModelUnavailable,
)
from kausa.telemetry.clock import utc_now
from kausa.telemetry.doubling import Doubling

__all__ = ["FIRST_REST_SECONDS", "LONGEST_REST_SECONDS", "RESTS", "Postponed"]

FIRST_REST_SECONDS: Final = 60.0
LONGEST_REST_SECONDS: Final = 6 * 3600.0
RESTS: Final = Doubling(first_seconds=FIRST_REST_SECONDS, longest_seconds=LONGEST_REST_SECONDS)
"""Of a question; its resource is not offered for as long (`kausa.controller.resting`)."""

_Kind = type[ModelDeadlineExceeded] | type[ModelRefusedQuestion]


@dataclass(slots=True, kw_only=True)
class _Resting:
    model: str
    times: int = 0
    until: float = 0.0
    kind: _Kind = ModelDeadlineExceeded
    message: str = ""
    """With the time at which it rests no more: it stays the same, for whoever keeps it."""
    suspected: bool = False
    """Whether the server failed at it."""
    others_answered: bool = False
    """Whether it has answered something else since."""


class Postponed:
    """For one event loop."""

    def __init__(self, *, most: int = 500, clock: Callable[[], float] | None = None) -> None:
        """`most`: questions; of more the one that failed the longest ago goes. `clock`: seconds,
        of the event loop where none is given.
        """
        self.most = most
        self._clock = clock if clock is not None else _loop_seconds
        self._resting: OrderedDict[str, _Resting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._resting)

    def error(self, digest: str) -> ModelError | None:
        """Return why this question is not sent now; None where it may be."""
        resting = self._resting.get(digest)
        if resting is None:
            return None
        left = resting.until - self._clock()
        return resting.kind(resting.message, retry_after_seconds=left) if left > 0 else None

    def late(self, digest: str, *, model: str, error: ModelDeadlineExceeded) -> ModelError:
        """It was not answered in time; returns the error to tell, with when it is asked again."""
        return self._rest(digest, model=model, why=str(error), kind=ModelDeadlineExceeded)

    def refused(self, digest: str, *, model: str, error: ModelRefusedQuestion) -> ModelError:
        """The server did not take it: that costs nothing, and changes with its settings alone."""
        return self._rest(
            digest,
            model=model,
            why=str(error),
            kind=ModelRefusedQuestion,
            seconds=LONGEST_REST_SECONDS,
        )

    def failed(self, digest: str, *, model: str, error: ModelUnavailable) -> ModelError:
        """The server failed at it; returns the same error, unless it is this question's own."""
        resting = self._of(digest, model=model)
        own_fault = resting.suspected and resting.others_answered
        resting.suspected, resting.others_answered = True, False
        if not own_fault:
            return error
        why = f"{error} It fails at this question each time, and answered others meanwhile."
        return self._rest(digest, model=model, why=why, kind=ModelRefusedQuestion)

    def answered(self, digest: str | None, *, model: str) -> None:
        """A question was answered, be it one that nothing is kept of: so the model answers."""
        if digest is not None:
            self._resting.pop(digest, None)
        for each in self._resting.values():
            if each.model == model:
                each.others_answered = True

    def _rest(
        self, digest: str, *, model: str, why: str, kind: _Kind, seconds: float | None = None
    ) -> ModelError:
        resting = self._of(digest, model=model)
        if seconds is None:
            seconds = RESTS.seconds(times=resting.times)
        resting.times += 1
        resting.until = self._clock() + seconds
        until = utc_now() + timedelta(seconds=seconds)
        resting.kind = kind
        resting.message = f"{why} This question is asked again after {until:%Y-%m-%d %H:%M} UTC."
        return kind(resting.message, retry_after_seconds=seconds)

    def _of(self, digest: str, *, model: str) -> _Resting:
        resting = self._resting.setdefault(digest, _Resting(model=model))
        self._resting.move_to_end(digest)
        while len(self._resting) > self.most:
            self._resting.popitem(last=False)
        return resting


def _loop_seconds() -> float:
    return asyncio.get_running_loop().time()
