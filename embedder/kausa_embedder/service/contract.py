"""What the service needs of an engine, so that tests can put another in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kausa_embedder.caching import Statistics
from kausa_embedder.models import Kind
from kausa_embedder.options import EngineInfo

__all__ = ["EmbeddedLike", "EngineLike", "Kind", "Priority", "Vector"]

Priority = Literal["interactive", "bulk"]
Vector = NDArray[np.float32]


class EmbeddedLike(Protocol):
    """Vectors of texts, and what was read of each."""

    @property
    def vectors(self) -> Sequence[Vector]:
        """One for each text."""

    @property
    def tokens(self) -> Sequence[int]:
        """How many tokens of each text the model read."""

    @property
    def truncated(self) -> Sequence[bool]:
        """Whether there were more."""


class EngineLike(Protocol):
    """`kausa_embedder.engine.Engine`, as far as the service uses it."""

    @property
    def info(self) -> EngineInfo:
        """What runs. Only of an engine that has started."""

    @property
    def ready(self) -> bool:
        """Whether it answers."""

    @property
    def failure(self) -> str | None:
        """Why it will never answer again; None where it may."""

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait."""

    @property
    def cached(self) -> tuple[Statistics, Statistics]:
        """How the caches do: of texts' vectors, and of tokens' vectors."""

    async def start(self) -> None:
        """Load, probe, warm."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind,
        priority: Priority,
        truncate: bool,
        deadline: float | None,
    ) -> EmbeddedLike:
        """One vector for each text."""

    async def embed_tokens(
        self,
        texts: Sequence[str],
        *,
        kind: Kind,
        priority: Priority,
        truncate: bool,
        deadline: float | None,
    ) -> Sequence[NDArray[Any]]:
        """One vector for each token of each text."""

    async def score_late(
        self,
        query: str,
        documents: Sequence[str],
        *,
        weights: Mapping[str, float] | None,
        priority: Priority,
        deadline: float | None,
    ) -> list[float]:
        """By the tokens' vectors, -1 to 1."""

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority,
        deadline: float | None,
        most_new_tokens: int | None,
    ) -> list[float | None]:
        """By the reranker, 0 to 1; None for what was not read."""

    async def drain(self) -> None:
        """Take no more, and finish what waits."""

    async def close(self) -> None:
        """End."""
