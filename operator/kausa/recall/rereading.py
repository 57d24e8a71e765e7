"""The second reading of the best passages, within a budget of time.

A reranker compares word for word. It is a luxury: where there is none, where it fails or where
it is late, the first impression stands, and the answer says so. What was late goes on behind the
answer, one at a time, because the embedder then knows these passages' token vectors the next time;
so a passage that is found often is soon read in time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kausa.memory.errors import MemoryUnavailableError

__all__ = ["Reranker", "Rereader", "Rereading"]

BEHIND_SECONDS = 5.0
"""How long a reading that was late may go on."""


class Reranker(Protocol):
    """The part of an embedder that reads again."""

    @property
    def reranker(self) -> str:
        """Its name; empty where there is none."""

    async def rerank(
        self, query: str, documents: Sequence[str], *, deadline_seconds: float
    ) -> list[float]:
        """0 to 1 each, comparable within one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rereading:
    """The scores in the order of the passages, or in a sentence why there are none."""

    scores: tuple[float, ...] = ()
    skipped: str = ""


class Rereader:
    """Reads again where it can, in time."""

    def __init__(self, *, reranker: Reranker, budget_seconds: float) -> None:
        self._reranker = reranker
        self._budget = budget_seconds
        self._behind: asyncio.Task[list[float]] | None = None

    @property
    def name(self) -> str:
        """Which reranker it is; empty where there is none."""
        return self._reranker.reranker

    async def read(
        self, query: str, passages: Sequence[str], *, deadline_seconds: float
    ) -> Rereading:
        """Never raises for what the reranker does; only cancelling ends it early."""
        if not passages:
            return Rereading()
        if not self._reranker.reranker:
            return Rereading(
                skipped="Nothing was read a second time: the embedder has no reranker."
            )
        budget = max(0.0, min(self._budget, deadline_seconds))
        reading = asyncio.create_task(
            self._reranker.rerank(query, passages, deadline_seconds=max(budget, BEHIND_SECONDS))
        )
        try:
            done, _ = await asyncio.wait((reading,), timeout=budget)
        except asyncio.CancelledError:
            reading.cancel()
            raise
        if not done:
            self._leave_behind(reading)
            return Rereading(
                skipped=f"Nothing was read a second time: it took longer than {budget:g} s."
            )
        return _checked(reading, count=len(passages))

    async def close(self) -> None:
        """End what still goes on behind an answer."""
        behind, self._behind = self._behind, None
        if behind is not None:
            behind.cancel()
            await asyncio.wait((behind,))

    def _leave_behind(self, reading: asyncio.Task[list[float]]) -> None:
        if self._behind is not None and not self._behind.done():
            reading.cancel()
            reading.add_done_callback(_forget)
            return
        self._behind = reading
        reading.add_done_callback(_forget)


def _forget(task: asyncio.Task[list[float]]) -> None:
    """Take the outcome, so that nobody warns that it was never looked at."""
    if not task.cancelled():
        task.exception()


def _checked(reading: asyncio.Task[list[float]], *, count: int) -> Rereading:
    try:
        scores = reading.result()
    except MemoryUnavailableError as error:
        return Rereading(skipped=f"Nothing was read a second time: {error} ({error.reason}).")
    if len(scores) != count or not all(math.isfinite(score) for score in scores):
        return Rereading(
            skipped=f"Nothing was read a second time: the reranker answered {len(scores)} scores "
            f"for {count} passages, or such that are no numbers."
        )
    return Rereading(scores=tuple(scores))
