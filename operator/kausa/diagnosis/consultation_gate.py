"""Whether questions are asked at all: shut while the model is away or the budget is spent.

Whoever finds that no model can be asked shuts it, so that a thousand others need not find out each
for itself. While it is shut the model is tried now and then with what costs nothing (is it listed,
is there budget); when that goes well one question is let through, and all others once that one has
come to its end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from kausa.diagnosis.errors import ModelError, ModelUnavailable
from kausa.diagnosis.model.budget import ModelBudgetSpent
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.telemetry.logs import get_logger

__all__ = ["Gate"]

FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_logger = get_logger("kausa.diagnosis.consultation_gate")


class Gate:
    """For one event loop; open at first."""

    def __init__(
        self,
        *,
        probe: Callable[[], Awaitable[None]],
        metrics: ModelMetrics | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`probe` raises the `ModelError` that says why a question now would not be answered."""
        self._probe = probe
        self._metrics = metrics
        self._uniform = uniform
        self._error: ModelError | None = None
        self._shut = asyncio.Event()
        self._in_flight = 0
        self._trial = False
        self.on_open: Callable[[], None] = lambda: None
        """Told when it may be that somebody is let through who was not before."""
        self.on_news: Callable[[], None] = lambda: None
        """Told when it opened or was shut, be it again or for another reason."""

    @property
    def why(self) -> tuple[str, str] | None:
        """A word and a sentence while it is shut; None while it is open."""
        return (self._error.reason, str(self._error)) if self._error is not None else None

    def admits(self) -> bool:
        """Whether one more question may be asked now."""
        return self._error is None and not (self._trial and self._in_flight)

    def handed_out(self) -> None:
        """A question is being asked."""
        self._in_flight += 1

    def returned(self) -> None:
        """It came to its end, however."""
        self._in_flight -= 1
        self.on_open()

    def proved(self) -> None:
        """A question was asked and nothing was wrong with the server."""
        self._trial = False

    def shut(self, error: ModelError) -> None:
        """No model can be asked, for this reason."""
        if self._error is None:
            _logger.warning("The model is not asked for now", reason=error.reason, why=str(error))
        self._error = error
        self._shut.set()
        self._tell(available=False)

    async def run(self) -> None:
        """Try the model at the start and whenever it is shut, until cancelled."""
        await self._try()
        while True:
            await self._shut.wait()
            pause = FIRST_PAUSE_SECONDS
            while self._error is not None:
                await asyncio.sleep(self._wait(self._error, pause))
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
                await self._try()

    async def _try(self) -> None:
        try:
            await self._probe()
        except ModelError as error:
            self.shut(error)
            return
        except Exception as error:
            # A defect of ours: the operator does not end for its model.
            _logger.exception("The model could not be tried")
            self.shut(ModelUnavailable(f"Kausa failed to try the model ({type(error).__name__})."))
            return
        if self._error is not None:
            _logger.info("The model is asked again")
            self._trial = True
        self._error = None
        self._shut.clear()
        self._tell(available=True)
        self.on_open()

    def _wait(self, error: ModelError, pause: float) -> float:
        # Randomly, so that several operators do not come back in step.
        wait = self._uniform(pause / 2, pause)
        spent = isinstance(error, ModelBudgetSpent) and error.retry_after_seconds
        # Who is being asked gives back what was set aside for it.
        if spent and not self._in_flight:
            return max(wait, spent)
        return wait

    def _tell(self, *, available: bool) -> None:
        self.on_news()
        if self._metrics is not None:
            self._metrics.available(available)
