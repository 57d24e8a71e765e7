"""An engine without a model, and the embedder's service around it in this process."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web
from pydantic import SecretStr

from kausa_embedder.caching import Statistics
from kausa_embedder.errors import TooLargeError, TooLongError
from kausa_embedder.options import EngineInfo
from kausa_embedder.service.app import make_application, make_runner
from kausa_embedder.service.lifecycle import Lifecycle
from kausa_embedder.service.metrics import Metrics
from kausa_embedder.settings import Settings

DIMENSIONS = 8
MOST_TOKENS = 6
MOST_TEXTS = 40


def fake_vector(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A vector that only this text has, of unit length."""
    digest = hashlib.sha256(text.encode()).digest()[:DIMENSIONS]
    raw = [byte - 127.5 for byte in digest]
    length = math.hypot(*raw)
    return np.array([value / length for value in raw], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEmbedded:
    vectors: list[Any]
    tokens: list[int]
    truncated: list[bool]


@dataclass(slots=True, kw_only=True)
class FakeEngine:
    """Answers at once, or when it is let; words are its tokens; errors come as they are told."""

    info: EngineInfo = field(
        default_factory=lambda: EngineInfo(
            model="fake",
            backend="none",
            dimensions=DIMENSIONS,
            max_tokens=MOST_TOKENS,
            provider="cpu",
            reranker="late-interaction",
            licence="none",
            threads=1,
            batch_tokens=64,
            batch_texts=8,
            queue_tokens=1000,
            max_texts=MOST_TEXTS,
        )
    )
    ready: bool = True
    failure: str | None = None
    queued_tokens: int = 0
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next calls, one each."""
    held: set[str] = field(default_factory=set)
    """Texts that are not answered until `release`."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0
    """Calls whose caller went away."""
    drained: bool = False
    closed: bool = False
    start_error: Exception | None = None
    cached: tuple[Statistics, Statistics] = (
        Statistics(hits=0, misses=0, entries=0, used_bytes=0),
    ) * 2
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self._released.set()

    async def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error

    async def embed(self, texts: Sequence[str], **how: Any) -> FakeEmbedded:
        await self._asked(texts, **how)
        words = [text.split() for text in texts]
        if not how.get("truncate", True) and any(len(w) > MOST_TOKENS for w in words):
            raise TooLongError(f"a text has more than {MOST_TOKENS} tokens")
        read = [" ".join(w[:MOST_TOKENS]) for w in words]
        return FakeEmbedded(
            vectors=[fake_vector(how["kind"] + ": " + text) for text in read],
            tokens=[min(len(w), MOST_TOKENS) for w in words],
            truncated=[len(w) > MOST_TOKENS for w in words],
        )

    async def embed_tokens(self, texts: Sequence[str], **how: Any) -> list[Any]:
        await self._asked(texts, **how)
        return [
            np.array([fake_vector(word) for word in text.split()], dtype=np.float32).reshape(
                -1, DIMENSIONS
            )
            for text in texts
        ]

    async def score_late(
        self,
        query: str,
        documents: Sequence[str],
        *,
        weights: Mapping[str, float] | None = None,
        **how: Any,
    ) -> list[float]:
        await self._asked([query, *documents], weights=weights, **how)
        words = set(query.split())
        return [len(words & set(text.split())) / max(1, len(words)) for text in documents]

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        most_new_tokens: int | None = None,
        **how: Any,
    ) -> list[float | None]:
        """A word is a token, and nothing is known beforehand."""
        scores = await self.score_late(query, documents, most_new_tokens=most_new_tokens, **how)
        words = 0
        answer: list[float | None] = []
        for place, (text, score) in enumerate(zip(documents, scores, strict=True)):
            words += len(text.split())
            within = most_new_tokens is None or words <= most_new_tokens or not place
            answer.append(score if within else None)
        return answer

    async def drain(self) -> None:
        self.drained = True

    async def close(self) -> None:
        self.closed = True
        self.ready = False

    async def _asked(self, texts: Sequence[str], **how: Any) -> None:
        self.asked.append({"texts": list(texts), **how})
        if len(texts) > MOST_TEXTS:
            raise TooLargeError(f"{len(texts)} texts in one call")
        if self.errors:
            raise self.errors.pop(0)
        if self.held.intersection(texts):
            try:
                await self._released.wait()
            except asyncio.CancelledError:
                self.left += 1
                raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A service that runs."""

    url: str
    engine: FakeEngine
    lifecycle: Lifecycle
    metrics: Metrics
    runner: web.AppRunner

    def metric(self, name: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value("kausa_embedder_" + name, labels)
        return value or 0.0


@asynccontextmanager
async def serving(
    engine: Any = None, *, token: str | None = None, started: bool = True, **settings: Any
) -> AsyncIterator[Serving]:
    """The embedder's service on a port of this machine."""
    engine = engine or FakeEngine()
    told = Settings(**settings)
    metrics = Metrics()
    lifecycle = Lifecycle(engine=engine, max_requests=told.max_requests, max_bytes=told.max_bytes)
    application = make_application(
        engine=engine,
        lifecycle=lifecycle,
        metrics=metrics,
        settings=told,
        token=SecretStr(token) if token else None,
    )
    runner = make_runner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        if started:
            lifecycle.serve()
        yield Serving(
            url=f"http://127.0.0.1:{runner.addresses[0][1]}",
            engine=engine,
            lifecycle=lifecycle,
            metrics=metrics,
            runner=runner,
        )
    finally:
        await runner.cleanup()
