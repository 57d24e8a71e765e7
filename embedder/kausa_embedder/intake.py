"""How a request gets into the engine and through it, how the engine starts, and how it breaks.

Refused first, then reserved, then tokenised, then queued: each step costs more than the one before,
and a request that is turned away has cost nothing but the steps before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kausa_embedder.backends.base import Encoded, Scorer
from kausa_embedder.errors import (
    BrokenError,
    ClosedError,
    EmbedderError,
    ExpiredError,
    InvalidInputError,
    OverloadedError,
    TooLargeError,
    TooLongError,
)
from kausa_embedder.loading import Loaded
from kausa_embedder.models import ModelSpec
from kausa_embedder.options import EngineInfo, EngineOptions, Observer
from kausa_embedder.pipeline import Pipeline
from kausa_embedder.queueing import BULK_SHARE, Priority, Stage, TokenQueue
from kausa_embedder.tokenizing import Tokenizing
from kausa_embedder.warming import probe, warm

__all__ = ["LATE_INTERACTION", "Intake", "State"]

LATE_INTERACTION = "late-interaction"
"""What the reranker is called where there is no cross-encoder."""
BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
"""Measured on CPUs: beyond it a run grows out of the caches, and memory with it."""
LANE_TOKENS = 256
"""Of a batch that runs on one CPU beside others, which has the caches of that one only."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What exists once a model is loaded."""

    info: EngineInfo
    spec: ModelSpec
    scorer: Scorer | None
    tokenizing: Tokenizing
    pipeline: Pipeline


class Intake:
    """Everything between a caller's texts and the pipeline. Used on one event loop."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        load: Callable[[EngineOptions], Loaded],
        observer: Observer,
    ) -> None:
        self.state: State | None = None
        self.failure: str | None = None
        self.refusing = False
        self.queue = TokenQueue(capacity=options.queue_tokens)
        self.threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder-tokens")
        self._options = options
        self._load = load
        self._observer = observer
        self._starting: asyncio.Task[State] | None = None
        self._closed = False
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def drain(self) -> None:
        """Take nothing more, and return when everything that was taken is answered."""
        self.refusing = True
        await self._idle.wait()

    async def close(self) -> None:
        """Answer what waits with ClosedError and end the threads. Closing twice is closing once."""
        self.refusing = self._closed = True
        starting, self._starting = self._starting, None
        if starting is not None:
            await asyncio.wait([starting])
            if not starting.cancelled():
                starting.exception()
        if self.state is not None:
            self.state.tokenizing.fail(ClosedError("the embedder is closed"))
            await self.state.pipeline.close()
            self.state = None
        self.threads.shutdown(wait=False, cancel_futures=True)

    # How a request gets in, and through.

    async def taking(
        self, texts: Sequence[str], deadline: float | None, *, extra: int = 0
    ) -> State:
        """Refuse what cannot be taken, before it costs anything."""
        if self.refusing:
            self._observer.refused(reason="closed")
            raise ClosedError("the embedder is closed" if self._closed else "it is shutting down")
        if len(texts) > self._options.max_texts + extra:
            self._observer.refused(reason="invalid")
            raise TooLargeError(
                f"{len(texts) - extra} texts in one call, at most {self._options.max_texts} are "
                "taken: bring them in several calls"
            )
        if not all(isinstance(text, str) for text in texts):
            raise InvalidInputError("a text is a string")
        if deadline is not None and deadline <= time.monotonic():
            self._observer.refused(reason="expired")
            raise ExpiredError("the deadline had passed before the request came")
        state = await self.started()
        if self.failure is not None:
            raise BrokenError(self.failure)
        return state

    def reserve(self, state: State, texts: Sequence[str], priority: Priority) -> int:
        """Room for texts that are not tokenised yet: about four characters are a token."""
        most = state.info.max_tokens
        guess = sum(min(most, len(text) // 4 + 2) for text in texts)
        if guess > self.queue.capacity * BULK_SHARE:
            self._observer.refused(reason="invalid")
            raise TooLargeError(
                f"the texts of one call are about {guess} tokens, more than {BULK_SHARE:.0%} of "
                f"the queue of {self.queue.capacity}: bring them in several calls"
            )
        if not self.queue.reserve(guess, priority):
            self._observer.refused(reason="overloaded")
            wait = state.pipeline.retry_after_seconds
            raise OverloadedError(
                f"the queue is full ({self.queue.used} of {self.queue.capacity} tokens); "
                f"come again in {wait:.1f} s",
                retry_after_seconds=wait,
            )
        return guess

    async def through(
        self,
        state: State,
        texts: Sequence[str],
        *,
        words: bool,
        priority: Priority,
        truncate: bool,
        deadline: float | None,
    ) -> tuple[list[Encoded], list[object]]:
        """Tokenise, queue, run. `words` asks for a vector of each token."""
        if not texts:
            return [], []
        guess = self.reserve(state, texts, priority)
        encoding = state.tokenizing.encode(texts, words=words, priority=priority)
        return await self.queued(
            state,
            encoding,
            guess=guess,
            stage="embed",
            wants_tokens=words,
            truncate=truncate,
            priority=priority,
            deadline=deadline,
        )

    async def queued(
        self,
        state: State,
        encoding: Awaitable[list[Encoded]],
        *,
        guess: int,
        stage: Stage,
        priority: Priority,
        deadline: float | None,
        wants_tokens: bool = False,
        truncate: bool = True,
    ) -> tuple[list[Encoded], list[object]]:
        """Wait for the tokens, then for the model; what was reserved is given back by then."""
        ends = float("inf") if deadline is None else deadline
        reserved = guess
        self._pending += 1
        self._idle.clear()
        try:
            async with asyncio.timeout_at(deadline):
                encoded = await encoding
            for place, one in enumerate(encoded):
                if one.truncated and not truncate:
                    raise self.too_long(state, place=place)
            self.queue.correct(reserved=guess, actual=sum(len(one.ids) for one in encoded))
            reserved = 0
            values = await state.pipeline.submit(
                encoded,
                stage=stage,
                wants_tokens=wants_tokens,
                priority=priority,
                deadline=ends,
            )
            return encoded, values
        except TimeoutError:
            raise self._refused(ExpiredError("the deadline passed before the answer")) from None
        except EmbedderError as error:
            raise self._refused(error) from None
        except asyncio.CancelledError:
            self._observer.refused(reason="cancelled")
            raise
        finally:
            self.queue.correct(reserved=reserved, actual=0)
            self._pending -= 1
            if not self._pending:
                self._idle.set()

    def _refused(self, error: EmbedderError) -> EmbedderError:
        for kind, reason in _REASONS.items():
            if isinstance(error, kind):
                self._observer.refused(reason=reason)
                break
        return error

    def too_long(self, state: State, *, place: int) -> TooLongError:
        """What is raised for a text that may not be cut."""
        return TooLongError(
            f"it has more than the {state.info.max_tokens} tokens that {state.info.model} "
            "reads: shorten it, split it, or allow it to be cut (truncate)",
            place=place,
        )

    # How it starts, and breaks.

    async def started(self) -> State:
        """The loaded model; whoever comes first loads it, and who gives up does not stop that."""
        if self.state is not None:
            return self.state
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="embedder-start")
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        finally:
            if starting.done() and self._starting is starting:
                self._starting = None

    async def _start(self) -> State:
        loop = asyncio.get_running_loop()
        loaded, info = await loop.run_in_executor(self.threads, self._load_and_warm)
        pipeline = Pipeline(
            loaded=loaded,
            queue=self.queue,
            batch_tokens=info.batch_tokens,
            batch_texts=info.batch_texts,
            observer=self._observer,
            on_broken=self._break,
        )
        tokenizing = Tokenizing(
            encode=loaded.backend.encode,
            executor=self.threads,
            on_error=pipeline.end,
            on_round=lambda seconds, texts: self._observer.tokenized(seconds=seconds, texts=texts),
        )
        state = State(
            info=info,
            scorer=loaded.scorer,
            spec=loaded.spec,
            tokenizing=tokenizing,
            pipeline=pipeline,
        )
        self.state = state
        return state

    def _load_and_warm(self) -> tuple[Loaded, EngineInfo]:
        loaded = self._load(self._options)
        spec = loaded.spec
        suits = LANE_TOKENS if loaded.lanes else BATCH_TOKENS[loaded.backend.provider]
        budget = self._options.batch_tokens or suits
        info = EngineInfo(
            model=spec.name,
            backend=spec.backend,
            dimensions=probe(loaded),
            max_tokens=spec.max_tokens,
            provider=loaded.backend.provider,
            reranker=loaded.scorer_spec.name if loaded.scorer_spec else LATE_INTERACTION,
            licence=spec.licence,
            threads=loaded.threads,
            batch_tokens=budget,
            batch_texts=self._options.batch_texts,
            queue_tokens=self._options.queue_tokens,
            max_texts=self._options.max_texts,
            lanes=loaded.lanes.count if loaded.lanes else 1,
        )
        warm(loaded, batch_tokens=budget, batch_texts=self._options.batch_texts)
        return loaded, info

    def _break(self, error: EmbedderError) -> None:
        self.failure = str(error)
        if self.state is not None:
            self.state.tokenizing.fail(error)


_REASONS: dict[type[EmbedderError], str] = {
    ExpiredError: "expired",
    InvalidInputError: "invalid",
    BrokenError: "broken",
    ClosedError: "closed",
}
