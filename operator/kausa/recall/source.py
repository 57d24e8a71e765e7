"""Where candidates come from: the memory, asked for likeness and for words at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from kausa.memory.filters import Filter
from kausa.memory.store import Candidate, Collection
from kausa.recall.rereading import Reranker

__all__ = ["CandidateSource", "RecallMemory"]


class CandidateSource(Protocol):
    """The part of the memory that recall needs."""

    @property
    def model(self) -> str:
        """Which model's vectors are searched; empty before the first answer."""

    async def candidates(
        self,
        collection: Collection,
        *,
        text: str,
        words: str,
        wheres: Sequence[Filter],
        limit: int,
        deadline_seconds: float,
    ) -> list[Candidate]:
        """What is like `text` or shares words with `words`, and matches one of the filters.

        Raises `MemoryUnavailableError`.
        """


class RecallMemory(CandidateSource, Reranker, Protocol):
    """All of the memory that recall needs; `kausa.memory.service.FailureMemory` is one."""

    def watch_runbooks(self, listener: Callable[[Sequence[str]], None]) -> None:
        """From now on, tell it the passages of the runbooks that are indexed, or were before."""
