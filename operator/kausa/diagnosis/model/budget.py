"""How many tokens may be spent: in an hour, and on one diagnosis.

Tokens of the last hour are kept by the minute, and a minute counts until all of it is an hour old:
so no stretch of an hour holds more than the budget, whenever it begins. What a question may cost at
most is set aside before it is asked; what it did cost counts from when it is over, as nobody knows
when within it the tokens were spent.

Of this process. One that takes over is told what the answers cost that statuses hold from before
it (`remember`); what came to nothing is in no status, and begins anew.
"""

from __future__ import annotations

import bisect
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.asking import TokenBudget

__all__ = [
    "LEAST_CONTEXT_TOKENS",
    "LEAST_TOKENS_PER_DIAGNOSIS",
    "HourlyBudget",
    "ModelBudgetSpent",
    "ModelPromptTooLong",
    "Reservation",
    "TokenLimits",
]

HOUR_SECONDS: Final = 3600.0
MINUTE_SECONDS: Final = 60.0
REPAIR_TOKENS: Final = 700
"""What a second attempt says on top of the first prompt: the bad answer, and what is wrong."""
PROMPT_MARGIN: Final = 1.15
"""Our count of a prompt may be off by so much, until the model has counted one."""
LEAST_CONTEXT_TOKENS: Final = 4_096
LEAST_TOKENS_PER_DIAGNOSIS: Final = 6_000


class ModelBudgetSpent(ModelError):
    """There are no tokens left for a question now."""

    reason = "BudgetSpent"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        """`retry_after_seconds`: until there are enough again; None where waiting won't help."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelPromptTooLong(ModelError):
    """A question that is more than one may cost, or than the model can hold: it is not sent.

    Others are shorter, so it says nothing of the model or of this hour.
    """

    reason = "BudgetSpent"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLimits:
    """What one diagnosis may cost, and what the model's window holds."""

    context: int = 8_192
    prompt: int = 6_000
    """The longest prompt; it is shorter where the others leave less room."""
    per_diagnosis: int = 16_000
    """All prompts and answers of one diagnosis, a repair included."""

    def for_question(self, *, think: bool) -> TokenBudget:
        """Divide them: prompt, answer and thinking fit the window, twice of it the diagnosis."""
        output = min(900, self.context // 4)
        thinking = min(4_000, self.context // 4, self.per_diagnosis // 8) if think else 0
        once = (self.per_diagnosis - REPAIR_TOKENS) // 2
        room = min(self.context - REPAIR_TOKENS, once) - output - thinking
        return TokenBudget(
            prompt=min(self.prompt, int(room / PROMPT_MARGIN)), output=output, thinking=thinking
        )

    def worst(self, *, think: bool) -> int:
        """What a question with its repair may cost at most."""
        tokens = self.for_question(think=think)
        once = int(tokens.prompt * PROMPT_MARGIN) + tokens.writable(think=think)
        return min(self.per_diagnosis, 2 * once + REPAIR_TOKENS)

    @property
    def most(self) -> int:
        """What any question may cost at most."""
        return max(self.worst(think=True), self.worst(think=False))


@dataclass(slots=True, eq=False)
class _Minute:
    begins: float
    tokens: int = 0


@dataclass(slots=True, eq=False)
class Reservation:
    """Tokens that were set aside for one question."""

    tokens: int
    minute: _Minute


class HourlyBudget:
    """For one event loop."""

    def __init__(self, *, tokens: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        """`tokens`: in any hour; None is no bound."""
        self._tokens = tokens
        self._clock = clock
        self._minutes: deque[_Minute] = deque()

    @property
    def tokens(self) -> int | None:
        """What may be spent in an hour; None where there is no bound."""
        return self._tokens

    @property
    def spent(self) -> int:
        """What was spent in the last hour, and what is set aside."""
        self._forget()
        return sum(each.tokens for each in self._minutes)

    @property
    def left(self) -> float:
        """What may be spent now; infinity where there is no bound."""
        return float("inf") if self._tokens is None else max(0.0, float(self._tokens - self.spent))

    def retry_after_seconds(self, tokens: int) -> float | None:
        """When so many may be spent, 0 for now; None where that is never."""
        if self._tokens is None:
            return 0.0
        if tokens > self._tokens:
            return None
        over = self.spent + tokens - self._tokens
        wait = 0.0
        for minute in self._minutes:
            if over <= 0:
                break
            over -= minute.tokens
            wait = max(0.0, _ends(minute) - self._clock())
        return wait

    def reserve(self, tokens: int) -> Reservation:
        """Set tokens aside; each reservation is settled once.

        Raises:
            ModelBudgetSpent: there are not so many left.
        """
        wait = self.retry_after_seconds(tokens)
        if wait is None:
            raise ModelBudgetSpent(
                f"One question may cost {tokens:,} tokens, and {self._tokens:,} may be spent in an "
                "hour (KAUSA_MODEL_TOKENS_PER_HOUR): no model can be asked."
            )
        if wait > 0:
            raise ModelBudgetSpent(
                f"The {self._tokens:,} tokens that a model may use in an hour are spent "
                f"(KAUSA_MODEL_TOKENS_PER_HOUR); it is asked again in {_minutes(wait)}.",
                retry_after_seconds=wait,
            )
        minute = self._this_minute()
        minute.tokens += tokens
        return Reservation(tokens=tokens, minute=minute)

    def settle(self, reservation: Reservation, *, spent: int) -> None:
        """So many of them were spent, by now; the others are given back."""
        reservation.minute.tokens -= reservation.tokens
        reservation.minute = self._this_minute()
        reservation.minute.tokens += spent
        reservation.tokens = spent

    def remember(self, tokens: int, *, seconds_ago: float) -> None:
        """So many were spent so long ago, by an earlier process."""
        self._minute(self._clock() - max(0.0, seconds_ago)).tokens += max(0, tokens)

    def _this_minute(self) -> _Minute:
        return self._minute(self._clock())

    def _minute(self, at: float) -> _Minute:
        begins = at // MINUTE_SECONDS * MINUTE_SECONDS
        place = bisect.bisect_left(self._minutes, begins, key=lambda each: each.begins)
        if place == len(self._minutes) or self._minutes[place].begins != begins:
            self._minutes.insert(place, _Minute(begins))
        return self._minutes[place]

    def _forget(self) -> None:
        now = self._clock()
        while self._minutes and _ends(self._minutes[0]) <= now:
            self._minutes.popleft()


def _ends(minute: _Minute) -> float:
    return minute.begins + MINUTE_SECONDS + HOUR_SECONDS


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"
