"""The second reading of the best passages, within a budget of time and of new text.

A reranker compares word for word. It is a luxury: where there is none, where it fails or where
it is late, the first impression stands, and the answer says so. What takes its time is text that
the embedder has not read before, so only so much of that is read for somebody who waits. What was
left out, and what was late, is read behind the answer (`behind.py`): then its token vectors are
known the next time, and cost next to nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from kausa.memory.embedding.protocol import Priority
from kausa.memory.errors import MemoryUnavailableError
from kausa.recall.behind import BEHIND_SECONDS, Behind, forget

__all__ = ["Reranker", "Rereader", "Rereading"]

LONGEST_REREAD = 1600
"""Characters of a passage that are read again: what a small model reads of it."""


class Reranker(Protocol):
    """The part of an embedder that reads again."""

    @property
    def reranker(self) -> str:
        """Its name; empty where there is none."""

    @property
    def remembers(self) -> bool:
        """Whether what it has read costs nothing to read again."""

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """0 to 1 each, comparable within one call; None of what was new, and too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rereading:
    """The scores in the order of the passages, or in a sentence why there are none."""

    scores: tuple[float | None, ...] = ()
    """None of those that were left for behind the answer."""
    skipped: str = ""

    @property
    def unread(self) -> int:
        """How many were left for behind the answer."""
        return sum(score is None for score in self.scores)


class Rereader:
    """Reads again where it can, in time."""

    def __init__(
        self,
        *,
        reranker: Reranker,
        budget_seconds: float,
        most_new_tokens: int | None = None,
        behind_after_seconds: float = 0.25,
    ) -> None:
        """Without `most_new_tokens` all is read, for as long as there is time."""
        self._reranker = reranker
        self._budget = budget_seconds
        self._most_new = most_new_tokens
        self._behind = Behind(read=self._read_behind, after_seconds=behind_after_seconds)

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
        passages = [each[:LONGEST_REREAD] for each in passages]
        budget = max(0.0, min(self._budget, deadline_seconds))
        reading = asyncio.create_task(
            # Its deadline is ours to keep: an embedder's own would be an error of the embedder.
            self._reranker.rerank(
                query,
                passages,
                deadline_seconds=max(budget, BEHIND_SECONDS),
                most_new_tokens=self._most_new,
            )
        )
        try:
            done, _ = await asyncio.wait((reading,), timeout=budget)
        except asyncio.CancelledError:
            reading.cancel()
            raise
        if not done:
            reading.add_done_callback(forget)
            reading.cancel()
            self._later(query, passages)
            return Rereading(
                skipped=f"Nothing was read a second time: it took longer than {budget:g} s."
            )
        read = _checked(reading, count=len(passages))
        if read.unread:
            scored = zip(passages, read.scores, strict=True)
            self._later(query, [passage for passage, score in scored if score is None])
        return read

    def read_ahead(self, passages: Sequence[str]) -> None:
        """Read these before anybody asks, when nobody searches and nothing else is to be read."""
        if self._reranker.remembers:
            self._behind.last([each[:LONGEST_REREAD] for each in passages])

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Nothing is read behind the answers while somebody waits for one."""
        with self._behind.held():
            yield

    async def idle(self) -> None:
        """Wait until nothing is left to be read behind the answers, or somebody searches."""
        await self._behind.idle()

    async def close(self) -> None:
        """End what still goes on behind the answers."""
        await self._behind.close()

    def _later(self, query: str, passages: Sequence[str]) -> None:
        # To any other reranker they would be as new the next time.
        if self._reranker.remembers:
            self._behind.next(query, passages)

    async def _read_behind(self, query: str, passages: Sequence[str]) -> None:
        await self._reranker.rerank(
            query, passages, priority="bulk", deadline_seconds=BEHIND_SECONDS
        )


def _checked(reading: asyncio.Task[list[float | None]], *, count: int) -> Rereading:
    try:
        scores = reading.result()
    except MemoryUnavailableError as error:
        return Rereading(skipped=f"Nothing was read a second time: {error} ({error.reason}).")
    finite = all(score is None or math.isfinite(score) for score in scores)
    if len(scores) != count or not finite or set(scores) == {None}:
        return Rereading(
            skipped=f"Nothing was read a second time: the reranker answered {len(scores)} scores "
            f"for {count} passages, or such that are no numbers."
        )
    return Rereading(scores=tuple(scores))
