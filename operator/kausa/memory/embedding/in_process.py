"""The model in this process: the embedded default, which needs no other service.

`kausa_embedder` is imported, and the model loaded, when the first text comes, so that an operator
with a remote embedder, or with none, neither needs nor loads it. The engine batches, queues and
caches exactly as it does in the worker; here its errors become ours. An engine that broke is
thrown away, and the next text loads another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kausa.memory.embedding.breaker import Backoff
from kausa.memory.embedding.checking import Identity, check_scores, clip_texts
from kausa.memory.embedding.parts import own_fault
from kausa.memory.embedding.protocol import LATE_INTERACTION, Kind, Priority
from kausa.memory.embedding.replies import TextsRefusedError
from kausa.memory.embedding.streaming import stream_requests
from kausa.memory.errors import MemoryUnavailableError, UnavailableReason, deadline

if TYPE_CHECKING:
    from kausa_embedder.engine import Embedded, Engine
    from kausa_embedder.errors import EmbedderError

__all__ = ["InProcessEmbedder"]

STREAM_TOGETHER = 16
STREAM_IN_FLIGHT = 4


class InProcessEmbedder:
    """The model of `kausa_embedder` in this process. Loads at the first text, not before."""

    def __init__(
        self,
        *,
        model_path: Path | None,
        model: str = "offline",
        make_engine: Callable[[], Engine] | None = None,
    ) -> None:
        """Without `model_path` the model is looked for where `make embedded-models` puts it."""
        self._model_path = model_path
        self._model_name = model
        self._make_engine = make_engine or self._construct
        self._engine: Engine | None = None
        self._starting: asyncio.Task[Engine] | None = None
        self._identity = Identity()
        self._reranker = ""
        self._closed = False

    @property
    def model(self) -> str:
        """The model's name; "" until the first answer."""
        return self._identity.model

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first answer."""
        return self._identity.dimensions

    @property
    def reranker(self) -> str:
        """What `rerank` scores with; "" until the model is loaded."""
        return self._reranker

    @property
    def remembers(self) -> bool:
        """Token vectors are kept; what a cross-encoder says of a pair is not."""
        return self._reranker == LATE_INTERACTION

    @property
    def max_tokens(self) -> int:
        """How much of a text the model reads; 0 until it is loaded."""
        return self._identity.max_tokens

    @property
    def truncated(self) -> int:
        """Passages of which the model read only the beginning, so far."""
        return self._identity.truncated

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        deadline_seconds: float,
    ) -> list[list[float]]:
        """Embed, loading the model first if need be (about a second, once)."""
        clipped = clip_texts(texts)
        ends_at = time.monotonic() + deadline_seconds
        async with deadline(deadline_seconds, doing="embedding"):
            engine = await self._running()
            try:
                async with self._boundary(engine):
                    answer = await _patiently(
                        lambda: engine.embed(
                            clipped, kind=kind, priority=priority, deadline=ends_at
                        ),
                        patient=priority == "bulk",
                    )
            except TextsRefusedError as refused:
                works = bool(self._identity.dimensions)
                raise own_fault(refused, clipped, kind=kind, works=works) from refused
        vectors = [vector.tolist() for vector in answer.vectors]
        self._identity.check(vectors, model=engine.info.model, expected=len(texts))
        if kind == "passage":
            self._identity.truncated += sum(answer.truncated)
        return vectors

    def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], *, deadline_seconds: float
    ) -> AsyncGenerator[tuple[str, list[float]], None]:
        """Passages in, vectors out in order of completion, at bulk priority."""

        async def embed(some: Sequence[str]) -> list[list[float]]:
            return await self.embed(some, priority="bulk", deadline_seconds=deadline_seconds)

        return stream_requests(texts, embed, together=STREAM_TOGETHER, in_flight=STREAM_IN_FLIGHT)

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """Score with the model's cross-encoder, or with its token vectors where it has none."""
        [query, *documents] = clip_texts([query, *documents])
        ends_at = time.monotonic() + deadline_seconds
        async with deadline(deadline_seconds, doing="reranking"):
            engine = await self._running()
            async with self._boundary(engine):
                scores: list[float | None] = await engine.rerank(
                    query,
                    documents,
                    priority=priority,
                    deadline=ends_at,
                    most_new_tokens=most_new_tokens if self.remembers else None,
                )
        check_scores(scores, expected=len(documents))
        return scores

    async def close(self) -> None:
        """End the model's threads and drop what waits."""
        self._closed = True
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        if self._engine is not None:
            await self._let_go(self._engine)

    async def _running(self) -> Engine:
        """The engine, loaded if need be. A load that outlasts its caller is kept for the next."""
        if self._closed:
            raise MemoryUnavailableError("the embedder is closed", reason="Closed")
        if self._engine is not None:
            return self._engine
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="embedder-start")
            self._starting.add_done_callback(_look_at)
        return await asyncio.shield(self._starting)

    async def _start(self) -> Engine:
        try:
            engine = self._made()
            try:
                async with self._boundary(engine):
                    await engine.start()
            except BaseException:
                await engine.close()
                raise
            self._engine, self._reranker = engine, engine.info.reranker
            self._identity.max_tokens = engine.info.max_tokens
            return engine
        finally:
            self._starting = None

    def _made(self) -> Engine:
        try:
            from kausa_embedder.errors import EmbedderError
        except ImportError as error:
            raise _not_installed(error) from error
        try:
            return self._make_engine()
        except ImportError as error:
            raise _not_installed(error) from error
        except EmbedderError as error:
            raise translated(error) from error

    @asynccontextmanager
    async def _boundary(self, engine: Engine) -> AsyncIterator[None]:
        """Errors of the engine end here."""
        from kausa_embedder.errors import BrokenError, ClosedError, EmbedderError

        try:
            yield
        except (BrokenError, ClosedError) as error:
            await self._let_go(engine)
            raise translated(error) from error
        except EmbedderError as error:
            raise translated(error) from error

    async def _let_go(self, engine: Engine) -> None:
        """Only this one: while it broke, another may have been loaded already."""
        if self._engine is engine:
            self._engine = None
            await engine.close()

    def _construct(self) -> Engine:
        from kausa_embedder.engine import Engine
        from kausa_embedder.options import EngineOptions

        return Engine(EngineOptions(model=self._model_name, folder=self._model_path))


def _not_installed(error: ImportError) -> MemoryUnavailableError:
    return MemoryUnavailableError(
        f"the embedder is not installed ({error}): install kausa[embedded]",
        reason="EmbedderMissing",
    )


def translated(error: EmbedderError) -> MemoryUnavailableError:
    """The same in our words; the reason is what a caller may decide by."""
    from kausa_embedder import errors

    reasons: dict[type[EmbedderError], UnavailableReason] = {
        errors.ModelMissingError: "EmbedderMissing",
        errors.RuntimeMissingError: "EmbedderMissing",
        errors.ProviderMissingError: "EmbedderMissing",
        errors.OverloadedError: "EmbedderOverloaded",
        errors.ExpiredError: "DeadlineExceeded",
        errors.BrokenError: "EmbedderUnavailable",
        errors.ClosedError: "EmbedderUnavailable",
    }
    if isinstance(error, errors.InvalidInputError | errors.InferenceError):
        return TextsRefusedError(str(error))
    reason = next((reasons[kind] for kind in type(error).__mro__ if kind in reasons), None)
    return MemoryUnavailableError(str(error), reason=reason or "EmbedderFailed")


async def _patiently(ask: Callable[[], Awaitable[Embedded]], *, patient: bool) -> Embedded:
    """Ask; where the queue is full, whoever is patient asks again until its deadline."""
    from kausa_embedder.errors import OverloadedError

    backoff = Backoff()
    while True:
        try:
            return await ask()
        except OverloadedError:
            if not patient:
                raise
        await asyncio.sleep(backoff.next_seconds())


def _look_at(task: asyncio.Task[Engine]) -> None:
    """Take note of a failed start that nobody waited for any more."""
    if not task.cancelled():
        task.exception()
