"""What a verdict is worth, and how one is taken back; pure.

A record's reward is a sum and a count, so that a mean can be formed with a prior. A person's
verdict on a diagnosis is counted in it once: the record keeps which verdict that was, and another
one takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kausa.memory.errors import InvalidRecordError
from kausa.memory.records import Verdict

__all__ = ["VALUE_OF", "Reward", "with_value", "with_verdict"]

VALUE_OF: Final[Mapping[Verdict, float]] = {"Helpful": 1.0, "Partial": 0.5, "Wrong": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What is counted of one record."""

    sum: float = 0.0
    count: int = 0
    verdict: Verdict | None = None
    """The one that is part of it."""
    revision: int = field(default=0, compare=False)
    """Grows with every change, so that two that add up to the same are told apart."""


def with_value(reward: Reward, value: float) -> Reward:
    """One more answer, from 0 (it did harm) to 1 (it helped)."""
    if not 0.0 <= value <= 1.0:
        raise InvalidRecordError(f"a reward of {value} is not between 0 and 1")
    return replace(reward, sum=reward.sum + value, count=reward.count + 1)


def with_verdict(reward: Reward, verdict: Verdict | None) -> Reward:
    """The verdict in place of the one that was counted; None takes it back. Twice is once."""
    total, count = reward.sum, reward.count
    if reward.verdict is not None:
        total, count = max(0.0, total - VALUE_OF[reward.verdict]), max(0, count - 1)
    if verdict is not None:
        total, count = total + VALUE_OF[verdict], count + 1
    return replace(reward, sum=total, count=count, verdict=verdict)
