"""The embedding engine: texts in, vectors out, as fast as the model goes.

    texts -> known ones from the cache
          -> tokenised on arrival, on a thread
          -> a queue bounded in tokens, interactive before bulk
          -> batches of like length, one ahead
          -> the model: one that is alone on all CPUs, several on a CPU each
          -> pooled, checked, remembered

The same object serves HTTP and a client in the same process. A request that cannot be taken is
refused at once and says when to come again; one that nobody waits for any more is dropped before
it costs. When a stage dies, everything that waits is told at once, and `failure` says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast, overload

import numpy as np
from numpy.typing import NDArray

from kausa_embedder.backends.base import Encoded
from kausa_embedder.bounding import estimate_tokens, first_within, in_portions
from kausa_embedder.caching import Cache, Statistics, key_of
from kausa_embedder.errors import ClosedError, InferenceError, TooLongError
from kausa_embedder.intake import LATE_INTERACTION, Intake, State
from kausa_embedder.late_interaction import WordWeights, built_in_weights, max_sim
from kausa_embedder.loading import Loaded, load
from kausa_embedder.models import Kind
from kausa_embedder.options import EngineInfo, EngineOptions, NullObserver, Observer
from kausa_embedder.queueing import Priority

__all__ = ["LATE_INTERACTION", "Embedded", "Engine"]

Vector = NDArray[np.float32]
PORTION_TOKENS = 1024
"""Of documents that are read for their token vectors one after the other: what is read of a call
that is taken back, or late, is kept up to the last portion that was done."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedded:
    """The answer to `embed`, in the order of the texts."""

    vectors: list[Vector]
    """Of unit length, float32."""
    tokens: list[int]
    """How many tokens of each text the model read."""
    truncated: list[bool]
    """Whether a text was longer than that."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """One text's answer, as it is remembered."""

    vector: Vector
    tokens: int
    truncated: bool


class Engine:
    """Embeds, scores and reranks. Everything runs on the event loop of the first call."""

    def __init__(
        self,
        options: EngineOptions | None = None,
        *,
        load: Callable[[EngineOptions], Loaded] = load,
        observer: Observer | None = None,
        word_weights: WordWeights | None = None,
    ) -> None:
        self._options = options or EngineOptions()
        self._intake = Intake(self._options, load=load, observer=observer or NullObserver())
        self._weights = word_weights
        self._vectors: Cache[_Known] = Cache(capacity_bytes=self._options.cache_bytes)
        self._token_vectors: Cache[NDArray[np.float16]] = Cache(
            capacity_bytes=self._options.token_cache_bytes
        )
        self._scoring = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder-score")

    # What it is.

    @property
    def info(self) -> EngineInfo:
        """What runs. Raises ClosedError before the model is loaded."""
        if self._intake.state is None:
            raise ClosedError("no model is loaded yet")
        return self._intake.state.info

    @property
    def ready(self) -> bool:
        """Whether requests are taken: loaded, warm, not broken, not draining."""
        return (
            self._intake.state is not None
            and self._intake.failure is None
            and not self._intake.refusing
        )

    @property
    def failure(self) -> str | None:
        """Why it is broken, in words for a person; None while it is not."""
        return self._intake.failure

    @property
    def draining(self) -> bool:
        """Whether it only finishes what it has."""
        return self._intake.refusing

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait, or are being tokenised."""
        return self._intake.queue.used

    @property
    def queued_texts(self) -> int:
        """Texts that wait for the model."""
        return len(self._intake.queue)

    @property
    def cached(self) -> tuple[Statistics, Statistics]:
        """How the caches do: of vectors, and of tokens' vectors."""
        return self._vectors.statistics, self._token_vectors.statistics

    # Its life.

    async def start(self) -> None:
        """Load the model, probe it, run every width once. A second call waits for the first.

        Raises ModelMissingError, ModelBrokenError, ProviderMissingError, RuntimeMissingError; a
        later call tries again. A caller that gives up does not stop the load.
        """
        await self._intake.started()

    async def drain(self) -> None:
        """Take nothing more, and return when everything that was taken is answered."""
        await self._intake.drain()

    async def close(self) -> None:
        """Answer what waits with ClosedError and end the threads. Closing twice is closing once."""
        await self._intake.close()
        self._scoring.shutdown(wait=False, cancel_futures=True)
        self._vectors.clear()
        self._token_vectors.clear()

    # What it does.

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        truncate: bool = True,
        deadline: float | None = None,
    ) -> Embedded:
        """One vector of unit length per text. `deadline` is in `time.monotonic()`.

        Raises InvalidInputError, OverloadedError, ExpiredError, InferenceError, BrokenError,
        ClosedError. An empty text is a text like any other; no text is no vector.
        """
        state = await self._intake.taking(texts, deadline)
        prefixed = [state.spec.prefix(kind) + _clean(text) for text in texts]
        keys = [key_of(text) for text in prefixed]
        known = {key: found for key in keys if (found := self._vectors.get(key)) is not None}
        lacking = {key: text for key, text in zip(keys, prefixed, strict=True) if key not in known}
        if lacking:
            with _naming(lambda place: keys.index(list(lacking)[place])):
                encoded, values = await self._intake.through(
                    state,
                    list(lacking.values()),
                    words=False,
                    priority=priority,
                    truncate=truncate,
                    deadline=deadline,
                )
            for key, one, value in zip(lacking, encoded, values, strict=True):
                vector = cast("Vector", value)
                known[key] = entry = _Known(
                    vector=vector, tokens=len(one.ids), truncated=one.truncated
                )
                self._vectors.put(key, entry, size=vector.nbytes)
        answer = [known[key] for key in keys]
        if not truncate:
            for place, entry in enumerate(answer):
                if entry.truncated:
                    raise self._intake.too_long(state, place=place)
        return Embedded(
            vectors=[entry.vector for entry in answer],
            tokens=[entry.tokens for entry in answer],
            truncated=[entry.truncated for entry in answer],
        )

    async def embed_tokens(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        truncate: bool = True,
        deadline: float | None = None,
    ) -> list[Vector]:
        """A unit vector for each token of each text, (tokens, dimensions); raises as `embed`.

        Only tokens that stand for text: the marks of its beginning and end are left out. Queries
        and passages are read alike, because the prefixes were trained for whole texts' vectors.
        """
        state = await self._intake.taking(texts, deadline)
        with _naming(lambda place: place):
            encoded, values = await self._intake.through(
                state,
                [_clean(text) for text in texts],
                words=True,
                priority=priority,
                truncate=truncate,
                deadline=deadline,
            )
        return [_of_text(one, value) for one, value in zip(encoded, values, strict=True)]

    async def score_late(
        self,
        query: str,
        documents: Sequence[str],
        *,
        weights: Mapping[str, float] | None = None,
        priority: Priority = "interactive",
        deadline: float | None = None,
    ) -> list[float]:
        """How well each document answers the query, in -1 to 1, by late interaction.

        `weights` says what the query's words weigh, instead of the frequencies that come along.
        Documents' token vectors are remembered, so the same candidates cost nothing the next time.
        Texts that are too long are cut. Raises as `embed`.
        """
        state = await self._intake.taking([query, *documents], deadline, extra=1)
        scores = await self._late(
            state, query, documents, weights=weights, priority=priority, deadline=deadline
        )
        return [score for score in scores if score is not None]

    @overload
    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline: float | None = None,
    ) -> list[float]: ...

    @overload
    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline: float | None = None,
        most_new_tokens: int | None,
    ) -> list[float | None]: ...

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline: float | None = None,
        most_new_tokens: int | None = None,
    ) -> list[float] | list[float | None]:
        """How well each document answers the query, in 0 to 1, comparable within one call.

        By the cross-encoder where there is one, else by late interaction; `info.reranker` says
        which. Raises as `embed`.

        `most_new_tokens` bounds what is read for it: documents whose token vectors are known are
        scored whatever their number, and of the others as many of the first as have about so many
        tokens together, but one at least. The rest get None. To a cross-encoder all are new.
        """
        state = await self._intake.taking([query, *documents], deadline, extra=1)
        if state.scorer is None:
            scores = await self._late(
                state,
                query,
                documents,
                priority=priority,
                deadline=deadline,
                most_new_tokens=most_new_tokens,
            )
            return [None if score is None else max(0.0, score) for score in scores]
        asked, texts = _clean(query), [_clean(document) for document in documents]
        if most_new_tokens is not None:
            # Each is read together with the query.
            most = state.info.max_tokens
            sizes = [estimate_tokens(text, most=most, beside=len(asked)) for text in texts]
            texts = texts[: first_within(sizes, most_new_tokens)]
        guess = self._intake.reserve(state, [asked + text for text in texts], priority)
        encoding = state.tokenizing.encode_pairs(
            asked, texts, encode=state.scorer.encode_pairs, priority=priority
        )
        _, values = await self._intake.queued(
            state, encoding, guess=guess, stage="rerank", priority=priority, deadline=deadline
        )
        logits = np.clip(np.array(values, dtype=np.float64), -60.0, 60.0)
        read = [float(score) for score in 1.0 / (1.0 + np.exp(-logits))]
        return [*read, *[None] * (len(documents) - len(read))]

    async def _late(
        self,
        state: State,
        query: str,
        documents: Sequence[str],
        *,
        weights: Mapping[str, float] | None = None,
        priority: Priority,
        deadline: float | None,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """Late interaction with each document; None for those that are left out."""
        texts = [_clean(document) for document in documents]
        keys = [key_of(text) for text in texts]
        known = {key: found for key in keys if (found := self._token_vectors.get(key)) is not None}
        lacking = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        sizes = [estimate_tokens(text, most=state.info.max_tokens) for text in lacking.values()]
        new = list(lacking.items())
        if most_new_tokens is not None:
            del new[first_within(sizes, most_new_tokens) :]
        question: Vector = np.empty((0, state.info.dimensions), dtype=np.float32)
        words: list[str] = []
        for portion in in_portions(sizes[: len(new)], most=PORTION_TOKENS):
            beside = [] if portion.start else [_clean(query)]
            encoded, values = await self._intake.through(
                state,
                [*beside, *(text for _, text in new[portion])],
                words=True,
                priority=priority,
                truncate=True,
                deadline=deadline,
            )
            if beside:
                question = _of_text(encoded[0], values[0])
                words = [word for word in encoded[0].words if word]
            at = len(beside)
            for (key, _), one, value in zip(new[portion], encoded[at:], values[at:], strict=True):
                known[key] = small = _of_text(one, value).astype(np.float16)
                self._token_vectors.put(key, small, size=small.nbytes)
        chosen = self._weights if weights is None else WordWeights.of(weights)
        if chosen is None:
            chosen = self._weights = built_in_weights()
        read = [key for key in keys if key in known]
        scores = await asyncio.get_running_loop().run_in_executor(
            self._scoring, max_sim, question, chosen.of_tokens(words), [known[key] for key in read]
        )
        by_key = dict(zip(read, scores, strict=True))
        return [by_key.get(key) for key in keys]


@contextmanager
def _naming(place_of: Callable[[int], int]) -> Iterator[None]:
    """Say of an error that one text caused where it stands among the caller's, who may leave it
    out.

    `place_of` has it for each of the texts that were run; those of the cache were not.
    """
    try:
        yield
    except (InferenceError, TooLongError) as error:
        if error.place is None:
            raise
        place = place_of(error.place)
        raise type(error)(f"text {place} of the call: {error}", place=place) from error


def _clean(text: str) -> str:
    """Half a pair of surrogates, as a cut JSON string has it, is no text to a tokenizer."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def _of_text(encoded: Encoded, vectors: object) -> Vector:
    """The vectors of those tokens that stand for text."""
    own = np.array([bool(word) for word in encoded.words], dtype=bool)
    return np.asarray(cast("Vector", vectors)[own], dtype=np.float32)
